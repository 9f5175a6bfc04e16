import { EpochscopeError, formatBytes, guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { checkFinite, checkMatrix, type Matrix, type Metric } from '../../src/matrix.js';
import { runSteps, type SyncJobOptions } from '../../src/steps.js';
import {
  type PairwiseJob,
  pairwiseBytes,
  preparePairwise,
  releasePairwise,
  runPairwise,
} from '../pairwise/index.js';
import {
  LINKAGE_METHODS,
  type Linkage,
  type LinkageMethod,
  labelMerges,
  leafOrder,
  leafRanges,
} from './result.js';

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

interface LinkageExports {
  linkageStart(n: number, area: number): void;
  linkageRun(d: number, n: number, area: number, method: number, until: number): void;
  linkageMirror(d: number, n: number, row0: number, row1: number): number;
  vatCheck(d: number, n: number, row0: number, row1: number): number;
  linkageDiameterRow(
    upper: number,
    i: number,
    n: number,
    position: number,
    parent: number,
    from: number,
    to: number,
    row: number,
    diameter: number,
  ): void;
}

/** Yields work done and work in all. */
export type LinkageSteps<T = Linkage> = Generator<[done: number, total: number], T, void>;

export interface LinkageOptions extends SyncJobOptions {
  /** Default average. */
  method?: LinkageMethod;
  /** Also the largest dissimilarity inside every cluster, in O(n²) time. Default false. */
  diameters?: boolean;
}

/** Values one chunk may touch: some 10 ms of work. */
const CHUNK = 2 ** 25;
/** Sixteen arrays over n, and eight numbers. */
const areaBytes = (n: number) => 4 * (16 * Math.ceil(n / 4) * 4 + 8);
/** The diameters' tables: positions, parents, two ends of the sibling, a row, the diameters; and a row of input. */
const diameterBytes = (n: number) => 4 * (10 * n + 28);

/** Bytes of WebAssembly memory that a linkage of n samples takes. */
export function linkageBytes(n: number): number {
  return 4 * n * n + areaBytes(n) + diameterBytes(n) + 64 * 4;
}

/**
 * Bytes that a linkage of n points in d dimensions takes in WebAssembly memory; with `diameters`, 2n² bytes outside it are counted too (the
 * upper triangle, kept while linkage uses the square up).
 */
export function linkageFromPointsBytes(n: number, d: number, diameters = false): number {
  return (
    pairwiseBytes(n, d) +
    areaBytes(n) +
    diameterBytes(n) +
    (diameters ? 2 * n * Math.max(0, n - 1) : 0) +
    64 * 6
  );
}

/**
 * Agglomerative clustering: joins the two clusters with the least dissimilarity until one is left. average: d(A,B) = mean over pairs;
 * single: the least; complete: the largest.
 *
 * @param d float32[n × n], symmetric with a zero diagonal (the upper triangle is read), or condensed float32[n(n−1)/2] in SciPy's
 *   order; finite, ≥ 0. Copied in, not changed.
 * @returns merges as SciPy shapes them, sorted by height. single and complete: heights are entries of d. average: heights are within
 *   1e-6 of the largest dissimilarity (float32 sums). Ties: as SciPy's nearest-neighbour chain (lowest index); pairs closer than
 *   float32 can tell may join in another order than in float64. n = 0 and 1 give no merges; an empty condensed d is n = 1.
 * @throws `shape`, `not-finite`, `argument` (a negative value, with its row), `memory`, `cancelled`.
 * Time O(n²), memory `linkageBytes(n)`: 4n² bytes. Diameters are read from the caller's d and need no second matrix.
 * Source: Müllner 2011 (NN-chain, labelling); Lance & Williams 1967.
 */
export function linkage(kernels: Kernels, d: Matrix | Float32Array, options: LinkageOptions = {}): Linkage {
  return runSteps(linkageSteps(kernels, d, options), options, 'linkage');
}

/** `linkage` in slices of some ten milliseconds; yields work done and work in all. Leaving it early gives its memory back. */
export function* linkageSteps(
  kernels: Kernels,
  d: Matrix | Float32Array,
  options: { method?: LinkageMethod; diameters?: boolean } = {},
): LinkageSteps {
  const method = methodOf(options);
  const condensed = d instanceof Float32Array;
  const n = condensed ? Math.round((1 + Math.sqrt(1 + 8 * d.length)) / 2) : d.shape[0];
  if (condensed) {
    guard(
      d.length === (n * (n - 1)) / 2,
      'shape',
      () => `d: ${d.length} values are not the n(n−1)/2 of a condensed matrix; nearest is n = ${n}`,
      { got: d.length, expected: (n * (n - 1)) / 2 },
    );
  } else {
    checkMatrix(d, 'd');
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
  const fn = kernels.exports as unknown as LinkageExports;
  const square = arena.alloc(4 * n * n);
  let tree: Linkage;
  try {
    // A square that is symmetric is taken as it is; else its upper triangle counts.
    let whole = false;
    if (!condensed) {
      arena.f32(square, n * n).set(d.data);
      whole = fn.vatCheck(square, n, 0, n) === n;
    }
    if (!whole) {
      if (!condensed) checkFinite(values, 'd');
      const to = arena.f32(square, n * n);
      for (let i = 0; i < n; i++) to.set(upper(i), i * n + i + 1);
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

/** What `linkageFromPoints` takes besides. */
export interface PointsLinkageOptions {
  metric: Metric;
  /** Default average. */
  method?: LinkageMethod;
  diameters?: boolean;
  /** Points whose dissimilarities to all others are wanted too (for silhouettes), before linkage uses the matrix up. */
  rows?: Uint32Array;
}

/** A hierarchy of points, and the rows asked for: float32[rows × n]. */
export type PointsLinkage = Linkage & { readonly rows: Matrix };

/**
 * Points to hierarchy wholly inside the kernels' memory: dissimilarities, linkage, and diameters if asked for.
 * Memory `linkageFromPointsBytes`; time O(n²·d). Else as `pairwise` and `linkage`.
 */
export function linkageFromPoints(
  kernels: Kernels,
  x: Matrix,
  options: PointsLinkageOptions & SyncJobOptions,
): PointsLinkage {
  return runSteps(linkageFromPointsSteps(kernels, x, options), options, 'linkage');
}

/** `linkageFromPoints` in slices, as `linkageSteps`. */
export function* linkageFromPointsSteps(
  kernels: Kernels,
  x: Matrix,
  options: PointsLinkageOptions,
): LinkageSteps<PointsLinkage> {
  checkPointsLinkage(x, options);
  const job = preparePairwise(kernels, x, options.metric);
  try {
    const { cost, total } = shares(x.shape[1]);
    // Multiply-adds pass ten at a time.
    const step = Math.max(1, Math.floor((10 * CHUNK) / job.work));
    for (let done = 0; done < job.squares; done += step) {
      yield [cost * (done / job.squares), total];
      runPairwise(kernels.exports, job, 0, done, done + step);
    }
    return yield* linkageOfPairwiseSteps(kernels, job, options, x.shape[1]);
  } finally {
    releasePairwise(kernels, job);
  }
}

/** Rough shares of the time for points of d dimensions, in values touched: half the matrix times d, then some twenty passes, then four. */
export function shares(d: number): { cost: number; total: number } {
  return { cost: d / 2, total: d / 2 + 24 };
}

/** What `linkageFromPoints` checks before any work. Throws `argument`. */
export function checkPointsLinkage(x: Matrix, { method, rows }: PointsLinkageOptions): void {
  methodOf({ method });
  const n = x.shape[0];
  for (const row of rows ?? [])
    guard(row < n, 'argument', () => `rows: expected points 0 … ${n - 1}, got ${row}`, { row, n });
}

/**
 * The second half of `linkageFromPointsSteps`, for whoever ran the pairwise job (square, within one set) on several workers: its result is used
 * up; releasing it is the caller's. d: dimensions of the points, for progress.
 */
export function* linkageOfPairwiseSteps(
  kernels: Kernels,
  job: PairwiseJob,
  options: PointsLinkageOptions,
  d: number,
): LinkageSteps<PointsLinkage> {
  const method = methodOf(options);
  const { arena } = kernels;
  const n = job.rows;
  const { cost, total } = shares(d);
  const wanted = options.rows ?? new Uint32Array(0);
  const rows: Matrix = { data: new Float32Array(wanted.length * n), shape: [wanted.length, n] };
  for (const [k, row] of wanted.entries()) rows.data.set(arena.f32(job.out + 4 * row * n, n), k * n);
  if (n < 2) return { ...none(n, method, options), rows };
  let triangle: Float32Array | null = null;
  if (options.diameters && method !== 'complete') {
    triangle = outside((n * (n - 1)) / 2);
    const square = arena.f32(job.out, n * n);
    for (let i = 0; i < n; i++) triangle.set(square.subarray(i * n + i + 1, (i + 1) * n), rowStart(n, i));
  }
  const tree = yield* merges(kernels, job.out, n, method, { from: cost, to: cost + 20, total });
  if (!options.diameters) return { ...tree, rows };
  if (!triangle) return { ...tree, diameters: tree.heights.slice(), rows };
  const kept = triangle;
  const upper = (i: number) => kept.subarray(rowStart(n, i), rowStart(n, i + 1));
  return {
    ...tree,
    rows,
    diameters: yield* diametersOf(kernels, tree, upper, { from: cost + 20, to: total, total }),
  };
}

/** Values outside WebAssembly memory, which ends at 4 GiB. */
function outside(values: number): Float32Array {
  try {
    return new Float32Array(values);
  } catch (cause) {
    throw new EpochscopeError(
      'memory',
      `needs ${formatBytes(4 * values)} more memory for diameters, which cannot be had`,
      { needed: 4 * values },
      { cause },
    );
  }
}

function methodOf({ method = 'average' }: { method?: LinkageMethod }): LinkageMethod {
  guard(
    LINKAGE_METHODS.includes(method),
    'argument',
    () => `method: expected one of ${LINKAGE_METHODS.join(', ')}, got ${method}`,
    { method },
  );
  return method;
}

const rowStart = (n: number, i: number) => i * n - (i * (i + 1)) / 2;

function none(n: number, method: LinkageMethod, { diameters }: { diameters?: boolean }): Linkage {
  const tree = labelMerges(n, new Uint32Array(0), new Uint32Array(0), new Float32Array(0), method);
  return { ...tree, diameters: diameters ? new Float32Array(0) : null };
}

/** The part of the progress that a stage goes through. */
interface Stage {
  from: number;
  to: number;
  total: number;
}
const progress = ({ from, to, total }: Stage, share: number): [number, number] => [
  from + (to - from) * share,
  total,
];

/** Links the square matrix at d, which is used up. */
function* merges(kernels: Kernels, d: number, n: number, method: LinkageMethod, stage: Stage): LinkageSteps {
  const fn = kernels.exports as unknown as LinkageExports;
  const { arena } = kernels;
  const area = arena.alloc(areaBytes(n));
  try {
    fn.linkageStart(n, area);
    const step = Math.max(16, Math.ceil(CHUNK / (8 * n)));
    for (let done = 0; done < n - 1; ) {
      yield progress(stage, 1 - (1 - done / n) ** 2);
      done = Math.min(n - 1, done + step);
      fn.linkageRun(d, n, area, LINKAGE_METHODS.indexOf(method), done);
    }
    const stride = 16 * Math.ceil(n / 4);
    return labelMerges(
      n,
      arena.u32(area + 8 * stride, n - 1),
      arena.u32(area + 9 * stride, n - 1),
      arena.f32(area + 10 * stride, n - 1),
      method,
    );
  } finally {
    arena.dealloc(area);
  }
}

/** Cluster diameters from the rows of the upper triangle. O(n) memory beside them, O(n) time a row. */
function* diametersOf(
  kernels: Kernels,
  tree: Linkage,
  upper: (i: number) => Float32Array,
  stage: Stage,
): Generator<[number, number], Float32Array, void> {
  const { arena } = kernels;
  const { n, left, right } = tree;
  const fn = kernels.exports as unknown as LinkageExports;
  const all = 2 * n - 1;
  const words = [n, all, all, all, n, n, n].map((length) => Math.ceil(length / 4) * 4);
  const base = arena.alloc(4 * words.reduce((a, b) => a + b));
  try {
    let at = base;
    const [position, parent, from, to, row, diameter, input] = words.map((length) => {
      at += 4 * length;
      return at - 4 * length;
    }) as [number, number, number, number, number, number, number];
    const positions = arena.u32(position, n);
    for (const [k, leaf] of leafOrder(tree).entries()) positions[leaf] = k;
    const { start, size } = leafRanges(tree);
    const parents = arena.u32(parent, all);
    const begins = arena.u32(from, all);
    const ends = arena.u32(to, all);
    const beside = (node: number, sibling: number, t: number) => {
      parents[node] = t;
      begins[node] = start[sibling]!;
      ends[node] = start[sibling]! + size[sibling]!;
    };
    for (let t = 0; t < n - 1; t++) {
      beside(left[t]!, right[t]!, t);
      beside(right[t]!, left[t]!, t);
    }
    arena.f32(diameter, n - 1).fill(0);
    arena.f32(row, n).fill(0);
    const rows = Math.max(1, Math.floor(CHUNK / 4 / n));
    for (let i = 0; i < n; i++) {
      if (i % rows === 0) yield progress(stage, i / n);
      const values = upper(i);
      const inside = values.buffer === kernels.memory.buffer;
      if (!inside) arena.f32(input, values.length).set(values);
      fn.linkageDiameterRow(
        inside ? values.byteOffset : input,
        i,
        n,
        position,
        parent,
        from,
        to,
        row,
        diameter,
      );
    }
    const out = arena.f32(diameter, n - 1).slice();
    for (let t = 0; t < n - 1; t++)
      for (const child of [left[t]!, right[t]!])
        if (child >= n && out[child - n]! > out[t]!) out[t] = out[child - n]!;
    return out;
  } finally {
    arena.dealloc(base);
  }
}
