import type { NodeOf } from '../types.js';

export type Pool = NodeOf<'max-pool'> | NodeOf<'average-pool'>;

/**
 * A pooling at one image as a sparse linear map: output p is the weighted sum of `sources[p · window …]`. Max pooling
 * takes the value at its largest entry, the first in row-major order among equals (at a tie the derivative is a choice).
 */
export interface PoolMap {
  /** Sources of one output: 1 for max pooling, window sides' product for averages; −1 for none. */
  window: number;
  sources: Int32Array;
  /** Weight of each output's sources; null for 1. */
  weights: Float32Array | null;
}

/** `values`: the image pooled, 1 to 3 spatial sides and channels; `out`: the result's shape. */
export function poolMap(
  op: Pool,
  values: Float32Array,
  input: readonly number[],
  out: readonly number[],
): PoolMap {
  const three = (list: readonly number[], one: number) => [
    ...new Array<number>(3 - list.length).fill(one),
    ...list,
  ];
  const channels = input[input.length - 1]!;
  const [depth, height, width] = three(input.slice(0, -1), 1) as [number, number, number];
  const [planes, rows, columns] = three(out.slice(0, -1), 1) as [number, number, number];
  const [sizeD, sizeH, sizeW] = three(op.size, 1) as [number, number, number];
  const [stepD, stepH, stepW] = three(op.strides, 1) as [number, number, number];
  const before = three(
    op.padding.filter((_, i) => i % 2 === 0),
    0,
  ) as [number, number, number];
  const area = sizeD * sizeH * sizeW;
  const max = op.kind === 'max-pool';
  const window = max ? 1 : area;
  const sources = new Int32Array(planes * rows * columns * channels * window).fill(-1);
  const weights = max ? null : new Float32Array(planes * rows * columns * channels);
  for (let s = 0, p = 0; s < planes; s++)
    for (let r = 0; r < rows; r++)
      for (let q = 0; q < columns; q++)
        for (let c = 0; c < channels; c++, p++) {
          let best = Number.NEGATIVE_INFINITY;
          let count = 0;
          for (let dz = 0; dz < sizeD; dz++) {
            const z = s * stepD - before[0] + dz;
            if (z < 0 || z >= depth) continue;
            for (let dy = 0; dy < sizeH; dy++) {
              const y = r * stepH - before[1] + dy;
              if (y < 0 || y >= height) continue;
              for (let dx = 0; dx < sizeW; dx++) {
                const x = q * stepW - before[2] + dx;
                if (x < 0 || x >= width) continue;
                const at = ((z * height + y) * width + x) * channels + c;
                if (!max) sources[p * window + count++] = at;
                else if (values[at]! > best) {
                  best = values[at]!;
                  sources[p] = at;
                }
              }
            }
          }
          if (weights) weights[p] = 1 / (op.kind === 'average-pool' && op.countPadding ? area : count);
        }
  return { window, sources, weights };
}

/** k images v → k results, by one map for all or one for each. O(k · outputs · window). */
export function poolForward(
  maps: readonly PoolMap[],
  v: Float32Array,
  k: number,
  inSize: number,
): Float32Array {
  const outSize = maps[0]!.sources.length / maps[0]!.window;
  const y = new Float32Array(k * outSize);
  for (let i = 0; i < k; i++) {
    const { window, sources, weights } = maps[i % maps.length]!;
    const from = i * inSize;
    const to = i * outSize;
    for (let p = 0; p < outSize; p++) {
      let sum = 0;
      for (let s = p * window; s < (p + 1) * window; s++) {
        const at = sources[s]!;
        if (at >= 0) sum += v[from + at]!;
      }
      y[to + p] = weights ? sum * weights[p]! : sum;
    }
  }
  return y;
}

/** The transpose: k results u → k images. */
export function poolBack(maps: readonly PoolMap[], u: Float32Array, k: number, inSize: number): Float32Array {
  const outSize = maps[0]!.sources.length / maps[0]!.window;
  const x = new Float32Array(k * inSize);
  for (let i = 0; i < k; i++) {
    const { window, sources, weights } = maps[i % maps.length]!;
    const to = i * inSize;
    const from = i * outSize;
    if (!weights) {
      for (let p = 0; p < outSize; p++) {
        const at = sources[p]!;
        if (at >= 0) x[to + at]! += u[from + p]!;
      }
      continue;
    }
    for (let p = 0; p < outSize; p++) {
      const value = u[from + p]! * weights[p]!;
      for (let s = p * window; s < (p + 1) * window; s++) {
        const at = sources[s]!;
        if (at >= 0) x[to + at]! += value;
      }
    }
  }
  return x;
}
