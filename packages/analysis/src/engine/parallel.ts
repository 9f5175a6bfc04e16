import {
  EpochscopeError,
  formatBytes,
  guard,
  type Matrix,
  METRICS,
  type Metric,
} from '@epochscope/core-wasm';
import {
  checkCore,
  checkFinite,
  checkMatrix,
  checkPairwise,
  checkPointsLinkage,
  linkageFromPointsBytes,
  linkageShares,
  type PairwiseJob,
  pairwiseBytes,
  stopVatPoints,
  type VatPointsJob,
  type VatPointsPlan,
  vatPointsBytes,
} from '@epochscope/core-wasm/jobs';
import { type Alive, type Pool, throwIfAborted } from './pool.js';
import type { Engine, JobOptions } from './types.js';

/** A chunk of work after which progress is told and cancelling noticed: some 50 ms. */
const CHUNK_VALUES = 1e8;
/** VAT of so many is one message to one worker: preparing, running and finishing apart take longer than the work. */
const FEW_SAMPLES = 511;

/** Jobs that all workers share: matrix-free VAT, pairwise dissimilarities and what begins with them. */
export function parallelJobs(pool: Pool): Pick<Engine, 'vat' | 'lightEdges' | 'pairwise' | 'clusterPoints'> {
  return {
    async vat(x, options) {
      checkVat(x, options.metric);
      const [n] = x.shape;
      if (options.core && n > 1) checkCore(options.core, n);
      if (n < 2)
        return { order: new Uint32Array(n), weights: new Float32Array(0), parent: new Uint32Array(0) };
      return pool.enqueue(options, async (alive) => {
        const first = pool.members[0]!;
        if (n <= FEW_SAMPLES && n * n * x.shape[1] <= CHUNK_VALUES / 2) {
          refuseVat(pool, x, 1, options.core);
          options.onProgress?.(0, n);
          throwIfAborted(options.signal);
          const vat = await alive(first.kernels.vat(first.hand(x), options.metric, options.core));
          throwIfAborted(options.signal);
          options.onProgress?.(n, n);
          return vat;
        }
        const job = await vatJob(pool, alive, x, options);
        return alive(first.kernels.vatFinish(job!));
      });
    },
    async lightEdges(x, options) {
      checkVat(x, options.metric);
      if (x.shape[0] < 2)
        return {
          from: new Uint32Array(0),
          to: new Uint32Array(0),
          keys: new Float32Array(0),
          largest: 0,
          start: 0,
        };
      return pool.enqueue(options, async (alive) => {
        const job = await vatJob(pool, alive, x, options, options.plan);
        return job && alive(pool.members[0]!.kernels.vatEdges(job));
      });
    },
    async pairwise(x, { metric, other, condensed = false, ...options }) {
      checkPairwise(x, metric, other);
      guard(!(other && condensed), 'argument', 'condensed: only without other, whose result is no triangle');
      const [n, d] = x.shape;
      const m = other?.shape[0];
      const valuesOf = (k: number) => (condensed ? (k * (k - 1)) / 2 : k * (m ?? k));
      const workers = workersFor(pool, Math.ceil(n / 128) * Math.ceil((m ?? n) / 128) * (other ? 1 : 0.5));
      pool.refuse(
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
        return { data: await pool.task(options, 'pairwise', x, other ?? null, { metric, condensed }), shape };
      return pool.enqueue(options, async (alive) => {
        const first = pool.members[0]!;
        const job = await alive(
          first.kernels.pairwisePrepare(first.hand(x), metric, {
            other: other && first.hand(other),
            condensed,
            workers,
          }),
        );
        try {
          await squares(pool, alive, job, options);
          const data = sharedFloats(size);
          const part = Math.ceil(size / workers);
          await all(alive, workers, (worker) =>
            pool.members[worker]!.kernels.pairwiseCopy(
              job,
              data,
              part * worker,
              Math.min(part * (worker + 1), size),
            ),
          );
          throwIfAborted(options.signal);
          return { data, shape };
        } finally {
          if (!pool.closed) await alive(first.kernels.pairwiseRelease(job)).catch(() => {});
        }
      });
    },
    async clusterPoints(x, { signal, onProgress, ...options }) {
      checkPairwise(x, options.metric);
      checkPointsLinkage(x, options);
      const [n, d] = x.shape;
      const workers = workersFor(pool, Math.ceil(n / 128) ** 2 / 2);
      pool.refuse(
        `linkage of ${n}×${d} points`,
        n,
        (k) => linkageFromPointsBytes(k, d) + pairwiseBytes(k, d, { workers }) - pairwiseBytes(k, d),
        'cluster fewer points',
        // The upper triangle, kept for diameters, and the rows that are wanted.
        (k) =>
          linkageFromPointsBytes(k, d, options.diameters && options.method !== 'complete') -
          linkageFromPointsBytes(k, d) +
          4 * (options.rows?.length ?? 0) * k,
      );
      if (workers === 1) return pool.task({ signal, onProgress }, 'linkageFromPoints', x, options);
      return pool.enqueue({ signal }, async (alive) => {
        const first = pool.members[0]!;
        const { cost, total } = linkageShares(d);
        const job = await alive(first.kernels.pairwisePrepare(first.hand(x), options.metric, { workers }));
        try {
          const report = (done: number, all: number) => onProgress?.((cost * done) / all, total);
          await squares(pool, alive, job, { signal, onProgress: report });
          // A task tells 0 of 1 before it has begun.
          const later = (done: number, all: number) => all > 1 && done < all && onProgress?.(done, all);
          const tree = await pool.runTask(
            alive,
            { signal, onProgress: later },
            'linkageOfPairwise',
            job,
            options,
            d,
          );
          onProgress?.(total, total);
          return tree;
        } finally {
          if (!pool.closed) await alive(first.kernels.pairwiseRelease(job)).catch(() => {});
        }
      });
    },
  };
}

function checkVat(x: Matrix, metric: Metric): void {
  guard(
    METRICS.includes(metric),
    'argument',
    () => `metric: expected one of ${METRICS.join(', ')}, got ${metric}`,
  );
  checkMatrix(x, 'x');
  checkFinite(x, 'x');
}

/**
 * VAT of at least 2 points, run to its end but not finished. By a plan for the sake of its light edges: null, and
 * nothing is left, as soon
 * as these do not fit.
 */
async function vatJob(
  pool: Pool,
  alive: Alive,
  x: Matrix,
  { metric, core = 0, signal, onProgress }: JobOptions & { metric: Metric; core?: number },
  plan?: VatPointsPlan,
): Promise<VatPointsJob | null> {
  const [n, d] = x.shape;
  // A thread pays for itself only when it has points to go through.
  const workers = pool.shared ? Math.max(1, Math.min(pool.threads, Math.floor(n / 256))) : 1;
  refuseVat(pool, x, workers, core);
  const first = pool.members[0]!;
  const job = await alive(first.kernels.vatPrepare(first.hand(x), metric, workers, plan, core));
  const chunk = Math.max(1, Math.floor((CHUNK_VALUES * workers) / (n * Math.max(d, 16))));
  try {
    for (let state = 0; state === 0; ) {
      if (onProgress) onProgress(Math.floor(n * (await alive(first.kernels.vatDone(job)))), n);
      throwIfAborted(signal);
      [state] = (await alive(
        Promise.all(pool.members.slice(0, workers).map(({ kernels }, i) => kernels.vatRun(job, i, chunk))),
      )) as [number];
      if (plan && !(await alive(first.kernels.vatEdgesFit(job)))) {
        await alive(first.kernels.vatRelease(job));
        return null;
      }
    }
  } catch (cause) {
    // Workers that wait for a dead one must not wait for ever.
    if (pool.memory) stopVatPoints(pool.memory, job, 'abort');
    // No worker is running then, and the memory is kept for the next job.
    if (pool.whole(cause)) await alive(first.kernels.vatRelease(job));
    throw cause;
  }
  onProgress?.(n, n);
  return job;
}

function refuseVat(pool: Pool, { shape: [n, d] }: Matrix, workers: number, core = 0): void {
  pool.refuse(
    `VAT of ${n}×${d} points`,
    n,
    (k) => vatPointsBytes(k, d, workers, core),
    'analyse fewer dimensions',
  );
}

/** Throws `memory` where so many cannot be had. */
function sharedFloats(size: number): Float32Array {
  try {
    return new Float32Array(new SharedArrayBuffer(4 * size));
  } catch (cause) {
    throw new EpochscopeError(
      'memory',
      `pairwise needs ${formatBytes(4 * size)} more memory for its result, which cannot be had`,
      { needed: 4 * size },
      { cause },
    );
  }
}

/** A worker pays for itself only when it has squares of 128 × 128 results to go through. */
const workersFor = (pool: Pool, squares: number) =>
  pool.shared ? Math.max(1, Math.min(pool.threads, Math.floor(squares / 4))) : 1;

/**
 * Computes a pairwise job on its workers. Every worker fetches its next part when it is done with one: parts get
 * smaller towards the end.
 */
async function squares(
  pool: Pool,
  alive: Alive,
  job: PairwiseJob,
  { signal, onProgress }: JobOptions,
): Promise<void> {
  let next = 0;
  let done = 0;
  const most = Math.max(1, Math.floor((20 * CHUNK_VALUES) / job.work));
  await all(alive, job.workers, async (worker) => {
    while (next < job.squares) {
      throwIfAborted(signal);
      const from = next;
      next += Math.min(most, Math.max(1, Math.floor((job.squares - from) / (3 * job.workers))));
      const to = Math.min(next, job.squares);
      await pool.members[worker]!.kernels.pairwiseRun(job, worker, from, to);
      done += to - from;
      onProgress?.(done, job.squares);
    }
  });
}

/**
 * Runs a body for each of `workers`; rejects with the first failure, but only once every body has ended or a worker
 * is gone.
 */
async function all(alive: Alive, workers: number, body: (worker: number) => Promise<void>): Promise<void> {
  const ends = await alive(Promise.allSettled(Array.from({ length: workers }, (_, worker) => body(worker))));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
