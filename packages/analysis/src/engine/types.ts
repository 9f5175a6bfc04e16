import type { LabelledRegions, Matrix, Metric, VatResult } from '@epochscope/core-wasm';

export type { LabelledRegions, VatResult } from '@epochscope/core-wasm';

/** Every long job takes these. */
export interface JobOptions {
  /** Stops the job; it rejects with code `cancelled`. */
  signal?: AbortSignal;
  /** Called now and then with work done and work in all, in the job's own unit. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * The kernels on a pool of workers; the same in Node and browsers. Methods receive one and know nothing of workers.
 * Inputs are never changed or detached. Jobs run one after another. Errors are EpochscopeError, also across workers.
 * The same call gives the same bits for any number of threads, shared memory or not.
 */
export interface Engine {
  readonly threads: number;
  /** Whether workers share one memory. If not, a job runs on one of them. */
  readonly shared: boolean;
  /** Matrix-free VAT of the rows of x: about 4·n·(d + 41) bytes. Refuses (code `memory`) what cannot fit. */
  vat(x: Matrix, options: JobOptions & { metric: Metric }): Promise<VatResult>;
  /** VAT of a square dissimilarity matrix: 4·n² bytes, n ≤ 32 000. */
  vatFromMatrix(d: Matrix, options?: JobOptions): Promise<VatResult>;
  /**
   * Connected regions of `count` binary pictures, uint8[count × height × width], 0 = background: labels from 1 on in each
   * picture, in the order of first pixels row by row; regions per picture; pixels per region. About 60 MB at most for
   * pictures under 8 megapixels, else 7 bytes a pixel of one.
   */
  labelRegions(
    masks: Uint8Array,
    shape: readonly [count: number, height: number, width: number],
    options: JobOptions & { neighbours: 4 | 8 },
  ): Promise<LabelledRegions>;
  /** Stops the workers; later calls reject, running and waiting ones too, with code `cancelled`. May be called again. */
  close(): Promise<void>;
}
