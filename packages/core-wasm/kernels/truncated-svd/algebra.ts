import { EpochscopeError } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';

interface SvdExports {
  svdProducts3264(...args: number[]): void;
  svdProducts3232(...args: number[]): void;
  svdProducts6464(...args: number[]): void;
  svdCombine64(...args: number[]): void;
  svdCombine32(...args: number[]): void;
  svdSymmetricEigen(...args: number[]): number;
  svdJacobi(...args: number[]): number;
  svdBandEigen(...args: number[]): number;
  svdBandVectors(...args: number[]): number;
  svdNormal32(...args: number[]): void;
  svdNormal64(...args: number[]): void;
  svdProject(...args: number[]): void;
  svdDot(x: number, y: number, length: number): number;
  svdAxpy(x: number, factor: number, y: number, length: number): void;
}

/** Rows of equal length in the kernels' memory. */
export interface Rows {
  pointer: number;
  length: number;
  width: 4 | 8;
}

const COLUMNS = 1024;

/** The small dense algebra of the iterations, on rows in wasm memory; every call takes pointers and counts. */
export class Algebra {
  private readonly taken: number[] = [];
  private readonly exports: SvdExports;

  constructor(
    readonly kernels: Kernels,
    private readonly normalNumber: () => number,
  ) {
    this.exports = kernels.exports as unknown as SvdExports;
  }

  alloc(bytes: number): number {
    const pointer = this.kernels.arena.alloc(bytes);
    this.taken.push(pointer);
    return pointer;
  }
  rows(count: number, length: number, width: 4 | 8): Rows {
    return { pointer: this.alloc(count * length * width), length, width };
  }
  free(pointer: number): void {
    this.taken.splice(this.taken.indexOf(pointer), 1);
    this.kernels.arena.dealloc(pointer);
  }
  release(): void {
    for (const pointer of this.taken) this.kernels.arena.dealloc(pointer);
    this.taken.length = 0;
  }
  f64(pointer: number, length: number): Float64Array {
    return this.kernels.arena.f64(pointer, length);
  }
  row(rows: Rows, i: number): number {
    return rows.pointer + i * rows.length * rows.width;
  }

  /** out[c, i] = a[i] · x[c]. */
  products(a: Rows, count: number, x: Rows, from: number, xs: number, out: number, stride: number): void {
    const run =
      a.width === 8
        ? this.exports.svdProducts6464
        : x.width === 8
          ? this.exports.svdProducts3264
          : this.exports.svdProducts3232;
    run(a.pointer, count, this.row(x, from), xs, a.length, out, stride);
  }

  /** to[c] (+)= Σ_i y[c, i] · w[i], whole rows; to is float64. */
  combine(w: Rows, count: number, y: number, stride: number, to: number, rows: number, keep: boolean): void {
    this.part(w, 0, count, y, stride, to, w.length, rows, w.length, keep);
  }

  private part(
    w: Rows,
    column: number,
    count: number,
    y: number,
    yStride: number,
    to: number,
    toStride: number,
    rows: number,
    length: number,
    keep: boolean,
  ): void {
    const run = w.width === 8 ? this.exports.svdCombine64 : this.exports.svdCombine32;
    run(w.pointer + column * w.width, w.length, count, y, yStride, rows, to, toStride, length, Number(keep));
  }

  /** w[0 … rows) ← y[rows × count] · w, in place. */
  turn(w: Rows, count: number, y: number, rows: number): void {
    this.columns(w, count, y, rows, (column, values, length) => {
      const { arena } = this.kernels;
      const to =
        w.width === 8 ? arena.f64(w.pointer, count * w.length) : arena.f32(w.pointer, count * w.length);
      for (let i = 0; i < rows; i++)
        to.set(values.subarray(i * COLUMNS, i * COLUMNS + length), i * w.length + column);
    });
  }

  /** Combinations of rows as a new array: out[c] = Σ_i y[picks[c], i] w[i]; y's rows are `count` long. */
  gather(w: Rows, count: number, y: number, picks: readonly number[]): Float64Array {
    const out = new Float64Array(picks.length * w.length);
    if (!picks.length) return out;
    const chosen = this.alloc(8 * picks.length * count);
    picks.forEach((pick, i) => {
      this.f64(chosen + 8 * i * count, count).set(this.f64(y + 8 * pick * count, count));
    });
    this.columns(w, count, chosen, picks.length, (column, values, length) => {
      for (let i = 0; i < picks.length; i++)
        out.set(values.subarray(i * COLUMNS, i * COLUMNS + length), i * w.length + column);
    });
    this.free(chosen);
    return out;
  }

