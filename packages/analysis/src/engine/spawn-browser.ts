import { EpochscopeError } from '@epochscope/core-wasm';
import { wrap } from 'comlink/dist/esm/comlink.mjs';
import { carryErrors } from './errors.js';
import { hand } from './hand.js';
import type { Member, RemoteKernels } from './member.js';

carryErrors();

/** A Web Worker. */
export async function spawnWorker(): Promise<Member> {
  const worker = new Worker(new URL('./worker-browser.js', import.meta.url), { type: 'module' });
  // The expression above is what Vite and webpack look for; below, about where the browser tried, said so that they
  // do not.
  const address = `${import.meta.url.replace(/[^/]*$/, '')}worker-browser.js`;
  const died = new Promise<never>((_, reject) => {
    worker.addEventListener(
      'error',
      (event) =>
        reject(
          event.message
            ? new EpochscopeError('internal', `a worker ended: ${event.message}`)
            : new EpochscopeError(
                'missing',
                `the engine's worker could not be loaded from ${address}; a bundler that does not follow new Worker(new URL(…)) needs it as an entry of its own`,
                { address },
              ),
        ),
      { once: true },
    );
  });
  died.catch(() => {});
  return {
    kernels: wrap(worker) as unknown as RemoteKernels,
    hand,
    died,
    hold: () => {},
    terminate: async () => worker.terminate(),
  };
}
