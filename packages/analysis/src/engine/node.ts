import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { EpochscopeError } from '@epochscope/core-wasm';
import { transfer, wrap } from 'comlink/dist/esm/comlink.mjs';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { carryErrors } from './errors.js';
import { checkThreads, createPool, defaultThreads, type Member, type RemoteKernels } from './pool.js';
import type { Engine } from './types.js';

export { createInlineEngine } from './inline.js';
export * from './types.js';

carryErrors();

export interface EngineOptions {
  /** Default: the machine's cores, at most 8. */
  threads?: number;
  /** One memory for all workers; default true. */
  shared?: boolean;
  /** Bytes one job may take. */
  memoryLimit?: number;
}

/** The kernels on worker threads. Workers start with the first job and never keep the process alive by themselves. */
export function createEngine(options: EngineOptions = {}): Engine {
  const threads = checkThreads(options.threads ?? defaultThreads(availableParallelism()));
  return createPool(spawn, { threads, shared: options.shared ?? true, memoryLimit: options.memoryLimit });
}

async function spawn(): Promise<Member> {
  const worker = new Worker(new URL('./worker-node.js', import.meta.url), { execArgv: [] });
  const died = new Promise<never>((_, reject) => {
    const fail = (why: string) => reject(new EpochscopeError('internal', `a worker ended: ${why}`));
    worker.once('error', (error) => fail(error.message));
    worker.once('exit', (code) => fail(`exit code ${code}`));
  });
  died.catch(() => {});
  return {
    kernels: wrap(nodeEndpoint(worker)) as unknown as RemoteKernels,
    hand: (x) => {
      if (x.data.buffer instanceof SharedArrayBuffer) return x;
      // A copy that is moved, so that the caller keeps its own.
      const data = x.data.slice();
      return transfer({ data, shape: x.shape }, [data.buffer as ArrayBuffer]);
    },
    died,
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    terminate: async () => {
      await worker.terminate();
    },
  };
}
