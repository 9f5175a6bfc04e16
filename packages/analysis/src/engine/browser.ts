import { detectFeatures, EpochscopeError } from '@epochscope/core-wasm';
import { wrap } from 'comlink/dist/esm/comlink.mjs';
import { engineOver } from './create.js';
import { carryErrors } from './errors.js';
import { hand } from './hand.js';
import type { Member, RemoteKernels } from './member.js';
import { checkEngineOptions, checkThreads, defaultThreads, type EngineOptions } from './options.js';
import type { Engine } from './types.js';

export { createInlineEngine } from './inline.js';
export type { EngineOptions } from './options.js';
export * from './types.js';

carryErrors();

/** The kernels on Web Workers. Workers start with the first job. */
export function createEngine(options: EngineOptions = {}): Engine {
  checkEngineOptions(options);
  const threads = checkThreads(options.threads ?? defaultThreads(navigator.hardwareConcurrency));
  return engineOver(spawn, {
    ...options,
    threads,
    shared: options.shared ?? detectFeatures().sharedMemory,
  });
}

async function spawn(): Promise<Member> {
  const worker = new Worker(new URL('./worker-browser.js', import.meta.url), { type: 'module' });
  // The expression above is what Vite and webpack look for; below, the address that the browser tried.
  const address = new URL('./worker-browser.js', import.meta.url).href;
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
