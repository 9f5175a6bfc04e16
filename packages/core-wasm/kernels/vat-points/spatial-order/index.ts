import type { Kernels } from '../../../src/load.js';

interface SpatialOrderExports {
  vatPointsSpatialOrder(values: number, width: number, n: number, index: number, stack: number): void;
}

/**
 * Indices 0..n−1 so that neighbours in the list are neighbours in space, by float32[n × width] values. Time O(n·width·log n);
 * WebAssembly memory 4·n·(width + 4) bytes meanwhile.
 */
export function spatialOrder(
  { arena, exports }: Kernels,
  values: Float32Array,
  width: number,
  n: number,
): Uint32Array {
  const wide = 4 * Math.ceil(width / 4);
  return arena.scope((alloc) => {
    const valuesAt = alloc(4 * n * wide);
    const index = alloc(4 * n);
    const stack = alloc(1024);
    const to = arena.f32(valuesAt, n * wide);
    if (wide === width) to.set(values);
    else {
      to.fill(0);
      for (let i = 0; i < n; i++) for (let k = 0; k < width; k++) to[i * wide + k] = values[i * width + k]!;
    }
    (exports as unknown as SpatialOrderExports).vatPointsSpatialOrder(valuesAt, wide, n, index, stack);
    return arena.u32(index, n).slice();
  });
}
