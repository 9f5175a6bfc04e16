import { checkKernels, checkOneOf, checkPlace } from '../../src/arguments.js';
import { EpochscopeError, guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { checkFinite, checkMatrix, type Matrix, METRIC_ID, METRICS, type Metric } from '../../src/matrix.js';
import { place, SIDE, summation } from './layout.js';
import { Job } from './memory.js';

interface PairwiseExports {
  pairwiseNormalise(
    rows: number,
    stride: number,
    d: number,
    from: number,
    to: number,
    metric: number,
    factor: number,
    norms: number,
  ): void;
  pairwiseCentre(
    rows: number,
    stride: number,
    d: number,
    n: number,
    step: number,
    sums: number,
    centre: number,
  ): void;
  pairwisePack(
    rows: number,
    stride: number,
    n: number,
    centre: number,
    packed: number,
    norms: number,
    buffer: number,
    from: number,
    to: number,
  ): void;
  pairwiseAbsorbed(
    packed: number,
    stride: number,
    count: number,
    group: number,
    block: number,
    absorbed: number,
  ): void;
  pairwiseSquares(job: number, worker: number, from: number, to: number): void;
}

/** A prepared matrix of dissimilarities: plain numbers, so that it can be posted to workers on the same memory. */
export interface PairwiseJob {
  /** Byte offset of the job in the shared memory. */
  readonly pointer: number;
  readonly rows: number;
  readonly columns: number;
  /** Byte offset of the result: float32[rows × columns], row-major, or float32[rows·(rows − 1)/2] if `condensed`. */
  readonly out: number;
  readonly condensed: boolean;
  readonly workers: number;
  /** Squares of 128 × 128 results that the work is made of; about `work` multiply-adds each. */
  readonly squares: number;
  readonly work: number;
  /** Blocks of the arena that the job holds. */
  readonly held: readonly number[];
}

export interface PairwiseShape {
  /** The other set, for dissimilarities between two; else those within x. */
  other?: Matrix;
  /** The upper triangle alone, without an n×n anywhere. Not with `other`. */
  condensed?: boolean;
  /** How many workers will run the job, 1 to 64; each gets 68 kB of scratch. Default 1. */
  workers?: number;
  /** Byte offset in the kernels' memory to write the result to; default: a place of the job's own. */
  out?: number;
}

const MAX_WORKERS = 64;
/** Largest sample of rows whose mean Euclidean distances are taken about. */
const SAMPLE = 4096;

/**
 * Checks, copies and prepares the rows in the kernels' memory. Run `runPairwise` over all squares, in any parts, in
 * any
 * order and on any worker; read the result (`finishPairwise`); `releasePairwise`.
 * @throws `shape`, `not-finite`, `memory`, `argument`, `unsupported` (several workers without shared memory).
 */
export function preparePairwise(
  kernels: Kernels,
  x: Matrix,
  metric: Metric,
  { other, condensed = false, workers = 1, out }: PairwiseShape = {},
): PairwiseJob {
  checkKernels(kernels);
  checkPairwise(x, metric, other);
  guard(!(other && condensed), 'argument', 'condensed: only without other, whose result is no triangle');
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
  const { arena } = kernels;
  const fn = kernels.exports as unknown as PairwiseExports;
  const [n, d] = x.shape;
  const m = other?.shape[0] ?? n;
  const values = condensed ? (n * (n - 1)) / 2 : n * m;
  if (out !== undefined) checkPlace(kernels, 'pointer', out, values);
  const all = other ? n + m : n;
  const held: number[] = [];
  try {
    const pointer = arena.alloc(place(0, n, m, other !== undefined, d, workers).bytes);
    held.push(pointer);
    // The result's place is not cleared: every value is written.
    const result = out ?? arena.alloc(4 * values);
    if (out === undefined) held.push(result);
    const at = place(pointer, n, m, other !== undefined, d, workers);
    const rowsB = other ? at.rows + 4 * n * at.stride : at.rows;
    fill(arena.f32(at.rows, n * at.stride), x, at.stride);
    if (other) fill(arena.f32(rowsB, m * at.stride), other, at.stride);
    // Both sets share the scale that keeps squares in range, and the centre.
    const exponent = exponentOf(metric, d, other ? [x, other] : [x]);
    const id = METRIC_ID[metric];
    fn.pairwiseNormalise(at.rows, at.stride, d, 0, n, id, 2 ** -exponent, at.normA);
    if (other) fn.pairwiseNormalise(rowsB, at.stride, d, 0, m, id, 2 ** -exponent, at.normB);
    const centre = metric === 'euclidean' ? at.centre : 0;
    if (centre)
      fn.pairwiseCentre(at.rows, at.stride, d, all, Math.max(1, Math.ceil(all / SAMPLE)), at.sums, at.centre);
    const panels = (count: number) => Math.ceil(count / 16);
    fn.pairwisePack(at.rows, at.stride, n, centre, at.packA, at.normA, at.buffer, 0, panels(n));
    if (other) fn.pairwisePack(rowsB, at.stride, m, centre, at.packB, at.normB, at.buffer, 0, panels(m));
    const { group, block } = summation(metric, at.stride);
    if (metric !== 'manhattan') {
      fn.pairwiseAbsorbed(at.packA, at.stride, panels(n), group, block, at.absorbedA);
      if (other) fn.pairwiseAbsorbed(at.packB, at.stride, panels(m), group, block, at.absorbedB);
    }
    const job = arena.u32(pointer, Job.size);
    job[Job.n] = n;
    job[Job.m] = m;
    job[Job.stride] = at.stride;
    job[Job.metric] = id;
    job[Job.symmetric] = other ? 0 : 1;
    job[Job.condensed] = condensed ? 1 : 0;
    job[Job.out] = result;
    job[Job.rowsA] = at.rows;
    job[Job.rowsB] = rowsB;
    job[Job.panelsA] = at.packA;
    job[Job.panelsB] = at.packB;
    job[Job.normsA] = at.normA;
    job[Job.normsB] = at.normB;
    job[Job.scratch] = at.scratch;
    arena.f32(pointer, Job.size)[Job.unit] = 2 ** exponent;
    job[Job.absolute] = 0x7fffffff;
    job[Job.block] = block;
    job[Job.group] = group;
    job[Job.absorbedA] = at.absorbedA;
    job[Job.absorbedB] = at.absorbedB;
    const down = Math.ceil(n / SIDE);
    const across = Math.ceil(m / SIDE);
    return {
      pointer,
      rows: n,
      columns: m,
      out: result,
      condensed,
      workers,
      squares: other ? down * across : (down * (down + 1)) / 2,
      work: SIDE * SIDE * (at.stride + 16),
      held,
    };
  } catch (cause) {
    for (const block of held) arena.dealloc(block);
    throw cause;
  }
}

/**
 * Computes squares [from, to) with an instance on the job's memory, as worker 0 … workers − 1; no two at once as the
 * same.
 */
export function runPairwise(
  exports: WebAssembly.Exports,
  job: PairwiseJob,
  worker: number,
  from: number,
  to: number,
): void {
  (exports as unknown as PairwiseExports).pairwiseSquares(
    job.pointer,
    worker,
    from,
    Math.min(to, job.squares),
  );
}

/** A view of the result of a job of which every square is done; stale once the memory grows or the job is released. */
export function pairwiseResult(kernels: Kernels, job: PairwiseJob): Float32Array {
  const { rows, columns, condensed } = job;
  return kernels.arena.f32(job.out, condensed ? (rows * (rows - 1)) / 2 : rows * columns);
}

/** Gives a job's memory back; views of its result go stale. */
export function releasePairwise(kernels: Kernels, job: PairwiseJob): void {
  for (const block of job.held) kernels.arena.dealloc(block);
}

/** The checks of `preparePairwise` on what the caller gave, before any memory is taken. */
export function checkPairwise(x: Matrix, metric: Metric, other?: Matrix): void {
  checkOneOf('metric', metric, METRICS);
  checkMatrix(x, 'x');
  checkFinite(x, 'x');
  if (other === undefined) return;
  checkMatrix(other, 'other');
  checkFinite(other, 'other');
  guard(
    x.shape[1] === other.shape[1],
    'shape',
    () => `other: expected ${x.shape[1]} columns as x has, got ${other.shape[1]}`,
    { expected: x.shape[1], got: other.shape[1] },
  );
}

/** Rows side by side, each padded with zeros to whole vectors. */
function fill(to: Float32Array, { data, shape: [n, d] }: Matrix, stride: number): void {
  if (d === stride) {
    to.set(data);
    return;
  }
  if (d < 64) {
    to.fill(0);
    for (let i = 0, from = 0, at = 0; i < n; i++, at += stride - d)
      for (let k = 0; k < d; k++) to[at++] = data[from++]!;
    return;
  }
  // Of shorter rows, the views would cost more than the copying.
  for (let i = 0, at = 0; i < n; i++, at += stride) {
    to.set(data.subarray(i * d, (i + 1) * d), at);
    to.fill(0, at + d, at + stride);
  }
}

/**
 * e such that values·2^−e are at most 1: squares and sums then stay in float32's range. 0 for the metrics of unit
 * rows.
 */
function exponentOf(metric: Metric, d: number, sets: readonly Matrix[]): number {
  if (metric === 'cosine' || metric === 'correlation') return 0;
  let top = 0;
  for (const { data } of sets)
    for (let i = 0; i < data.length; i++) {
      const a = Math.abs(data[i]!);
      if (a > top) top = a;
    }
  const longest = 2 * top * (metric === 'euclidean' ? Math.sqrt(d) : d);
  if (longest > 3.4e38)
    throw new EpochscopeError(
      'argument',
      `x: values up to ${top} in ${d} dimensions can lie ${longest} apart, which is no float32; scale them`,
      { top, d },
    );
  return top > 0 ? Math.ceil(Math.log2(top)) : 0;
}
