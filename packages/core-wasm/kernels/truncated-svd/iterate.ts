import type { Algebra, Rows } from './algebra.js';
import { refine } from './lanczos/refine.js';
import type { SvdMethod } from './types.js';

/** A product the iteration asks its runner for: `to` rows = map of `from` rows. */
export interface Product {
  kind: 'up' | 'down';
  from: Rows;
  start: number;
  to: Rows;
  at: number;
  count: number;
}

export interface Plan {
  k: number;
  method: SvdMethod;
  tolerance: number;
  maxIterations: number;
  block: number;
  basis: number;
  /** Length of the basis vectors: the smaller side; `long` the other. */
  short: number;
  long: number;
  /** How images of basis vectors are kept: float64 for matrices, float32 for operators. */
  width: 4 | 8;
  picks: readonly number[];
  /** The matrix [long × short] where there is one. */
  matrix: Rows | null;
}

/** Triplets on the two sides: `near` in the basis' space, `far` in the images'. */
export interface Triplets {
  sigma: Float64Array;
  near: Float64Array;
  far: Float64Array;
  residuals: Float64Array;
  iterations: number;
  products: number;
}

/** Told now and then: vectors in the basis and how many of the k triplets are converged. */
export type Tell = (vectors: number, converged: number) => void;

/**
 * Top-k triplets of the map short → long ("up"; "down" is its transpose). A generator: it yields the products it
 * needs, so that one text serves matrices in wasm and operators that answer later.
 *
 * Rayleigh–Ritz on an orthonormal basis V of the short side: W = AV is kept, T = WᵀW summed in float64, its eigenpairs
 * give σ² and the vectors. ‖AᵀAv − σ²v‖ is read off what lies outside the basis.
 */
export function* iterate(algebra: Algebra, plan: Plan, tell: Tell): Generator<Product, Triplets, void> {
  return plan.method === 'power' ? yield* power(algebra, plan, tell) : yield* krylov(algebra, plan, tell);
}

/** Images of an operator's basis are refined in float64 up to this size. */
export const REFINED_BYTES = 2 ** 28;
/** σ below this part of σ₁ is refined from W itself: T holds squares, which lose it. */
export const SQUARES_HOLD = 1e-4;
/**
 * Singular values nearer than this part of themselves count as one, repeated; so do those within some tolerances,
 * which residuals cannot tell apart.
 */
export const SAME = 1e-6;
export const WINDOW = 4;
/**
 * Copies that were missed are looked for if they would push σ_k up by this part of σ₁: about what rounding a matrix
 * to float32 does to repeated values.
 */
export const GAIN = 1e-7;

/**
 * Block Lanczos with full reorthogonalisation (Golub & Underwood 1977), thick restarts (Wu & Simon 2000). A block of b
 * random vectors finds b copies of a repeated value; where b copies were found above σ_k, the block is doubled and the
 * iteration goes on.
 */
