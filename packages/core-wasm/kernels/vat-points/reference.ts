import type { Matrix, Metric } from '../../src/matrix.js';
import { pointDistance } from '../pairwise/reference.js';
import { vatReference } from '../vat/reference.js';
import type { VatResult } from '../vat/result.js';

/**
 * VAT of points by definition: Prim over float64 distances or, with `core` = k, mutual reachabilities by the k-th
 * nearest neighbours. O(n²·(d + log n)).
 */
export function vatPointsReference(x: Matrix, metric: Metric, core = 0): VatResult {
  const n = x.shape[0];
  const distance = pointDistance(x, metric);
  const all = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) all[i * n + j] = all[j * n + i] = distance(i, j);
  const cores = Array.from({ length: core ? n : 0 }, (_, i) => {
    const others = all.slice(i * n, (i + 1) * n).filter((_, j) => j !== i);
    return others.sort()[core - 1]!;
  });
  return vatReference(n, (i, j) =>
    core && i !== j ? Math.max(all[i * n + j]!, cores[i]!, cores[j]!) : all[i * n + j]!,
  );
}
