import { EpochscopeError, formatBytes, guard, type Matrix, type Metric } from '@epochscope/core-wasm';
import type { JobOptions } from '../engine/types.js';
import { dissimilarity } from '../engine/vat-image.js';
import { toFloat64 } from '../formats/dtypes.js';
import type { TensorData } from '../formats/types.js';
import type { Space, TendencyMetric } from '../methods/tendency/space.js';
import { isAngular, LARGEST_SPAN, powerOfTwo, reader, SMALLEST_SPAN } from './conversion.js';
import { pieces, placeIn, type RowChoice, type RowSource } from './rows.js';

/** As much as one WebAssembly memory holds beside the rest of the job. */
const MOST_ROWS = 32_000;
/** Within this share of the largest, a difference is taken for rounding. */
const ROUNDING = 1e-6;
const REST_MS = 50;

export interface Dissimilarities {
  /** float32[n × n], symmetric to the last bit, ≥ 0, diagonal 0: what `Engine.vatFromMatrix` and `Engine.linkage` take. */
  matrix: Matrix;
  space: Space;
  notes: string[];
}

/** Refuses a square matrix that cannot be held twice. Throws `memory` with the figure and the way out. */
export function assertSquareFits(n: number, name: string): void {
  guard(
    n <= MOST_ROWS,
    'memory',
    () =>
      `${name}: dissimilarities of ${n} rows need ${formatBytes(8 * n * n)}, at most ${formatBytes(8 * MOST_ROWS ** 2)} fit; take fewer rows: \`samples: ${MOST_ROWS}\``,
    { needed: 8 * n * n, fits: MOST_ROWS },
  );
}

/** Rows of a condensed matrix of so many entries; null if there is no such matrix. */
export function rowsOfCondensed(entries: number): number | null {
  const n = Math.round((1 + Math.sqrt(1 + 8 * entries)) / 2);
  return entries > 0 && (n * (n - 1)) / 2 === entries ? n : null;
}

/**
 * Dissimilarities as a file holds them: square, or condensed in SciPy's order (one axis, row by row above the diagonal). They must be
 * finite, ≥ 0, symmetric and 0 on the diagonal; where they fail by rounding alone (a millionth of the largest) the part above the
 * diagonal counts. Throws `shape`, `not-finite`, `format` naming row and column (from 0), `memory`. 8·n² bytes.
 */
