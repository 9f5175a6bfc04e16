import { guard } from '@epochscope/core-wasm';
import type { ColumnBlocks, Engine, LinearOperator } from './types.js';

type Job = Exclude<keyof Engine, 'threads' | 'shared' | 'relaxed' | 'close'>;

/** Where the options of each job stand among its arguments, and what must be in them. */
const OPTIONS: Record<Job, readonly [at: number, needed?: string]> = {
  vat: [1, 'metric'],
  lightEdges: [1, 'metric and plan'],
  pairwise: [1, 'metric'],
  vatFromMatrix: [1],
  vatImage: [2, 'metric'],
  linkage: [1],
  clusterPoints: [1, 'metric'],
  correlation: [2],
  correlationOfBlocks: [1],
  labelRegions: [2, 'neighbours'],
  truncatedSvd: [1, 'k'],
  truncatedSvdOperator: [1, 'k'],
};

/** The jobs, each with a look at its options first: what callers without types get wrong rejects with `argument`. */
export function checked(jobs: Pick<Engine, Job>): Pick<Engine, Job> {
  const all = jobs as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const out: typeof all = {};
  for (const [name, [at, needed]] of Object.entries(OPTIONS))
    out[name] = async (...args) => {
      checkJob(args[at], needed);
      return all[name]!(...args);
    };
  return out as unknown as Pick<Engine, Job>;
}

function checkJob(options: unknown, needed?: string): void {
  if (options === undefined && !needed) return;
  guard(
    typeof options === 'object' && options !== null,
    'argument',
    () => `options: expected an object${needed ? ` with ${needed}` : ''}, got ${options}`,
  );
  const { signal, onProgress } = options as { signal?: AbortSignal; onProgress?: unknown };
  guard(
    signal === undefined ||
      (typeof signal?.aborted === 'boolean' && typeof signal.addEventListener === 'function'),
    'argument',
    () => `signal: expected an AbortSignal, got ${signal}`,
  );
  guard(
    onProgress === undefined || typeof onProgress === 'function',
    'argument',
    () => `onProgress: expected a function, got ${onProgress}`,
  );
}

/** Throws `argument` unless `source` has blocks to read. */
export function checkSource(source: ColumnBlocks): void {
  guard(
    typeof source?.blocks === 'function',
    'argument',
    () => `source: expected { units, inputs, samples, blocks }, got ${source}`,
  );
  guard(
    Number.isSafeInteger(source.samples) && source.samples >= 0,
    'argument',
    () => `source: expected samples to be a whole number ≥ 0, got ${source.samples}`,
  );
}

/** What `source.blocks()` gave, if it can be gone through. Throws `argument`. */
export function checkBlocks(blocks: ReturnType<ColumnBlocks['blocks']>): ReturnType<ColumnBlocks['blocks']> {
  const { [Symbol.iterator]: now, [Symbol.asyncIterator]: later } = Object(blocks);
  guard(
    typeof now === 'function' || typeof later === 'function',
    'argument',
    () => `source: expected blocks() to give an iterable, got ${blocks}`,
  );
  return blocks;
}

/** Throws `argument` unless a block is a pair; what the pair holds is the kernel's to check. */
export function checkPair(block: unknown): void {
  guard(
    Array.isArray(block) && block.length === 2,
    'argument',
    () => `source: expected blocks [x, y], got ${Array.isArray(block) ? `${block.length} of them` : block}`,
  );
}

/** Throws `argument` unless a map says its size. */
export function checkMap(operator: LinearOperator): void {
  guard(
    Array.isArray(operator?.shape) && operator.shape.length === 2,
    'argument',
    () => `operator: expected { shape: [rows, columns], forward, adjoint }, got ${operator}`,
  );
}
