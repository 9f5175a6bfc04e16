import { EpochscopeError, guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { checkFinite, checkMatrix, type Matrix, METRIC_ID, METRICS, type Metric } from '../../src/matrix.js';
import type { SyncJobOptions } from '../vat/index.js';
import { type Rows, rowsOf } from '../vat-points/rows.js';

interface PairwiseExports {
  pairwiseRows(
    a: number,
    b: number,
    out: number,
    stride: number,
    columns: number,
    outStride: number,
    from: number,
    to: number,
    symmetric: number,
    metric: number,
  ): void;
  pairwiseMirror(out: number, n: number, from: number, to: number): void;
}

/** A prepared matrix of dissimilarities: plain numbers, so that it can be posted to workers on the same memory. */
export interface PairwiseJob {
  readonly rows: number;
  readonly columns: number;
  /** Byte offset of the result, float32[rows × columns], row-major. */
  readonly out: number;
  readonly a: number;
  readonly b: number;
  readonly stride: number;
  readonly metric: Metric;
  readonly symmetric: boolean;
  /** Factor from computed to real distances. */
  readonly unit: number;
}

/** Multiply-adds one chunk may do: some 20 ms of work. */
const CHUNK = 2 ** 28;
const strideOf = (d: number) => Math.max(4, Math.ceil(d / 4) * 4);

/** Bytes of WebAssembly memory that dissimilarities of n rows (or n against m) of d values take. */
export function pairwiseBytes(n: number, d: number, m?: number): number {
  return 4 * (n + (m ?? 0)) * strideOf(d) + 4 * n * (m ?? n);
}

/**
 * Checks and copies the rows into the kernels' memory. Run `runPairwiseRows` over all rows, in any parts and on any
 * worker; then, if `symmetric`, `runPairwiseMirror` over all rows; read the result; `releasePairwise`.
 * @throws `shape`, `not-finite`, `memory`, `argument`.
 */
export function preparePairwise(kernels: Kernels, x: Matrix, metric: Metric, other?: Matrix): PairwiseJob {
  guard(
    METRICS.includes(metric),
    'argument',
    () => `metric: expected one of ${METRICS.join(', ')}, got ${metric}`,
    { metric },
  );
  check(x, 'x');
  if (other) {
    check(other, 'other');
    guard(
      x.shape[1] === other.shape[1],
      'shape',
      () => `other: expected ${x.shape[1]} columns as x has, got ${other.shape[1]}`,
      { expected: x.shape[1], got: other.shape[1] },
    );
  }
  const { arena } = kernels;
  const taken: number[] = [];
  const alloc = (bytes: number) => {
    const pointer = arena.alloc(bytes);
    taken.push(pointer);
    return pointer;
  };
  try {
    const [n, d] = x.shape;
    const m = other?.shape[0] ?? n;
    const stride = strideOf(d);
    // Both sets in one, so that they share the scale that keeps squares in range.
    const all = other ? joined(x, other) : x;
    const prepared = rowsOf(all, metric);
    const a = alloc(4 * (n + (other ? m : 0)) * stride);
    fill(arena.f32(a, (n + (other ? m : 0)) * stride), prepared, all.shape[0], d, stride);
    const out = alloc(4 * n * m);
    // The result's place is not cleared: every value is written by a row or its mirror.
    return {
      rows: n,
      columns: m,
      out,
      a,
      b: other ? a + 4 * n * stride : a,
      stride,
      metric,
      symmetric: !other,
      unit: prepared.unit,
    };
  } catch (cause) {
    for (const pointer of taken) arena.dealloc(pointer);
    throw cause;
  }
}

/** Computes rows [from, to) with an instance on the job's memory. `from` must be a multiple of 4, `to` too unless it is the end. */
export function runPairwiseRows(
  exports: WebAssembly.Exports,
  job: PairwiseJob,
  from: number,
  to: number,
): void {
  (exports as unknown as PairwiseExports).pairwiseRows(
    job.a,
    job.b,
    job.out,
    job.stride,
    job.columns,
    job.columns,
    from,
    to,
    Number(job.symmetric),
    METRIC_ID[job.metric],
  );
}

/** Fills rows [from, to) below the diagonal, once every row is computed. */
export function runPairwiseMirror(
  exports: WebAssembly.Exports,
  job: PairwiseJob,
  from: number,
  to: number,
): void {
  if (job.symmetric) (exports as unknown as PairwiseExports).pairwiseMirror(job.out, job.rows, from, to);
}

/** Puts the scale back and settles what the vectors cannot say (zero vectors); then the result at `job.out` is final. */
export function finishPairwise(kernels: Kernels, job: PairwiseJob): void {
  const { unit, metric, rows, columns } = job;
  const out = kernels.arena.f32(job.out, rows * columns);
  if ((metric === 'euclidean' || metric === 'manhattan') && unit !== 1)
    for (let i = 0; i < out.length; i++) out[i]! *= unit;
  if (metric === 'euclidean' || metric === 'manhattan') return;
  // 1 − 0 = 1 holds for a zero vector against others; two zero vectors are alike.
  const zeroRow = (base: number, i: number) => {
    const row = kernels.arena.f32(base + 4 * i * job.stride, job.stride);
    return row.every((value) => value === 0);
  };
  const left: number[] = [];
  const right: number[] = [];
  for (let i = 0; i < rows; i++) if (zeroRow(job.a, i)) left.push(i);
  if (!left.length) return;
  for (let j = 0; j < columns; j++) if (zeroRow(job.b, j)) right.push(j);
  for (const i of left) for (const j of right) out[i * columns + j] = 0;
}

/** Gives a job's memory back; views of its result go stale. */
export function releasePairwise(kernels: Kernels, job: PairwiseJob): void {
  kernels.arena.dealloc(job.a);
  kernels.arena.dealloc(job.out);
}

/**
 * Dissimilarities between the rows of x, or between those of x and `other`: out[i, j] = dist(x[i], x[j]).
 *
 * euclidean √Σ(a−b)², manhattan Σ|a−b| from the differences themselves: relative error ≤ 1e-5 also for near-duplicates
 * far from the origin. cosine 1 − a·b/(|a||b|), correlation the same of centred rows: absolute error ≤ 1e-6, in [0, 2].
 * A zero vector (correlation: a constant row) is at exactly 1 from others and 0 from another one.
 *
 * @param x float32[n × d], finite. Not changed.
 * @returns float32[n × n] (or n × m), row-major; without `other` symmetric to the last bit with a zero diagonal.
 * @throws `shape`, `not-finite` with row and column, `argument`, `memory`, `cancelled`.
 * Time O(n²·d) (half of it without `other`); memory `pairwiseBytes` and the result once more.
 */
export function pairwise(
  kernels: Kernels,
  x: Matrix,
  options: SyncJobOptions & { metric: Metric; other?: Matrix },
): Matrix {
  const job = preparePairwise(kernels, x, options.metric, options.other);
  try {
    const step = Math.max(4, Math.floor(CHUNK / (job.columns * job.stride + 1) / 4) * 4);
    for (let row = 0; row < job.rows; row += step) {
      if (options.signal?.aborted) throw new EpochscopeError('cancelled', 'pairwise was cancelled');
      options.onProgress?.(row, job.rows);
      runPairwiseRows(kernels.exports, job, row, Math.min(job.rows, row + step));
    }
    runPairwiseMirror(kernels.exports, job, 0, job.rows);
    finishPairwise(kernels, job);
    options.onProgress?.(job.rows, job.rows);
    return {
      data: kernels.arena.f32(job.out, job.rows * job.columns).slice(),
      shape: [job.rows, job.columns],
    };
  } finally {
    releasePairwise(kernels, job);
  }
}

/** The upper triangle of `pairwise` in SciPy's order: (0,1), (0,2), …, (1,2), …; float32[n(n−1)/2]. */
export function pairwiseCondensed(
  kernels: Kernels,
  x: Matrix,
  options: SyncJobOptions & { metric: Metric },
): Float32Array {
  const n = x.shape[0];
  const full = pairwise(kernels, x, options).data;
  const out = new Float32Array((n * (n - 1)) / 2);
  for (let i = 0, at = 0; i < n; i++) {
    out.set(full.subarray(i * n + i + 1, (i + 1) * n), at);
    at += n - 1 - i;
  }
  return out;
}

function check(x: Matrix, name: string): void {
  checkMatrix(x, name);
  checkFinite(x, name);
}

function joined(x: Matrix, other: Matrix): Matrix {
  const data = new Float32Array(x.data.length + other.data.length);
  data.set(x.data);
  data.set(other.data, x.data.length);
  return { data, shape: [x.shape[0] + other.shape[0], x.shape[1]] };
}

/** Rows side by side, each padded with zeros to whole vectors. */
function fill(to: Float32Array, prepared: Rows, n: number, d: number, stride: number): void {
  for (let i = 0; i < n; i++) {
    const row = to.subarray(i * stride, (i + 1) * stride);
    row.fill(0);
    prepared.read(i, row);
    if (prepared.zero?.[i]) row.fill(0);
  }
  if (d === 0) to.fill(0);
}
