import type { Matrix, Metric } from '../../src/matrix.js';

/** One dissimilarity between rows of x, by definition in float64. Zero vectors (constant rows for correlation): 1 from others, 0 from each other. */
export function pointDistance(x: Matrix, metric: Metric): (i: number, j: number) => number {
  const d = x.shape[1];
  const row = (i: number) => {
    const r = Array.from(x.data.subarray(i * d, (i + 1) * d));
    if (metric !== 'correlation') return r;
    const mean = r.every((v) => v === r[0]) ? (r[0] ?? 0) : r.reduce((s, v) => s + v, 0) / d;
    return r.map((v) => v - mean);
  };
  return (i, j) => {
    const a = row(i);
    const b = row(j);
    if (metric === 'euclidean') return Math.sqrt(a.reduce((s, v, k) => s + (v - b[k]!) ** 2, 0));
    if (metric === 'manhattan') return a.reduce((s, v, k) => s + Math.abs(v - b[k]!), 0);
    const p = Math.sqrt(a.reduce((s, v) => s + v * v, 0));
    const q = Math.sqrt(b.reduce((s, v) => s + v * v, 0));
    if (p === 0 || q === 0) return p === q ? 0 : 1;
    return a.reduce((s, v, k) => s + (v / p - b[k]! / q) ** 2, 0) / 2;
  };
}
