import type { Matrix, Metric } from '@epochscope/core-wasm';

/** Every long job takes these. */
export interface JobOptions {
  /** Stops the job; it rejects with code `cancelled`. */
  signal?: AbortSignal;
  /** Called now and then with work done and work in all, in the job's own unit. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Prim order of a point set (VAT; Bezdek & Hathaway 2002).
 * `order[k]` is the sample at position k; it was attached by an edge of weight `weights[k-1]` to sample `parent[k-1]`.
 */
export interface VatResult {
  /** uint32[n]: sample index at each position. */
  order: Uint32Array;
  /** float32[n-1]: weight of the minimum spanning tree edge that attaches position k+1. */
  weights: Float32Array;
  /** uint32[n-1]: sample (not position) to which position k+1 is attached. */
  parent: Uint32Array;
}

/** Merges shaped like SciPy's linkage matrix, rows sorted by height. */
export interface Linkage {
  /** uint32[2(n-1)]: pairs of cluster ids, lower first; ids ≥ n are earlier merges. */
  merges: Uint32Array;
  /** float64[n-1]. */
  heights: Float64Array;
  /** uint32[n-1]: observations below each merge. */
  sizes: Uint32Array;
}

export interface CorrelationResult {
  /** float32[columns of x × columns of y]: Pearson r; 0 where either column is constant. */
  r: Matrix;
  /** Indices of zero-variance columns. */
  constantX: Uint32Array;
  constantY: Uint32Array;
}

export interface SvdResult {
  /** float64[k], descending. */
  values: Float64Array;
  /** float64[rows × k], column j belongs to values[j]. */
  left: Matrix<Float64Array>;
  /** float64[columns × k]. Sign: the entry of largest magnitude in each right vector is positive. */
  right: Matrix<Float64Array>;
  /** ‖A v − σ u‖ + ‖Aᵀu − σ v‖ per triplet. */
  residuals: Float64Array;
  converged: Uint8Array;
  iterations: number;
}

export interface SvdOptions extends JobOptions {
  k: number;
  /** Relative to the largest singular value; default 1e-7. */
  tolerance?: number;
  maxIterations?: number;
  seed?: number;
}

/**
 * The kernels on a pool of workers; the same in Node and browsers. Methods receive one and know nothing of workers.
 * Inputs are never changed or detached. Errors are EpochscopeError, also across workers.
 */
export interface Engine {
  readonly threads: number;
  /** Whether workers share one memory. */
  readonly shared: boolean;
  /** Dissimilarities between the rows of x, or between those of x and `other`. Refuses (code `memory`) what cannot fit. */
  pairwise(x: Matrix, options: JobOptions & { metric: Metric; other?: Matrix }): Promise<Matrix>;
  /** Matrix-free VAT: O(n·d) memory. */
  vat(x: Matrix, options: JobOptions & { metric: Metric }): Promise<VatResult>;
  /** VAT of a square dissimilarity matrix. */
  vatFromMatrix(d: Matrix, options?: JobOptions): Promise<VatResult>;
  /** Hierarchical clustering of a square dissimilarity matrix. */
  linkage(d: Matrix, options?: JobOptions & { method?: 'average' | 'single' | 'complete' }): Promise<Linkage>;
  /** Pearson r of every column of x with every column of y, over samples (rows). */
  correlation(x: Matrix, y: Matrix, options?: JobOptions): Promise<CorrelationResult>;
  /** Top-k singular triplets of an explicit matrix. */
  truncatedSvd(a: Matrix, options: SvdOptions): Promise<SvdResult>;
  /** Stops the workers; later calls reject. */
  close(): Promise<void>;
}
