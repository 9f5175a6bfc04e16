import { checkKernels, checkOptions, checkPlace } from '../../src/arguments.js';
import { guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { checkFinite, checkMatrix, type Matrix } from '../../src/matrix.js';
import { runSteps, type Steps, type SyncJobOptions } from '../../src/steps.js';
import { Farthest } from './memory.js';
import type { VatResult } from './result.js';

export type { SyncJobOptions } from '../../src/steps.js';
export type { VatResult } from './result.js';

interface VatExports {
  vatFarthest(d: number, n: number, row0: number, row1: number, best: number): void;
  vatCheck(d: number, n: number, row0: number, row1: number): number;
  vatSteps(
    d: number,
    n: number,
    key: number,
    order: number,
    weights: number,
    parent: number,
    from: number,
    to: number,
  ): void;
}

/** A square float32 matrix that already lies in the kernels' memory. */
export interface BorrowedMatrix {
  /** Byte offset, a multiple of 4. */
  readonly pointer: number;
  /** Rows, and columns. */
  readonly n: number;
}

/** Elements that one chunk may touch: some 10 ms of work. */
const CHUNK = 2 ** 25;

/**
 * VAT order of a dissimilarity matrix: Prim from the lower index of the first maximal pair in row-major order.
 * weights[k−1] = min over u in order[0..k), v not in it, of d[u,v]; order[k] = that v; parent[k−1] = that u.
 *
 * @param d float32[n × n], symmetric to the last bit, ≥ 0, diagonal 0. A `Matrix` is checked and copied in, unless
 *   its data
 * already is a view of `kernels.memory`; that and a `BorrowedMatrix` are used where they lie and the caller vouches
 * for
 *   symmetry, sign and diagonal (NaN and +∞ above the diagonal are still refused). Never changed. Views of an unshared
 *   memory go stale when it grows: derive them anew.
 * @returns order uint32[n], weights float32[n−1] (entries of d, unchanged), parent uint32[n−1].
 * Ties: the lowest sample index wins, for the next sample and then for its parent. n = 0 gives three empty arrays, n
 * = 1 the
 * order [0]. R's seriation and pyclustertend start at opposite ends of the maximal pair, so compare weights or iVAT
 * values,
 *   not orders.
 * @throws `shape` if d is not square; `not-finite`; `argument` if it is not a dissimilarity matrix; `memory`;
 *   `cancelled`.
 * Time O(n²), each row read about 1.5 times; memory 4n² bytes for a copied matrix (none if borrowed) + 16n.
 * Source: Bezdek & Hathaway 2002, VAT; Prim 1957.
 */
export function vatFromMatrix(
  kernels: Kernels,
  d: Matrix | BorrowedMatrix,
  options: SyncJobOptions = {},
): VatResult {
  checkOptions(options);
  return runSteps(vatFromMatrixSteps(kernels, d), options, 'VAT');
}

/** `vatFromMatrix` in slices. */
export function* vatFromMatrixSteps(kernels: Kernels, d: Matrix | BorrowedMatrix): Steps<VatResult> {
  checkKernels(kernels);
  const { arena } = kernels;
  const fn = kernels.exports as unknown as VatExports;
  let pointer = 0;
  let copy: Float32Array | null = null;
  let n: number;
  if (typeof d === 'object' && d !== null && 'pointer' in d) {
    ({ pointer, n } = d);
    guard(
      Number.isSafeInteger(n) && n >= 0,
      'argument',
      () => `d: expected n to be a number of rows, got ${n}`,
      { n },
    );
    checkPlace(kernels, 'd', pointer, n * n);
  } else {
    checkMatrix(d, 'd');
    n = d.shape[0];
    guard(n === d.shape[1], 'shape', () => `d: expected a square matrix, got ${d.shape[0]}×${d.shape[1]}`, {
      rows: d.shape[0],
      columns: d.shape[1],
    });
    if (d.data.buffer === kernels.memory.buffer) {
      pointer = d.data.byteOffset;
      checkPlace(kernels, 'd', pointer, n * n);
    } else copy = d.data;
  }
  const result: VatResult = {
    order: new Uint32Array(n),
    weights: new Float32Array(Math.max(n - 1, 0)),
    parent: new Uint32Array(Math.max(n - 1, 0)),
  };
  if (n === 0) return result;
  const taken: number[] = [];
  const alloc = (bytes: number) => {
    const place = arena.alloc(bytes);
    taken.push(place);
    return place;
  };
  try {
    if (copy) {
      pointer = alloc(4 * n * n);
      arena.f32(pointer, n * n).set(copy);
    }
    const key = alloc(4 * n);
    const order = alloc(4 * n);
    const weights = alloc(4 * n);
    const parent = alloc(4 * n);
    const best = alloc(4 * Farthest.size);
    const rows = Math.max(16, Math.ceil(CHUNK / n / 16) * 16);
    // The search for the start reads half of what Prim reads.
    const search = n / 2;
    const report = (done: number): [number, number] => [Math.round(done), Math.round(search + n)];
    if (copy) {
      for (let i = 0; i < n; i += rows) {
        yield report(0);
        const row = fn.vatCheck(pointer, n, i, Math.min(i + rows, n));
        // Names the place of a NaN or infinity, which the kernel's check does not.
        if (row < n) checkFinite(d as Matrix, 'd');
        guard(
          row === n,
          'argument',
          () =>
            `d: row ${row} does not fit a dissimilarity matrix: symmetric to the last bit, ≥ 0 and 0 on the diagonal`,
          { row },
        );
      }
    }
    arena.u32(best, Farthest.size).fill(0);
    yield report(0);
    for (let i = 0; i < n; i += rows) {
      fn.vatFarthest(pointer, n, i, Math.min(i + rows, n), best);
      yield report((Math.min(i + rows, n) / n) * search);
    }
    guard(
      arena.u32(best, Farthest.size)[Farthest.foundNaN] === 0 &&
        arena.f32(best, 1)[Farthest.distance] !== Infinity,
      'not-finite',
      'd: expected finite numbers, got NaN or infinity above the diagonal',
      { name: 'd' },
    );
    arena.f32(key, n).fill(Infinity);
    arena.u32(order, n)[0] = arena.u32(best, Farthest.size)[Farthest.row]!;
    for (let k = 1; k <= n; k += rows) {
      const to = Math.min(k + rows, n + 1);
      fn.vatSteps(pointer, n, key, order, weights, parent, k, to);
      yield report(search + to - 1);
    }
    result.order.set(arena.u32(order, n));
    result.weights.set(arena.f32(weights, n - 1));
    result.parent.set(arena.u32(parent, n - 1));
    return result;
  } finally {
    for (const place of taken) arena.dealloc(place);
  }
}