function* krylov(algebra: Algebra, plan: Plan, tell: Tell): Generator<Product, Triplets, void> {
  const { k, short, long, tolerance, width } = plan;
  let block = Math.min(plan.block, short);
  const most = Math.min(short, Math.max(plan.basis, k + 2 * block));
  const basis = algebra.rows(most, short, 8);
  const images = algebra.rows(most, long, width);
  let next = algebra.rows(block, short, 8);
  const t = new Float64Array(most * most);
  let p = 0;
  let iterations = 0;
  let products = 0;
  let check = Math.ceil(1.25 * k) + 2 * block;
  let calm = 0;
  let found = 0;
  let before: { p: number; residual: number } | null = null;
  let residuals: Float64Array = new Float64Array(k).fill(1);
  // Random directions to begin with: rows in no span.
  algebra.f64(next.pointer, block * short).fill(0);
  algebra.orthonormalise(basis, 0, next, block);
  let nextCount = block;

  for (;;) {
    const count = Math.min(nextCount, most - p);
    const place = algebra.f64(algebra.row(basis, p), count * short);
    place.set(algebra.f64(next.pointer, count * short));
    yield { kind: 'up', from: basis, start: p, to: images, at: p, count };
    const old = p;
    p += count;
    iterations++;
    products += count;
    tell(p, found);
    gram(algebra, images, p, old, t, most);
    const complete = p === short;
    let outside: Float64Array = new Float64Array(count * count);
    if (!complete) {
      yield { kind: 'down', from: images, start: old, to: next, at: 0, count };
      nextCount = Math.min(count, short - p);
      outside = algebra.orthonormalise(basis, p, next, count, nextCount);
    }
    const full = p + nextCount > most;
    calm--;
    if (!complete && !full && iterations < plan.maxIterations && (p < Math.min(check, most) || calm > 0))
      continue;
    if (p < k) continue;
    const { values, vectors } = algebra.eigen(t, most, p, old);
    const last = algebra.f64(vectors, p * count);
    const sigma = values.map((x) => Math.sqrt(Math.max(0, x)));
    residuals = complete ? new Float64Array(k) : outsideNorms(last, outside, sigma, k, count);
    algebra.free(vectors);
    const done = residuals.reduce((sum, r) => sum + Number(r <= tolerance), 0);
    found = done;
    tell(p, done);
    const ended = iterations >= plan.maxIterations;
    if (complete || ended) break;
    if (done === k) {
      // Copies beyond the block's size may be hidden, and would push σ_k down.
      if (!hides(sigma, k, block, tolerance)) break;
      const more = Math.min(block, short - p - nextCount, most - k - nextCount);
      if (more > 0) {
        block = nextCount + more;
        next = grow(algebra, basis, p, next, nextCount, more);
        nextCount = block;
        calm = 4;
      } else if (p + nextCount < short) break; // No room; else the whole space is the next step.
    }
    if (p + nextCount > most) {
      const keep = Math.min(most - nextCount, k + ((most - k) >> 1));
      restart(algebra, basis, images, t, most, p, keep);
      p = keep;
    }
    check = p + nextCheck(p, Math.max(...residuals), tolerance, before, block);
    before = { p, residual: Math.max(...residuals) };
  }
  return yield* finish(algebra, plan, basis, images, t, most, p, residuals, { iterations, products });
}

/**
 * Vectors until the next look at the eigenvalues, which cost p³: where the residuals' fall so far points to, in whole
 * blocks.
 */
function nextCheck(
  p: number,
  residual: number,
  tolerance: number,
  before: { p: number; residual: number } | null,
  block: number,
): number {
  let wait = Math.ceil(p / 6);
  if (before && before.p < p && residual < before.residual) {
    const slope = Math.log(before.residual / residual) / (p - before.p);
    // The fall gets steeper as it goes on.
    wait = Math.min(Math.ceil(p / 3), Math.ceil((0.8 * Math.log(residual / tolerance)) / slope));
  }
  return block * Math.max(1, Math.round(Math.max(wait, p / 16) / block));
}

/** T's new rows and columns: products of images, summed in float64. */
function gram(algebra: Algebra, images: Rows, p: number, old: number, t: Float64Array, stride: number): void {
  const count = p - old;
  if (!count) return;
  const scratch = algebra.alloc(8 * count * p);
  algebra.products(images, p, images, old, count, scratch, p);
  const values = algebra.f64(scratch, count * p);
  for (let c = 0; c < count; c++)
    for (let i = 0; i < p; i++) t[(old + c) * stride + i] = t[i * stride + old + c] = values[c * p + i]!;
  algebra.free(scratch);
}

/** ‖AᵀAv − σ²v‖ / (σ·σ₁) of the first k Ritz vectors: what the last block's images have outside the basis. */
export function outsideNorms(
  last: Float64Array,
  outside: Float64Array,
  sigma: Float64Array,
  k: number,
  count: number,
): Float64Array {
  const largest = sigma[0] || 1;
  const columns = outside.length / count;
  return Float64Array.from({ length: k }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      let part = 0;
      for (let c = 0; c < count; c++) part += last[i * count + c]! * outside[c * columns + j]!;
      sum += part * part;
    }
    return Math.sqrt(sum) / Math.max(sigma[i]!, 1e-6 * largest) / largest;
  });
}

/** Whether some value above σ_k stands `block` times or more, so that more copies may exist than were found. */
function hides(sigma: Float64Array, k: number, block: number, tolerance: number): boolean {
  const same = Math.max(SAME, WINDOW * tolerance) * sigma[0]!;
  for (let i = 0; i + block <= k; i++) {
    if (sigma[i]! - sigma[i + block - 1]! <= same && sigma[i]! - sigma[k - 1]! > GAIN * sigma[0]!)
      return true;
  }
  return false;
}

/** The next block with `more` random directions added to it. */
function grow(algebra: Algebra, basis: Rows, p: number, next: Rows, count: number, more: number): Rows {
  const larger = algebra.rows(count + more, next.length, 8);
  algebra.f64(larger.pointer, count * next.length).set(algebra.f64(next.pointer, count * next.length));
  const h = algebra.alloc(8 * Math.max(p, count + more));
  for (let i = count; i < count + more; i++) algebra.randomise(basis, p, larger, i, h);
  algebra.free(h);
  algebra.free(next.pointer);
  return larger;
}

