import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { points } from '../../bench/data.js';
import { type Kernels, kernelModule, loadKernels } from '../../src/load.js';
import {
  finishVatPoints,
  prepareVatPoints,
  releaseVatPoints,
  stopVatPoints,
  type VatPointsJob,
  vatFromPoints,
} from './index.js';
import { prepareChecked } from './job.js';
import { clustered, signs, whole } from './test-data.js';

let kernels: Kernels;
let shared: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
  shared = await loadKernels({ shared: true });
});

// A worker thread with an instance of its own on the shared memory: what an engine's worker does.
const WORKER = `
const { parentPort, workerData: { module, memory, pointer, worker, steps } } = require('node:worker_threads');
const { exports } = new WebAssembly.Instance(module, { env: { memory, abort() { throw new Error('abort'); } } });
let state = 0;
let calls = 0;
while (state === 0) { state = exports.vatPointsRun(pointer, worker, steps); calls++; }
parentPort.postMessage({ state, calls });
`;

async function runWorkers(job: VatPointsJob, steps: number) {
  const module = await kernelModule(true, false);
  return Promise.all(
    Array.from(
      { length: job.workers },
      (_, worker) =>
        new Promise<{ state: number; calls: number }>((resolve, reject) => {
          const thread = new Worker(WORKER, {
            eval: true,
            workerData: { module, memory: shared.memory, pointer: job.pointer, worker, steps },
          });
          thread.once('message', resolve);
          thread.once('error', reject);
        }),
    ),
  );
}

// A worker thread that runs one slice a message, as an engine's does.
const SLICES = `
const { parentPort, workerData: { module, memory, pointer, worker, steps } } = require('node:worker_threads');
const { exports } = new WebAssembly.Instance(module, { env: { memory, abort() { throw new Error('abort'); } } });
parentPort.on('message', () => parentPort.postMessage(exports.vatPointsRun(pointer, worker, steps)));
`;

/** The states of all workers after each slice; nobody is called again before all have answered. */
async function runSlices(job: VatPointsJob, steps: number): Promise<number[][]> {
  const module = await kernelModule(true, false);
  const threads = Array.from(
    { length: job.workers },
    (_, worker) =>
      new Worker(SLICES, {
        eval: true,
        workerData: { module, memory: shared.memory, pointer: job.pointer, worker, steps },
      }),
  );
  const died = new Promise<never>((_, reject) => {
    for (const thread of threads) thread.once('error', reject);
  });
  const slice = (thread: Worker) =>
    new Promise<number>((resolve) => {
      thread.once('message', resolve);
      thread.postMessage('go');
    });
  const states: number[][] = [];
  do {
    states.push(await Promise.race([Promise.all(threads.map(slice)), died]));
  } while (states.at(-1)!.every((state) => state === 0));
  await Promise.all(threads.map((thread) => thread.terminate()));
  return states;
}