export async function readDissimilarities(source: RowSource, chosen: RowChoice): Promise<Dissimilarities> {
  const { name } = source;
  const [rows, columns] = source.shape;
  const condensed = columns === 1 && rows !== 1 ? rowsOfCondensed(rows) : null;
  guard(
    condensed !== null || rows === columns,
    'shape',
    () =>
      `${name}: expected dissimilarities: a square matrix, or n(n − 1)/2 of them in one column (SciPy's condensed form), got ${rows} × ${columns}`,
    { file: name, rows, columns },
  );
  const all = condensed ?? rows;
  const n = chosen?.length ?? all;
  assertSquareFits(n, name);
  // Rows of a condensed list are pairs.
  const called = condensed === null ? source : { ...source, called: undefined };
  const fail = (i: number, j: number, message: string): never => {
    throw new EpochscopeError('format', `${name}: ${placeIn(called, i, j)}: ${message}`, {
      file: name,
      row: i,
      column: j,
    });
  };
  const label = (a: number) => (chosen ? chosen[a]! : a);
  const values = new Float64Array(n * n);
  if (condensed !== null) {
    // Of each row wanted what stands right of the diagonal: a list of any length is read where it is wanted.
    for (let a = 0; a < n; a++) {
      const i = label(a);
      const begin = all * i - (i * (i + 1)) / 2;
      const part = toFloat64(await source.rows(begin, begin + all - 1 - i));
      for (let b = 0; b < n; b++) {
        const j = label(b);
        if (j > i) values[a * n + b] = values[b * n + a] = part[j - i - 1]!;
      }
    }
  } else
    for await (const { data, at, rows: some } of pieces(source, chosen)) {
      const part = toFloat64(data);
      for (let r = 0; r < some; r++)
        for (let b = 0; b < n; b++) values[(at + r) * n + b] = part[r * all + (chosen ? chosen[b]! : b)]!;
    }

  let most = 0;
  for (let p = 0; p < values.length; p++) {
    const value = values[p]!;
    if (!Number.isFinite(value)) {
      const [i, j] = [label(Math.floor(p / n)), label(p % n)];
      throw new EpochscopeError(
        'not-finite',
        `${name}: ${placeIn(called, i, j)}: expected a finite dissimilarity, got ${value}`,
        { file: name, row: i, column: j },
      );
    }
    most = Math.max(most, Math.abs(value));
  }
  const slack = ROUNDING * most;
  const power = most > 0 ? 2 ** Math.floor(Math.log2(most)) : 1;
  const unit = most === 0 || (most < 2 ** 100 && most > 2 ** -80) ? 1 : power;
  const out = new Float32Array(n * n);
  let rounded = 0;
  for (let a = 0; a < n; a++) {
    if (Math.abs(values[a * n + a]!) > slack)
      fail(
        label(a),
        label(a),
        `expected 0 on the diagonal, got ${values[a * n + a]}${values[a * n + a] === 1 ? '; of similarities give 1 − x' : ''}`,
      );
    rounded += Number(values[a * n + a] !== 0);
    for (let b = a + 1; b < n; b++) {
      const [upper, lower] = [values[a * n + b]!, values[b * n + a]!];
      if (upper < -slack) fail(label(a), label(b), `expected a dissimilarity ≥ 0, got ${upper}`);
      if (Math.abs(upper - lower) > slack)
        fail(
          label(a),
          label(b),
          `expected a symmetric matrix, got ${upper} here and ${lower} across the diagonal`,
        );
      rounded += Number(upper !== lower || upper < 0);
      out[a * n + b] = out[b * n + a] = Math.max(0, upper) / unit;
    }
  }
  return {
    matrix: { data: out, shape: [n, n] },
    space: { metric: 'matrix', unit },
    notes: [
      `${n} × ${n} dissimilarities${condensed === null ? '' : ', given in condensed form'}`,
      ...(rounded ? [`${rounded} entries off by rounding: those above the diagonal count`] : []),
    ],
  };
}

/** What is compared, where no kernel does it. */
export interface Compared {
  metric: Exclude<TendencyMetric, 'precomputed'>;
  /** Per column the texts of its categories; null for numbers. */
  categories: readonly (readonly string[] | null)[];
}

/**
 * Dissimilarities between rows by definition, float64 inside, for what no kernel does:
 *
 * - hamming: share of columns that differ (SciPy).
 * - jaccard: of binary columns, those that differ among those that are 1 in either row; 0 where none is (SciPy).
 * - gower: mean over columns of |a − b| / range, or of 0 and 1 for equal and different texts; a constant column counts 0 (R's daisy).
 * - euclidean, manhattan, cosine, correlation with missing values (NaN): over the columns both rows have, sums scaled up to all columns
 *   (R's dist). The others are means over the columns both rows have.
 *
 * Throws `format` for a pair without a common column, or values that are not 0 and 1 (jaccard); `memory`; `cancelled`. O(n²·d) time,
 * 8·n² bytes with the kernels' copy. Lets others run every 50 ms.
 */