  /** y[rows × count] · w by blocks of columns, which stay in cache. */
  private columns(
    w: Rows,
    count: number,
    y: number,
    rows: number,
    take: (column: number, values: Float64Array, length: number) => void,
  ): void {
    const scratch = this.alloc(8 * rows * COLUMNS);
    for (let j = 0; j < w.length; j += COLUMNS) {
      const length = Math.min(COLUMNS, w.length - j);
      this.part(w, j, count, y, count, scratch, COLUMNS, rows, length, false);
      take(j, this.f64(scratch, rows * COLUMNS), length);
    }
    this.free(scratch);
  }

  /** x[from … from+count) −= their parts in the rows of basis[0 … p): twice, so that nothing is left but rounding. */
  project(basis: Rows, p: number, x: Rows, from: number, count: number, h: number): void {
    if (!p || !count) return;
    for (let pass = 0; pass < 2; pass++) {
      this.products(basis, p, x, from, count, h, p);
      const coefficients = this.f64(h, count * p);
      for (let i = 0; i < coefficients.length; i++) coefficients[i] = -coefficients[i]!;
      this.combine(basis, p, h, p, this.row(x, from), count, true);
    }
  }

  /**
   * Makes the `count` rows of x orthonormal, and orthogonal to basis[0 … p) too; answers c[count × count] with old
   * row i = Σ_j c[i, j] · new row j (+ what lay in the basis). A row that was in the span of the others becomes a
   * random direction with c = 0. Only `limit` directions are made (the space may hold no more): later rows are left
   * over.
   */
  orthonormalise(basis: Rows, p: number, x: Rows, count: number, limit = count): Float64Array {
    const h = this.alloc(8 * count * Math.max(p, count, 1));
    const c = new Float64Array(count * count);
    const norms = Float64Array.from({ length: count }, (_, i) => this.norm(x, i));
    const largest = Math.max(0, ...norms);
    this.project(basis, p, x, 0, count, h);
    for (let i = 0; i < count; i++) {
      const before = Math.min(i, limit);
      for (let pass = 0; pass < 2 && before; pass++) {
        this.products(x, before, x, i, 1, h, before);
        const part = this.f64(h, before);
        for (let j = 0; j < before; j++) {
          c[i * count + j]! += part[j]!;
          part[j] = -part[j]!;
        }
        this.combine(x, before, h, before, this.row(x, i), 1, true);
      }
      if (i >= limit) continue;
      let length = this.norm(x, i);
      if (length > 1e-13 * largest && length > 0) {
        // What the block's own directions brought back in is taken out once more.
        if (length < 1e-3 * norms[i]!) {
          this.project(basis, p, x, i, 1, h);
          length = this.norm(x, i);
        }
        c[i * count + i] = length;
        this.scale(x, i, 1 / length);
        if (length < 1e-6 * norms[i]!) this.clean(basis, p, x, i, h);
      } else this.randomise(basis, p, x, i, h);
    }
    this.free(h);
    return c;
  }

  private clean(basis: Rows, p: number, x: Rows, i: number, h: number): boolean {
    this.project(basis, p, x, i, 1, h);
    this.project(x, i, x, i, 1, h);
    const length = this.norm(x, i);
    if (length < 1e-6) return false;
    this.scale(x, i, 1 / length);
    return true;
  }

  /** Row i: a random unit vector orthogonal to the basis and the rows before it. */
  randomise(basis: Rows, p: number, x: Rows, i: number, h: number): void {
    for (;;) {
      this.random(x, i);
      if (this.clean(basis, p, x, i, h) && this.clean(basis, p, x, i, h)) return;
    }
  }

  /**
   * to[c] = Aᵀ(A·x[from + c]), a of `rows` rows; images[from + c] = A·x[from + c], if wanted; scratch of 256 bytes.
   */
  normal(
    a: Rows,
    rows: number,
    x: Rows,
    from: number,
    count: number,
    to: Rows,
    images: Rows | null,
    scratch: number,
  ): void {
    const run = a.width === 8 ? this.exports.svdNormal64 : this.exports.svdNormal32;
    const [y, stride] = images ? [this.row(images, from), rows] : [scratch, 0];
    run(a.pointer, rows, a.length, this.row(x, from), count, to.pointer, y, stride);
  }

  /** x[from … from + count) −= their parts in basis[start … start + rows), in one pass; h[c, i] += those parts. */
  projectOnce(
    basis: Rows,
    start: number,
    rows: number,
    x: Rows,
    from: number,
    count: number,
    h: number,
    stride: number,
    scratch: number,
  ): void {
    const { svdProject } = this.exports;
    svdProject(this.row(basis, start), rows, x.length, this.row(x, from), count, h, stride, scratch);
  }