describe('several workers on one memory', () => {
  it('meet within a slice, whatever it is: none waits for one that has answered', async () => {
    for (const [x, metric] of [
      [clustered(900, 40, 1), 'euclidean'],
      [points(1200, 20, 'uniform', 2), 'cosine'],
      [whole(800, 6, 9, 3), 'manhattan'],
    ] as const)
      for (const [workers, steps] of [
        [2, 13],
        [3, 40],
      ] as const) {
        for (const way of ['tree', 'matrix', 'plain'] as const) {
          const job = prepareChecked(shared, x, metric, workers, way);
          const states = await runSlices(job, steps);
          const label = `${metric} workers=${workers} steps=${steps} ${way}`;
          expect(states.at(-1), label).toEqual(new Array(workers).fill(1));
          expect(finishVatPoints(shared, job), label).toEqual(vatFromPoints(kernels, x, { metric }));
        }
      }
  });

  it('give the result of one, to the last bit', async () => {
    let turn = 0;
    for (const [x, metric] of [
      [clustered(700, 40, 1), 'euclidean'],
      [whole(400, 30, 2, 2), 'manhattan'],
      [points(300, 12, 'duplicates', 3), 'correlation'],
      [signs(20, 64, 4), 'cosine'],
      [whole(2, 3, 5, 5), 'euclidean'],
      [clustered(900, 160, 6), 'euclidean'],
      [whole(400, 140, 2, 7), 'manhattan'],
      [points(300, 130, 'duplicates', 8), 'correlation'],
      [whole(300, 131, 60, 9), 'euclidean'],
      [clustered(900, 84, 10), 'euclidean'],
      [points(300, 50, 'duplicates', 11), 'correlation'],
      [whole(300, 64, 2, 12), 'euclidean'],
    ] as const) {
      const want = vatFromPoints(shared, x, { metric });
      expect(vatFromPoints(kernels, x, { metric })).toEqual(want);
      // Small ones by two of the four ways in turn, as workers start slowly.
      const ways = [
        [1, 7, 'plain'],
        [2, 50, 'matrix'],
        [2, 50, x.shape[0] < 512 ? 'plain' : 'tree'],
        [3, 1e6, x.shape[0] < 512 ? 'matrix' : 'plain'],
      ] as const;
      turn++;
      for (const [workers, steps, way] of ways.filter((_, i) => x.shape[0] >= 512 || i % 2 === turn % 2)) {
        const job = prepareChecked(shared, x, metric, workers, way);
        const ends = await runWorkers(job, steps);
        const label = `${metric} n=${x.shape[0]} workers=${workers} ${way}`;
        expect(
          ends.map((e) => e.state),
          label,
        ).toEqual(new Array(workers).fill(1));
        expect(new Set(ends.map((e) => e.calls)).size, label).toBe(1);
        expect(finishVatPoints(shared, job), label).toEqual(want);
      }
    }
    expect(shared.arena.used).toBe(0);
  });

  it('stop after the same step when cancelled', async () => {
    const job = prepareVatPoints(shared, points(2000, 40), 'euclidean', 2);
    stopVatPoints(shared.memory, job);
    const ends = await runWorkers(job, 10);
    expect(ends.map((e) => e.state)).toEqual([2, 2]);
    expect(ends[0]!.calls).toBe(ends[1]!.calls);
    expect(() => finishVatPoints(shared, job)).toThrowError(expect.objectContaining({ code: 'internal' }));
    releaseVatPoints(shared, job);
  });

  it('give up waiting for a worker that died', async () => {
    const job = prepareVatPoints(shared, points(100, 4), 'euclidean', 2);
    stopVatPoints(shared.memory, job, 'abort');
    const alone = await runWorkers({ ...job, workers: 1 }, 1e6);
    expect(alone.map((e) => e.state)).toEqual([3]);
    releaseVatPoints(shared, job);
  });
});

describe('code of the baseline compiler, which a first call runs', () => {
  // Node 20's wrote over the barrier's local when a worker went to sleep in it: see assembly/barrier.ts.
  it.each([2, 3, 4])('is the same job on %i workers that sleep', (count) => {
    const dist = new URL('../../dist/', import.meta.url);
    const script = `
      import { startThreads } from '${dist}bench/threads.js';
      import { points } from '${dist}bench/data.js';
      import { finishVatPoints } from '${dist}src/jobs.js';
      import { prepareChecked } from '${dist}kernels/vat-points/job.js';
      const threads = await startThreads(${count});
      const { kernels } = threads;
      const answers = new Set();
      for (let run = 0; run < 12; run++) {
        const job = prepareChecked(kernels, points(700, 50, 'uniform', 3), 'cosine', run ? ${count} : 1, 'tree');
        if (run) await threads.run({ vatPoints: job });
        else while (kernels.exports.vatPointsRun(job.pointer, 0, 1e6) === 0);
        const { order, weights } = finishVatPoints(kernels, job);
        answers.add([...order].join() + [...weights].join());
      }
      console.log(answers.size);
      await threads.close();`;
    // A file: workers inherit what stands on the command line.
    const file = join(mkdtempSync(join(tmpdir(), 'epochscope-')), 'sleep.mjs');
    writeFileSync(file, script);
    const run = spawnSync(process.execPath, ['--no-wasm-tier-up', file], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(run.stderr).toBe('');
    expect(run.stdout.trim()).toBe('1');
  });
});
