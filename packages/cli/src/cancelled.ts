import { EpochscopeError } from '@epochscope/core-wasm';
import type { Output } from './output.js';

/** Throws `cancelled` once the person has stopped the command. */
export function checkCancelled({ signal }: Output, message: string): void {
  if (signal.aborted) throw new EpochscopeError('cancelled', message);
}

/** The same failure; if it is `cancelled`, with a note on what is kept. */
export function noted(cause: unknown, note: () => string | null): unknown {
  const kept = cause instanceof EpochscopeError && cause.code === 'cancelled' ? note() : null;
  return kept === null
    ? cause
    : new EpochscopeError(
        'cancelled',
        `${(cause as Error).message}; ${kept}`,
        (cause as EpochscopeError).fields,
        {
          cause,
        },
      );
}
