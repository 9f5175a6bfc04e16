import type { Member, RemoteKernels } from './member.js';
import { checkEngineOptions } from './options.js';
import { engineOver } from './over.js';
import type { Engine } from './types.js';
import { KernelWorker } from './worker-api.js';

/**
 * An engine in this very thread, for pages opened from disk (no workers there) and for tests. Blocks between chunks.
 */
export function createInlineEngine(options: { memoryLimit?: number; relaxed?: boolean } = {}): Engine {
  checkEngineOptions(options);
  return engineOver(async () => inlineMember(), { threads: 1, shared: false, ...options });
}

function inlineMember(): Member {
  const worker = new KernelWorker();
  const kernels = new Proxy(worker, {
    get: (target, name) => {
      // A promise of a Proxy would be asked for "then".
      const method = target[name as keyof KernelWorker] as unknown;
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        // A turn of the event loop between chunks: timers, drawing and signals go on.
        await new Promise((resolve) => setTimeout(resolve, 0));
        return method.apply(target, args);
      };
    },
  }) as unknown as RemoteKernels;
  return { kernels, hand: (x) => x, died: new Promise(() => {}), hold: () => {}, terminate: async () => {} };
}
