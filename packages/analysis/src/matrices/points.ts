import { EpochscopeError, type Matrix, type Metric } from '@epochscope/core-wasm';
import { toFloat32, toFloat64 } from '../formats/dtypes.js';
import type { DType, TensorData } from '../formats/types.js';
import type { Space } from '../methods/tendency/space.js';
import { pieces, type RowChoice, type RowSource } from './rows.js';

/** Points as the kernels take them. */
export interface Points {
  /** float32[n × d], or n × (d + 1) where cosine or correlation needs a place for zero rows. */
  outputs: Matrix;
  /** What distances of `outputs` stand for; undefined where they are the file's own numbers. */
  space?: Space;
  /** What was assumed, for people. */
  notes: string[];
}

/** Every value of these is a float32. */
const EXACT: ReadonlySet<DType> = new Set([
  'bool',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'float16',
  'bfloat16',
  'float32',
]);

/** Spans between these need no scale: squares and sums of them stay within float32. */
const SMALLEST_SPAN = 2 ** -40;
const LARGEST_SPAN = 2 ** 50;

/**
 * Rows of any number type as float32 points whose dissimilarities are those of the file's own numbers.
 *
 * Where float32 holds every value, they are taken as they are. Otherwise, in float64: for euclidean and manhattan each column has a value
 * near its middle subtracted, of so few binary digits that the subtraction is exact, and all are multiplied by one power of two where they
 * would leave float32's range, neither of which changes a difference; for cosine and correlation rows are scaled to length 1 (for
 * correlation after their mean is subtracted, which both measures ignore), and the mean of all rows is subtracted, so that
 * 1 − cos = ½‖a − b‖². Only then are values rounded to float32; `space` says by how much.
 * Integers beyond 2⁵³ are subtracted as integers.
 *
 * Throws `not-finite` with row and column (from 0). Two to three passes over the rows, 4·n·d bytes and 16·n.
 */
export async function readPoints(source: RowSource, chosen: RowChoice, metric: Metric): Promise<Points> {
  const angular = metric === 'cosine' || metric === 'correlation';
  const exact = EXACT.has(source.dtype) || (await isExact(source, chosen));
  const points = exact
    ? await asTheyAre(source, chosen)
    : await (angular
        ? directions(source, chosen, metric === 'correlation')
        : centred(source, chosen, metric));
  const zeros = !angular ? 0 : exact ? countFlat(points.outputs, metric) : (points.zeros ?? 0);
  const notes = zeros
    ? [
        `${zeros} of ${points.outputs.shape[0]} rows ${
          metric === 'cosine' ? 'are zero and have no direction' : 'are constant and have no correlation'
        }: taken as 0 apart from each other and 1 from the rest`,
      ]
    : [];
  const space = exact && angular ? ofKernel(metric, points.outputs.shape[0]) : points.space;
  return { outputs: points.outputs, ...(space ? { space } : {}), notes };
}

/** Kernels scale rows to length 1 in float32: two roundings of 2⁻²⁴ each. */
const ofKernel = (metric: Metric, n: number): Space => ({
  metric,
  unit: 1,
  rounding: { errors: new Float64Array(n).fill(2 ** -23), traces: new Float64Array(n) },
});

interface Made {
  outputs: Matrix;
  space?: Space;
  zeros?: number;
}

/** Whether float32 holds every value; stops at the first that it does not. NaN and infinity are told by whoever reads them. */
async function isExact(source: RowSource, chosen: RowChoice): Promise<boolean> {
  for await (const { data } of pieces(source, chosen)) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      if (!integersExact(data)) return false;
      continue;
    }
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      if (Math.fround(value) !== value && Number.isFinite(value)) return false;
    }
  }
  return true;
}

/** Of 64 bits, taken as two halves: a BigInt a value would take ten times as long. */
function integersExact(data: BigInt64Array | BigUint64Array): boolean {
  const values = toFloat64(data);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Math.fround(value) !== value) return false;
    // Beyond 2⁵³ the value seen may be a rounded one.
    if (Math.abs(value) >= 2 ** 53 && BigInt(value) !== data[i]) return false;
  }
  return true;
}

function fail(source: RowSource, chosen: RowChoice, at: number, column: number, value: number): never {
  const row = chosen ? chosen[at]! : at;
  throw new EpochscopeError(
    'not-finite',
    `${source.name}: expected finite numbers, got ${value} at row ${row}, column ${column} (from 0)`,
    { file: source.name, row, column, got: String(value) },
  );
}

