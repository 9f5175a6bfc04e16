import { EpochscopeError, type Matrix, type Metric } from '@epochscope/core-wasm';
import { toFloat64 } from '../formats/dtypes.js';
import type { TensorData } from '../formats/types.js';
import type { Space } from '../methods/tendency/space.js';
import { pieces, placeIn, type RowChoice, type RowSource } from './rows.js';

/** Points as the kernels take them. */
export interface Points {
  /** float32[n × d], or n × (d + 1) where cosine or correlation needs a place for zero rows. */
  outputs: Matrix;
  /** What distances of `outputs` stand for; undefined where they are the file's own numbers. */
  space?: Space;
  /** What was assumed, for people. */
  notes: string[];
}

/**
 * How rows become float32 points: decided by all rows, it makes any of them, and the same bits. Plain JSON, as numbers and texts keep their
 * bits in it.
 */
export interface Conversion {
  metric: Metric;
  /** `same`: float32 holds every value. The others are explained at `readPoints`. */
  how: 'same' | 'centred' | 'directions';
  /** Columns of the points: one more than the file's where cosine or correlation needs a place for zero rows. */
  width: number;
  unit: number;
  /** Per column what is subtracted: its middle, or the mean of all rows; none for `same`. */
  offsets: number[];
  /** Of 64-bit integers: the row that is subtracted from all, digit for digit. */
  base: string[] | null;
  /** Largest magnitude of a point's coordinates; 0 for `same`, which reads no row for it. */
  largest: number;
  /** Rows without a direction, where that is known: for `directions`. */
  zeros: number;
}

/** Spans between these need no scale: squares and sums of them stay within float32. */
export const SMALLEST_SPAN = 2 ** -40;
export const LARGEST_SPAN = 2 ** 50;

export const isAngular = (metric: Metric): boolean => metric === 'cosine' || metric === 'correlation';

/** Whether the points, or the kernels on their way to distances, are rounded. */
export const isRounded = ({ how, metric }: Conversion): boolean => how !== 'same' || isAngular(metric);

/** The metric that the kernels take between a conversion's points. */
export const kernelMetric = ({ how, metric }: Conversion): Metric =>
  how === 'directions' ? 'euclidean' : metric;

/** What distances between a conversion's points stand for; undefined: the file's own numbers. `rounding`: of its rows. */
export function spaceOf(conversion: Conversion, rounding?: Space['rounding']): Space | undefined {
  const { how, metric, unit } = conversion;
  if (how === 'same')
    return isAngular(metric) ? { metric, unit: 1, ...(rounding ? { rounding } : {}) } : undefined;
  return {
    metric: kernelMetric(conversion),
    ...(how === 'directions' ? { halfSquare: true } : {}),
    unit,
    ...(rounding ? { rounding } : {}),
  };
}

/** Throws `not-finite` for a value at a place among the rows chosen. */
export function fail(source: RowSource, chosen: RowChoice, at: number, column: number, value: number): never {
  const row = chosen ? chosen[at]! : at;
  throw new EpochscopeError(
    'not-finite',
    `${source.name}: expected finite numbers, got ${value} at ${placeIn(source, row, column)}${
      Number.isNaN(value) ? '; `missing: true` leaves missing values out pair by pair' : ''
    }`,
    { file: source.name, row, column, got: String(value) },
  );
}

