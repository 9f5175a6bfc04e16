import { basename, join } from 'node:path';
import { type FileIdentity, type Run, type TendencyResult, thinningSteps } from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import { captureRun, predictedBy } from './capture-run.js';
import { chooseSnapshots, openFor } from './open-run.js';
import type { Output } from './output.js';
import { pick, rows } from './rows.js';
import { sha256 } from './run-inputs.js';
import { analyse, type Source, write } from './tendency/analyse.js';
import type { TendencyRunOptions } from './tendency/options.js';
import { chooseSamples } from './tendency/samples.js';

export type { TendencyRunOptions } from './tendency/options.js';

/** Analyses layers × snapshots of a run, capturing outputs it does not hold, and writes the result into it (or `output`). */
export async function tendencyOfRun(
  directory: string,
  options: TendencyRunOptions,
  output: Output,
): Promise<{ result: TendencyResult; folder: string }> {
  const { run, folder } = await openFor('tendency', directory, options, output);
  const snapshots = chooseSnapshots(run, options.snapshots);
  const last = run.manifest.layers.at(-1)?.name;
  const layers = [...new Set(options.layers ?? (last ? [last] : []))];
  guard(layers.length > 0, 'missing', () => `${directory} names no layer`, { path: directory });
  for (const layer of layers) run.layer(layer);
  const reference = options.thin ? referenceOf(run, layers, snapshots, options.reference) : undefined;
  // The last layer's outputs give predictions, for marks and scores.
  const needed = run.manifest.model && last ? [...new Set([...layers, last])] : layers;
  await captureRun(
    run,
    snapshots.map(({ id }) => id),
    needed,
    output,
  );

  const labels = await run.labels();
  const count = run.manifest.samples?.count ?? (await run.outputs(snapshots[0]!.id, layers[0]!)).shape[0];
  const chosen = await chooseSamples(options.samples, count);
  // Refused before the long part.
  if (options.thin) thinningSteps(options.thin, chosen?.length ?? count);
  const sources: Source[] = [];
  const hashes: Record<string, FileIdentity> = {};
  for (const { id, epoch, step } of snapshots) {
    const predicted = await predictedBy(run, id, labels);
    for (const layer of layers) {
      const snapshot = { id, epoch, step };
      const file = join('snapshots', id, 'outputs', `${run.layer(layer).name}.npy`);
      hashes[file] ??= { sha256: await sha256(join(directory, file)) };
      sources.push({
        snapshot,
        layer,
        input: async () => {
          const whole = await run.outputs(id, layer);
          guard(
            whole.shape[0] === count,
            'shape',
            () => `${join(directory, file)}: expected outputs of ${count} samples, got ${whole.shape[0]}`,
            { file, expected: count, got: whole.shape[0] },
          );
          return {
            snapshot,
            layer,
            outputs: rows(whole, chosen),
            labels: pick(labels, chosen),
            predictions: pick(predicted?.predictions ?? null, chosen),
            logLikelihood: pick(predicted?.logLikelihood ?? null, chosen),
          };
        },
      });
    }
  }
  const result = await analyse(
    sources,
    { ...options, reference },
    { source: basename(directory), files: hashes },
    {
      classes: run.manifest.classes,
      images: await run.images(chosen),
      labels: pick(labels, chosen),
      chosen,
    },
    output,
  );
  return write(folder, result, output);
}

/** The panel whose order is thinned, by the names the run knows; it must be one of those analysed. */
function referenceOf(
  run: Run,
  layers: readonly string[],
  snapshots: readonly { id: string }[],
  wanted: TendencyRunOptions['reference'],
): { layer: string; snapshot: string } {
  const layer = wanted?.layer ?? layers.at(-1)!;
  run.layer(layer);
  const snapshot = wanted ? run.snapshot(wanted.snapshot).id : snapshots.at(-1)!.id;
  guard(
    layers.includes(layer) && snapshots.some(({ id }) => id === snapshot),
    'missing',
    () => `thinning: the reference ${layer}/${snapshot} is not among the layers and snapshots analysed`,
    { layer, snapshot },
  );
  return { layer, snapshot };
}
