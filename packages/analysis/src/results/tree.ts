import { guard } from '@epochscope/core-wasm';
import { isObject, shown } from '../formats/json.js';
import type { TensorData } from '../formats/types.js';
import type { SampleImages } from '../run/images.js';

/** Deeper trees are refused: methods' results have about 6 levels, and a cycle has no end. */
export const MAX_RESULT_DEPTH = 64;

export const isArray = (value: unknown): value is TensorData =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

/** Images that stand in a run's samples, as a result refers to them. `rows`: null for all. */
export interface SamplesReference {
  $samples: 'inputs';
  rows: Uint32Array | null;
  shape: SampleImages['shape'];
}

/** The images of a reference; null where they are not to be had. */
export type LoadSamples = (reference: SamplesReference) => Promise<SampleImages | null> | SampleImages | null;

/** A copy of a result's tree with the images that stand in a run's samples as references to them. */
export function referTo(value: unknown, depth = 0): unknown {
  checkDepth(depth, []);
  if (isArray(value) || !(isObject(value) || Array.isArray(value))) return value;
  if (Array.isArray(value)) return value.map((item) => referTo(item, depth + 1));
  if (isObject(value.from) && value.from.samples === 'inputs' && value.data instanceof Uint8Array) {
    const { from, shape } = value as unknown as Required<SampleImages>;
    return { $samples: from.samples, rows: from.rows, shape };
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, referTo(item, depth + 1)]));
}

/** The inverse: references become what `load` gives, in the shape that views know. */
export async function resolveSamples(value: unknown, load: LoadSamples): Promise<unknown> {
  if (isArray(value) || !(isObject(value) || Array.isArray(value))) return value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => resolveSamples(item, load)));
  if ('$samples' in value) {
    const reference = value as unknown as SamplesReference;
    const { $samples, rows, shape } = reference;
    guard(
      $samples === 'inputs' && (rows === null || rows instanceof Uint32Array) && Array.isArray(shape),
      'format',
      () => `expected a reference to samples, got ${shown(value)}`,
    );
    const images = await load(reference);
    return images && { ...images, from: { samples: $samples, rows } };
  }
  const entries = Object.entries(value).map(
    async ([key, item]) => [key, await resolveSamples(item, load)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

const checkDepth = (depth: number, path: readonly string[]) =>
  guard(
    depth <= MAX_RESULT_DEPTH,
    'argument',
    () => `result field ${path.slice(0, 4).join('.')}…: expected at most ${MAX_RESULT_DEPTH} levels`,
    { path: path.slice(0, 4).join('.') },
  );

/** A copy of a result's tree with every typed array replaced by `replace(path, array)`. Refuses NaN and infinities by path. */
export function mapArrays(
  value: unknown,
  replace: (path: string[], array: TensorData) => unknown,
  path: string[] = [],
): unknown {
  checkDepth(path.length, path);
  if (isArray(value)) return replace(path, value);
  if (Array.isArray(value)) return value.map((item, i) => mapArrays(item, replace, [...path, String(i)]));
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, mapArrays(item, replace, [...path, key])]),
    );
  guard(
    typeof value !== 'number' || Number.isFinite(value),
    'not-finite',
    () => `result field ${path.join('.')}: expected a finite number or null, got ${value}`,
    { path: path.join('.') },
  );
  return value;
}

/** The inverse: every object that has `key` is replaced by what `load` makes of it. */
export async function restoreArrays(
  value: unknown,
  key: string,
  load: (reference: Record<string, unknown>) => TensorData | Promise<TensorData>,
  depth = 0,
): Promise<unknown> {
  guard(depth <= MAX_RESULT_DEPTH, 'format', () => `expected a result of at most ${MAX_RESULT_DEPTH} levels`);
  if (Array.isArray(value))
    return Promise.all(value.map((item) => restoreArrays(item, key, load, depth + 1)));
  if (!isObject(value)) return value;
  if (key in value) return load(value);
  const entries = await Promise.all(
    Object.entries(value).map(
      async ([name, item]) => [name, await restoreArrays(item, key, load, depth + 1)] as const,
    ),
  );
  return Object.fromEntries(entries);
}
