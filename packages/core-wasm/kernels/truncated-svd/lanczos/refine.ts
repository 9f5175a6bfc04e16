import type { Algebra, Rows } from '../algebra.js';
import type { Plan } from '../iterate.js';

/** Rounds of power iteration and Rayleigh–Ritz before it is left at what is measured. */
const ROUNDS = 4;

/**
 * Triplets whose σ_k is so far below σ₁ that AᵀA, which squares, has lost its digits: the basis is sent through A and
 * Aᵀ with Gram–Schmidt after either, so that nothing is squared; then W = A·V = L·Q, L = X·Σ·Yᵀ by one-sided Jacobi.
 * Again, while the residuals, measured on A itself, are above the tolerance. Changes the basis.
 */
export function refine(
  algebra: Algebra,
  { k, picks, long, short, tolerance }: Plan,
  a: Rows,
  basis: Rows,
  p: number,
): { sigma: Float64Array; near: Float64Array; far: Float64Array; residuals: Float64Array } {
  const q = algebra.rows(p, long, 8);
  const back = algebra.rows(p, short, 8);
  const l = algebra.alloc(8 * p * p);
  const first = Array.from({ length: k }, (_, i) => i);
  for (let round = 0; ; round++) {
    algebra.products(a, long, basis, 0, p, q.pointer, long);
    // Orthonormal rows cannot outnumber the space: p ≤ short ≤ long.
    const triangle = algebra.orthonormalise(q, 0, q, p);
    algebra.combine(a, long, q.pointer, long, back.pointer, p, false);
    if (round > 0) {
      algebra.f64(l, p * p).set(triangle);
      const { values, left } = algebra.jacobi(l, p);
      const largest = values[0] || 1;
      // Rows of XᵀL are σ·y; where σ vanishes y is any direction left over.
      const y: Rows = { pointer: l, length: p, width: 8 };
      for (let i = 0; i < p; i++) {
        const length = algebra.norm(y, i);
        if (length > 0) algebra.scale(y, i, values[i]! > 1e-15 * largest ? 1 / length : 0);
      }
      algebra.orthonormalise(y, 0, y, p);
      const residuals = distances(
        algebra.gather(back, p, l, first),
        algebra.gather(basis, p, left, first),
        values,
        k,
        short,
      );
      if (round === ROUNDS || residuals.every((r) => r <= tolerance))
        return {
          sigma: values.slice(0, k),
          near: algebra.gather(basis, p, left, picks),
          far: algebra.gather(q, p, l, picks),
          residuals,
        };
      algebra.free(left);
    }
    algebra.orthonormalise(back, 0, back, p);
    algebra.f64(basis.pointer, p * short).set(algebra.f64(back.pointer, p * short));
  }
}

/** ‖Aᵀu − σv‖ / σ₁ of the first k rows. */
function distances(
  back: Float64Array,
  v: Float64Array,
  sigma: Float64Array,
  k: number,
  short: number,
): Float64Array {
  const largest = sigma[0] || 1;
  return Float64Array.from({ length: k }, (_, i) => {
    let sum = 0;
    for (let j = i * short; j < (i + 1) * short; j++) sum += ((back[j]! - sigma[i]! * v[j]!) / largest) ** 2;
    return Math.sqrt(sum);
  });
}
