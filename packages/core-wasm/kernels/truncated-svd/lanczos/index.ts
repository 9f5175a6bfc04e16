import type { Algebra, Rows } from '../algebra.js';
import {
  GAIN,
  outsideNorms,
  type Plan,
  SAME,
  SQUARES_HOLD,
  type Tell,
  type Triplets,
  WINDOW,
} from '../iterate.js';
import { Projected } from './band.js';
import { refine } from './refine.js';

/**
 * Vectors a row of which fell to this part of its length are projected once more (Daniel, Gragg, Kaufman & Stewart
 * 1976).
 */
const FELL = 0.7;
/** Directions below this part of ‖AᵀA‖ are rounding: a random one takes their place. */
const NOTHING = 1e-14;

/** Images of the basis that take more are made anew at the end. */
const IMAGE_BYTES = 2 ** 28;
/**
 * How much wider a block is that looks for more copies: from 2 to 10, where the 4 or 8 of symmetric maps show as what
 * they are.
 */
const WIDER = 5;

interface Counts {
  iterations: number;
  products: number;
}

/**
 * Top-k triplets of a matrix in memory, a[long × short]: block Lanczos on AᵀA (Golub & Underwood 1977) in float64 with
 * full reorthogonalisation, thick restarts (Wu & Simon 2000) only where the basis is full.
 *
 * Narrow blocks need the fewest vectors; two is the least that shows repeated values: a pair found among those asked
 * for may hide more copies, and the iteration is run again with a block five times as wide. The basis' T is a band,
 * so that looking at its eigenvalues is cheap, and vectors are made once, at the end, by inverse iteration.
 */
export function* lanczos(algebra: Algebra, plan: Plan, a: Rows, tell: Tell): Generator<void, Triplets, void> {
  const counts: Counts = { iterations: 0, products: 0 };
  for (let block = Math.min(plan.block, plan.short); ; block = Math.min(plan.k, WIDER * block)) {
    const run = new Run(algebra, plan, a, block, counts);
    const { values, residuals } = yield* run.settle(tell);
    const sigma = values.map((x) => Math.sqrt(Math.max(0, x)));
    const whole = run.p === plan.short || block >= plan.k || counts.iterations >= plan.maxIterations;
    if (whole || !repeats(sigma, plan, block)) return run.triplets(values, residuals);
    run.release();
  }
}

class Run {
  p = 0;
  private readonly most: number;
  private readonly basis: Rows;
  /** A times the basis, while there is room and until a restart turns the basis. */
  private images: Rows | null;
  /** The block to come, orthonormal and orthogonal to the basis. */
  private readonly next: Rows;
  private readonly t: Projected;
  private readonly h: number;
  private readonly scratch: number;

  constructor(
    private readonly algebra: Algebra,
    private readonly plan: Plan,
    private readonly a: Rows,
    private readonly block: number,
    private readonly counts: Counts,
  ) {
    const { k, short, long } = plan;
    this.most = Math.min(short, Math.max(plan.basis, k + 2 * block));
    this.basis = algebra.rows(this.most, short, 8);
    this.images = 8 * long * this.most <= IMAGE_BYTES ? algebra.rows(this.most, long, 8) : null;
    this.next = algebra.rows(block, short, 8);
    this.t = new Projected(this.most, block);
    this.h = algebra.alloc(8 * block * this.most);
    this.scratch = algebra.alloc(256);
  }

  release(): void {
    this.forgetImages();
    for (const pointer of [this.basis.pointer, this.next.pointer, this.h, this.scratch])
      this.algebra.free(pointer);
  }

  private forgetImages(): void {
    if (this.images) this.algebra.free(this.images.pointer);
    this.images = null;
  }

