import { isActivation, type RemovedUnits, type Run, random } from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';

/** What recordings call some of them. */
const RECORDED = new Set(['selu', 'swish']);

/** The layers asked for, each once and whole; or those after an activation; or all but the last. */
export function hiddenLayers(run: Run, wanted: string[] | undefined): string[] {
  const { manifest } = run;
  const { name: directory } = run.store;
  if (wanted) {
    for (const name of wanted)
      guard(
        run.layer(name).name === name,
        'argument',
        () =>
          `--layers ${name}: units are those of whole layers; give ${run.layer(name).name} and --units channel`,
        { layer: name },
      );
    return [...new Set(wanted)];
  }
  const hidden = manifest.layers.slice(0, -1);
  const active = hidden.filter(({ kind }) => isActivation(kind) || RECORDED.has(kind));
  const names = (active.length ? active : hidden).map(({ name }) => name);
  guard(names.length > 0, 'missing', () => `${directory} has no hidden layer`, { path: directory });
  return names;
}

/** What is left out where only some of the units are analysed. */
export function notDrawn(total: number, units: number, seed: number): RemovedUnits {
  const drawn = new Set(random(seed, 3).subset(total, units));
  return {
    reason: `not among the ${units} units drawn (seed ${seed})`,
    units: Uint32Array.from({ length: total }, (_, u) => u).filter((u) => !drawn.has(u)),
  };
}
