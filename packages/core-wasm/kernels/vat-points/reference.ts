import type { Matrix, Metric } from '../../src/matrix.js';
import { pointDistance } from '../pairwise/reference.js';
import { vatReference } from '../vat/reference.js';
import type { VatResult } from '../vat/result.js';

/** VAT of points by definition: Prim over float64 distances. O(n²·d). */
export function vatPointsReference(x: Matrix, metric: Metric): VatResult {
  const n = x.shape[0];
  const distance = pointDistance(x, metric);
  const all = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) all[i * n + j] = all[j * n + i] = distance(i, j);
  return vatReference(n, (i, j) => all[i * n + j]!);
}