  /** Widens the basis until k triplets are converged, the space is exhausted or the steps are used up. */
  *settle(tell: Tell): Generator<void, { values: Float64Array; residuals: Float64Array }, void> {
    const { algebra, plan, most, block, counts } = this;
    const { k, short, tolerance } = plan;
    algebra.f64(this.next.pointer, block * short).fill(0);
    this.orthonormalise(block, block, 1);
    let nextCount = block;
    let largest = 0;
    let check = Math.ceil(1.25 * k) + 2 * block;
    let found = 0;
    /** First row of the basis that the coming product may have a part in. */
    let near = 0;
    let before: Look | null = null;
    for (;;) {
      const count = nextCount;
      const old = this.p;
      algebra
        .f64(algebra.row(this.basis, old), count * short)
        .set(algebra.f64(this.next.pointer, count * short));
      algebra.normal(this.a, plan.long, this.basis, old, count, this.next, this.images, this.scratch);
      this.p += count;
      const { p } = this;
      counts.iterations++;
      counts.products += count;
      tell(p, found);
      for (let c = 0; c < count; c++) largest = Math.max(largest, algebra.length(this.next, c));
      this.project(near, old, count);
      near = old;
      const complete = p === short;
      let outside: Float64Array = new Float64Array(count * count);
      if (!complete) {
        nextCount = Math.min(count, short - p);
        outside = this.orthonormalise(count, nextCount, largest);
      }
      yield;
      const full = p + nextCount > most;
      const ended = counts.iterations >= plan.maxIterations;
      if (p < k || !(complete || full || ended || p >= check)) continue;

      const { values, pointer } = this.t.eigen(algebra, p, old);
      const sigma = values.map((x) => Math.sqrt(Math.max(0, x)));
      const residuals = complete
        ? new Float64Array(k)
        : outsideNorms(algebra.f64(pointer, p * count), outside, sigma, k, count);
      algebra.free(pointer);
      found = residuals.reduce((sum, r) => sum + Number(r <= tolerance), 0);
      tell(p, found);
      if (complete || ended || found === k) return { values, residuals };
      if (full) {
        this.restart(values, Math.min(most - nextCount, k + ((most - k) >> 1)));
        near = 0;
      }
      const look = { p: this.p, residual: Math.max(...residuals), found };
      check = this.p + this.wait(look, before);
      before = look;
    }
  }

  /** Takes from the new products what lies in rows near … p of the basis, and writes it down in T. */
  private project(near: number, old: number, count: number): void {
    const { algebra, basis, next, p } = this;
    const rows = p - near;
    algebra.f64(this.h, count * rows).fill(0);
    algebra.projectOnce(basis, near, rows, next, 0, count, this.h, rows, this.scratch);
    const h = algebra.f64(this.h, count * rows);
    for (let c = 0; c < count; c++)
      for (let i = near; i <= old + c; i++) this.t.set(old + c, i, h[c * rows + i - near]!);
  }

  /**
   * Makes the first `limit` rows of `next` orthonormal and orthogonal to the basis; answers c[count × count] with old
   * row i = Σ_j c[i, j] · new row j. A row that was in the span of the others becomes a random direction, with c = 0.
   */
  private orthonormalise(count: number, limit: number, largest: number): Float64Array {
    const { algebra, next } = this;
    const c = new Float64Array(count * count);
    this.clear(0, count);
    for (let i = 0; i < count; i++) {
      const row = algebra.row(next, i);
      const before = algebra.length(next, i);
      for (let pass = 0; pass < 2; pass++)
        for (let j = 0; j < Math.min(i, limit); j++) {
          const part = algebra.dot(algebra.row(next, j), row, next.length);
          c[i * count + j]! += part;
          algebra.axpy(algebra.row(next, j), -part, row, next.length);
        }
      if (i >= limit) continue;
      // What the block's own directions brought back in is taken out once more.
      if (i && algebra.length(next, i) < 1e-3 * before) this.clear(i, 1);
      const length = algebra.length(next, i);
      if (length > NOTHING * largest) {
        c[i * count + i] = length;
        algebra.scale(next, i, 1 / length);
        if (length < 1e-6 * before) this.polish(i);
      } else this.randomise(i);
    }
    return c;
  }

  /** Takes the basis out of `count` rows of next from row i: again while that shortens one of them. */
  private clear(i: number, count: number): void {
    const { algebra, basis, next, p } = this;
    if (!p) return;
    const lengths = Float64Array.from({ length: count }, (_, c) => algebra.length(next, i + c));
    for (let pass = 0; pass < 4; pass++) {
      algebra.projectOnce(basis, 0, p, next, i, count, this.h, p, this.scratch);
      let fell = false;
      for (let c = 0; c < count; c++) {
        const length = algebra.length(next, i + c);
        if (length < FELL * lengths[c]!) fell = true;
        lengths[c] = length;
      }
      if (!fell) return;
    }
  }

  /** Unit row i of next, cleaned of the basis and the rows before it; answers what was left of its length. */
  private polish(i: number): number {
    const { algebra, next } = this;
    this.clear(i, 1);
    const row = algebra.row(next, i);
    for (let pass = 0; pass < 2; pass++)
      for (let j = 0; j < i; j++) {
        const other = algebra.row(next, j);
        algebra.axpy(other, -algebra.dot(other, row, next.length), row, next.length);
      }
    const length = algebra.length(next, i);
    if (length > 0) algebra.scale(next, i, 1 / length);
    return length;
  }

