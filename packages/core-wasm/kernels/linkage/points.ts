import { checkKernels, checkOptions, isUint32, nameOf } from '../../src/arguments.js';
import { guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { apart, checkMatrix, type Matrix, type Metric } from '../../src/matrix.js';
import { outside } from '../../src/memory.js';
import { runSteps, type SyncJobOptions } from '../../src/steps.js';
import {
  type PairwiseJob,
  pairwiseBytes,
  preparePairwise,
  releasePairwise,
  runPairwise,
} from '../pairwise/index.js';
import { diameterBytes, diametersOf } from './diameters.js';
import { areaBytes, CHUNK, type LinkageSteps, merges, methodOf, none, rowStart } from './merges.js';
import type { Linkage, LinkageMethod } from './result.js';

/**
 * Bytes that a linkage of n points in d dimensions takes in WebAssembly memory; with `diameters`, 2n² bytes outside
 * it are counted too (the upper triangle, kept while linkage uses the square up).
 */
export function linkageFromPointsBytes(n: number, d: number, diameters = false): number {
  return (
    pairwiseBytes(n, d) +
    areaBytes(n) +
    diameterBytes(n) +
    (diameters ? 2 * n * Math.max(0, n - 1) : 0) +
    64 * 6
  );
}

/** What `linkageFromPoints` takes besides. */
export interface PointsLinkageOptions {
  metric: Metric;
  /** Default average. */
  method?: LinkageMethod;
  diameters?: boolean;
  /**
   * Points whose dissimilarities to all others are wanted too (for silhouettes), before linkage uses the matrix up.
   */
  rows?: Uint32Array;
}

/** A hierarchy of points, and the rows asked for: float32[rows × n]. */
export type PointsLinkage = Linkage & { readonly rows: Matrix };

/**
 * Points to hierarchy wholly inside the kernels' memory: dissimilarities, linkage, and diameters if asked for.
 * Memory `linkageFromPointsBytes`; time O(n²·d). Else as `pairwise` and `linkage`.
 */
export function linkageFromPoints(
  kernels: Kernels,
  x: Matrix,
  options: PointsLinkageOptions & SyncJobOptions,
): PointsLinkage {
  checkOptions(options, 'metric');
  return runSteps(linkageFromPointsSteps(kernels, x, options), options, 'linkage');
}

/** `linkageFromPoints` in slices, as `linkageSteps`. */
export function* linkageFromPointsSteps(
  kernels: Kernels,
  x: Matrix,
  options: PointsLinkageOptions,
): LinkageSteps<PointsLinkage> {
  checkKernels(kernels);
  checkPointsLinkage(x, options);
  const job = preparePairwise(kernels, { ...x, data: apart(kernels, x.data) }, options.metric);
  try {
    const { cost, total } = shares(x.shape[1]);
    // Multiply-adds pass ten at a time.
    const step = Math.max(1, Math.floor((10 * CHUNK) / job.work));
    for (let done = 0; done < job.squares; done += step) {
      yield [cost * (done / job.squares), total];
      runPairwise(kernels.exports, job, 0, done, done + step);
    }
    return yield* linkageOfPairwiseSteps(kernels, job, options, x.shape[1]);
  } finally {
    releasePairwise(kernels, job);
  }
}

/**
 * Rough shares of the time for points of d dimensions, in values touched: half the matrix times d, then some twenty
 * passes, then four.
 */
export function shares(d: number): { cost: number; total: number } {
  return { cost: d / 2, total: d / 2 + 24 };
}

/** What `linkageFromPoints` checks before any work. Throws `argument`. */
export function checkPointsLinkage(x: Matrix, options: PointsLinkageOptions): void {
  checkOptions(options, 'metric');
  methodOf(options);
  checkMatrix(x, 'x');
  const n = x.shape[0];
  const { rows = new Uint32Array(0) } = options;
  guard(isUint32(rows), 'argument', () => `rows: expected a Uint32Array, got ${nameOf(rows)}`);
  for (const row of rows)
    guard(row < n, 'argument', () => `rows: expected points 0 … ${n - 1}, got ${row}`, { row, n });
}

/**
 * The second half of `linkageFromPointsSteps`, for whoever ran the pairwise job (square, within one set) on several
 * workers: its result is used up; releasing it is the caller's. d: dimensions of the points, for progress.
 */
export function* linkageOfPairwiseSteps(
  kernels: Kernels,
  job: PairwiseJob,
  options: PointsLinkageOptions,
  d: number,
): LinkageSteps<PointsLinkage> {
  const method = methodOf(options);
  const { arena } = kernels;
  const n = job.rows;
  const { cost, total } = shares(d);
  const wanted = options.rows ?? new Uint32Array(0);
  const rows: Matrix = { data: new Float32Array(wanted.length * n), shape: [wanted.length, n] };
  for (const [k, row] of wanted.entries()) rows.data.set(arena.f32(job.out + 4 * row * n, n), k * n);
  if (n < 2) return { ...none(n, method, options), rows };
  let triangle: Float32Array | null = null;
  if (options.diameters && method !== 'complete') {
    const values = (n * (n - 1)) / 2;
    triangle = outside('diameters', 4 * values, () => new Float32Array(values));
    const square = arena.f32(job.out, n * n);
    for (let i = 0; i < n; i++) triangle.set(square.subarray(i * n + i + 1, (i + 1) * n), rowStart(n, i));
  }
  const tree = yield* merges(kernels, job.out, n, method, { from: cost, to: cost + 20, total });
  if (!options.diameters) return { ...tree, rows };
  if (!triangle) return { ...tree, diameters: tree.heights.slice(), rows };
  const kept = triangle;
  const upper = (i: number) => kept.subarray(rowStart(n, i), rowStart(n, i + 1));
  return {
    ...tree,
    rows,
    diameters: yield* diametersOf(kernels, tree, upper, { from: cost + 20, to: total, total }),
  };
}
