import { guard } from '@epochscope/core-wasm';

/** Workers of one engine. */
export const MAX_THREADS = 64;

/** What both platforms' createEngine take. */
export interface EngineOptions {
  /** Default: the processors this process may use (under Slurm those given to the task), in a page at most 8. */
  threads?: number;
  /** One memory for all workers; default: where it can be had (Node; cross-origin-isolated pages). */
  shared?: boolean;
  /**
   * Bytes one job may take, in the kernels' memory and in JavaScript (but for copies of its input on the way to a
   * worker). Default: what 32-bit WebAssembly can address, and no limit beside it.
   */
  memoryLimit?: number;
  /**
   * Fused multiply-add, where this environment has it (else jobs reject with `unsupported`): faster, and no longer
   * the same bits on every machine. Default false.
   */
  relaxed?: boolean;
}

/** Throws `argument` unless these are options whose limit is a number of bytes. */
export function checkEngineOptions(options: EngineOptions): void {
  guard(
    typeof options === 'object' && options !== null,
    'argument',
    () => `options: expected an object, got ${options}`,
  );
  const { memoryLimit } = options;
  guard(
    memoryLimit === undefined || (typeof memoryLimit === 'number' && memoryLimit >= 0),
    'argument',
    () => `memoryLimit: expected a number of bytes, got ${memoryLimit}`,
  );
}

/** Checks a caller's options. Throws `argument`. */
export function checkThreads(threads: number): number {
  guard(
    Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS,
    'argument',
    () => `threads: expected a whole number 1 … ${MAX_THREADS}, got ${threads}`,
  );
  return threads;
}
