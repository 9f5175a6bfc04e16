// Several threads of kernels over one memory, for the benches: this thread is worker 0, the others are worker_threads.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type PairwiseJob, runPairwise } from '../kernels/pairwise/index.js';
import { runVatPointsWorker, type VatPointsJob } from '../kernels/vat-points/index.js';
import { instantiate, type Kernels, kernelModule, loadKernels } from '../src/load.js';

type Work = { pairwise: PairwiseJob } | { vatPoints: VatPointsJob };
/** A work and the counter from which threads take their parts. */
type Task = Work & { next: Int32Array };

export interface Threads {
  readonly count: number;
  /** On a shared memory; prepare jobs with these. */
  readonly kernels: Kernels;
  /** Runs every worker's part of a prepared job. */
  run(work: Work): Promise<void>;
  close(): Promise<void>;
}

function part(exports: WebAssembly.Exports, work: Task, worker: number, count: number): void {
  if ('vatPoints' in work) {
    const { n, d } = work.vatPoints;
    const slice = Math.max(1, Math.floor(1e8 / (n * Math.max(d, 16))));
    while (runVatPointsWorker(exports, work.vatPoints, worker, slice) === 0);
    return;
  }
  // A thread that is held up takes fewer, as in the engine.
  const { pairwise, next } = work;
  const step = Math.max(1, Math.floor(pairwise.squares / (32 * count)));
  for (;;) {
    const from = Atomics.add(next, 0, step);
    if (from >= pairwise.squares) return;
    runPairwise(exports, pairwise, worker, from, from + step);
  }
}

export async function startThreads(count: number): Promise<Threads> {
  const kernels = await loadKernels({ shared: true });
  const module = await kernelModule(true, false);
  const workers = Array.from(
    { length: count - 1 },
    (_, i) =>
      new Worker(new URL(import.meta.url), {
        workerData: { benchThread: i + 1, count, module, memory: kernels.memory },
      }),
  );
  const answer = (worker: Worker) => new Promise((resolve) => worker.once('message', resolve));
  await Promise.all(workers.map(answer));
  return {
    count,
    kernels,
    async run(work) {
      const ends = workers.map(answer);
      const task: Task = { ...work, next: new Int32Array(new SharedArrayBuffer(4)) };
      for (const worker of workers) worker.postMessage(task);
      part(kernels.exports, task, 0, count);
      await Promise.all(ends);
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

if (!isMainThread && workerData?.benchThread) {
  const { benchThread, count, module, memory } = workerData as {
    benchThread: number;
    count: number;
    module: WebAssembly.Module;
    memory: WebAssembly.Memory;
  };
  const exports = instantiate(module, memory);
  parentPort!.on('message', (work: Task) => {
    part(exports, work, benchThread, count);
    parentPort!.postMessage('done');
  });
  parentPort!.postMessage('ready');
}
