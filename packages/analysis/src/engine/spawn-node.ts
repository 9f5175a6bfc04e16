import { Worker } from 'node:worker_threads';
import { EpochscopeError } from '@epochscope/core-wasm';
import { wrap } from 'comlink/dist/esm/comlink.mjs';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { carryErrors } from './errors.js';
import { hand } from './hand.js';
import type { Member, RemoteKernels } from './member.js';

carryErrors();

/** A worker thread. It never keeps the process alive by itself. */
export async function spawnWorker(): Promise<Member> {
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
