import { EpochscopeError, formatBytes, guard, type Matrix } from '@epochscope/core-wasm';
import { kernelModule } from '@epochscope/core-wasm/jobs';
import { createAnswers } from './answers.js';
import type { Member } from './member.js';
import type { TaskArguments, TaskName, TaskResult } from './tasks.js';
import type { JobOptions } from './types.js';

/** Awaits an answer, or the death of the workers. */
export type Alive = <R>(work: Promise<R>) => Promise<R>;

export interface PoolOptions {
  threads: number;
  shared: boolean;
  memoryLimit?: number;
  relaxed?: boolean;
}

/** Workers that run jobs one after another, whatever the jobs are. */
export interface Pool extends Required<Omit<PoolOptions, 'memoryLimit'>> {
  /** The workers of the running job; the first one hands out memory. */
  readonly members: readonly Member[];
  /** Their one memory, where it is shared. */
  readonly memory: WebAssembly.Memory | null;
  readonly closed: boolean;
  /** Runs a job in its turn; replaces the workers when one died or grew large. */
  enqueue<T>(options: JobOptions, body: (alive: Alive) => Promise<T>): Promise<T>;
  /** Runs a task of tasks.ts on the first worker. Matrices among the arguments are handed over, the rest is copied. */
  task<N extends TaskName>(options: JobOptions, name: N, ...args: TaskArguments<N>): Promise<TaskResult<N>>;
  /** The same inside a job. */
  runTask<N extends TaskName>(
    alive: Alive,
    options: JobOptions,
    name: N,
    ...args: TaskArguments<N>
  ): Promise<TaskResult<N>>;
  /** Whether the workers are whole after this failure, so that their memory is to be given back. */
  whole(cause: unknown): boolean;
  /**
   * Throws `memory`, with the figure and the largest n that fits, if a job on n things cannot fit. bytesOf: in the
   * kernels' memory; besideOf: what it takes in JavaScript at the same time.
   */
  refuse(
    what: string,
    n: number,
    bytesOf: (n: number) => number,
    wayOut: string,
    besideOf?: (n: number) => number,
  ): void;
  /** The same where no one n decides. */
  refuseBytes(what: string, bytes: number, wayOut: string): void;
  close(): Promise<void>;
}

/** Beyond this much memory the workers are replaced after the job, because wasm memory never shrinks. */
const RECYCLE_BYTES = 1e9;
/** 4 GiB less a page: the end of wasm32. */
const WASM_END = 65535 * 65536;
/** A pool over members made by `spawn`. Workers start with the first job. */
export function createPool(
  spawn: () => Promise<Member>,
  { threads, shared, relaxed = false, ...options }: PoolOptions,
): Pool {
  const memoryLimit = Math.min(options.memoryLimit ?? Infinity, WASM_END);
  let members: Member[] = [];
  let memory: WebAssembly.Memory | null = null;
  let closed = false;
  let queue: Promise<unknown> = Promise.resolve();
  const lost = new Set<Member>();
  // Ended by close, too: a browser does not tell that a worker was terminated, and answers of its would be awaited for
  // ever.
  const answers = createAnswers();

  async function start(): Promise<void> {
    // A worker that died while idle costs no job.
    if (members.some((member) => lost.has(member))) await stop();
    if (members.length) return;
    const module = await kernelModule(shared, relaxed);
    memory = shared ? new WebAssembly.Memory({ initial: 2, maximum: 65536, shared: true }) : null;
    // Without shared memory one worker does a job alone.
    members = await Promise.all(Array.from({ length: shared ? threads : 1 }, spawn));
    for (const member of members)
      member.died.catch((why) => {
        lost.add(member);
        if (members.includes(member)) answers.end(why);
      });
    try {
      await Promise.all(
        members.map((member, i) =>
          answers.await(member.kernels.init({ module, memory, owner: i === 0, relaxed })),
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
    if (!closed) answers.renew();
    await Promise.all(old.map((member) => member.terminate()));
  }

  function enqueue<T>(options: JobOptions, body: (alive: Alive) => Promise<T>): Promise<T> {
    let waiting = true;
    const job = async () => {
      waiting = false;
      guard(!closed, 'cancelled', 'the engine is closed');
      throwIfAborted(options.signal);
      await start();
      for (const member of members) member.hold(true);
      let failed = true;
      try {
        const result = await body(answers.await);
        failed = false;
        return result;
      } catch (cause) {
        // An error of the caller's leaves the workers whole; anything else may not.
        failed = closed || !(cause instanceof EpochscopeError) || cause.code === 'internal';
        throw cause;
      } finally {
        const bytes = failed
          ? Infinity
          : await answers.await(members[0]!.kernels.memoryBytes()).catch(() => Infinity);
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

  function task<N extends TaskName>(
    options: JobOptions,
    name: N,
    ...args: TaskArguments<N>
  ): Promise<TaskResult<N>> {
    return enqueue(options, (alive) => runTask(alive, options, name, ...args));
  }

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

  function refuseBytes(what: string, bytes: number, wayOut: string): void {
    guard(
      // A size that is no number is the kernel's to refuse.
      !(bytes > memoryLimit),
      'memory',
      () => `${what} needs ${formatBytes(bytes)}, the limit is ${formatBytes(memoryLimit)}; ${wayOut}`,
      { needed: bytes, limit: memoryLimit },
    );
  }

  return {
    threads,
    shared,
    relaxed,
    get members() {
      return members;
    },
    get memory() {
      return memory;
    },
    get closed() {
      return closed;
    },
    enqueue,
    task,
    runTask,
    whole,
    refuse,
    refuseBytes,
    async close() {
      closed = true;
      answers.end(new EpochscopeError('cancelled', 'the engine was closed'));
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

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled();
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
