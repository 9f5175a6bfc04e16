import { nameOf } from './arguments.js';
import { EpochscopeError, guard } from './errors.js';

/**
 * Work in slices of some ten milliseconds: yields work done and work in all; leaving it early gives its memory back.
 */
export type Steps<T> = Generator<[done: number, total: number], T, void>;

/** What long synchronous kernels take: they look at the signal and report between chunks of some ten milliseconds. */
export interface SyncJobOptions {
  /** Throws `cancelled` at the next chunk once aborted. */
  signal?: AbortSignal;
  /** Work done and work in all, in the job's own unit. */
  onProgress?: (done: number, total: number) => void;
}

/** Throws `argument` unless what watches a job can be asked and called. */
export function checkWatchers({ signal, onProgress }: SyncJobOptions): void {
  guard(
    signal === undefined || typeof signal?.aborted === 'boolean',
    'argument',
    () => `signal: expected an AbortSignal, got ${nameOf(signal)}`,
  );
  guard(
    onProgress === undefined || typeof onProgress === 'function',
    'argument',
    () => `onProgress: expected a function, got ${nameOf(onProgress)}`,
  );
}

/** Runs steps to the end, telling progress and heeding the signal. `what` is named when cancelled. */
export function runSteps<T>(steps: Steps<T>, { signal, onProgress }: SyncJobOptions, what: string): T {
  try {
    checkWatchers({ signal, onProgress });
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      onProgress?.(...value);
      if (signal?.aborted) throw new EpochscopeError('cancelled', `${what} was cancelled`);
    }
  } finally {
    steps.return(undefined as never);
  }
}
