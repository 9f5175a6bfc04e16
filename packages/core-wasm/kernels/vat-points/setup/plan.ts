import { checkOneOf, isUint32 } from '../../../src/arguments.js';
import { guard } from '../../../src/errors.js';
import { checkFinite, checkMatrix, type Matrix, METRICS, type Metric } from '../../../src/matrix.js';
import { asRecords, dimensionsOf } from './bounds.js';
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
 * largest magnitude. A sample of them will do, if it holds the value of largest magnitude; n is then the number of
 * points in all. Throws as `vatFromPoints`. Time O(n·d).
 */
export function vatPointsPlan(x: Matrix, metric: Metric, n = x.shape[0]): VatPointsPlan {
  checkOneOf('metric', metric, METRICS);
  checkMatrix(x, 'x');
  checkFinite(x, 'x');
  const rows = rowsOf(x, metric);
  const [sample, d] = x.shape;
  return {
    dimensions: dimensionsOf(rows, sample, d).dimensions,
    unit: rows.unit,
    records: asRecords(n, d, metric === 'manhattan'),
  };
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
