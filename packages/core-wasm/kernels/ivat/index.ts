import { checkInto, checkKernels, checkOneOf, checkOptions, checkPlace } from '../../src/arguments.js';
import { guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import type { Matrix } from '../../src/matrix.js';
import { outside } from '../../src/memory.js';
import type { VatResult } from '../vat/result.js';
import { checkOrdered, inverse } from './values.js';

export { type IvatImageOptions, ivatImage } from './image.js';
export { ivatCondensed, ivatLookup, ivatValue } from './values.js';

interface IvatExports {
  ivatRows(w: number, n: number, out: number, row0: number, row1: number): void;
  ivatOriginalRows(
    w: number,
    position: number,
    n: number,
    scratch: number,
    out: number,
    row0: number,
    row1: number,
  ): void;
}

export interface IvatMatrixOptions {
  /** Rows and columns along the VAT order (default), or by sample index. */
  order?: 'vat' | 'original';
  /** `ivatMatrix`: where to put the result, float32 of n² values; default: a new array. */
  into?: Float32Array;
}

/**
 * `ivatMatrix` written where the caller says in the kernels' memory: float32[n × n] at byte `pointer`. No copy, and
 * no n×n of JavaScript, whose first touch of fresh memory takes longer than the work.
 * @throws `argument` if n×n float32 at `pointer` do not lie in the memory; else as `ivatMatrix`.
 */
export function ivatMatrixInto(
  kernels: Kernels,
  vat: Pick<VatResult, 'order' | 'weights'>,
  pointer: number,
  options: Omit<IvatMatrixOptions, 'into'> = {},
): void {
  checkKernels(kernels);
  checkMatrixOptions(options);
  const n = checkOrdered(vat);
  checkPlace(kernels, 'pointer', pointer, n * n);
  if (n > 0) eachBand(kernels, vat, options, pointer, () => {});
}

/** Bytes of WebAssembly memory that one band of rows takes. */
const BAND = 2 ** 19;

/**
 * The full iVAT matrix: D'(a,b) = max(w[min..max−1]) for VAT positions a ≠ b, 0 on the diagonal; the smallest
 * possible largest edge of a path between the two samples.
 *
 * @returns float32[n × n], ≥ 0, symmetric. n = 0 gives a 0×0 matrix. For pictures take `ivatImage`, which needs no
 * n×n.
 * @throws `shape` or `argument` if order and weights do not fit; `memory` over 2³⁰ values.
 * Time O(n²), of which the first touch of a new array is most from 100 MB on: give `into` to use one again, or take
 * `ivatMatrixInto`.
 * Memory 4n² bytes of JavaScript and 8 MB + O(n) of WebAssembly memory.
 * Source: Havens & Bezdek 2012, here as a range maximum along the VAT order.
 */
export function ivatMatrix(
  kernels: Kernels,
  vat: Pick<VatResult, 'order' | 'weights'>,
  options: IvatMatrixOptions = {},
): Matrix {
  checkKernels(kernels);
  checkMatrixOptions(options);
  const n = checkOrdered(vat);
  guard(
    n * n <= 2 ** 30,
    'memory',
    () => `iVAT matrix: ${n}×${n} values are over the limit of ${2 ** 30}; ask for an image instead`,
    { n },
  );
  checkInto(options.into, n * n);
  const data = options.into ?? outside('iVAT matrix', 4 * n * n, () => new Float32Array(n * n));
  if (n === 0) return { data, shape: [0, 0] };
  eachBand(kernels, vat, options, null, (rows, row) => data.set(rows, row * n));
  return { data, shape: [n, n] };
}

function checkMatrixOptions(options: IvatMatrixOptions): void {
  checkOptions(options);
  checkOneOf('order', options.order ?? 'vat', ['vat', 'original']);
}

// Makes the rows band by band, at `into` or in a band of their own that `take` copies from.
function eachBand(
  kernels: Kernels,
  vat: Pick<VatResult, 'order' | 'weights'>,
  options: IvatMatrixOptions,
  into: number | null,
  take: (rows: Float32Array, row: number) => void,
): void {
  const { arena } = kernels;
  const fn = kernels.exports as unknown as IvatExports;
  const n = vat.order.length;
  const original = options.order === 'original';
  arena.scope((alloc) => {
    const band = Math.min(n, Math.max(1, Math.floor(BAND / (4 * n))));
    const w = alloc(4 * n);
    const own = into === null ? alloc(4 * n * band) : 0;
    const position = original ? alloc(4 * n) : 0;
    const scratch = original ? alloc(4 * n) : 0;
    arena.f32(w, n - 1).set(vat.weights);
    if (original) arena.u32(position, n).set(inverse(vat.order));
    for (let row = 0; row < n; row += band) {
      const end = Math.min(row + band, n);
      const out = into === null ? own : into + 4 * n * row;
      if (original) fn.ivatOriginalRows(w, position, n, scratch, out, row, end);
      else fn.ivatRows(w, n, out, row, end);
      take(arena.f32(out, (end - row) * n), row);
    }
  });
}
