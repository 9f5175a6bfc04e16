import {
  checkFinite,
  checkMatrix,
  checkPairwise,
  correlationBytes,
  EpochscopeError,
  formatBytes,
  guard,
  kernelModule,
  labelRegionsBytes,
  linkageBytes,
  linkageFromPointsBytes,
  loadKernels,
  type Matrix,
  METRICS,
  type Metric,
  type PairwiseJob,
  type PairwiseShape,
  pairwiseBytes,
  stopVatPoints,
  truncatedSvdBytes,
  truncatedSvdOperator,
  truncatedSvdOperatorBytes,
  type VatPointsJob,
  type VatResult,
  vatPointsBytes,
} from '@epochscope/core-wasm';
import type { TaskArguments, TaskName, TaskResult, TaskStep } from './tasks.js';
import type { Engine, JobOptions } from './types.js';
import type { WorkerInit } from './worker-api.js';

/** A KernelWorker reached through Comlink, or in this thread. */
export interface RemoteKernels {
  init(options: WorkerInit): Promise<void>;
  vatPrepare(x: Matrix, metric: Metric, workers: number): Promise<VatPointsJob>;
  vatRun(job: VatPointsJob, worker: number, steps: number): Promise<number>;
  vatFinish(job: VatPointsJob): Promise<VatResult>;
  vatRelease(job: VatPointsJob): Promise<void>;
  pairwisePrepare(x: Matrix, metric: Metric, shape: PairwiseShape): Promise<PairwiseJob>;
  pairwiseRun(job: PairwiseJob, worker: number, from: number, to: number): Promise<void>;
  pairwiseCopy(job: PairwiseJob, to: Float32Array, from: number, end: number): Promise<void>;
  pairwiseRelease(job: PairwiseJob): Promise<void>;
  taskStart(name: TaskName, ...args: unknown[]): Promise<void>;
  taskStep(): Promise<TaskStep>;
  taskDrop(): Promise<void>;
  memoryBytes(): Promise<number>;
}

/** One worker, however it was made. */
export interface Member {
  kernels: RemoteKernels;
  /** Hands a matrix over without copying twice. */
  hand(x: Matrix): Matrix;
  /** Rejects when the worker dies. */
  died: Promise<never>;
  /** Keeps the process alive while a job runs, and only then. */
  hold(busy: boolean): void;
  terminate(): Promise<void>;
}

/** What both platforms' createEngine take. */
export interface EngineOptions {
  /** Default: the machine's cores, at most 8. */
  threads?: number;
  /** One memory for all workers; default: where it can be had (Node; cross-origin-isolated pages). */
  shared?: boolean;
  /** Bytes one job may take, in the kernels' memory and in JavaScript. Default: what 32-bit WebAssembly can address, and no limit beside it. */
  memoryLimit?: number;
  /** Fused multiply-add, where this environment has it (else jobs reject with `unsupported`): faster, and no longer the same bits on every machine. Default false. */
  relaxed?: boolean;
}

/** Awaits an answer, or the death of the workers. */
type Alive = <R>(work: Promise<R>) => Promise<R>;

export interface PoolOptions {
  threads: number;
  shared: boolean;
  memoryLimit?: number;
  relaxed?: boolean;
}

/** Beyond this much memory the workers are replaced after the job, because wasm memory never shrinks. */
const RECYCLE_BYTES = 1e9;
/** 4 GiB less a page: the end of wasm32. */
const WASM_END = 65535 * 65536;
/** A chunk of work after which progress is told and cancelling noticed: some 50 ms. */
const CHUNK_VALUES = 1e8;