  dot(x: number, y: number, length: number): number {
    return this.exports.svdDot(x, y, length);
  }
  /** y += factor · x. */
  axpy(x: number, factor: number, y: number, length: number): void {
    this.exports.svdAxpy(x, factor, y, length);
  }
  /** Of row i; float64 lanes. */
  length(x: Rows, i: number): number {
    const row = this.row(x, i);
    return Math.sqrt(this.exports.svdDot(row, row, x.length));
  }
  random(x: Rows, i: number): void {
    const row = this.f64(this.row(x, i), x.length);
    for (let j = 0; j < row.length; j++) row[j] = this.normalNumber();
    this.scale(x, i, 1 / this.norm(x, i));
  }

  /**
   * Eigenvalues of the band t (destroyed) in d, unsorted, with components of the vectors in z; see eigen/assembly.ts.
   */
  bandEigen(t: number, n: number, width: number, d: number, e: number, z: number, r: number): void {
    if (this.exports.svdBandEigen(t, n, width, d, e, z, r)) throw this.unsettled(n);
  }

  /** Eigenvectors of the band t as rows of y; answers how many settled before one did not. */
  bandVectors(t: number, n: number, width: number, values: number, count: number, y: number): number {
    const work = this.alloc(8 * n * (4 * width + 3));
    const settled = this.exports.svdBandVectors(t, n, width, values, count, y, work);
    this.free(work);
    return settled;
  }

  private unsettled(n: number): EpochscopeError {
    return new EpochscopeError('internal', `the eigenvalues of a ${n}×${n} matrix did not settle`);
  }

  norm(x: Rows, i: number): number {
    const row = this.f64(this.row(x, i), x.length);
    let sum = 0;
    for (let j = 0; j < row.length; j++) sum += row[j]! * row[j]!;
    return Math.sqrt(sum);
  }
  scale(x: Rows, i: number, factor: number): void {
    const row = this.f64(this.row(x, i), x.length);
    for (let j = 0; j < row.length; j++) row[j]! *= factor;
  }

  /**
   * Eigenvalues of the symmetric t[n × n] in descending order, and of each eigenvector the components [from, n):
   * vectors[i × (n − from)]. The vectors stay in memory at the answered pointer; `free` it.
   */
  eigen(t: Float64Array, stride: number, n: number, from: number): { values: Float64Array; vectors: number } {
    const r = n - from;
    const a = this.alloc(8 * n * n);
    const z = this.alloc(8 * n * r);
    const d = this.alloc(16 * n);
    const work = this.alloc(16 * Math.max(n, r));
    const at = this.f64(a, n * n);
    for (let i = 0; i < n; i++) at.set(t.subarray(i * stride, i * stride + n), i * n);
    const zt = this.f64(z, n * r).fill(0);
    for (let i = from; i < n; i++) zt[i * r + i - from] = 1;
    const failed = this.exports.svdSymmetricEigen(a, n, d, d + 8 * n, z, r, work);
    if (failed) throw this.unsettled(n);
    const raw = this.f64(d, n).slice();
    const order = Array.from(raw.keys()).sort((x, y) => raw[y]! - raw[x]!);
    this.permute(z, n, r, order);
    this.free(work);
    this.free(d);
    this.free(a);
    return { values: Float64Array.from(order, (i) => raw[i]!), vectors: z };
  }

  /** Rows of a float64 array in another order. */
  permute(pointer: number, n: number, length: number, order: readonly number[]): void {
    const rows = this.f64(pointer, n * length);
    const copy = rows.slice();
    order.forEach((from, to) => {
      rows.set(copy.subarray(from * length, (from + 1) * length), to * length);
    });
  }

  /** Singular values of l[n × n] in descending order; l's rows become left[i]ᵀ·l, x[n × n] (rows) holds left[i]. */
  jacobi(l: number, n: number): { values: Float64Array; left: number } {
    const x = this.alloc(8 * n * n);
    const norms = this.alloc(8 * n);
    const eye = this.f64(x, n * n).fill(0);
    for (let i = 0; i < n; i++) eye[i * n + i] = 1;
    const rows: Rows = { pointer: l, length: n, width: 8 };
    let largest = 0;
    for (let i = 0; i < n; i++) largest = Math.max(largest, this.norm(rows, i));
    const tiny = (largest * 1e-16) ** 2;
    if (this.exports.svdJacobi(l, n, n, x, n, norms, tiny, 60) < 0)
      throw new EpochscopeError('internal', `one-sided Jacobi of a ${n}×${n} matrix did not settle`);
    const raw = Float64Array.from({ length: n }, (_, i) => this.norm(rows, i));
    const order = Array.from(raw.keys()).sort((a, b) => raw[b]! - raw[a]!);
    this.permute(l, n, n, order);
    this.permute(x, n, n, order);
    this.free(norms);
    return { values: Float64Array.from(order, (i) => raw[i]!), left: x };
  }
}
