import type { Matrix, Metric } from '@epochscope/core-wasm';
import { firstNotFinite } from '@epochscope/core-wasm/jobs';
import { toFloat32, toFloat64 } from '../formats/dtypes.js';
import type { DType } from '../formats/types.js';
import {
  type Conversion,
  centred,
  centringOf,
  directions,
  directionsOf,
  fail,
  isAngular,
  kernelRounding,
  type Points,
  spaceOf,
} from './conversion.js';
import { pieces, type RowChoice, type RowSource } from './rows.js';

/** Every value of these is a float32. */
const EXACT: ReadonlySet<DType> = new Set([
  'bool',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'float8_e4m3',
  'float8_e5m2',
  'float16',
  'bfloat16',
  'float32',
]);

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
  const conversion = await conversionOf(source, chosen, metric);
  const { outputs, space } = await convertedPoints(source, chosen, conversion);
  const zeros =
    conversion.how === 'same' && isAngular(metric) ? countFlat(outputs, metric) : conversion.zeros;
  return { outputs, ...(space ? { space } : {}), notes: zeroNotes(zeros, outputs.shape[0], metric) };
}

/** What `readPoints` decides before it makes points. Throws `not-finite` for other than float32 values. One to three passes, O(columns) memory. */
export async function conversionOf(
  source: RowSource,
  chosen: RowChoice,
  metric: Metric,
): Promise<Conversion> {
  if (EXACT.has(source.dtype) || (await isExact(source, chosen)))
    return {
      metric,
      how: 'same',
      width: source.shape[1],
      unit: 1,
      offsets: [],
      base: null,
      largest: 0,
      zeros: 0,
    };
  return isAngular(metric) ? directionsOf(source, chosen, metric) : centringOf(source, chosen, metric);
}

/** Points of the rows chosen, of those that a conversion was made for. Throws `not-finite`. One pass. */
export async function convertedPoints(
  source: RowSource,
  chosen: RowChoice,
  conversion: Conversion,
): Promise<Omit<Points, 'notes'>> {
  const { how, metric } = conversion;
  if (how === 'centred') return centred(source, chosen, conversion);
  if (how === 'directions') return directions(source, chosen, conversion);
  const outputs = await asTheyAre(source, chosen);
  return {
    outputs,
    ...(isAngular(metric) ? { space: spaceOf(conversion, kernelRounding(outputs, metric)) } : {}),
  };
}

/** What is said of rows that have no direction. */
export const zeroNotes = (zeros: number, n: number, metric: Metric): string[] =>
  zeros
    ? [
        `${zeros} of ${n} rows ${
          metric === 'cosine' ? 'are zero and have no direction' : 'are constant and have no correlation'
        }: taken as 0 apart from each other and 1 from the rest`,
      ]
    : [];

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

async function asTheyAre(source: RowSource, chosen: RowChoice): Promise<Matrix> {
  const [, d] = source.shape;
  const n = chosen?.length ?? source.shape[0];
  const out = new Float32Array(n * d);
  for await (const { data, at } of pieces(source, chosen)) {
    const values = toFloat32(data);
    const i = firstNotFinite(values);
    if (i >= 0) fail(source, chosen, at + Math.floor(i / d), i % d, values[i]!);
    out.set(values, at * d);
  }
  return { data: out, shape: [n, d] };
}

/** Rows of zeros, or of one value for correlation. */
export function countFlat({ data, shape: [n, d] }: Matrix, metric: Metric): number {
  let count = 0;
  for (let i = 0; i < n; i++) {
    const first = metric === 'cosine' ? 0 : data[i * d];
    let k = 0;
    while (k < d && data[i * d + k] === first) k++;
    if (k === d) count++;
  }
  return count;
}
