import type { Kernels } from '../../../src/load.js';

interface SpatialOrderExports {
  vatPointsSpatialOrder(values: number, width: number, n: number, index: number, stack: number): void;
}

/** Points in an order in space, in the kernels' memory. */
export interface SpatialOrder {
  /** Indices 0..n−1: neighbours in the list are neighbours in space. */
  order: Uint32Array;
  /** Byte offsets of the same u32[n], and of the values the points were sorted by, f32[n × wide]. */
  index: number;
  values: number;
  wide: number;
}

/** Bytes that `spatialOrder` works in. */
export function spatialOrderBytes(n: number, width: number): number {
  return 4 * n * (4 * Math.ceil(width / 4) + 1) + 1024;
}

/**
 * Sorts n points in space by float32[n × width] values, in `spatialOrderBytes` of the kernels' memory from `at` on.
 * Time O(n·width·log n).
 */
export function spatialOrder(
  { arena, exports }: Kernels,
  values: Float32Array,
  width: number,
  n: number,
  at: number,
): SpatialOrder {
  const wide = 4 * Math.ceil(width / 4);
  const index = at + 4 * n * wide;
  const to = arena.f32(at, n * wide);
  if (wide === width) to.set(values);
  else {
    to.fill(0);
    for (let i = 0; i < n; i++) for (let k = 0; k < width; k++) to[i * wide + k] = values[i * width + k]!;
  }
  (exports as unknown as SpatialOrderExports).vatPointsSpatialOrder(at, wide, n, index, index + 4 * n);
  return { order: arena.u32(index, n).slice(), index, values: at, wide };
}
