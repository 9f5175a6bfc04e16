import { checked } from './arguments.js';
import { singleJobs } from './jobs.js';
import type { Member } from './member.js';
import { parallelJobs } from './parallel.js';
import { createPool, type PoolOptions } from './pool.js';
import type { Engine } from './types.js';

/** The engine over members made by `spawn`. Workers start with the first job. */
export function engineOver(spawn: () => Promise<Member>, options: PoolOptions): Engine {
  const pool = createPool(spawn, options);
  const { threads, shared, relaxed } = pool;
  const jobs = checked({ ...parallelJobs(pool), ...singleJobs(pool) });
  return { threads, shared, relaxed, ...jobs, close: () => pool.close() };
}
