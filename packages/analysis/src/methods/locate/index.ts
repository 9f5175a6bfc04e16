import { guard, type Matrix, type Metric } from '@epochscope/core-wasm';
import type { TendencyPanel } from '../tendency/types.js';

export * from './types.js';

type Row = ArrayLike<number>;

const DISTANCES: Record<Metric, (a: Row, b: Row) => number> = {
  euclidean: (a, b) => Math.sqrt(sumOf(a, b, (x, y) => (x - y) ** 2)),
  manhattan: (a, b) => sumOf(a, b, (x, y) => Math.abs(x - y)),
  cosine: (a, b) => cosine(a, b, 0, 0),
  correlation: (a, b) => cosine(a, b, meanOf(a), meanOf(b)),
};
function sumOf(a: Row, b: Row, term: (x: number, y: number) => number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += term(a[i]!, b[i]!);
  return sum;
}
const meanOf = (a: Row) => (a.length ? sumOf(a, a, (x) => x) / a.length : 0);
/** 1 − cosine of a − p and b − q; 1 where one of them is zero, 0 where both are. */
function cosine(a: Row, b: Row, p: number, q: number): number {
  const [aa, bb] = [sumOf(a, a, (x) => (x - p) ** 2), sumOf(b, b, (y) => (y - q) ** 2)];
  if (aa === 0 || bb === 0) return aa === bb ? 0 : 1;
  const product = sumOf(a, b, (x, y) => (x - p) * (y - q));
  return Math.min(2, Math.max(0, 1 - product / Math.sqrt(aa * bb)));
}

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
  for (let i = 0; i < m; i++) {
    const row = rows.data.subarray(i * d, (i + 1) * d);
    for (let j = 0; j < n; j++) {
      const distance = DISTANCES[metric](row, among.data.subarray(j * d, (j + 1) * d));
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