async function asTheyAre(source: RowSource, chosen: RowChoice): Promise<Made> {
  const [, d] = source.shape;
  const n = chosen?.length ?? source.shape[0];
  const out = new Float32Array(n * d);
  for await (const { data, at } of pieces(source, chosen)) {
    const values = toFloat32(data);
    // x · 0 is 0 for every finite x.
    let zero = 0;
    for (let i = 0; i < values.length; i++) zero += values[i]! * 0;
    if (zero !== 0) {
      const i = values.findIndex((x) => !Number.isFinite(x));
      fail(source, chosen, at + Math.floor(i / d), i % d, values[i]!);
    }
    out.set(values, at * d);
  }
  return { outputs: { data: out, shape: [n, d] } };
}

/** Rows of zeros, or of one value for correlation. */
function countFlat({ data, shape: [n, d] }: Matrix, metric: Metric): number {
  let count = 0;
  for (let i = 0; i < n; i++) {
    const first = metric === 'cosine' ? 0 : data[i * d];
    let k = 0;
    while (k < d && data[i * d + k] === first) k++;
    if (k === d) count++;
  }
  return count;
}

/** For a row: whether its values were rounded, and by how much. Equal rows have equal traces. */
class Rounding {
  readonly errors: Float64Array;
  readonly traces: Float64Array;
  private readonly weights: Float64Array;
  constructor(n: number, d: number) {
    this.errors = new Float64Array(n);
    this.traces = new Float64Array(n);
    // Any numbers without a simple relation between them.
    this.weights = new Float64Array(d);
    for (let k = 0; k < d; k++) this.weights[k] = 1 + ((k * 0.618033988749895 + 0.31) % 1);
  }

  /** Rounds `values` into `out` at `to`, row `at`. */
  row(values: Float64Array, begin: number, out: Float32Array, at: number, d: number, sum: boolean): void {
    const { weights } = this;
    const to = at * d;
    let error = 0;
    let trace = 0;
    for (let k = 0; k < d; k++) {
      const value = values[begin + k]!;
      out[to + k] = value;
      const left = value - out[to + k]!;
      error += sum ? Math.abs(left) : left * left;
      trace += left * weights[k]!;
    }
    this.errors[at] = sum ? error : Math.sqrt(error);
    this.traces[at] = trace;
  }
}

/** Numbers as float64; integers beyond 2⁵³ less the first row's, which no difference sees. */
function reader(source: RowSource): {
  read: (data: TensorData) => Float64Array;
  shift: (data: TensorData) => void;
} {
  const [, d] = source.shape;
  let base: BigInt64Array | BigUint64Array | null = null;
  return {
    shift(data) {
      if (!base && (data instanceof BigInt64Array || data instanceof BigUint64Array)) base = data.slice(0, d);
    },
    read(data) {
      if (!base) {
        // A copy: what is read may be a view of the caller's.
        return data instanceof Float64Array ? data.slice() : toFloat64(data);
      }
      const parts = (list: BigInt64Array | BigUint64Array) => {
        const low = new Uint32Array(list.buffer, list.byteOffset, 2 * list.length);
        const high =
          list instanceof BigInt64Array ? new Int32Array(list.buffer, list.byteOffset, 2 * list.length) : low;
        return { low, high };
      };
      const [values, first] = [parts(data as BigInt64Array), parts(base)];
      const out = new Float64Array(data.length);
      for (let i = 0; i < out.length; ) {
        for (let k = 0; k < d; k++, i++)
          out[i] =
            (values.high[2 * i + 1]! - first.high[2 * k + 1]!) * 2 ** 32 +
            (values.low[2 * i]! - first.low[2 * k]!);
      }
      return out;
    },
  };
}

/** 2^e with 2^e ≤ |x| < 2^(e+1); 1 for 0. */
function powerOfTwo(x: number): number {
  if (x === 0) return 1;
  let power = 2 ** Math.floor(Math.log2(x));
  if (power > x) power /= 2;
  else if (power * 2 <= x) power *= 2;
  return power;
}

