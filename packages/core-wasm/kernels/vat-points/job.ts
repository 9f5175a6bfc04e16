import { checkKernels, checkOneOf } from '../../src/arguments.js';
import { formatBytes, guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { apart, checkFinite, checkMatrix, type Matrix, METRICS, type Metric } from '../../src/matrix.js';
import { MAX_BYTES } from '../../src/memory.js';
import { asRecords, boundsOf } from './bounds.js';
import { boundsOfDistinct, distinctPoints, rowsOfDistinct } from './duplicates.js';
import { fill } from './fill.js';
import { NONE, place, type Sizes, STATE } from './layout.js';
import { rowsOf } from './rows.js';
import { spatialOrder } from './spatial-order/index.js';
import { stepsOf } from './steps.js';
import { roundsOf, setTree, shareOfRounds } from './tree/layout.js';

export interface VatPointsExports {
  vatPointsProbe(job: number, from: number): number;
  vatPointsRun(job: number, worker: number, steps: number): number;
}

/** A prepared matrix-free VAT: plain numbers, so that it can be posted to workers on the same memory. */
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

export const MAX_WORKERS = 64;

/**
 * Checks the points, brings them into blocks in the kernels' memory and shares them out. The caller runs every worker
 * (`runVatPointsWorker`, workers 0 … workers−1) to the end, then `finishVatPoints`; or `releaseVatPoints`, once no worker runs.
 *
 * @param x float32[n × d], finite, n ≥ 2. Not changed and not needed afterwards.
 * @param workers 1 to 64; more than 1 needs kernels on a shared memory, and one thread for each.
 * @throws `shape`, `not-finite`, `memory`, `argument`. Time O(n·d·m + n log n), m ≤ 40.
 */
export function prepareVatPoints(kernels: Kernels, x: Matrix, metric: Metric, workers = 1): VatPointsJob {
  checkPoints(x, metric);
  return prepareChecked(kernels, x, metric, workers);
}

/** The same for points that `checkPoints` has seen. */
export function prepareChecked(
  kernels: Kernels,
  x: Matrix,
  metric: Metric,
  workers: number,
  byTree = true,
): VatPointsJob {
  checkKernels(kernels);
  const [all, d] = x.shape;
  guard(all >= 2, 'argument', () => `x: a job needs at least 2 points, got ${all}`, { n: all });
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
  const least = all * (24 + 4 * d);
  guard(
    least < MAX_BYTES,
    'memory',
    () => `VAT of ${all}×${d} needs ${formatBytes(least)} or more, the limit is ${formatBytes(MAX_BYTES)}`,
    { needed: least, limit: MAX_BYTES },
  );
  const l1 = metric === 'manhattan';
  const given = rowsOf({ data: apart(kernels, x.data), shape: x.shape }, metric);
  const ofAll = boundsOf(kernels, given, all, d, l1);
  const distinct = distinctPoints(given, ofAll, all, d);
  const rows = distinct ? rowsOfDistinct(given, distinct) : given;
  const bounds = distinct ? boundsOfDistinct(ofAll, distinct) : ofAll;
  const n = distinct ? distinct.first.length : all;
  const { m } = bounds;
  const boxRows = bounds.sort.width;
  const tag = rows.zero ? 1 : 0;
  const records = asRecords(n, d, l1);
  const whole = !records || l1 ? null : stepsOf(bounds.squares, d);
  const sizes: Sizes = {
    n,
    d,
    m,
    boxRows,
    tag,
    workers,
    records,
    quantised: whole !== null,
    lead: whole ? bounds.lead : 0,
    groups: distinct ? all : 0,
    tree: byTree ? roundsOf(n) : null,
  };
  const size = place(0, sizes).bytes;
  const { arena } = kernels;
  const pointer = arena.alloc(size);
  const at = place(pointer, sizes);
  const { blocks } = at;
  arena.u8(pointer, size).fill(0);
  const space = spatialOrder(kernels, bounds.sort.values, boxRows, n, at.space);
  const words = (p: number) => arena.u32(p, 32);
  const floats = (p: number) => arena.f32(p, 32);
  words(pointer).set([
    n,
    d,
    m,
    l1 ? 1 : 0,
    workers,
    tag,
    at.order,
    at.weights,
    at.candidates,
    at.candidate,
    at.states,
    at.sync,
    0,
    0,
    blocks,
    at.boxes,
    boxRows,
    m > 0 ? 1 : 0,
    at.visited,
    records ? 1 : 0,
    whole ? 1 : 0,
    0,
    at.records,
    at.record,
    at.wholeAt,
    0,
    at.light?.header ?? 0,
    at.groups,
    sizes.lead,
    at.leadAt,
    at.around,
  ]);
  if (distinct) {
    arena.u32(at.groups, all).set(distinct.group);
    arena.u32(at.groups + 4 * all, n).set(distinct.first);
  }
  const pointerFloats = floats(pointer);
  pointerFloats.set([bounds.grow, bounds.slack], 12);
  if (whole) {
    pointerFloats[21] = whole.error;
    pointerFloats[25] = whole.steps;
  }
  arena.f32(at.sync + 384, 1)[0] = Infinity;
  arena.f32(at.sync + 448, 1)[0] = Infinity;
  at.each.forEach((own, w) => {
    const light = at.light?.each[w];
    const state = at.states + STATE * w;
    const own16 = Math.max(0, Math.ceil((blocks - w) / workers));
    words(state).set([
      own.points,
      own.bounds,
      own.keys,
      own.ids,
      own.parents,
      own.out,
      own.blockKey,
      own.blockId,
      own16,
    ]);
    words(state).set(
      [
        NONE,
        own.limits,
        0,
        own.scratch,
        own.boxes,
        own.owed,
        at.padded,
        own.since,
        own.tops,
        own.norms,
        own.products,
        n,
        own.odd,
        own.wholeLimits,
        light?.header ?? 0,
        light ? 1 : 0,
        own.leads,
        own.leadNorms,
        own.tile,
      ],
      13,
    );
    arena.f32(own.tile + 512, 8).fill(1);
    if (records) arena.f32(own.boxes, 2 * boxRows * at.padded).fill(Infinity);
    arena.f32(own.tops, at.padded).fill(Infinity);
    arena.f32(own.owed, at.padded).fill(Infinity);
    arena.f32(own.limits, 16).fill(Infinity);
    arena.f32(own.keys, 16 * at.perWorker).fill(-1);
    arena.u32(own.ids, 16 * at.perWorker).fill(NONE);
    arena.u32(own.parents, 16 * at.perWorker).fill(NONE);
    arena.f32(own.blockKey, at.perWorker).fill(Infinity);
    arena.u32(own.blockId, at.perWorker).fill(NONE);
  });
  if (at.light) setTree(kernels, at.light, sizes.tree!);
  fill({ kernels, pointer, at, sizes, rows, bounds, space, whole });
  const exports = kernels.exports as unknown as VatPointsExports;
  // From a point far out to its farthest and on: a large distance to begin with, against which the search prunes.
  let probe = space.order.indexOf(farthestOf(bounds.squares));
  for (let i = 0; i < 3; i++) probe = exports.vatPointsProbe(pointer, probe) >>> 0;
  return { pointer, n: all, d, metric, workers, unit: rows.unit };
}

function farthestOf(squares: Float64Array): number {
  let at = 0;
  for (let i = 1; i < squares.length; i++) if (squares[i]! > squares[at]!) at = i;
  return at;
}

/** Same checks as `prepareVatPoints`, for any n. */
export function checkPoints(x: Matrix, metric: Metric): void {
  checkOneOf('metric', metric, METRICS);
  checkMatrix(x, 'x');
  checkFinite(x, 'x');
}

/** 0: call again; 1: done; 2: cancelled; 3: aborted. */
export type VatPointsState = 0 | 1 | 2 | 3;

/**
 * Runs `steps` units of one worker's share, on the calling thread, with an instance of its own on the job's memory. Every worker
 * must be called with the same `steps`; the calls wait for each other at a barrier a step, so that each needs its own thread
 * (not a browser's main thread if workers > 1). All return the same state after the same step. Best in slices of some 50 ms: V8 takes up
 * its faster code between calls only, so that one long first call runs five times slower.
 */
export function runVatPointsWorker(
  exports: WebAssembly.Exports,
  job: VatPointsJob,
  worker: number,
  steps: number,
): VatPointsState {
  return (exports as unknown as VatPointsExports).vatPointsRun(job.pointer, worker, steps) as VatPointsState;
}

/**
 * The share of a job that is done, 0 to 1, by the pairs of points gone through; read between slices. Where the tree is given up Prim's own
 * steps are what is left.
 */
export function doneOfVatPoints({ arena }: Kernels, job: VatPointsJob): number {
  const words = (p: number) => arena.u32(p, 32);
  const header = words(job.pointer);
  const [n, workers, blocks, tree] = [header[0]!, header[4]!, header[14]!, header[26]!];
  const state = words(header[10]!);
  if (state[9]! >= n) return 1;
  const rows = Math.ceil(blocks / workers);
  // Later rows are shorter.
  const part = (done: number, all: number) => 1 - (1 - Math.min(1, done / all)) ** 2;
  let share = 0;
  if (tree) {
    const own = arena.u32(state[27]!, 16);
    share = shareOfRounds(roundsOf(n)!, own[0]!, part(own[1]!, rows));
    if (state[28]) return share;
  }
  return share + ((1 - share) * (part(state[10]!, rows) + part(state[9]!, n))) / 2;
}

/** Asks the workers to stop after the same step (`cancel`; they return 2), or a waiting worker to give up because another died (`abort`; 3). */
export function stopVatPoints(
  memory: WebAssembly.Memory,
  job: VatPointsJob,
  how: 'cancel' | 'abort' = 'cancel',
): void {
  const sync = new Uint32Array(memory.buffer)[job.pointer / 4 + 11]!;
  const words = new Int32Array(memory.buffer);
  Atomics.store(words, (sync + (how === 'cancel' ? 128 : 192)) / 4, 1);
}
