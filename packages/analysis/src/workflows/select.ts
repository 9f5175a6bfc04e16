import { guard, type Matrix } from '@epochscope/core-wasm';
import { rowsEach } from '../formats/matrix.js';
import { TOKEN_CHOICES, type TokenChoice, tokenAxis } from '../formats/tokens.js';
import { findLayer } from '../run/manifest.js';
import type { Run, SnapshotInfo } from '../run/types.js';
import { checkKinds, checkObject, shownValue } from './arguments.js';
import { sha256 } from './keys.js';

/** Snapshots by id, epoch, "first", "last", "init" or "all", in the run's order, each once. Throws `missing` if there are none. */
export function chooseSnapshots(run: Run, wanted: readonly (string | number)[]): SnapshotInfo[] {
  const { snapshots } = run.manifest ?? {};
  guard(
    snapshots !== undefined,
    'argument',
    () => `expected a run, as \`await openRun(…)\` gives it, got ${shownValue(run)}`,
  );
  guard(snapshots.length > 0, 'missing', () => `${run.store.name} holds no complete snapshot`, {
    path: run.store.name,
  });
  if (wanted.includes('all')) return snapshots;
  const ids = new Set(wanted.map((name) => run.snapshot(name).id));
  return snapshots.filter(({ id }) => ids.has(id));
}

export const placeOf = ({ id, epoch, step }: SnapshotInfo): Pick<SnapshotInfo, 'id' | 'epoch' | 'step'> => ({
  id,
  epoch,
  step,
});

/** Which samples are analysed: all (null), or their numbers. */
export type Chosen = Uint32Array | null;

/** The first so many of `n` samples, or those listed, each once. Throws `argument`. */
export function chosenSamples(wanted: number | readonly number[] | null, n: number): Chosen {
  if (wanted === null) return null;
  if (typeof wanted === 'number') {
    guard(
      Number.isInteger(wanted) && wanted >= 1,
      'argument',
      () => `samples: expected an integer ≥ 1, got ${wanted}`,
    );
    return wanted < n ? Uint32Array.from({ length: wanted }, (_, i) => i) : null;
  }
  guard(
    (Array.isArray(wanted) || ArrayBuffer.isView(wanted)) && wanted.length > 0,
    'argument',
    () => `samples: expected how many, or a list of their numbers, got ${shownValue(wanted)}`,
    { got: shownValue(wanted) },
  );
  const seen = new Set<number>();
  wanted.forEach((sample, row) => {
    guard(
      Number.isInteger(sample) && sample >= 0 && sample < n && !seen.has(sample),
      'argument',
      () => `samples, row ${row}: expected a sample 0 … ${n - 1} that is not listed yet, got ${sample}`,
      { row, got: sample },
    );
    seen.add(sample);
  });
  return Uint32Array.from(wanted);
}

/**
 * Layer names with what stands for a sample where they have tokens and say nothing of them: "ln" → "ln@last". Layers without tokens stay
 * as they are, but for `all`, under which every sample is a token. Throws `argument` where nothing has tokens.
 */
export function withTokens(
  { manifest: { layers }, store }: Run,
  names: readonly string[],
  tokens: TokenChoice | null,
): string[] {
  if (tokens === null) return [...names];
  guard(
    TOKEN_CHOICES.includes(tokens),
    'argument',
    () => `tokens: expected one of ${TOKEN_CHOICES.join(', ')}, got ${tokens}`,
    { got: tokens },
  );
  const chosen = names.map((name) => {
    const { layer, selection } = findLayer(layers, name, store.name);
    if (selection) return { name, has: true };
    const has = tokenAxis(layers, layer.shape) !== null;
    return { name: has ? `${name}@${tokens}` : name, has };
  });
  const none = chosen.filter(({ has }) => !has).map(({ name }) => name);
  guard(
    none.length < (tokens === 'all' ? 1 : chosen.length || 1),
    'argument',
    () =>
      `${store.name}: layer ${none[0]} has no tokens: its shape is [${findLayer(layers, none[0]!, store.name).layer.shape}]; layers that have: ${
        layers
          .filter(({ shape }) => tokenAxis(layers, shape) !== null)
          .map(({ name }) => name)
          .slice(0, 12)
          .join(', ') || 'none'
      }`,
    { layer: none[0] },
  );
  return chosen.map(({ name }) => name);
}

/** How many rows of analysis each sample of the run gives: the same for all layers asked for. Throws `argument` where it is not. */
export function rowsOfSample({ manifest, store }: Run, names: readonly string[]): number {
  const each = names.map((name) => {
    const { layer, selection } = findLayer(manifest.layers, name, store.name);
    return rowsEach(layer.shape, selection);
  });
  const other = each.findIndex((count) => count !== each[0]);
  guard(
    other < 0,
    'argument',
    () =>
      `layers ${names[0]} and ${names[other]} give ${each[0]} and ${each[other]} rows a sample: analyse tokens and whole samples apart`,
    { layer: names[other] },
  );
  return each[0] ?? 1;
}

/** One value a sample, for the rows that each gives. */
export function repeated<T extends Uint32Array | Float32Array>(list: T | null, each: number): T | null {
  if (!list || each === 1) return list;
  const out = new (list.constructor as new (length: number) => T)(list.length * each);
  for (let i = 0; i < out.length; i++) out[i] = list[Math.floor(i / each)]!;
  return out;
}

/** The chosen of a list of one value a sample. */
export function pick<T extends Uint32Array | Float32Array>(list: T | null, chosen: Chosen): T | null {
  if (!list || !chosen) return list;
  const out = new (list.constructor as new (length: number) => T)(chosen.length);
  chosen.forEach((sample, i) => {
    out[i] = list[sample]!;
  });
  return out;
}

/** The chosen rows of a matrix whose first row is that of sample `first`. */
export function rows(m: Matrix, chosen: Chosen, first = 0): Matrix {
  if (!chosen) return m;
  const width = m.shape[1];
  const data = new Float32Array(chosen.length * width);
  chosen.forEach((sample, i) => {
    data.set(m.data.subarray((sample - first) * width, (sample - first + 1) * width), i * width);
  });
  return { data, shape: [chosen.length, width] };
}

/** For a key: a list of samples may be long. */
export const hashOfSamples = (samples: Chosen): string | null => samples && sha256(samples);

/** Options over defaults; undefined ones count as not given. Throws `argument` for one that is not known or of another kind. */
export function withDefaults<Options extends object>(
  method: string,
  defaults: Options,
  given: Partial<Options>,
): Options {
  checkObject(given, `${method}, options`);
  const known = Object.keys(defaults);
  for (const name of Object.keys(given))
    guard(
      known.includes(name),
      'argument',
      () => `${method}: there is no option ${name}; expected ${known.join(', ')}`,
      { option: name },
    );
  checkKinds(method, defaults, given);
  return {
    ...defaults,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}
