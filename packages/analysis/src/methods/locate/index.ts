import { guard, type Matrix, type Metric } from '@epochscope/core-wasm';
import { dissimilarity } from '../../engine/vat-image.js';
import type { TendencyPanel } from '../tendency/types.js';

export * from './types.js';

/**
 * The k rows of `among` nearest to each row of `rows`: uint32[m × k], nearest first, ties to the lower number, and float32[m × k], their
 * distances, summed in float64. rows: float32 m × d; among: float32 n × d. Throws `shape` for another d, `argument` for k outside 1 … n,
 * `not-finite`. O(m n d) time, O(n) memory.
 */
export function nearestRows(
  rows: Matrix,
  among: Matrix,
  metric: Metric,
  k: number,
): { nearest: Uint32Array; distances: Float32Array } {
  const [m, d] = rows.shape;
  const [n, width] = among.shape;
  guard(width === d, 'shape', () => `nearest rows: expected rows of ${width} values, got ${d}`, {
    expected: width,
    got: d,
  });
  guard(
    Number.isInteger(k) && k >= 1 && k <= n,
    'argument',
    () => `nearest rows: expected 1 … ${n} of them, got ${k}`,
    { got: k },
  );
  const nearest = new Uint32Array(m * k);
  const distances = new Float32Array(m * k);
  const all = new Float64Array(n);
  const between = dissimilarity(rows, metric, among);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const distance = between(i, j);
      guard(Number.isFinite(distance), 'not-finite', () => `row ${i}: expected finite values, got others`, {
        row: i,
      });
      all[j] = distance;
    }
    const order = Uint32Array.from({ length: n }, (_, j) => j).sort((a, b) => all[a]! - all[b]! || a - b);
    nearest.set(order.subarray(0, k), i * k);
    for (let j = 0; j < k; j++) distances[i * k + j] = all[order[j]!]!;
  }
  return { nearest, distances };
}

/**
 * Index of the block that a new sample is in, at `distance` of its `nearest` sample; −1 for none. It is in its nearest sample's block if
 * it joins the tree there before the block joins others: below both weights at the block's ends.
 */
export function blockAt(
  { order, weights, blocks }: TendencyPanel,
  nearest: number,
  distance: number,
): number {
  const place = order.indexOf(nearest);
  return blocks.ranges.findIndex(({ start, end }) => {
    if (place < start || place >= end) return false;
    const before = start > 0 ? weights[start - 1]! : Number.POSITIVE_INFINITY;
    const after = end < order.length ? weights[end - 1]! : Number.POSITIVE_INFINITY;
    return distance < Math.min(before, after);
  });
}