/** For a row: whether its values were rounded, and by how much. Equal rows have equal traces. */
class Rounding {
  readonly errors: Float64Array;
  readonly traces: Float64Array;
  private readonly weights: Float64Array;
  constructor(n: number, d: number) {
    this.errors = new Float64Array(n);
    this.traces = new Float64Array(n);
    this.weights = weightsOf(d);
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

/**
 * What the kernels round themselves where they scale float32 rows to length 1 for cosine and correlation: twice 2⁻²⁴. Traces are of the
 * directions, to 40 bits, so that rows that point the same way have the same.
 */
export function kernelRounding(
  { data, shape: [n, d] }: Matrix,
  metric: Metric,
): NonNullable<Space['rounding']> {
  const errors = new Float64Array(n).fill(2 ** -23);
  const traces = new Float64Array(n);
  const unitRow = unitRows(d, metric === 'correlation');
  const row = new Float64Array(d);
  const weights = weightsOf(d);
  for (let i = 0; i < n; i++) {
    row.set(data.subarray(i * d, (i + 1) * d));
    if (!unitRow(row, 0)) continue;
    let trace = 0;
    for (let k = 0; k < d; k++) trace += row[k]! * weights[k]!;
    traces[i] = Math.round(trace * 2 ** 40);
  }
  return { errors, traces };
}

/** Any numbers without a simple relation between them. */
function weightsOf(d: number): Float64Array {
  const weights = new Float64Array(d);
  for (let k = 0; k < d; k++) weights[k] = 1 + ((k * 0.618033988749895 + 0.31) % 1);
  return weights;
}

/** Numbers as float64; integers beyond 2⁵³ less the first row's, which no difference sees. `lost`: what float64 rounds away of them. */
export function reader(
  source: RowSource,
  given: readonly string[] | null = null,
): {
  read: (data: TensorData, lost?: Float64Array) => Float64Array;
  shift: (data: TensorData) => void;
  /** What is subtracted, as text. */
  base: () => string[] | null;
} {
  const [, d] = source.shape;
  let base: BigInt64Array | BigUint64Array | null =
    given && (source.dtype === 'uint64' ? BigUint64Array : BigInt64Array).from(given.map(BigInt));
  return {
    shift(data) {
      if (!base && (data instanceof BigInt64Array || data instanceof BigUint64Array)) base = data.slice(0, d);
    },
    base: () => base && Array.from(base as BigInt64Array, String),
    read(data, lost) {
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
        for (let k = 0; k < d; k++, i++) {
          const high = (values.high[2 * i + 1]! - first.high[2 * k + 1]!) * 2 ** 32;
          const low = values.low[2 * i]! - first.low[2 * k]!;
          out[i] = high + low;
          if (lost) lost[i] = low - (out[i]! - high);
        }
      }
      return out;
    },
  };
}

/** 2^e with 2^e ≤ |x| < 2^(e+1); 1 for 0. */
export function powerOfTwo(x: number): number {
  if (x === 0) return 1;
  let power = 2 ** Math.floor(Math.log2(x));
  if (power > x) power /= 2;
  else if (power * 2 <= x) power *= 2;
  return power;
}

/** What `centred` does, by one pass over the rows. */
export async function centringOf(source: RowSource, chosen: RowChoice, metric: Metric): Promise<Conversion> {
  const [, d] = source.shape;
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
    // Of a wide range around 0 the middle is an outlier's: what is small would lose its digits.
    else if (low <= 0 && high >= 0 && half > LARGEST_SPAN) offsets[k] = 0;
    else {
      const digit = powerOfTwo(half) / 4;
      const rounded = Math.round(middle / digit) * digit;
      // Past 2⁵³ digits, or at either end of float64, rounding is no use: the middle itself serves.
      offsets[k] = Number.isFinite(rounded) ? rounded : middle;
    }
    span = Math.max(span, high - offsets[k]!, offsets[k]! - low);
  }
  const unit = span === 0 || (span >= SMALLEST_SPAN && span <= LARGEST_SPAN) ? 1 : powerOfTwo(span);
  return {
    metric,
    how: 'centred',
    width: d,
    unit,
    offsets: Array.from(offsets),
    base: numbers.base(),
    largest: Math.fround(span / unit),
    zeros: 0,
  };
}