/** Basis and images ← the first `keep` Ritz vectors and theirs. */
function restart(
  algebra: Algebra,
  basis: Rows,
  images: Rows,
  t: Float64Array,
  stride: number,
  p: number,
  keep: number,
): void {
  const { vectors } = algebra.eigen(t, stride, p, 0);
  algebra.turn(basis, p, vectors, keep);
  algebra.turn(images, p, vectors, keep);
  algebra.free(vectors);
  gram(algebra, images, keep, 0, t, stride);
}

/**
 * Block power iteration: V ← orthonormal basis of AᵀAV, with Rayleigh–Ritz at each step, on k + a few vectors
 * (Rutishauser 1970). Memory of one block; converges like (σ_{k+q+1}/σ_i)².
 */
function* power(algebra: Algebra, plan: Plan, tell: Tell): Generator<Product, Triplets, void> {
  const { k, short, long, tolerance, width } = plan;
  const p = Math.min(short, k + Math.max(plan.block, Math.ceil(k / 2)));
  const basis = algebra.rows(p, short, 8);
  const images = algebra.rows(p, long, width);
  const next = algebra.rows(p, short, 8);
  const none: Rows = { pointer: basis.pointer, length: short, width: 8 };
  const t = new Float64Array(p * p);
  algebra.f64(basis.pointer, p * short).fill(0);
  algebra.orthonormalise(none, 0, basis, p);
  let residuals: Float64Array = new Float64Array(k).fill(1);
  let iterations = 0;
  for (;;) {
    yield { kind: 'up', from: basis, start: 0, to: images, at: 0, count: p };
    iterations++;
    gram(algebra, images, p, 0, t, p);
    // Ritz vectors take the basis' place, so that T is diagonal.
    const { values, vectors } = algebra.eigen(t, p, p, 0);
    algebra.turn(basis, p, vectors, p);
    algebra.turn(images, p, vectors, p);
    algebra.free(vectors);
    t.fill(0);
    for (let i = 0; i < p; i++) t[i * p + i] = Math.max(0, values[i]!);
    if (p === short) {
      residuals = new Float64Array(k);
      tell(p, k);
      break;
    }
    yield { kind: 'down', from: images, start: 0, to: next, at: 0, count: p };
    const largest = Math.sqrt(t[0]!) || 1;
    residuals = Float64Array.from({ length: k }, (_, i) => {
      const z = algebra.f64(algebra.row(next, i), short);
      const v = algebra.f64(algebra.row(basis, i), short);
      const theta = t[i * p + i]!;
      let sum = 0;
      for (let j = 0; j < short; j++) sum += (z[j]! - theta * v[j]!) ** 2;
      return Math.sqrt(sum) / Math.max(Math.sqrt(theta), 1e-6 * largest) / largest;
    });
    const done = residuals.reduce((sum, r) => sum + Number(r <= tolerance), 0);
    tell(p, done);
    if (done === k || iterations >= plan.maxIterations) break;
    algebra.orthonormalise(none, 0, next, p);
    algebra.f64(basis.pointer, p * short).set(algebra.f64(next.pointer, p * short));
  }
  return yield* finish(algebra, plan, basis, images, t, p, p, residuals, {
    iterations,
    products: iterations * p,
  });
}

/**
 * Ritz triplets from basis, images and T; where squares lose small σ, from the images' own QR and Jacobi. Residuals
 * of such triplets are measured, as those of AᵀA say too little of them.
 */
