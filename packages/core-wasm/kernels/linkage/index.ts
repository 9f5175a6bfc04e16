import { checkCounts, checkKernels, checkOptions, isFloat32 } from '../../src/arguments.js';
import { guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { apart, checkFinite, checkMatrix, type Matrix } from '../../src/matrix.js';
import { runSteps, type SyncJobOptions } from '../../src/steps.js';
import { diameterBytes, diametersOf } from './diameters.js';
import { areaBytes, type LinkageSteps, merges, methodOf, none, rowStart } from './merges.js';
import type { Linkage, LinkageMethod } from './result.js';

export type { LinkageSteps } from './merges.js';
export {
  checkPointsLinkage,
  linkageFromPoints,
  linkageFromPointsBytes,
  linkageFromPointsSteps,
  linkageOfPairwiseSteps,
  type PointsLinkage,
  type PointsLinkageOptions,
  shares,
} from './points.js';
export {
  type Cut,
  copheneticDistances,
  cutByCount,
  cutByDiameter,
  cutByHeight,
  LINKAGE_METHODS,
  type Linkage,
  type LinkageMethod,
  leafOrder,
  leafRanges,
  linkageMatrix,
} from './result.js';

interface InputExports {
  linkageSpread(d: number, n: number): void;
  linkageMirror(d: number, n: number, row0: number, row1: number): number;
  vatCheck(d: number, n: number, row0: number, row1: number): number;
}

export interface LinkageOptions extends SyncJobOptions {
  /** Default average. */
  method?: LinkageMethod;
  /** Also the largest dissimilarity inside every cluster, in O(n²) time. Default false. */
  diameters?: boolean;
}

/** Bytes of WebAssembly memory that a linkage of n samples takes. */
export function linkageBytes(n: number): number {
  checkCounts({ n });
  return 4 * n * n + areaBytes(n) + diameterBytes(n) + 64 * 4;
}

/**
 * Agglomerative clustering: joins the two clusters with the least dissimilarity until one is left. average: d(A,B) =
 * mean over pairs; single: the least; complete: the largest.
 *
 * @param d float32[n × n], symmetric with a zero diagonal (the upper triangle is read), or condensed
 *   float32[n(n−1)/2] in SciPy's
 *   order; finite, ≥ 0. Copied in, not changed.
 * @returns merges as SciPy shapes them, sorted by height. single and complete: heights are entries of d. average: a
 *   merge rounds
 * its means to float32 once, so that a height is within 6e-8 of the largest dissimilarity times the merges its pairs
 * of samples went through on
 * average: 1e-6 as a rule, and up to 3e-8·n where a cluster takes in its n samples one by one (5e-5 seen at n =
 * 5000). Ties: as SciPy's nearest-neighbour chain (lowest index); single, for which SciPy
 * has a spanning tree, has its heights and cuts by height, but may name and order tied merges otherwise. Pairs closer
 * than float32
 *   can tell may join in another order than in float64. n = 0 and 1 give no merges; an empty condensed d is n = 1.
 * @throws `shape`, `not-finite`, `argument` (a negative value, with its row), `memory`, `cancelled`.
 * Time O(n²), memory `linkageBytes(n)`: 4n² bytes. Diameters are read from the caller's d and need no second matrix.
 * Source: Müllner 2011 (NN-chain, labelling); Lance & Williams 1967.
 */
export function linkage(kernels: Kernels, d: Matrix | Float32Array, options: LinkageOptions = {}): Linkage {
  checkOptions(options);
  return runSteps(linkageSteps(kernels, d, options), options, 'linkage');
}

/**
 * `linkage` in slices of some ten milliseconds; yields work done and work in all. Leaving it early gives its memory
 * back.
 */
export function* linkageSteps(
  kernels: Kernels,
  from: Matrix | Float32Array,
  options: { method?: LinkageMethod; diameters?: boolean } = {},
): LinkageSteps {
  checkKernels(kernels);
  const method = methodOf(options);
  if (!isFloat32(from)) checkMatrix(from, 'd');
  const d = isFloat32(from) ? apart(kernels, from) : { ...from, data: apart(kernels, from.data) };
  const condensed = isFloat32(d);
  const n = condensed ? Math.round((1 + Math.sqrt(1 + 8 * d.length)) / 2) : d.shape[0];
  if (condensed) {
    guard(
      d.length === (n * (n - 1)) / 2,
      'shape',
      () => `d: ${d.length} values are not the n(n−1)/2 of a condensed matrix; nearest is n = ${n}`,
      { got: d.length, expected: (n * (n - 1)) / 2 },
    );
  } else {
    guard(n === d.shape[1], 'shape', () => `d: expected a square matrix, got ${n}×${d.shape[1]}`, {
      rows: n,
      columns: d.shape[1],
    });
  }
  const values: Matrix = condensed ? { data: d, shape: [1, d.length] } : d;
  if (n < 2) checkFinite(values, 'd');
  if (n < 2) return none(n, method, options);
  const upper = condensed
    ? (i: number) => d.subarray(rowStart(n, i), rowStart(n, i + 1))
    : (i: number) => d.data.subarray(i * n + i + 1, (i + 1) * n);
  const { arena } = kernels;
  const fn = kernels.exports as unknown as InputExports;
  const square = arena.alloc(4 * n * n);
  let tree: Linkage;
  try {
    // A square that is symmetric is taken as it is; else its upper triangle counts.
    let whole = false;
    if (condensed) {
      // At the square's end, from where its rows are spread forward.
      arena.f32(square + 2 * n * (n + 1), d.length).set(d);
      fn.linkageSpread(square, n);
    } else {
      arena.f32(square, n * n).set(d.data);
      whole = fn.vatCheck(square, n, 0, n) === n;
      if (!whole) checkFinite(values, 'd');
    }
    if (!whole) {
      const row = fn.linkageMirror(square, n, 0, n);
      // Names the place of a NaN or infinity, which the kernel's check does not.
      if (row < n) checkFinite(values, 'd');
      guard(row === n, 'argument', () => `d: row ${row} holds a negative dissimilarity`, { row });
    }
    tree = yield* merges(kernels, square, n, method, { from: 0, to: 2, total: 3 });
  } finally {
    arena.dealloc(square);
  }
  if (!options.diameters) return tree;
  return { ...tree, diameters: yield* diametersOf(kernels, tree, upper, { from: 2, to: 3, total: 3 }) };
}
