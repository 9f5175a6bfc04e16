import { guard } from '@epochscope/core-wasm';

/** What both platforms' createEngine take. */
export interface EngineOptions {
  /** Default: the machine's cores, at most 8. */
  threads?: number;
  /** One memory for all workers; default: where it can be had (Node; cross-origin-isolated pages). */
  shared?: boolean;
  /** Bytes one job may take, in the kernels' memory and in JavaScript (but for copies of its input on the way to a worker). Default: what 32-bit WebAssembly can address, and no limit beside it. */
  memoryLimit?: number;
  /** Fused multiply-add, where this environment has it (else jobs reject with `unsupported`): faster, and no longer the same bits on every machine. Default false. */
  relaxed?: boolean;
}

/** Default number of threads: what the machine has, at most 8. */
export function defaultThreads(available: number | undefined): number {
  return Math.max(1, Math.min(available ?? 1, 8));
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
    Number.isInteger(threads) && threads >= 1 && threads <= 64,
    'argument',
    () => `threads: expected a whole number 1 … 64, got ${threads}`,
  );
  return threads;
}
