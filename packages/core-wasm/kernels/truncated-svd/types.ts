import type { Matrix } from '../../src/matrix.js';

/** "krylov": block Lanczos with full reorthogonalisation; "power": block subspace (power) iteration. */
export type SvdMethod = 'krylov' | 'power';

export interface TruncatedSvdOptions {
  /** Triplets wanted, 0 … min(m, n). */
  k: number;
  /** Default krylov: fewest products. power: memory of k vectors only, slow where σ decay slowly. */
  method?: SvdMethod;
  /** Of the starting block. Default 1. */
  seed?: number;
  /**
   * A triplet is converged when ‖Aᵀu − σv‖ ≤ tolerance · σ₁. Default 1e-8; for operators, whose products are float32,
   * 1e-5: σ are then good to about 1e-6 where they lie apart.
   */
  tolerance?: number;
  /**
   * Block steps (each two products with a block) after which it gives up, flags saying so. Default 1000; krylov on a
   * matrix, whose blocks are narrow, 4000.
   */
  maxIterations?: number;
  /**
   * Vectors a product takes at a time. Default 2 (power: 8); operators 16. Where as many copies of a value are
   * found, a
   * wider block looks for more.
   */
  block?: number;
  /** krylov: most basis vectors kept before a restart. Default min(m, n, 4k + 400); operators 4k + 100. */
  basis?: number;
  /** How many of the k triplets' vectors are returned: the first ones, or the given indices. Default all. */
  vectors?: number | readonly number[];
}

export interface TruncatedSvdResult {
  /** float64[k], descending, ≥ 0. */
  sigma: Float64Array;
  /** float64[vectors × m]: row i is the left singular vector of triplet `indices[i]`. */
  u: Matrix<Float64Array>;
  /** float64[vectors × n]: right ones, as rows; the entry of largest magnitude is positive (first of ties). */
  v: Matrix<Float64Array>;
  /** Which triplets u and v belong to. */
  indices: Uint32Array;
  /**
   * float64[k]: ‖Aᵀu − σv‖ as the iteration sees it (m < n: ‖Av − σu‖; the other is 0 by construction), divided by
   * σ₁.
   */
  residuals: Float64Array;
  /** uint8[k]: 1 where the residual is within the tolerance. */
  converged: Uint8Array;
  /** Block steps taken. */
  iterations: number;
  /** Vectors multiplied by A, and as many by Aᵀ. */
  products: number;
}

/**
 * A linear map known by its products. Blocks are rows: `count` vectors side by side. The answer may be a promise, and
 * may be a buffer that is used again at the next call.
 */
export interface LinearOperator {
  /** [m, n]: maps n numbers to m. */
  shape: readonly [rows: number, columns: number];
  /** float32[count × n] → float32[count × m]: J·v of each row. */
  forward(block: Float32Array, count: number): Float32Array | Promise<Float32Array>;
  /** float32[count × m] → float32[count × n]: Jᵀ·u of each row. */
  adjoint(block: Float32Array, count: number): Float32Array | Promise<Float32Array>;
}
