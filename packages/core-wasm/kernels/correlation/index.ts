import { checkCounts, checkKernels, checkOptions } from '../../src/arguments.js';
import { guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { apart, checkFinite, checkMatrix, type Matrix } from '../../src/matrix.js';
import { outside } from '../../src/memory.js';
import { runSteps, type SyncJobOptions } from '../../src/steps.js';

interface CorrelationExports {
  correlationPack(
    samples: number,
    columns: number,
    m: number,
    before: number,
    statistics: number,
    panel: number,
    capacity: number,
    scratch: number,
    sums: number,
    units: number,
    inputStrips: number,
    unit: number,
  ): void;
  correlationAdd(
    a: number,
    b: number,
    sums: number,
    rows: number,
    capacity: number,
    units: number,
    inputStrips: number,
    from: number,
    to: number,
    part: number,
  ): void;
}

/** Correlations of two sets of columns over the same samples. */
export interface Correlation {
  /** float32[units × inputs], row-major: Pearson's r in [−1, 1]; 0 where a column of zero variance takes part. */
  readonly r: Matrix;
  readonly samples: number;
  /** float64[units], float64[inputs]: mean and standard deviation (over n) of each column. */
  readonly unitMeans: Float64Array;
  readonly unitDeviations: Float64Array;
  readonly inputMeans: Float64Array;
  readonly inputDeviations: Float64Array;
  /** Columns that have the same value in every sample, rising. */
  readonly constantUnits: Uint32Array;
  readonly constantInputs: Uint32Array;
}

/**
 * Sums under way: plain numbers, so that it can be posted to workers on the same memory. Everything lies in that
 * memory.
 */
export interface CorrelationJob {
  readonly units: number;
  readonly inputs: number;
  /** float64 sums of products: [⌈inputs/16⌉][⌈units/2⌉][2][16]. */
  readonly sums: number;
  /** float32 panels of units and inputs: [⌈columns/16⌉][256][16]. */
  readonly a: number;
  readonly b: number;
  /**
   * float64: samples so far, to 8 values; then of units and of inputs 3 × 16⌈columns/16⌉: mean, sum of squared
   * deviations, scale.
   */
  readonly statistics: number;
  /** float64 scratch of 24, then float32 samples of one panel. */
  readonly samples: number;
}

/** Rows of a panel: 255 samples and one row that joins them to those before. */
export const CAPACITY = 256;
/** Multiply-adds between two looks at the signal: some 20 ms. */
const CHUNK = 2 ** 28;
/** Bytes before the samples. */
const SCRATCH = 192;
const strips = (columns: number) => Math.ceil(columns / 16);

// Bytes of what a job holds.
function sizes(units: number, inputs: number) {
  const u = strips(units);
  const i = strips(inputs);
  return {
    sums: 256 * Math.ceil(units / 2) * i,
    a: 64 * CAPACITY * u,
    b: 64 * CAPACITY * i,
    statistics: 8 * (8 + 48 * (u + i)),
    // The last strip is read to its end.
    samples: SCRATCH + 4 * (CAPACITY - 1) * Math.max(units, inputs) + 64,
  };
}

/** Bytes of WebAssembly memory that a correlation of so many units and inputs takes, however many samples. */
export function correlationBytes(units: number, inputs: number): number {
  checkCounts({ units, inputs });
  return Object.values(sizes(units, inputs)).reduce((sum, bytes) => sum + 64 * Math.ceil(bytes / 64), 0);
}

/** Takes the memory for the sums, empty. Add blocks of samples, finish, and release. */
export function prepareCorrelation(kernels: Kernels, units: number, inputs: number): CorrelationJob {
  checkKernels(kernels);
  checkCounts({ units, inputs });
  const { arena } = kernels;
  const taken: number[] = [];
  const alloc = (bytes: number) => {
    const pointer = arena.alloc(bytes);
    taken.push(pointer);
    return pointer;
  };
  try {
    const bytes = sizes(units, inputs);
    const job = {
      units,
      inputs,
      sums: alloc(bytes.sums),
      a: alloc(bytes.a),
      b: alloc(bytes.b),
      statistics: alloc(bytes.statistics),
      samples: alloc(bytes.samples),
    };
    arena.u8(job.sums, bytes.sums).fill(0);
    arena.u8(job.statistics, bytes.statistics).fill(0);
    return job;
  } catch (cause) {
    for (const pointer of taken) arena.dealloc(pointer);
    throw cause;
  }
}

/** Adds samples: x float32[m × units], y float32[m × inputs], finite. Yields samples done and in all of this block. */
export function* addCorrelationSteps(
  kernels: Kernels,
  job: CorrelationJob,
  x: Matrix,
  y: Matrix,
): Generator<[done: number, total: number], void, void> {
  checkBlock(job, x, y);
  const { units, inputs } = job;
  const fn = kernels.exports as unknown as CorrelationExports;
  const [m] = x.shape;
  const unitStrips = strips(units);
  const inputStrips = strips(inputs);
  const inputStatistics = job.statistics + 8 * (8 + 48 * unitStrips);
  for (let from = 0; from < m; from += CAPACITY - 1) {
    const to = Math.min(m, from + CAPACITY - 1);
    const before = kernels.arena.f64(job.statistics, 1)[0]!;
    for (const [{ data }, columns, statistics, panel] of [
      [x, units, job.statistics + 64, job.a],
      [y, inputs, inputStatistics, job.b],
    ] as const) {
      const samples = job.samples + SCRATCH;
      // Views are derived anew in each part: memory may have grown in between.
      kernels.arena.f32(samples, (to - from) * columns).set(data.subarray(from * columns, to * columns));
      fn.correlationPack(
        samples,
        columns,
        to - from,
        before,
        statistics,
        panel,
        CAPACITY,
        job.samples,
        job.sums,
        units,
        inputStrips,
        panel === job.a ? 1 : 0,
      );
    }
    kernels.arena.f64(job.statistics, 1)[0] = before + to - from;
    const rows = to - from + 1;
    const step = Math.max(1, Math.floor(CHUNK / (rows * 256 * inputStrips + 1)));
    for (let u = 0; u < unitStrips; u += step) {
      yield [from + ((to - from) * u) / unitStrips, m];
      fn.correlationAdd(
        job.a,
        job.b,
        job.sums,
        rows,
        CAPACITY,
        units,
        inputStrips,
        u,
        Math.min(unitStrips, u + step),
        job.samples,
      );
    }
  }
}

function checkBlock({ units, inputs }: CorrelationJob, x: Matrix, y: Matrix): void {
  for (const [name, block, columns] of [
    ['x', x, units],
    ['y', y, inputs],
  ] as const) {
    checkMatrix(block, name);
    guard(
      block.shape[1] === columns,
      'shape',
      () => `${name}: expected ${columns} columns, got ${block.shape[1]}`,
      { name, expected: columns, got: block.shape[1] },
    );
    checkFinite(block, name);
  }
  guard(
    x.shape[0] === y.shape[0],
    'shape',
    () => `y: expected ${x.shape[0]} samples as x has, got ${y.shape[0]}`,
    { expected: x.shape[0], got: y.shape[0] },
  );
}

/** The correlations of all samples added so far. More may be added afterwards. */
export function finishCorrelation({ arena }: Kernels, job: CorrelationJob): Correlation {
  const { units, inputs } = job;
  const pairs = Math.ceil(units / 2);
  const samples = arena.f64(job.statistics, 1)[0]!;
  const sums = arena.f64(job.sums, 32 * pairs * strips(inputs));
  const r = outside('correlation', 4 * units * inputs, () => new Float32Array(units * inputs));
  const side = (at: number, length: number) => {
    const width = 16 * strips(length);
    const all = arena.f64(at, 3 * width);
    const square = all.subarray(width, width + length);
    const scale = all.subarray(2 * width, 2 * width + length);
    return {
      means: all.slice(0, length),
      deviations: Float64Array.from(square, (s) => (samples ? Math.sqrt(s / samples) : 0)),
      // From a scaled sum of products to a correlation.
      factor: Float64Array.from(square, (s, k) => (s > 0 ? 1 / (Math.sqrt(s) * scale[k]!) : 0)),
      constant: Uint32Array.from([...square.keys()].filter((k) => !(square[k]! > 0))),
    };
  };
  const u = side(job.statistics + 64, units);
  const i = side(job.statistics + 8 * (8 + 48 * strips(units)), inputs);
  for (let row = 0, at = 0; row < units; row++) {
    const f = u.factor[row]!;
    let from = 32 * (row >> 1) + 16 * (row & 1);
    for (let strip = 0; strip < inputs; strip += 16, from += 32 * pairs) {
      const end = Math.min(inputs, strip + 16);
      for (let k = strip, p = from; k < end; k++) {
        const value = sums[p++]! * f * i.factor[k]!;
        r[at++] = value > 1 ? 1 : value < -1 ? -1 : value;
      }
    }
  }
  return {
    r: { data: r, shape: [units, inputs] },
    samples,
    unitMeans: u.means,
    unitDeviations: u.deviations,
    inputMeans: i.means,
    inputDeviations: i.deviations,
    constantUnits: u.constant,
    constantInputs: i.constant,
  };
}

/** Gives a job's memory back. */
export function releaseCorrelation({ arena }: Kernels, job: CorrelationJob): void {
  for (const pointer of [job.sums, job.a, job.b, job.statistics, job.samples]) arena.dealloc(pointer);
}

/**
 * Pearson correlations of every column of x with every column of y:
 * r[u, i] = Σ (x_u − mean)(y_i − mean) / √(Σ (x_u − mean)² · Σ (y_i − mean)²).
 *
 * @param x float32[m × units]; y float32[m × inputs]; finite. To take samples in blocks, or from a file, use
 * `prepareCorrelation`, `addCorrelationSteps`, `finishCorrelation`, `releaseCorrelation`: the result of the blocks
 * differs only in rounding.
 * @returns r within 2e-6 of exact (float32 products of centred values, float32 sums of 255 samples at a time),
 *   whatever the number of samples,
 * the columns' means and scales, and for columns that are constant but for a few samples; means and deviations in
 * float64. A column with one value only has zero variance,
 *   exactly: its correlations are 0 and it is named. No samples, or one: every column is constant.
 * @throws `shape`, `not-finite` with row and column, `memory`, `cancelled`.
 * Time O(m·units·inputs), one pass; memory `correlationBytes` and the result once more.
 * Source: Chan, Golub & LeVeque 1979 (joining means and sums of blocks).
 */
export function correlation(
  kernels: Kernels,
  x: Matrix,
  y: Matrix,
  options: SyncJobOptions = {},
): Correlation {
  checkOptions(options);
  return runSteps(correlationSteps(kernels, x, y), options, 'correlation');
}

/** `correlation` in slices of some ten milliseconds; yields samples done and in all. */
export function* correlationSteps(
  kernels: Kernels,
  x: Matrix,
  y: Matrix,
): Generator<[done: number, total: number], Correlation, void> {
  checkKernels(kernels);
  checkMatrix(x, 'x');
  checkMatrix(y, 'y');
  const [a, b] = [x, y].map((m) => ({ ...m, data: apart(kernels, m.data) })) as [Matrix, Matrix];
  const job = prepareCorrelation(kernels, x.shape[1], y.shape[1]);
  try {
    yield* addCorrelationSteps(kernels, job, a, b);
    return finishCorrelation(kernels, job);
  } finally {
    releaseCorrelation(kernels, job);
  }
}
