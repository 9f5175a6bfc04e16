import { guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { checkFinite, checkMatrix, type Matrix } from '../../src/matrix.js';
import { runSteps, type SyncJobOptions } from '../../src/steps.js';
import { addPanel, type Columns } from './panel.js';

interface CorrelationExports {
  correlationAdd(
    a: number,
    b: number,
    c: number,
    samples: number,
    capacity: number,
    inputStrips: number,
    from: number,
    to: number,
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

/** Sums under way: plain numbers, so that it can be posted to workers on the same memory. Everything lies in that memory. */
export interface CorrelationJob {
  readonly units: number;
  readonly inputs: number;
  /** float32 sums of products, 4⌈units/4⌉ rows of 8⌈inputs/8⌉. */
  readonly sums: number;
  readonly a: number;
  readonly b: number;
  /** float64: samples so far, then per column of units and inputs: mean, sum of squared deviations, scale. */
  readonly statistics: number;
}

/** Rows of a panel: 255 samples and one row that joins them to those before. */
export const CAPACITY = 256;
/** Multiply-adds between two looks at the signal: some 20 ms. */
const CHUNK = 2 ** 28;
const strips = (columns: number, width: number) => Math.ceil(columns / width);

/** Bytes of WebAssembly memory that a correlation of so many units and inputs takes, however many samples. */
export function correlationBytes(units: number, inputs: number): number {
  const u = 4 * strips(units, 4);
  const i = 8 * strips(inputs, 8);
  return 4 * u * i + 4 * CAPACITY * (u + i) + 8 * (1 + 3 * (units + inputs)) + 64 * 4;
}

/** Takes the memory for the sums, empty. Add blocks of samples, finish, and release. */
export function prepareCorrelation(kernels: Kernels, units: number, inputs: number): CorrelationJob {
  for (const [name, columns] of Object.entries({ units, inputs }))
    guard(
      Number.isInteger(columns) && columns >= 0,
      'argument',
      () => `${name}: expected a number of columns, got ${columns}`,
    );
  const { arena } = kernels;
  const taken: number[] = [];
  const alloc = (bytes: number) => {
    const pointer = arena.alloc(bytes);
    taken.push(pointer);
    return pointer;
  };
  try {
    const u = 4 * strips(units, 4);
    const i = 8 * strips(inputs, 8);
    const job = {
      units,
      inputs,
      sums: alloc(4 * u * i),
      a: alloc(4 * CAPACITY * u),
      b: alloc(4 * CAPACITY * i),
      statistics: alloc(8 * (1 + 3 * (units + inputs))),
    };
    arena.f32(job.sums, u * i).fill(0);
    // The columns that fill up the last strip stay 0.
    arena.f32(job.a, CAPACITY * u).fill(0);
    arena.f32(job.b, CAPACITY * i).fill(0);
    arena.f64(job.statistics, 1 + 3 * (units + inputs)).fill(0);
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
  const unitStrips = strips(units, 4);
  const inputStrips = strips(inputs, 8);
  for (let from = 0; from < m; from += CAPACITY - 1) {
    const to = Math.min(m, from + CAPACITY - 1);
    // Views are derived anew in each part: memory may have grown in between.
    const { arena } = kernels;
    const all = arena.f64(job.statistics, 1 + 3 * (units + inputs));
    const before = all[0]!;
    const sums = arena.f32(job.sums, 4 * unitStrips * 8 * inputStrips);
    const columns = (at: number, length: number): Columns => ({
      mean: all.subarray(at, at + length),
      square: all.subarray(at + length, at + 2 * length),
      scale: all.subarray(at + 2 * length, at + 3 * length),
    });
    const width = 8 * inputStrips;
    const rows = addPanel(
      x,
      from,
      to,
      before,
      columns(1, units),
      arena.f32(job.a, CAPACITY * 4 * unitStrips),
      4,
      (u, factor) => {
        for (let k = u * width; k < (u + 1) * width; k++) sums[k]! *= factor;
      },
    );
    addPanel(
      y,
      from,
      to,
      before,
      columns(1 + 3 * units, inputs),
      arena.f32(job.b, CAPACITY * width),
      8,
      (i, factor) => {
        for (let k = i; k < sums.length; k += width) sums[k]! *= factor;
      },
    );
    all[0] = before + to - from;
    const step = Math.max(1, Math.floor(CHUNK / (rows * 4 * width + 1)));
    for (let u = 0; u < unitStrips; u += step) {
      yield [from + ((to - from) * u) / unitStrips, m];
      fn.correlationAdd(
        job.a,
        job.b,
        job.sums,
        rows,
        CAPACITY,
        inputStrips,
        u,
        Math.min(unitStrips, u + step),
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
  const width = 8 * strips(inputs, 8);
  const all = arena.f64(job.statistics, 1 + 3 * (units + inputs));
  const samples = all[0]!;
  const sums = arena.f32(job.sums, 4 * strips(units, 4) * width);
  const r = new Float32Array(units * inputs);
  const side = (at: number, length: number) => {
    const square = all.subarray(at + length, at + 2 * length);
    const scale = all.subarray(at + 2 * length, at + 3 * length);
    return {
      means: all.slice(at, at + length),
      deviations: Float64Array.from(square, (s) => (samples ? Math.sqrt(s / samples) : 0)),
      // From a scaled sum of products to a correlation.
      factor: Float64Array.from(square, (s, k) => (s > 0 ? 1 / (Math.sqrt(s) * scale[k]!) : 0)),
      constant: Uint32Array.from([...square.keys()].filter((k) => !(square[k]! > 0))),
    };
  };
  const u = side(1, units);
  const i = side(1 + 3 * units, inputs);
  for (let row = 0; row < units; row++) {
    const f = u.factor[row]!;
    for (let k = 0; k < inputs; k++) {
      const value = sums[row * width + k]! * f * i.factor[k]!;
      r[row * inputs + k] = value > 1 ? 1 : value < -1 ? -1 : value;
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
  for (const pointer of [job.sums, job.a, job.b, job.statistics]) arena.dealloc(pointer);
}

/**
 * Pearson correlations of every column of x with every column of y:
 * r[u, i] = Σ (x_u − mean)(y_i − mean) / √(Σ (x_u − mean)² · Σ (y_i − mean)²).
 *
 * @param x float32[m × units]; y float32[m × inputs]; finite. To take samples in blocks, or from a file, use
 *   `prepareCorrelation`, `addCorrelationSteps`, `finishCorrelation`, `releaseCorrelation`: the result of the blocks differs only in rounding.
 * @returns r within 2e-6 of exact (float32 sums of products of centred values), whatever the columns' means and scales; means and
 *   deviations in float64. A column with one value only has zero variance, exactly: its correlations are 0 and it is named. No
 *   samples, or one: every column is constant.
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
  return runSteps(correlationSteps(kernels, x, y), options, 'correlation');
}

/** `correlation` in slices of some ten milliseconds; yields samples done and in all. */
export function* correlationSteps(
  kernels: Kernels,
  x: Matrix,
  y: Matrix,
): Generator<[done: number, total: number], Correlation, void> {
  const job = prepareCorrelation(kernels, x.shape[1], y.shape[1]);
  try {
    yield* addCorrelationSteps(kernels, job, x, y);
    return finishCorrelation(kernels, job);
  } finally {
    releaseCorrelation(kernels, job);
  }
}
