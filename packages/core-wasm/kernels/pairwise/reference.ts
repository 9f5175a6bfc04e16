import type { Matrix, Metric } from '../../src/matrix.js';

/**
 * One dissimilarity between rows of x, by definition in float64. Zero vectors (constant rows for correlation): 1 from
 * others, 0 from each other.
 */
export function pointDistance(x: Matrix, metric: Metric): (i: number, j: number) => number {
  const [n, d] = x.shape;
  const rows = Array.from({ length: n }, (_, i) => {
    const row = Float64Array.from(x.data.subarray(i * d, (i + 1) * d));
    if (metric !== 'correlation') return row;
    const mean = row.every((v) => v === row[0]) ? (row[0] ?? 0) : row.reduce((s, v) => s + v, 0) / d;
    return row.map((v) => v - mean);
  });
  const norms = rows.map((row) => Math.sqrt(row.reduce((s, v) => s + v * v, 0)));
  return (i, j) => {
    const [a, b] = [rows[i]!, rows[j]!];
    let sum = 0;
    if (metric === 'euclidean') {
      for (let k = 0; k < d; k++) sum += (a[k]! - b[k]!) ** 2;
      return Math.sqrt(sum);
    }
    if (metric === 'manhattan') {
      for (let k = 0; k < d; k++) sum += Math.abs(a[k]! - b[k]!);
      return sum;
    }
    const [p, q] = [norms[i]!, norms[j]!];
    if (p === 0 || q === 0) return p === q ? 0 : 1;
    for (let k = 0; k < d; k++) sum += (a[k]! / p - b[k]! / q) ** 2;
    return sum / 2;
  };
}