export async function compareRows(
  source: RowSource,
  chosen: RowChoice,
  { metric, categories }: Compared,
  { signal, onProgress }: JobOptions = {},
): Promise<Dissimilarities> {
  const { name } = source;
  const d = source.shape[1];
  const n = chosen?.length ?? source.shape[0];
  assertSquareFits(n, name);
  const x = new Float64Array(n * d);
  const numbers = numbersFor(source, metric);
  for await (const { data, at } of pieces(source, chosen)) x.set(numbers(data), at * d);
  const label = (a: number) => (chosen ? chosen[a]! : a);
  for (let p = 0; p < x.length; p++)
    if (Math.abs(x[p]!) === Number.POSITIVE_INFINITY)
      throw new EpochscopeError(
        'not-finite',
        `${name}: expected finite numbers, got ${x[p]} at ${placeIn(source, label(Math.floor(p / d)), p % d)}`,
        { file: name, row: label(Math.floor(p / d)), column: p % d },
      );
  if (metric === 'jaccard') binary(x, d, categories, name, (row, k) => placeIn(source, label(row), k));
  else if (metric !== 'gower' && metric !== 'hamming')
    guard(
      categories.every((texts) => texts === null),
      'format',
      () => `${name}: ${metric} compares numbers, some columns are text; use \`metric: gower\``,
      { file: name },
    );
  const unit = scaled(x, d, metric);
  const between = comparer(x, n, d, metric, categories);
  const out = new Float32Array(n * n);
  let rested = performance.now();
  for (let a = 0; a < n; a++) {
    if (performance.now() - rested > REST_MS) {
      onProgress?.(a * (2 * n - a), n * n);
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (signal?.aborted)
        throw new EpochscopeError('cancelled', `comparing rows was cancelled at row ${a} of ${n}`);
      rested = performance.now();
    }
    for (let b = a + 1; b < n; b++) {
      const value = between(a, b);
      guard(
        !Number.isNaN(value),
        'format',
        () =>
          `${name}: rows ${label(a)} and ${label(b)} (from 0) have no column in common that both have; leave one out, or a column with many missing values`,
        { file: name, row: label(a), other: label(b) },
      );
      out[a * n + b] = out[b * n + a] = value;
    }
  }
  return { matrix: { data: out, shape: [n, n] }, space: { metric: 'matrix', unit }, notes: [] };
}

/** Numbers as float64. 64-bit integers keep what the metric sees of them: which are equal, or how far they are apart. */
function numbersFor(source: RowSource, metric: Compared['metric']): (data: TensorData) => Float64Array {
  if (metric === 'hamming') {
    const codes = new Map<bigint, number>();
    return (data) => {
      if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) return toFloat64(data);
      return Float64Array.from(data as BigInt64Array, (value) => {
        if (!codes.has(value)) codes.set(value, codes.size);
        return codes.get(value)!;
      });
    };
  }
  if (metric !== 'gower' && metric !== 'euclidean' && metric !== 'manhattan') return toFloat64;
  const numbers = reader(source);
  return (data) => {
    numbers.shift(data);
    return numbers.read(data);
  };
}

/** Brings numbers whose squares, or float32 distances, would leave their range into it; the unit distances are in then. */
function scaled(x: Float64Array, d: number, metric: Compared['metric']): number {
  const isDistance = metric === 'euclidean' || metric === 'manhattan';
  if (!isDistance && !isAngular(metric as Metric)) return 1;
  let span = 0;
  for (let k = 0; k < d; k++) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let p = k; p < x.length; p += d) {
      low = Math.min(low, Number.isNaN(x[p]!) ? low : x[p]!);
      high = Math.max(high, Number.isNaN(x[p]!) ? high : x[p]!);
    }
    if (high >= low)
      span = Math.max(span, isDistance ? high / 2 - low / 2 : Math.max(Math.abs(high), Math.abs(low)));
  }
  if (span === 0 || (span >= SMALLEST_SPAN && span <= LARGEST_SPAN)) return 1;
  const unit = powerOfTwo(span);
  for (let p = 0; p < x.length; p++) x[p]! /= unit;
  return isDistance ? unit : 1;
}

