import { checkCounts, checkOneOf, isUint32 } from '../../../src/arguments.js';
import { guard } from '../../../src/errors.js';
import { checkFinite, checkMatrix, type Matrix, METRICS, type Metric } from '../../../src/matrix.js';
import { asRecords, dimensionsOf, strideOf } from './bounds.js';
import { rowsOf } from './rows.js';

/**
 * What decides the bits of distances: with the same plan a pair of points has the same distance, to the last bit, in
 * whichever subset of the points it is computed.
 */
export interface VatPointsPlan {
  /** uint32[d]: the order in which coordinates are added up. */
  readonly dimensions: Uint32Array;
  /** Factor from stored to real distances, a power of two; 1 for cosine and correlation. */
  readonly unit: number;
  /** Whether a sum runs in sixteen chains, as of records, or coordinate by coordinate. */
  readonly records: boolean;
}

/**
 * The plan that `prepareVatPoints` makes for these points itself: coordinates by falling variance, the unit by the
 * largest magnitude. For more points than memory holds: x are `sampleOfVatPoints` of them, `all` says of how many, and
 * the largest magnitude among them all. Throws as `vatFromPoints`. Time O(n·d).
 */
export function vatPointsPlan(
  x: Matrix,
  metric: Metric,
  all: { n: number; largest: number } = { n: x.shape[0], largest: 0 },
): VatPointsPlan {
  checkOneOf('metric', metric, METRICS);
  checkMatrix(x, 'x');
  checkFinite(x, 'x');
  const rows = rowsOf(x, metric, undefined, all.largest);
  const [sample, d] = x.shape;
  return {
    dimensions: dimensionsOf(rows, sample, d).dimensions,
    unit: rows.unit,
    records: asRecords(all.n, d, metric === 'manhattan'),
  };
}

/** uint32[≤ 2047]: the points of n that decide the plan's order of coordinates, every so many-th of them. */
export function sampleOfVatPoints(n: number): Uint32Array {
  checkCounts({ n });
  const stride = strideOf(n);
  return Uint32Array.from({ length: Math.ceil(n / stride) }, (_, i) => i * stride);
}

/** Throws `argument` unless a plan fits points of d coordinates. */
export function checkPlan({ dimensions, unit }: VatPointsPlan, d: number): void {
  const fits = isUint32(dimensions) && dimensions.length === d && new Set(dimensions).size === d;
  guard(
    fits && dimensions.every((k) => k < d),
    'argument',
    () => `plan: expected dimensions to hold each of 0 … ${d - 1} once, as a Uint32Array`,
  );
  guard(
    Number.isInteger(Math.log2(unit)),
    'argument',
    () => `plan: expected unit to be a power of two, got ${unit}`,
    { unit },
  );
}
