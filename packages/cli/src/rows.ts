import type { Matrix } from '@epochscope/core-wasm';

/** Which samples are analysed: all (null), or their numbers. */
export type Chosen = Uint32Array | null;

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