  private randomise(i: number): void {
    do this.algebra.random(this.next, i);
    while (this.polish(i) < 1e-6 || this.polish(i) < 0.5);
  }

  /**
   * Vectors until the next look at the eigenvalues: where the residuals' fall and the growing count of converged ones
   * point to.
   */
  private wait({ p, residual, found }: Look, before: Look | null): number {
    const { k, long, short, tolerance } = this.plan;
    // A look costs some 20 ns · p², a vector 4·(long + p)·short flops at 20 a nanosecond.
    const least = Math.max(2 * this.block, Math.ceil((100 * p * p) / ((long + p) * short)));
    const last = before && before.p < p ? before : { p: 0, residual: 1, found: 0 };
    let left = Math.ceil(p / 3);
    // Both go faster as they go on.
    if (last.p && residual < last.residual) {
      const slope = Math.log(last.residual / residual) / (p - last.p);
      left = Math.min(left, Math.ceil((0.8 * Math.log(residual / tolerance)) / slope));
    } else left = Math.ceil(p / 6);
    if (found > last.found && 4 * found > k)
      left = Math.min(left, Math.ceil((0.9 * (k - found) * (p - last.p)) / (found - last.found)));
    return Math.max(least, left);
  }

  /** Basis ← its first `keep` Ritz vectors. */
  private restart(values: Float64Array, keep: number): void {
    const { algebra, basis, p } = this;
    const vectors = this.t.vectors(algebra, p, values, upTo(keep));
    algebra.turn(basis, p, vectors, keep);
    this.forgetImages();
    algebra.free(vectors);
    this.t.restart(values, keep);
    this.p = keep;
  }

  /** Ritz triplets; where T's squares lose small σ, from the images of the whole basis. */
  triplets(values: Float64Array, residuals: Float64Array): Triplets {
    const { algebra, basis, plan, p, a, counts } = this;
    const { k, picks, long } = plan;
    const sigma = values.slice(0, k).map((x) => Math.sqrt(Math.max(0, x)));
    if (!(sigma[k - 1]! > SQUARES_HOLD * sigma[0]!)) {
      this.forgetImages();
      return { ...refine(algebra, plan, a, basis, p), ...counts };
    }
    const distinct = [...new Set(picks)].sort((i, j) => i - j);
    const place = new Map(distinct.map((pick, i) => [pick, i]));
    const vectors = this.t.vectors(algebra, p, values, distinct);
    const rows = picks.map((pick) => place.get(pick)!);
    const near = algebra.gather(basis, p, vectors, rows);
    const far = this.images
      ? algebra.gather(this.images, p, vectors, rows)
      : this.imagesOf(near, picks.length);
    picks.forEach((pick, i) => {
      const row = far.subarray(i * long, (i + 1) * long);
      const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
      sigma[pick] = length;
      for (let j = 0; j < long; j++) row[j]! /= length;
    });
    return { sigma, near, far, residuals, ...counts };
  }

  /** A times `count` vectors. */
  private imagesOf(vectors: Float64Array, count: number): Float64Array {
    const { algebra, plan, a } = this;
    const from = algebra.rows(count, plan.short, 8);
    const to = algebra.rows(count, plan.long, 8);
    algebra.f64(from.pointer, vectors.length).set(vectors);
    algebra.products(a, plan.long, from, 0, count, to.pointer, plan.long);
    return algebra.f64(to.pointer, count * plan.long).slice();
  }
}

interface Look {
  p: number;
  residual: number;
  found: number;
}

/**
 * Whether some value stands `block` times or more, so that more copies may exist than were found, and these would
 * push σ_k up by something. Values that the tolerance cannot tell apart count as one.
 */
function repeats(sigma: Float64Array, { k, tolerance }: Plan, block: number): boolean {
  const largest = sigma[0]!;
  for (let i = 0; i + block <= k; i++) {
    const x = sigma[i]!;
    if (!(x - sigma[k - 1]! > GAIN * largest)) return false;
    // Small values are known less well: squares of all were rounded to those of the largest.
    const same = Math.max(SAME * x, WINDOW * tolerance * largest, 1e-15 * largest * (largest / x));
    if (x - sigma[i + block - 1]! <= same) return true;
  }
  return false;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