export async function centred(
  source: RowSource,
  chosen: RowChoice,
  conversion: Conversion,
): Promise<Omit<Points, 'notes'>> {
  const { metric, unit, offsets, base } = conversion;
  const [, d] = source.shape;
  const n = chosen?.length ?? source.shape[0];
  const numbers = reader(source, base);
  const out = new Float32Array(n * d);
  const rounding = new Rounding(n, d);
  for await (const { data, at, rows } of pieces(source, chosen)) {
    const before = base ? new Float64Array(data.length) : null;
    const values = numbers.read(data, before ?? undefined);
    for (let r = 0, i = 0; r < rows; r++) {
      let lost = 0;
      let trace = 0;
      for (let k = 0; k < d; k++, i++) {
        const [value, offset] = [values[i]!, offsets[k]!];
        const less = value - offset;
        // What float64 itself rounds away (Knuth's two-sum); nothing as a rule.
        const taken = less - value;
        const left = value - (less - taken) - (offset + taken) + (before ? before[i]! : 0);
        if (left !== 0) {
          lost += Math.abs(left);
          trace += left * (k + 1);
        }
        values[i] = less / unit;
      }
      rounding.row(values, i - d, out, at + r, d, metric === 'manhattan');
      if (lost > 0) {
        rounding.errors[at + r]! += lost / unit;
        rounding.traces[at + r]! += trace / unit;
      }
    }
  }
  return { outputs: { data: out, shape: [n, d] }, space: spaceOf(conversion, rounding) };
}

/** Scales rows of float64 to length 1 in place, by their mean for correlation; whether they have a direction. */
function unitRows(d: number, byMean: boolean): (values: Float64Array, begin: number) => boolean {
  return (values, begin) => {
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
}

export async function directionsOf(
  source: RowSource,
  chosen: RowChoice,
  metric: Metric,
): Promise<Conversion> {
  const [, d] = source.shape;
  const n = chosen?.length ?? source.shape[0];
  const { read } = reader(source);
  const unitRow = unitRows(d, metric === 'correlation');
  const mean = new Float64Array(d);
  let zeros = 0;
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
  // Of zero rows too, which have no place among the others but are as far from their mean.
  let reach = 0;
  for await (const { data, rows } of pieces(source, chosen)) {
    const values = read(data);
    for (let r = 0; r < rows; r++) {
      const has = unitRow(values, r * d);
      for (let k = 0; k < d; k++) {
        const x = Math.abs(values[r * d + k]! - mean[k]!);
        if (has && x > span) span = x;
        if (x > reach) reach = x;
      }
    }
  }
  const unit = span === 0 || zeros > 0 || span >= 2 ** -20 ? 1 : powerOfTwo(span);
  return {
    metric,
    how: 'directions',
    // Zero rows lie √2 from every direction and 0 from each other: an axis of their own.
    width: zeros > 0 ? d + 1 : d,
    unit,
    offsets: Array.from(mean),
    base: null,
    largest: Math.max(Math.fround(reach / unit), zeros > 0 ? 1 : 0),
    zeros,
  };
}

export async function directions(
  source: RowSource,
  chosen: RowChoice,
  conversion: Conversion,
): Promise<Omit<Points, 'notes'>> {
  const { unit, offsets: mean, width } = conversion;
  const [, d] = source.shape;
  const n = chosen?.length ?? source.shape[0];
  const { read } = reader(source);
  const unitRow = unitRows(d, conversion.metric === 'correlation');
  const out = new Float32Array(n * width);
  const rounding = new Rounding(n, width);
  const wide = new Float64Array(width);
  for await (const { data, at, rows } of pieces(source, chosen)) {
    const values = read(data);
    for (let r = 0; r < rows; r++) {
      const has = unitRow(values, r * d);
      for (let k = 0; k < d; k++) wide[k] = (values[r * d + k]! - mean[k]!) / unit;
      if (width > d) wide[d] = has ? 0 : 1;
      rounding.row(wide, 0, out, at + r, width, false);
      // A direction is a few float64 roundings itself.
      if (has) rounding.errors[at + r]! += 2 ** -52 / unit;
    }
  }
  return { outputs: { data: out, shape: [n, width] }, space: spaceOf(conversion, rounding) };
}

const isFlat = (values: Float64Array, begin: number, d: number): boolean => {
  for (let k = 1; k < d; k++) if (values[begin + k] !== values[begin]) return false;
  return true;
};