/** The engine over members made by `spawn`. Workers start with the first job. */
export function createPool(
  spawn: () => Promise<Member>,
  { threads, shared, relaxed = false, ...options }: PoolOptions,
): Engine {
  const memoryLimit = Math.min(options.memoryLimit ?? Infinity, WASM_END);
  let members: Member[] = [];
  let memory: WebAssembly.Memory | null = null;
  let closed = false;
  let queue: Promise<unknown> = Promise.resolve();
  const lost = new Set<Member>();
  // Rejects on close: a browser does not tell that a worker was terminated, and answers of its would be awaited for ever.
  let rejectClosed!: (why: EpochscopeError) => void;
  const whenClosed = new Promise<never>((_, reject) => {
    rejectClosed = reject;
  });
  whenClosed.catch(() => {});

  async function start(): Promise<void> {
    // A worker that died while idle costs no job.
    if (members.some((member) => lost.has(member))) await stop();
    if (members.length) return;
    const module = await kernelModule(shared, relaxed);
    memory = shared ? new WebAssembly.Memory({ initial: 2, maximum: 65536, shared: true }) : null;
    // Without shared memory one worker does a job alone.
    members = await Promise.all(Array.from({ length: shared ? threads : 1 }, spawn));
    for (const member of members) member.died.catch(() => lost.add(member));
    try {
      await Promise.all(
        members.map((member, i) =>
          Promise.race([
            member.kernels.init({ module, memory, owner: i === 0, relaxed }),
            member.died,
            whenClosed,
          ]),
        ),
      );
    } catch (cause) {
      await stop();
      throw cause;
    }
  }

  async function stop(): Promise<void> {
    const old = members;
    members = [];
    memory = null;
    lost.clear();
    await Promise.all(old.map((member) => member.terminate()));
  }

  /** Runs jobs in turn; replaces the workers when one died or grew large. */
  function enqueue<T>(options: JobOptions, body: (alive: Alive) => Promise<T>): Promise<T> {
    let waiting = true;
    const job = async () => {
      waiting = false;
      guard(!closed, 'cancelled', 'the engine is closed');
      throwIfAborted(options.signal);
      await start();
      const gone = Promise.race([whenClosed, ...members.map(({ died }) => died)]);
      gone.catch(() => {});
      const alive = <R>(work: Promise<R>) => Promise.race([work, gone]);
      for (const member of members) member.hold(true);
      let failed = true;
      try {
        const result = await body(alive);
        failed = false;
        return result;
      } catch (cause) {
        // An error of the caller's leaves the workers whole; anything else may not.
        failed = closed || !(cause instanceof EpochscopeError) || cause.code === 'internal';
        throw cause;
      } finally {
        const bytes = failed
          ? Infinity
          : await alive(members[0]!.kernels.memoryBytes()).catch(() => Infinity);
        if (bytes > RECYCLE_BYTES) await stop();
        // Last: an answer awaited from workers that hold nothing would let the process end.
        for (const member of members) member.hold(false);
      }
    };
    const result = queue.then(job, job);
    queue = result.catch(() => {});
    const { signal } = options;
    if (!signal) return result;
    // A job that has not begun need not wait for its turn to be told.
    return new Promise((resolve, reject) => {
      const leave = () => {
        if (waiting) reject(cancelled());
      };
      signal.addEventListener('abort', leave, { once: true });
      result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }

  /** Runs a task of tasks.ts on the first worker. Matrices among the arguments are handed over, the rest is copied. */
  function task<N extends TaskName>(
    options: JobOptions,
    name: N,
    ...args: TaskArguments<N>
  ): Promise<TaskResult<N>> {
    return enqueue(options, (alive) => runTask(alive, options, name, ...args));
  }

  /** The same inside a job. */
  async function runTask<N extends TaskName>(
    alive: Alive,
    options: JobOptions,
    name: N,
    ...args: TaskArguments<N>
  ): Promise<TaskResult<N>> {
    const { kernels, hand } = members[0]!;
    await alive(
      kernels.taskStart(name, ...(args as unknown[]).map((value) => (isMatrix(value) ? hand(value) : value))),
    );
    let total = 1;
    try {
      options.onProgress?.(0, total);
      for (;;) {
        throwIfAborted(options.signal);
        const step = await alive(kernels.taskStep());
        if (step.finished) {
          throwIfAborted(options.signal);
          options.onProgress?.(total, total);
          return step.value as TaskResult<N>;
        }
        total = step.progress[1];
        options.onProgress?.(...step.progress);
      }
    } catch (cause) {
      // The worker is whole, and its memory is kept for the next job.
      if (whole(cause)) await alive(kernels.taskDrop());
      throw cause;
    }
  }

  const whole = (cause: unknown) => !closed && cause instanceof EpochscopeError && cause.code !== 'internal';

  /** bytesOf: in the kernels' memory; besideOf: what the job takes in JavaScript at the same time. */
  function refuse(
    what: string,
    n: number,
    bytesOf: (n: number) => number,
    wayOut: string,
    besideOf: (n: number) => number = () => 0,
  ): void {
    const whole = (k: number) => bytesOf(k) + besideOf(k);
    const fitsIn = (k: number) => bytesOf(k) <= memoryLimit && whole(k) <= (options.memoryLimit ?? Infinity);
    if (fitsIn(n)) return;
    const fits = largest(n, fitsIn);
    const beside = besideOf(n);
    const limit = bytesOf(n) <= memoryLimit ? options.memoryLimit! : memoryLimit;
    throw new EpochscopeError(
      'memory',
      `${what} needs ${formatBytes(bytesOf(n))}${beside ? ` and ${formatBytes(beside)} in JavaScript` : ''}, the limit is ${formatBytes(limit)}; ${wayOut}${fits < 2 ? '' : `, or thin to n ≤ ${fits}`}`,
      { needed: whole(n), limit, fits },
    );
  }

  function refuseCorrelation(units: number, inputs: number): void {
    refuse(
      `correlation of ${units} with ${inputs} columns`,
      units,
      (k) => correlationBytes(k, inputs),
      'take fewer columns at a time',
    );
  }

  function refuseSvd(what: string, bytes: number): void {
    guard(
      // A k that is no number is the kernel's to refuse.
      !(bytes > memoryLimit),
      'memory',
      () =>
        `${what} needs ${formatBytes(bytes)}, the limit is ${formatBytes(memoryLimit)}; ask for fewer triplets or a smaller basis`,
      { needed: bytes, limit: memoryLimit },
    );
  }

  return {
    threads,
    shared,
    relaxed,
    async vat(x, options) {
      guard(
        METRICS.includes(options.metric),
        'argument',
        () => `metric: expected one of ${METRICS.join(', ')}, got ${options.metric}`,
      );
      checkMatrix(x, 'x');
      checkFinite(x, 'x');
      const [n, d] = x.shape;
      if (n < 2)
        return { order: new Uint32Array(n), weights: new Float32Array(0), parent: new Uint32Array(0) };
      // A thread pays for itself only when it has points to go through.
      const workers = shared ? Math.max(1, Math.min(threads, Math.floor(n / 256))) : 1;
      refuse(`VAT of ${n}×${d} points`, n, (k) => vatPointsBytes(k, d, workers), 'analyse fewer dimensions');
      return enqueue(options, async (alive) => {
        const first = members[0]!;
        const job = await alive(first.kernels.vatPrepare(first.hand(x), options.metric, workers));
        const chunk = Math.max(1, Math.floor((CHUNK_VALUES * workers) / (n * Math.max(d, 16))));
        try {
          for (let done = 0, state = 0; state === 0; done = Math.min(done + chunk, job.steps)) {
            options.onProgress?.(done, job.steps);
            throwIfAborted(options.signal);
            [state] = (await alive(
              Promise.all(members.slice(0, workers).map(({ kernels }, i) => kernels.vatRun(job, i, chunk))),
            )) as [number];
          }
        } catch (cause) {
          // Workers that wait for a dead one must not wait for ever.
          if (memory) stopVatPoints(memory, job, 'abort');
          // No worker is running then, and the memory is kept for the next job.
          if (!closed && cause instanceof EpochscopeError && cause.code !== 'internal')
            await alive(first.kernels.vatRelease(job));
          throw cause;
        }
        options.onProgress?.(job.steps, job.steps);
        return alive(first.kernels.vatFinish(job));
      });
    },
    async pairwise(x, { metric, other, condensed = false, ...options }) {
      checkPairwise(x, metric, other);
      guard(!(other && condensed), 'argument', 'condensed: only without other, whose result is no triangle');
      const [n, d] = x.shape;
      const m = other?.shape[0];
      const valuesOf = (k: number) => (condensed ? (k * (k - 1)) / 2 : k * (m ?? k));
      const squares = Math.ceil(n / 128) * Math.ceil((m ?? n) / 128) * (other ? 1 : 0.5);
      const workers = shared ? Math.max(1, Math.min(threads, Math.floor(squares / 4))) : 1;
      refuse(
        `dissimilarities of ${n}${m === undefined ? '' : ` × ${m}`} points`,
        n,
        (k) => pairwiseBytes(k, d, { m, condensed, workers }),
        condensed || other
          ? 'ask for them in parts with other'
          : 'ask for them condensed, or in parts with other',
        (k) => 4 * valuesOf(k),
      );
      const size = valuesOf(n);
      const shape: [number, number] = condensed ? [size, 1] : [n, m ?? n];
      if (workers === 1)
        return { data: await task(options, 'pairwise', x, other ?? null, { metric, condensed }), shape };
      return enqueue(options, async (alive) => {
        const first = members[0]!;
        const job = await alive(
          first.kernels.pairwisePrepare(first.hand(x), metric, {
            other: other && first.hand(other),
            condensed,
            workers,
          }),
        );
        try {
          // Every worker fetches its next part when it is done with one: parts get smaller towards the end.
          let next = 0;
          let done = 0;
          const most = Math.max(1, Math.floor((20 * CHUNK_VALUES) / job.work));
          await all(alive, workers, async (worker) => {
            while (next < job.squares) {
              throwIfAborted(options.signal);
              const from = next;
              next += Math.min(most, Math.max(1, Math.floor((job.squares - from) / (3 * workers))));
              const to = Math.min(next, job.squares);
              await members[worker]!.kernels.pairwiseRun(job, worker, from, to);
              done += to - from;
              options.onProgress?.(done, job.squares);
            }
          });
          const data = new Float32Array(new SharedArrayBuffer(4 * size));
          const part = Math.ceil(size / workers);
          await all(alive, workers, (worker) =>
            members[worker]!.kernels.pairwiseCopy(
              job,
              data,
              part * worker,
              Math.min(part * (worker + 1), size),
            ),
          );
          throwIfAborted(options.signal);
          return { data, shape };
        } finally {
          if (!closed) await alive(first.kernels.pairwiseRelease(job)).catch(() => {});
        }
      });
    },
    async vatFromMatrix(d, options = {}) {
      checkMatrix(d, 'd');
      const n = d.shape[0];
      guard(n === d.shape[1], 'shape', () => `d: expected a square matrix, got ${d.shape[0]}×${d.shape[1]}`);
      refuse(
        `VAT of a ${n}×${n} matrix`,
        n,
        // The matrix, four arrays over n, and the arena's rounding.
        (k) => 4 * k * k + 16 * k + 512,
        'give the points instead: vat needs no matrix',
      );
      return task(options, 'vatFromMatrix', d);
    },
    async linkage(d, { signal, onProgress, ...options } = {}) {
      checkMatrix(d, 'd');
      const n = d.shape[0];
      refuse(`linkage of a ${n}×${n} matrix`, n, linkageBytes, 'join fewer samples');
      return task({ signal, onProgress }, 'linkage', d, options);
    },
    async clusterPoints(x, { signal, onProgress, ...options }) {
      checkMatrix(x, 'x');
      const [n, d] = x.shape;
      refuse(
        `linkage of ${n}×${d} points${options.diameters ? ' with diameters' : ''}`,
        n,
        (k) => linkageFromPointsBytes(k, d, options.diameters),
        'cluster fewer points',
      );
      return task({ signal, onProgress }, 'linkageFromPoints', x, options);
    },
    async correlation(x, y, options = {}) {
      checkMatrix(x, 'x');
      checkMatrix(y, 'y');
      refuseCorrelation(x.shape[1], y.shape[1]);
      return task(options, 'correlation', x, y);
    },
    async correlationOfBlocks(source, options = {}) {
      const { units, inputs, samples } = source;
      refuseCorrelation(units, inputs);
      return enqueue(options, async (alive) => {
        const { signal } = options;
        const job = await runTask(alive, { signal }, 'correlationPrepare', units, inputs);
        try {
          let done = 0;
          options.onProgress?.(0, samples);
          for await (const [x, y] of source.blocks()) {
            await runTask(alive, { signal }, 'correlationAdd', job, x, y);
            done += x.shape[0];
            options.onProgress?.(done, samples);
          }
          return await runTask(alive, { signal }, 'correlationFinish', job);
        } finally {
          if (!closed) await runTask(alive, {}, 'correlationRelease', job);
        }
      });
    },
    async truncatedSvd(a, options) {
      checkMatrix(a, 'a');
      const [m, n] = a.shape;
      const { signal: _, onProgress: __, ...plain } = options;
      refuseSvd(`truncated SVD of a ${m}×${n} matrix`, truncatedSvdBytes(m, n, options.k, plain));
      return task(options, 'truncatedSvd', a, plain);
    },
    async truncatedSvdOperator(operator, options) {
      guard(!closed, 'cancelled', 'the engine is closed');
      const [m, n] = operator.shape;
      refuseSvd(`truncated SVD of a ${m}×${n} map`, truncatedSvdOperatorBytes(m, n, options.k, options));
      return truncatedSvdOperator(await loadKernels(), operator, options);
    },
    async labelRegions(masks, shape, options) {
      const bytes = labelRegionsBytes(shape, options.neighbours);
      guard(
        !(bytes > memoryLimit),
        'memory',
        () =>
          `regions of ${shape[1]}×${shape[2]} pictures need ${formatBytes(bytes)}, the limit is ${formatBytes(memoryLimit)}; cut them into smaller ones`,
        { needed: bytes, limit: memoryLimit },
      );
      return task(options, 'labelRegions', masks, shape, options.neighbours);
    },
    async close() {
      closed = true;
      rejectClosed(new EpochscopeError('cancelled', 'the engine was closed'));
      // A running job gives up at once and takes its workers along; idle ones are left to stop here.
      await queue;
      await stop();
    },
  };
}

function isMatrix(value: unknown): value is Matrix {
  const { data, shape } = (value ?? {}) as Partial<Matrix>;
  return data !== undefined && ArrayBuffer.isView(data) && Array.isArray(shape);
}

const cancelled = () => new EpochscopeError('cancelled', 'the job was cancelled');

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled();
}

/** Runs a body for each of `workers`; rejects with the first failure, but only once every body has ended or a worker is gone. */
async function all(
  alive: <R>(work: Promise<R>) => Promise<R>,
  workers: number,
  body: (worker: number) => Promise<void>,
): Promise<void> {
  const ends = await alive(Promise.allSettled(Array.from({ length: workers }, (_, worker) => body(worker))));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** The largest k below n that fits; 0 if none does. */
function largest(n: number, fitsIn: (k: number) => boolean): number {
  let low = 0;
  for (let high = n; high - low > 1; ) {
    const middle = Math.floor((low + high) / 2);
    if (fitsIn(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Default number of threads: what the machine has, at most 8. */
export function defaultThreads(available: number | undefined): number {
  return Math.max(1, Math.min(available ?? 1, 8));
}

/** Checks a caller's options. Throws `argument`. */
export function checkThreads(threads: number): number {
  guard(
    Number.isInteger(threads) && threads >= 1 && threads <= 64,
    'argument',
    () => `threads: expected a whole number 1 … 64, got ${threads}`,
  );
  return threads;
}
