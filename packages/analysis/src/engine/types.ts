import type {
  Correlation,
  LabelledRegions,
  LinearOperator,
  Linkage,
  LinkageMethod,
  Matrix,
  Metric,
  PointsLinkage,
  PointsLinkageOptions,
  TruncatedSvdOptions,
  TruncatedSvdResult,
  VatResult,
} from '@epochscope/core-wasm';
import type { LightEdges, VatPointsPlan } from '@epochscope/core-wasm/jobs';
import type { VatImage, VatImageOptions } from './vat-image.js';

export type {
  Correlation,
  LabelledRegions,
  LinearOperator,
  Linkage,
  LinkageMethod,
  PointsLinkage,
  PointsLinkageOptions,
  TruncatedSvdOptions,
  TruncatedSvdResult,
  VatResult,
} from '@epochscope/core-wasm';
export type { LightEdges, VatPointsPlan } from '@epochscope/core-wasm/jobs';
export type { VatImage } from './vat-image.js';

/** Every long job takes these. */
export interface JobOptions {
  /** Stops the job; it rejects with code `cancelled`. */
  signal?: AbortSignal;
  /** Called now and then with work done and work in all, in the job's own unit. */
  onProgress?: (done: number, total: number) => void;
}

/** Samples of two sets of columns that need not be in memory at once. */
export interface ColumnBlocks {
  readonly units: number;
  readonly inputs: number;
  /** All samples, for progress. */
  readonly samples: number;
  /** [x float32[m × units], y float32[m × inputs]] of the next m samples; read one block ahead of the work. */
  blocks(): AsyncIterable<readonly [x: Matrix, y: Matrix]> | Iterable<readonly [x: Matrix, y: Matrix]>;
}

/** How points or a matrix are joined into a hierarchy. */
export interface LinkageJobOptions extends JobOptions {
  /** Default average. */
  method?: LinkageMethod;
  /** Also the largest dissimilarity inside every cluster. */
  diameters?: boolean;
}

/**
 * The kernels on a pool of workers; the same in Node and browsers. Methods receive one and know nothing of workers.
 * Inputs are never changed or detached. Jobs run one after another. Errors are EpochscopeError, also across workers,
 * but for what the
 * caller's own functions throw (onProgress, blocks, an operator's products), which comes back as it is.
 * The same call gives the same bits for any number of threads, shared memory or not.
 */