function comparer(
  x: Float64Array,
  n: number,
  d: number,
  metric: Compared['metric'],
  categories: Compared['categories'],
): (a: number, b: number) => number {
  const shared = (a: number, b: number): number[] => {
    const both: number[] = [];
    for (let k = 0; k < d; k++) if (!Number.isNaN(x[a * d + k]! + x[b * d + k]!)) both.push(k);
    return both;
  };
  switch (metric) {
    case 'hamming':
      return (a, b) => {
        let differ = 0;
        let both = 0;
        for (let k = 0, p = a * d, q = b * d; k < d; k++, p++, q++) {
          const [u, v] = [x[p]!, x[q]!];
          if (Number.isNaN(u) || Number.isNaN(v)) continue;
          both++;
          if (u !== v) differ++;
        }
        return differ / both;
      };
    case 'jaccard':
      return (a, b) => {
        let differ = 0;
        let either = 0;
        let both = 0;
        for (let k = 0, p = a * d, q = b * d; k < d; k++, p++, q++) {
          const [u, v] = [x[p]!, x[q]!];
          if (Number.isNaN(u) || Number.isNaN(v)) continue;
          both++;
          if (u || v) either++;
          if (u !== v) differ++;
        }
        return both === 0 ? Number.NaN : either === 0 ? 0 : differ / either;
      };
    case 'gower': {
      const ranges = new Float64Array(d);
      for (let k = 0; k < d; k++) {
        let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
        for (let i = 0; i < n; i++) {
          const value = x[i * d + k]!;
          if (value < low) low = value;
          if (value > high) high = value;
        }
        // By halves: a difference of the largest numbers is no number.
        ranges[k] = high / 2 - low / 2;
      }
      return (a, b) => {
        let sum = 0;
        let both = 0;
        for (let k = 0, p = a * d, q = b * d; k < d; k++, p++, q++) {
          const [u, v] = [x[p]!, x[q]!];
          if (Number.isNaN(u) || Number.isNaN(v)) continue;
          both++;
          if (u !== v) sum += categories[k] ? 1 : Math.abs(u / 2 - v / 2) / ranges[k]!;
        }
        return sum / both;
      };
    }
    case 'euclidean':
    case 'manhattan': {
      const squared = metric === 'euclidean';
      return (a, b) => {
        let sum = 0;
        let both = 0;
        for (let k = 0, p = a * d, q = b * d; k < d; k++, p++, q++) {
          const difference = x[p]! - x[q]!;
          if (Number.isNaN(difference)) continue;
          both++;
          sum += squared ? difference * difference : Math.abs(difference);
        }
        const whole = (sum * d) / both;
        return squared ? Math.sqrt(whole) : whole;
      };
    }
    default:
      return (a, b) => {
        const both = shared(a, b);
        if (both.length === 0) return Number.NaN;
        const rows = [a, b].flatMap((row) => both.map((k) => x[row * d + k]!));
        return dissimilarity({ data: Float64Array.from(rows), shape: [2, both.length] }, metric)(0, 1);
      };
  }
}

/** Yes and no in place of categories; throws for anything but 0 and 1 then. */
function binary(
  x: Float64Array,
  d: number,
  categories: Compared['categories'],
  name: string,
  place: (row: number, column: number) => string,
): void {
  const YES = ['yes', 'y', 'true', 't', '1', 'present', '+'];
  const NO = ['no', 'n', 'false', 'f', '0', 'absent', '-'];
  for (let k = 0; k < d; k++) {
    const texts = categories[k];
    const codes = texts?.map((text) =>
      YES.includes(text.toLowerCase()) ? 1 : NO.includes(text.toLowerCase()) ? 0 : Number.NaN,
    );
    for (let p = k; p < x.length; p += d) {
      const value = x[p]!;
      if (Number.isNaN(value)) continue;
      const bit = codes ? codes[value]! : value;
      guard(
        bit === 0 || bit === 1,
        'format',
        () =>
          `${name}: jaccard compares binary columns (0 and 1, yes and no), got ${texts ? JSON.stringify(texts[value]) : value} at ${place(Math.floor(p / d), k)}`,
        { file: name, column: k },
      );
      x[p] = bit;
    }
  }
}
