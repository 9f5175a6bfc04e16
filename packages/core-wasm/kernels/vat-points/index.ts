import { checkKernels, checkOptions } from '../../src/arguments.js';
import { EpochscopeError } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import type { Matrix, Metric } from '../../src/matrix.js';
import { checkWatchers, type SyncJobOptions } from '../../src/steps.js';
import type { VatResult } from '../vat/result.js';
import { checkCore, checkPoints, doneOfVatPoints, prepareChecked, runVatPointsWorker } from './job.js';
import { finishVatPoints, releaseVatPoints } from './setup/finish.js';

export {
  checkCore,
  doneOfVatPoints,
  prepareVatPoints,
  runVatPointsWorker,
  stopVatPoints,
  type VatPointsJob,
  type VatPointsState,
} from './job.js';
export { finishVatPoints, releaseVatPoints, vatPointsWeight } from './setup/finish.js';
export { vatPointsBytes } from './setup/layout.js';
export { edgesOfVatPointsFit, type LightEdges, lightEdgesOfVatPoints } from './setup/light-edges.js';
export { sampleOfVatPoints, type VatPointsPlan, vatPointsPlan } from './setup/plan.js';

/**
 * VAT order straight from points, without the n×n matrix: Prim from the lower index of the first maximal pair in
 * row-major order. weights[k−1] = min over u in order[0..k), v not in it, of dist(x[u], x[v]); order[k] = that v;
 * parent[k−1] = that u.
 *
 * Distances are float32: euclidean √Σ(a−b)² and manhattan Σ|a−b| from the differences themselves, so that
 * near-duplicates keep a relative accuracy of 1e-5 (coordinates within 1e-35 of the largest magnitude count as
 * equal); cosine and correlation ½‖a/‖a‖ − b/‖b‖‖² = 1 − cos (of rows, for correlation of centred rows), in [0, 2].
 * Exact duplicates are at exactly 0. A zero vector (for correlation a constant row) is at exactly 1 from others and 0
 * from another zero vector.
 *
 * With `core` = k mutual reachability takes the distance's place: max(dist(i, j), core(i), core(j)), where core(i) is
 * the distance of i to its k-th nearest other point (hdbscan's min_samples; scikit-learn counts the point itself). The
 * minimum spanning tree of HDBSCAN, which keeps lone points from joining clusters by a chain.
 *
 * @param x float32[n × d], finite. Not changed. d = 0 makes all points equal.
 * @returns order uint32[n], weights float32[n−1], parent uint32[n−1]. Ties (equal float32 distances, before the root
 *   for Euclidean): the
 * lowest sample index wins, for the start, the next sample and its parent. n = 0 gives empty arrays, n = 1 the order
 * [0].
 *   One worker or several: the same to the last bit.
 * @throws `shape`, `not-finite` with row and column, `argument` (also for values so large that a distance could pass
 *   float32's end), `memory`, `cancelled`.
 * Time O(n²·d) at worst, for the farthest pair and for the edges that matter each; pairs that a bound or a spanning
 * tree shows to be too far are skipped, which never changes a result (docs/decisions/0008). Memory `vatPointsBytes(n,
 * d)`, about 4·n·(d + 100) bytes (from d = 48 on 4·n·(2·d + 130)) and at most 170·n more for the bounds; in
 * JavaScript, while preparing, 400·n.
 * Source: Bezdek & Hathaway 2002, VAT; Prim 1957; Karger, Klein & Tarjan 1995 (light edges); Campello, Moulavi &
 * Sander
 * 2013 (mutual reachability).
 */
export function vatFromPoints(
  kernels: Kernels,
  x: Matrix,
  options: SyncJobOptions & { metric: Metric; core?: number },
): VatResult {
  checkKernels(kernels);
  checkOptions(options, 'metric');
  checkWatchers(options);
  checkPoints(x, options.metric);
  const [n, d] = x.shape;
  if (n < 2) {
    return { order: new Uint32Array(n), weights: new Float32Array(0), parent: new Uint32Array(0) };
  }
  const { core = 0 } = options;
  if (core) checkCore(core, n);
  if (options.signal?.aborted) throw new EpochscopeError('cancelled', 'VAT was cancelled');
  const job = prepareChecked(kernels, x, options.metric, 1, undefined, undefined, core);
  let finished = false;
  try {
    // Some 50 ms a call at most: a step reads up to n·d values.
    const chunk = Math.max(1, Math.floor(1e8 / (n * Math.max(d, 16))));
    for (;;) {
      options.onProgress?.(Math.floor(n * doneOfVatPoints(kernels, job)), n);
      if (options.signal?.aborted) throw new EpochscopeError('cancelled', 'VAT was cancelled');
      if (runVatPointsWorker(kernels.exports, job, 0, chunk) === 1) break;
    }
    options.onProgress?.(n, n);
    finished = true;
    return finishVatPoints(kernels, job);
  } finally {
    if (!finished) releaseVatPoints(kernels, job);
  }
}
