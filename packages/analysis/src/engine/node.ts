import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { EpochscopeError } from '@epochscope/core-wasm';
import { wrap } from 'comlink/dist/esm/comlink.mjs';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
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

/** The kernels on worker threads. Workers start with the first job and never keep the process alive by themselves. */
export function createEngine(options: EngineOptions = {}): Engine {
  checkEngineOptions(options);
  const threads = checkThreads(options.threads ?? defaultThreads(availableParallelism()));
  return engineOver(spawn, { ...options, threads, shared: options.shared ?? true });
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
    hand,
    died,
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    terminate: async () => {
      await worker.terminate();
    },
  };
}