async function centred(source: RowSource, chosen: RowChoice, metric: Metric): Promise<Made> {
  const [, d] = source.shape;
  const n = chosen?.length ?? source.shape[0];
  const numbers = reader(source);
  const least = new Float64Array(d).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(d).fill(Number.NEGATIVE_INFINITY);
  for await (const { data, at, rows } of pieces(source, chosen)) {
    numbers.shift(data);
    const values = numbers.read(data);
    for (let r = 0, i = 0; r < rows; r++)
      for (let k = 0; k < d; k++, i++) {
        const value = values[i]!;
        if (value < least[k]!) least[k] = value;
        if (value > most[k]!) most[k] = value;
        if (!Number.isFinite(value)) fail(source, chosen, at + r, k, value);
      }
  }
  // A middle of so few digits that subtracting it is exact.
  const offsets = new Float64Array(d);
  let span = 0;
  for (let k = 0; k < d; k++) {
    const [low, high] = [least[k]!, most[k]!];
    const half = high / 2 - low / 2;
    const middle = low / 2 + high / 2;
    if (half === 0) offsets[k] = low;
    else {
      const digit = powerOfTwo(half) / 4;
      const rounded = Math.round(middle / digit) * digit;
      // Past 2⁵³ digits, or at either end of float64, rounding is no use: the middle itself serves.
      offsets[k] = Number.isFinite(rounded) ? rounded : middle;
    }
    span = Math.max(span, high - offsets[k]!, offsets[k]! - low);
  }
  const unit = span === 0 || (span >= SMALLEST_SPAN && span <= LARGEST_SPAN) ? 1 : powerOfTwo(span);
  const out = new Float32Array(n * d);
  const rounding = new Rounding(n, d);
  for await (const { data, at, rows } of pieces(source, chosen)) {
    const values = numbers.read(data);
    for (let r = 0, i = 0; r < rows; r++) {
      for (let k = 0; k < d; k++, i++) values[i] = (values[i]! - offsets[k]!) / unit;
      rounding.row(values, i - d, out, at + r, d, metric === 'manhattan');
    }
  }
  return {
    outputs: { data: out, shape: [n, d] },
    space: { metric: metric as 'euclidean', unit, rounding },
  };
}

async function directions(source: RowSource, chosen: RowChoice, byMean: boolean): Promise<Made> {
  const [, d] = source.shape;
  const n = chosen?.length ?? source.shape[0];
  const { read } = reader(source);
  const mean = new Float64Array(d);
  let zeros = 0;
  /** Each row scaled to length 1 in place; whether it has a direction. */
  const unitRow = (values: Float64Array, begin: number): boolean => {
    if (byMean) {
      // Twice: what rounding left of a large mean the second takes away.
      for (let again = 0; again < 2; again++) {
        let sum = 0;
        for (let k = 0; k < d; k++) sum += values[begin + k]! / d;
        if (again === 0 && isFlat(values, begin, d)) {
          values.fill(0, begin, begin + d);
          return false;
        }
        for (let k = 0; k < d; k++) values[begin + k]! -= sum;
      }
    }
    let largest = 0;
    for (let k = 0; k < d; k++) largest = Math.max(largest, Math.abs(values[begin + k]!));
    if (largest === 0) return false;
    let squares = 0;
    for (let k = 0; k < d; k++) squares += (values[begin + k]! / largest) ** 2;
    const length = Math.sqrt(squares);
    for (let k = 0; k < d; k++) values[begin + k] = values[begin + k]! / largest / length;
    return true;
  };
  for await (const { data, at, rows } of pieces(source, chosen)) {
    const values = read(data);
    for (let r = 0; r < rows; r++) {
      for (let k = r * d; k < (r + 1) * d; k++)
        if (!Number.isFinite(values[k]!)) fail(source, chosen, at + r, k - r * d, values[k]!);
      if (!unitRow(values, r * d)) zeros++;
      for (let k = 0; k < d; k++) mean[k]! += values[r * d + k]!;
    }
  }
  for (let k = 0; k < d; k++) mean[k]! /= Math.max(1, n - zeros);
  let span = 0;
  for await (const { data, rows } of pieces(source, chosen)) {
    const values = read(data);
    for (let r = 0; r < rows; r++)
      if (unitRow(values, r * d))
        for (let k = 0; k < d; k++) span = Math.max(span, Math.abs(values[r * d + k]! - mean[k]!));
  }
  const unit = span === 0 || zeros > 0 || span >= 2 ** -20 ? 1 : powerOfTwo(span);
  // Zero rows lie √2 from every direction and 0 from each other: an axis of their own.
  const width = zeros > 0 ? d + 1 : d;
  const out = new Float32Array(n * width);
  const rounding = new Rounding(n, width);
  const wide = new Float64Array(width);
  for await (const { data, at, rows } of pieces(source, chosen)) {
    const values = read(data);
    for (let r = 0; r < rows; r++) {
      const has = unitRow(values, r * d);
      for (let k = 0; k < d; k++) wide[k] = (values[r * d + k]! - mean[k]!) / unit;
      if (zeros > 0) wide[d] = has ? 0 : 1;
      rounding.row(wide, 0, out, at + r, width, false);
    }
  }
  return {
    outputs: { data: out, shape: [n, width] },
    space: { metric: 'euclidean', halfSquare: true, unit, rounding },
    zeros,
  };
}

const isFlat = (values: Float64Array, begin: number, d: number): boolean => {
  for (let k = 1; k < d; k++) if (values[begin + k] !== values[begin]) return false;
  return true;
};
