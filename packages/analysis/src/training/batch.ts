import type { Split } from '../datasets/types.js';
import type { Random } from '../random.js';

/** Inputs taken relative to a mean and a standard deviation of all bytes / 255. */
export interface Standardise {
  mean: number;
  sd: number;
}

/** Bytes / 255 (standardised, + noise) of the chosen pictures. */
export function batchOf(
  split: Split,
  size: number,
  indices: ArrayLike<number>,
  noise: number,
  source: Random | null,
  { mean, sd }: Standardise = { mean: 0, sd: 1 },
): Float32Array {
  const batch = new Float32Array(indices.length * size);
  for (let i = 0, to = 0; i < indices.length; i++) {
    const from = indices[i]! * size;
    for (let k = 0; k < size; k++) batch[to++] = (split.images[from + k]! / 255 - mean) / sd;
  }
  if (source) for (let i = 0; i < batch.length; i++) batch[i]! += noise * source.normal();
  return batch;
}
