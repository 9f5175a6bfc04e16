import { checkInto, checkKernels, checkOptions } from '../../src/arguments.js';
import type { Kernels } from '../../src/load.js';
import { apart, checkMatrix, type Matrix, type Metric } from '../../src/matrix.js';
import { outside } from '../../src/memory.js';
import { runSteps, type Steps, type SyncJobOptions } from '../../src/steps.js';
import { type PairwiseShape, pairwiseResult, preparePairwise, releasePairwise, runPairwise } from './job.js';

export {
  checkPairwise,
  type PairwiseJob,
  type PairwiseShape,
  pairwiseResult,
  preparePairwise,
  releasePairwise,
  runPairwise,
} from './job.js';
export { pairwiseBytes } from './layout.js';

/** Multiply-adds one chunk may do: some 20 ms of work. */
const CHUNK = 2 ** 28;

export interface PairwiseOptions extends SyncJobOptions {
  metric: Metric;
  /** The other set, for dissimilarities between two; else those within x. */
  other?: Matrix;
  /**
   * Where to put the result, of as many values; default: a new array, whose first touch may take longer than the
   * work.
   */
  into?: Float32Array;
}

/**
 * Dissimilarities between the rows of x, or between those of x and `other`: out[i, j] = dist(x[i], x[j]).
 *
 * euclidean √Σ(a−b)², manhattan Σ|a−b|: relative error ≤ 1e-5, also for near-duplicates far from the origin
 * (not for values below 2⁻¹²⁶ of the largest magnitude). cosine
 * 1 − a·b/(|a||b|), correlation the same of centred rows: absolute error ≤ 1e-6, in [0, 2].
 * Exact duplicates are at exactly 0.
 * A zero vector (correlation: a constant row) is at exactly 1 from others and 0 from another one.
 *
 * Euclidean comes from ‖a‖² + ‖b‖² − 2a·b of centred rows where that keeps its digits, and from the differences where
 * it does not (under 1/16 of ‖a‖² + ‖b‖²): data of few, very tight clusters take up to three times as long. Between
 * points of integers (or halves, quarters, …) it is exact, rounded once, while squares and products about the
 * mean stay under 2²⁴ units: equal distances are equal.
 *
 * @param x float32[n × d], finite. Not changed.
 * @returns float32[n × n] (or n × m), row-major; without `other` symmetric to the last bit with a zero diagonal.
 * @throws `shape`, `not-finite` with row and column, `argument` (also for values so large that a distance could pass
 *   float32's end), `memory`, `cancelled`.
 * Time O(n²·d) (half of it without `other`); memory `pairwiseBytes` and the result once more in JavaScript.
 */
export function pairwise(kernels: Kernels, x: Matrix, options: PairwiseOptions): Matrix {
  checkOptions(options, 'metric');
  checkMatrix(x, 'x');
  if (options.other !== undefined) checkMatrix(options.other, 'other');
  const shape = [x.shape[0], options.other?.shape[0] ?? x.shape[0]] as const;
  return { data: runSteps(pairwiseSteps(kernels, x, options), options, 'pairwise'), shape };
}

/**
 * The upper triangle of `pairwise` in SciPy's order: (0,1), (0,2), …, (1,2), …; float32[n(n−1)/2], the same bits. No
 * n×n is held: memory `pairwiseBytes(n, d, { condensed: true })`, about 2·n² + 8·n·d bytes, and the result once more.
 */
export function pairwiseCondensed(
  kernels: Kernels,
  x: Matrix,
  options: Omit<PairwiseOptions, 'other'>,
): Float32Array {
  checkOptions(options, 'metric');
  return runSteps(pairwiseSteps(kernels, x, { ...options, condensed: true }), options, 'pairwise');
}

/**
 * `pairwise` written where the caller says in the kernels' memory, for a kernel that goes on from there: float32[n ×
 * n] (n × m) at byte `pointer`, as `vatFromMatrix` takes it. No copy.
 * @throws `argument` if the result at `pointer` does not lie in the memory; else as `pairwise`.
 */
export function pairwiseInto(
  kernels: Kernels,
  x: Matrix,
  pointer: number,
  options: Omit<PairwiseOptions, 'into'>,
): void {
  checkOptions(options, 'metric');
  runSteps(pairwiseSteps(kernels, x, { ...options, out: pointer }), options, 'pairwise');
}

/** `pairwise` or, if `condensed`, `pairwiseCondensed`, in slices: its result's `data`. */
export function* pairwiseSteps(
  kernels: Kernels,
  x: Matrix,
  options: { metric: Metric; into?: Float32Array } & PairwiseShape,
): Steps<Float32Array> {
  checkOptions(options, 'metric');
  const { metric, into, ...shape } = options;
  checkKernels(kernels);
  checkMatrix(x, 'x');
  if (shape.other !== undefined) checkMatrix(shape.other, 'other');
  const [first, other] = [x, shape.other].map((m) => m && { ...m, data: apart(kernels, m.data) });
  const job = preparePairwise(kernels, first!, metric, { ...shape, other });
  try {
    const size = pairwiseResult(kernels, job).length;
    checkInto(into, size);
    const step = Math.max(1, Math.floor(CHUNK / job.work));
    for (let done = 0; done < job.squares; done += step) {
      yield [done, job.squares];
      runPairwise(kernels.exports, job, 0, done, done + step);
    }
    yield [job.squares, job.squares];
    const result = pairwiseResult(kernels, job);
    if (shape.out !== undefined) return result;
    if (!into) return outside('pairwise', 4 * size, () => result.slice());
    into.set(result);
    return into;
  } finally {
    releasePairwise(kernels, job);
  }
}
