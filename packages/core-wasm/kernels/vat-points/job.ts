import { checkKernels, checkOneOf } from '../../src/arguments.js';
import { formatBytes, guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { apart, checkFinite, checkMatrix, type Matrix, METRICS, type Metric } from '../../src/matrix.js';
import { MAX_BYTES } from '../../src/memory.js';
import { Job, Stage, Sync, TreeWorker, Worker } from './memory.js';
import { asRecords, dimensionsOf } from './setup/bounds.js';
import { FEW_POINTS } from './setup/layout.js';
import { prepareMatrix } from './setup/matrix.js';
import { checkPlan, type VatPointsPlan } from './setup/plan.js';
import { roundsOf, shareOfRounds } from './setup/rounds.js';
import { rowsOf } from './setup/rows.js';
import { prepareTree } from './setup/tree.js';

interface RunExports {
  vatPointsRun(job: number, worker: number, steps: number): number;
}

/** A prepared VAT of points: plain numbers, so that it can be posted to workers on the same memory. */
export interface VatPointsJob {
  /** Byte offset of the job in the shared memory. */
  readonly pointer: number;
  readonly n: number;
  readonly d: number;
  readonly metric: Metric;
  readonly workers: number;
  /** Factor from stored to real distances. */
  readonly unit: number;
}

/**
 * How a job goes: by the dense matrix, by a spanning tree, or by Prim's own steps over points. The results are the
 * same bits.
 */
export type Way = 'matrix' | 'tree' | 'plain';

export const MAX_WORKERS = 64;

/**
 * Checks the points, brings them into the kernels' memory and shares them out. The caller runs every worker
 * (`runVatPointsWorker`, workers 0 … workers−1) to the end, then `finishVatPoints`; or `releaseVatPoints`, once no
 * worker runs.
 *
 * @param x float32[n × d], finite, n ≥ 2. Not changed and not needed afterwards.
 * @param workers 1 to 64; more than 1 needs kernels on a shared memory, and one thread for each.
 * @param plan that of more points than x, of which x is a part; default: these points' own.
 * @param core k from 1 to n − 1: mutual reachability by the k-th nearest neighbours, as `vatFromPoints`; 0: distances.
 * @throws `shape`, `not-finite`, `memory`, `argument`. Time O(n·d·m + n log n), m ≤ 40.
 */
export function prepareVatPoints(
  kernels: Kernels,
  x: Matrix,
  metric: Metric,
  workers = 1,
  plan?: VatPointsPlan,
  core = 0,
): VatPointsJob {
  checkPoints(x, metric);
  if (plan) checkPlan(plan, x.shape[1]);
  if (core) checkCore(core, x.shape[0]);
  guard(
    !(plan && core),
    'argument',
    'core: not with a plan: the nearest neighbours of a point are not those in a part of the points',
  );
  return prepareChecked(kernels, x, metric, workers, undefined, plan, core);
}

/** The same for points that `checkPoints` has seen. */
export function prepareChecked(
  kernels: Kernels,
  x: Matrix,
  metric: Metric,
  workers: number,
  way: Way = x.shape[0] <= FEW_POINTS ? 'matrix' : 'tree',
  plan?: VatPointsPlan,
  core = 0,
): VatPointsJob {
  checkKernels(kernels);
  const [n, d] = x.shape;
  guard(n >= 2, 'argument', () => `x: a job needs at least 2 points, got ${n}`, { n });
  guard(
    Number.isInteger(workers) && workers >= 1 && workers <= MAX_WORKERS,
    'argument',
    () => `workers: expected 1 to ${MAX_WORKERS}, got ${workers}`,
    { workers },
  );
  guard(
    workers === 1 || kernels.shared,
    'unsupported',
    'several workers need kernels on a shared WebAssembly memory',
    { workers },
  );
  // What every job takes at least, before arrays of JavaScript are made for it.
  const least = n * (24 + 4 * d);
  guard(
    least < MAX_BYTES,
    'memory',
    () => `VAT of ${n}×${d} needs ${formatBytes(least)} or more, the limit is ${formatBytes(MAX_BYTES)}`,
    { needed: least, limit: MAX_BYTES },
  );
  const l1 = metric === 'manhattan';
  const rows = rowsOf({ data: apart(kernels, x.data), shape: x.shape }, metric, plan?.unit);
  const found = dimensionsOf(rows, n, d);
  const dimensions = plan ? { ...found, dimensions: plan.dimensions } : found;
  const tag = rows.zero ? 1 : 0;
  const sizes = { n, d, tag, workers, core, records: plan?.records ?? asRecords(n, d, l1) } as const;
  const pointer =
    way === 'matrix'
      ? prepareMatrix(kernels, rows, dimensions, sizes, l1)
      : prepareTree(kernels, rows, dimensions, sizes, l1, way === 'tree');
  return { pointer, n, d, metric, workers, unit: rows.unit };
}

/** Same checks as `prepareVatPoints`, for any n. */
export function checkPoints(x: Matrix, metric: Metric): void {
  checkOneOf('metric', metric, METRICS);
  checkMatrix(x, 'x');
  checkFinite(x, 'x');
}

/** Throws `argument` unless n points have k-th nearest neighbours. */
export function checkCore(core: number, n: number): void {
  guard(
    Number.isInteger(core) && core >= 1 && core < n,
    'argument',
    () => `core: expected an integer 1 … ${n - 1}: each of ${n} points has ${n - 1} neighbours; got ${core}`,
    { core, n },
  );
}

/** 0: call again; 1: done; 2: cancelled; 3: aborted. */
export type VatPointsState = 0 | 1 | 2 | 3;

/**
 * Runs `steps` units of one worker's share, on the calling thread, with an instance of its own on the job's memory.
 * Every worker must be called with the same `steps`; the calls wait for each other at barriers, so that each needs
 * its own thread (not a browser's main thread if workers > 1). All return the same state after the same step. Best in
 * slices of some 50 ms: V8 takes up its faster code between calls only, so that one long first call runs five times
 * slower.
 */
export function runVatPointsWorker(
  exports: WebAssembly.Exports,
  job: VatPointsJob,
  worker: number,
  steps: number,
): VatPointsState {
  return (exports as unknown as RunExports).vatPointsRun(job.pointer, worker, steps) as VatPointsState;
}

/**
 * The share of a job that is done, 0 to 1, by the pairs of points gone through; read between slices. Where the tree
 * is given up Prim's own steps are what is left.
 */
export function doneOfVatPoints({ arena }: Kernels, job: VatPointsJob): number {
  const header = arena.u32(job.pointer, Job.size);
  const worker = arena.u32(header[Job.workerHeaders]!, Worker.size);
  const n = header[Job.n]!;
  const step = worker[Worker.step]!;
  if (step >= n) return 1;
  const rows = Math.ceil(header[Job.blocks]! / header[Job.workers]!);
  // Later rows are shorter.
  const part = (done: number, all: number) => 1 - (1 - Math.min(1, done / all)) ** 2;
  const stage = worker[Worker.stage]!;
  if (stage === Stage.matrix) return 0.99 * part(worker[Worker.row]!, rows);
  if (stage === Stage.cores) return 0;
  let share = 0;
  if (header[Job.tree]) {
    const tree = arena.u32(worker[Worker.tree]!, TreeWorker.size);
    share = shareOfRounds(roundsOf(n)!, tree[TreeWorker.round]!, part(tree[TreeWorker.row]!, rows));
    if (stage === Stage.tree) return share;
  }
  return share + ((1 - share) * (part(worker[Worker.row]!, rows) + part(step, n))) / 2;
}

/**
 * Asks the workers to stop after the same step (`cancel`; they return 2), or a waiting worker to give up because
 * another died (`abort`; 3).
 */
export function stopVatPoints(
  memory: WebAssembly.Memory,
  job: VatPointsJob,
  how: 'cancel' | 'abort' = 'cancel',
): void {
  const words = new Int32Array(memory.buffer);
  const sync = words[job.pointer / 4 + Job.sync]! >>> 0;
  Atomics.store(words, sync / 4 + (how === 'cancel' ? Sync.cancel : Sync.abort), 1);
}