function* finish(
  algebra: Algebra,
  plan: Plan,
  basis: Rows,
  images: Rows,
  t: Float64Array,
  stride: number,
  p: number,
  residuals: Float64Array,
  counts: { iterations: number; products: number },
): Generator<Product, Triplets, void> {
  const { k, picks, long, matrix } = plan;
  const { values, vectors } = algebra.eigen(t, stride, p, 0);
  const smallest = Math.sqrt(Math.max(0, values[k - 1]!));
  const largest = Math.sqrt(Math.max(0, values[0]!));
  const holds = smallest > SQUARES_HOLD * largest;
  // Float64 images of a large operator would be too much memory; its σ are float32 figures anyway.
  if (!holds && (images.width === 8 || 8 * p * long <= REFINED_BYTES)) {
    algebra.free(vectors);
    if (matrix) {
      algebra.free(images.pointer);
      return { ...refine(algebra, plan, matrix, basis, p), ...counts };
    }
    return yield* refined(algebra, plan, basis, images, p, counts);
  }
  if (!holds) {
    const measure = measurer(algebra, plan);
    residuals = yield* measure(
      (chosen) => ({
        near: algebra.gather(basis, p, vectors, chosen),
        far: algebra.gather(images, p, vectors, chosen),
      }),
      values.map((x) => Math.sqrt(Math.max(0, x))),
    );
  }
  const all = algebra.gather(images, p, vectors, picks);
  const near = algebra.gather(basis, p, vectors, picks);
  algebra.free(vectors);
  const far: Rows = { pointer: algebra.alloc(8 * all.length), length: long, width: 8 };
  algebra.f64(far.pointer, all.length).set(all);
  // Images of the largest first: their directions are known best.
  picks.forEach((pick, i) => {
    const length = algebra.norm(far, i);
    values[pick] = length * length;
    if (length > 0) algebra.scale(far, i, 1 / length);
  });
  if (!holds) algebra.orthonormalise(far, 0, far, picks.length);
  return {
    sigma: values.slice(0, k).map((x) => Math.sqrt(Math.max(0, x))),
    near,
    far: algebra.f64(far.pointer, all.length).slice(),
    residuals,
    ...counts,
  };
}

/**
 * W = L·Q by twice-applied Gram–Schmidt on its rows, L = X·Σ·Yᵀ by one-sided Jacobi: small and zero σ keep their
 * digits.
 */
function* refined(
  algebra: Algebra,
  plan: Plan,
  basis: Rows,
  images: Rows,
  p: number,
  counts: { iterations: number; products: number },
): Generator<Product, Triplets, void> {
  const { k, picks, long } = plan;
  const q: Rows = images.width === 8 ? images : algebra.rows(p, long, 8);
  if (q !== images) algebra.f64(q.pointer, p * long).set(algebra.kernels.arena.f32(images.pointer, p * long));
  // Orthonormal rows cannot outnumber the space: p ≤ short ≤ long.
  const l = algebra.orthonormalise(q, 0, q, p);
  const pointer = algebra.alloc(8 * p * p);
  algebra.f64(pointer, p * p).set(l);
  const { values, left } = algebra.jacobi(pointer, p);
  // Rows of XᵀL are σ·y; where σ vanishes y is any direction left over.
  const y: Rows = { pointer, length: p, width: 8 };
  for (let i = 0; i < p; i++) {
    const length = algebra.norm(y, i);
    if (length > 0) algebra.scale(y, i, values[i]! > 1e-15 * (values[0] || 1) ? 1 / length : 0);
  }
  algebra.orthonormalise(y, 0, y, p);
  const take = (chosen: readonly number[]) => ({
    near: algebra.gather(basis, p, left, chosen),
    far: algebra.gather(q, p, pointer, chosen),
  });
  const measure = measurer(algebra, plan);
  const residuals = yield* measure(take, values);
  return { sigma: values.slice(0, k), ...take(picks), residuals, ...counts };
}

/** ‖Aᵀu − σv‖ / σ₁ of the first k triplets, by one more product with each u, a block at a time. */
function measurer(algebra: Algebra, { k, block, short, long }: Plan) {
  return function* (
    take: (chosen: readonly number[]) => { near: Float64Array; far: Float64Array },
    sigma: Float64Array,
  ): Generator<Product, Float64Array, void> {
    const most = Math.min(block, k);
    const from = algebra.rows(most, long, 8);
    const to = algebra.rows(most, short, 8);
    const residuals = new Float64Array(k);
    const largest = sigma[0] || 1;
    for (let first = 0; first < k; first += most) {
      const count = Math.min(most, k - first);
      const { near, far } = take(Array.from({ length: count }, (_, i) => first + i));
      algebra.f64(from.pointer, far.length).set(far);
      // Images that are not of unit length yet.
      for (let i = 0; i < count; i++) {
        const length = algebra.norm(from, i);
        if (length > 0) algebra.scale(from, i, 1 / length);
      }
      yield { kind: 'down', from, start: 0, to, at: 0, count };
      const back = algebra.f64(to.pointer, count * short);
      for (let i = 0; i < count; i++) {
        let sum = 0;
        for (let j = i * short; j < (i + 1) * short; j++)
          sum += ((back[j]! - sigma[first + i]! * near[j]!) / largest) ** 2;
        residuals[first + i] = Math.sqrt(sum);
      }
    }
    algebra.free(from.pointer);
    algebra.free(to.pointer);
    return residuals;
  };
}