export interface Engine {
  readonly threads: number;
  /** Whether workers share one memory. If not, a job runs on one of them. */
  readonly shared: boolean;
  /**
   * Whether the kernels fuse multiply and add, as asked for: results may then differ between machines in the last
   * bits.
   */
  readonly relaxed: boolean;
  /**
   * Matrix-free VAT of the rows of x; with `core` = k of mutual reachabilities by the k-th nearest neighbours
   * (`vatFromPoints`).
   *
   * Memory is core-wasm's `vatPointsBytes`: up to 1400 points 4·n² bytes and their own; of more about 4·n·(d + 130),
   * from d = 48 on
   * 4·n·(2·d + 170), with `core` 44·n·k more. Refuses (code `memory`) what cannot fit.
   */
  vat(x: Matrix, options: JobOptions & { metric: Metric; core?: number }): Promise<VatResult>;
  /**
   * The edges that VAT of more points needs of these (core-wasm's `lightEdgesOfVatPoints`), by the plan of them all:
   * pairs at or under
   * their bottleneck distance, and the farthest pair. Which others come along, and their order, may depend on the
   * threads; what is light
   * does not. Memory as `vat`, and 12 bytes an edge. Null, at once, where the edges do not fit: very many equal
   * distances among more
   * than 1400 points.
   */
  lightEdges(
    x: Matrix,
    options: JobOptions & { metric: Metric; plan: VatPointsPlan },
  ): Promise<LightEdges | null>;
  /**
   * Dissimilarities between the rows of x, or between those of x and `other`: float32[n × n] (n × m), row-major;
   * with `condensed` the
   * upper triangle in SciPy's order, float32[n(n−1)/2], shape [n(n−1)/2, 1]. Accuracy and policies as core-wasm's
   * `pairwise`.
   * 4·n² bytes in the kernels' memory and as many in JavaScript (half of both if condensed); refuses (code `memory`)
   * what cannot fit.
   * On several threads the result stands in a SharedArrayBuffer of its own: other workers share it for nothing;
   * where an API refuses
   * such arrays (Blob, IndexedDB), give it `data.slice()`.
   */
  pairwise(
    x: Matrix,
    options: JobOptions & { metric: Metric; other?: Matrix; condensed?: boolean },
  ): Promise<Matrix>;
  /**
   * The VAT image of the rows of x in an order of theirs: mean dissimilarity of each pixel's pairs, every pair where
   * a pixel has at most 4,
   * else 4 drawn with the seed. Sides beyond n are cut to n. O(side² · d) time, 4·side² bytes beside a copy of x.
   */
  vatImage(x: Matrix, order: Uint32Array, options: JobOptions & VatImageOptions): Promise<VatImage>;
  /** VAT of a square dissimilarity matrix: 4·n² bytes, n ≤ 32 000. */
  vatFromMatrix(d: Matrix, options?: JobOptions): Promise<VatResult>;
  /** Agglomerative clustering of a square dissimilarity matrix: 4·n² bytes, n ≤ 32 000. */
  linkage(d: Matrix, options?: LinkageJobOptions): Promise<Linkage>;
  /**
   * Agglomerative clustering of the rows of x: dissimilarities on all workers, linkage on one, in the workers'
   * memory: 4·n² + 8·n·d bytes,
   * with diameters 2·n² more outside it. Refuses (code `memory`) what cannot fit: about n ≤ 32 000, less for many
   * dimensions. `rows` gives some points' dissimilarities to all, as float32[rows × n].
   */
  clusterPoints(x: Matrix, options: PointsLinkageOptions & JobOptions): Promise<PointsLinkage>;
  /**
   * Correlation of each column of x with each of y over the same samples: about 8·units·inputs + 1024·(units +
   * inputs) bytes.
   */
  correlation(x: Matrix, y: Matrix, options?: JobOptions): Promise<Correlation>;
  /** The same of samples that come in blocks; only one block is in memory beside the sums. */
  correlationOfBlocks(source: ColumnBlocks, options?: JobOptions): Promise<Correlation>;
  /**
   * Connected regions of `count` binary pictures, uint8[count × height × width], 0 = background: labels from 1 on in
   * each
   * picture, in the order of first pixels row by row; regions per picture; pixels per region. About 60 MB at most for
   * pictures under 8 megapixels, else 7 bytes a pixel of one.
   */
  labelRegions(
    masks: Uint8Array,
    shape: readonly [count: number, height: number, width: number],
    options: JobOptions & { neighbours: 4 | 8 },
  ): Promise<LabelledRegions>;
  /**
   * Top-k singular triplets of a float32 matrix (core-wasm's `truncatedSvd`). Refuses (code `memory`) what cannot
   * fit.
   */
  truncatedSvd(a: Matrix, options: JobOptions & TruncatedSvdOptions): Promise<TruncatedSvdResult>;
  /**
   * The same of a map known by its products. They are called in this thread, and so is the algebra between them, on a
   * memory of its own that is given back at the end: about 4·(longer side)·p + 8·(shorter side)·p bytes, p up to 4k
   * + 100.
   */
  truncatedSvdOperator(
    operator: LinearOperator,
    options: JobOptions & TruncatedSvdOptions,
  ): Promise<TruncatedSvdResult>;
  /**
   * Stops the workers; later calls reject, running and waiting ones too, with code `cancelled`. May be called again.
   */
  close(): Promise<void>;
}
