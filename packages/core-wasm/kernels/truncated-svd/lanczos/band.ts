import type { Algebra } from '../algebra.js';

/** Half-widths up to this are worked on as bands; wider ones are cheaper as full squares. */
const WIDEST = 4;

/** Eigenvalues in descending order, and rows of eigenvector components at `pointer` (the caller frees it). */
export interface Eigen {
  values: Float64Array;
  pointer: number;
}

/**
 * T = VᵀAᵀAV of a block Lanczos iteration: a band of the block's width, until a restart fills it.
 * Only the lower triangle is set and read.
 */
export class Projected {
  private band: Float64Array;
  private full: Float64Array | null = null;

  constructor(
    private readonly most: number,
    private readonly width: number,
  ) {
    this.band = new Float64Array(most * (width + 1));
  }

  /** Entry (i, j), i ≥ j; what lies left of the band is rounding and is dropped. */
  set(i: number, j: number, x: number): void {
    if (this.full) this.full[i * this.most + j] = this.full[j * this.most + i] = x;
    else if (i - j <= this.width) this.band[i * (this.width + 1) + i - j] = x;
  }

  /** T is diag(values) from now on, and any entry of it may be set. */
  restart(values: ArrayLike<number>, keep: number): void {
    this.full ??= new Float64Array(this.most * this.most);
    this.full.fill(0);
    for (let i = 0; i < keep; i++) this.full[i * this.most + i] = values[i]!;
  }

  /** Eigenvalues of the leading p × p, with components from … p − 1 of every vector. */
  eigen(algebra: Algebra, p: number, from: number): Eigen {
    if (this.narrow()) return this.bandEigen(algebra, p, from);
    const { values, vectors } = algebra.eigen(this.square(p), this.full ? this.most : p, p, from);
    return { values, pointer: vectors };
  }

  /** Whole eigenvectors of the leading p × p, one a row, to chosen ones of its descending eigenvalues. */
  vectors(algebra: Algebra, p: number, values: Float64Array, chosen: readonly number[]): number {
    const pointer = algebra.alloc(8 * p * chosen.length);
    if (this.narrow() && this.bandVectors(algebra, p, values, chosen, pointer)) return pointer;
    const all = algebra.eigen(this.square(p), this.full ? this.most : p, p, 0).vectors;
    chosen.forEach((index, i) => {
      algebra.f64(pointer + 8 * p * i, p).set(algebra.f64(all + 8 * p * index, p));
    });
    algebra.free(all);
    return pointer;
  }

  private narrow(): boolean {
    return !this.full && this.width <= WIDEST;
  }

  private bandEigen(algebra: Algebra, p: number, from: number): Eigen {
    const stride = this.width + 2;
    const count = p - from;
    const t = algebra.alloc(8 * p * stride);
    const pointer = algebra.alloc(8 * p * count);
    const d = algebra.alloc(16 * p);
    const scale = this.copy(algebra.f64(t, p * stride), stride, p);
    const z = algebra.f64(pointer, p * count).fill(0);
    for (let c = 0; c < count; c++) z[(from + c) * count + c] = 1;
    algebra.bandEigen(t, p, this.width, d, d + 8 * p, pointer, count);
    const raw = algebra.f64(d, p).slice();
    const order = Array.from(raw.keys()).sort((i, j) => raw[j]! - raw[i]!);
    algebra.permute(pointer, p, count, order);
    algebra.free(d);
    algebra.free(t);
    return { values: Float64Array.from(order, (i) => raw[i]! * scale), pointer };
  }

  /** By inverse iteration; answers whether all settled. */
  private bandVectors(
    algebra: Algebra,
    p: number,
    values: Float64Array,
    chosen: readonly number[],
    pointer: number,
  ): boolean {
    const t = algebra.alloc(8 * p * (this.width + 1));
    const wanted = algebra.alloc(8 * chosen.length);
    const scale = this.copy(algebra.f64(t, p * (this.width + 1)), this.width + 1, p);
    algebra.f64(wanted, chosen.length).set(chosen.map((i) => values[i]! / scale));
    const settled = algebra.bandVectors(t, p, this.width, wanted, chosen.length, pointer);
    algebra.free(wanted);
    algebra.free(t);
    return settled === chosen.length;
  }

  /** The band with its largest entry 1, as rows of `stride`; answers what it was divided by. */
  private copy(to: Float64Array, stride: number, p: number): number {
    const { width, band } = this;
    let largest = 0;
    for (let i = 0; i < p * (width + 1); i++) largest = Math.max(largest, Math.abs(band[i]!));
    const scale = largest || 1;
    to.fill(0);
    for (let i = 0; i < p; i++)
      for (let q = 0; q <= Math.min(i, width); q++) to[i * stride + q] = band[i * (width + 1) + q]! / scale;
    return scale;
  }

  private square(p: number): Float64Array {
    if (this.full) return this.full;
    const square = new Float64Array(p * p);
    for (let i = 0; i < p; i++)
      for (let q = 0; q <= Math.min(i, this.width); q++)
        square[i * p + i - q] = square[(i - q) * p + i] = this.band[i * (this.width + 1) + q]!;
    return square;
  }
}
