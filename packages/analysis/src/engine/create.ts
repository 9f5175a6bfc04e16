import { platform } from '#platform';
import { checkEngineOptions, checkThreads, type EngineOptions, MAX_THREADS } from './options.js';
import { engineOver } from './over.js';
import type { Engine } from './types.js';

let preset: number | undefined;

/**
 * Workers of engines whose maker does not say how many, for a whole program (`--threads`); undefined: what the
 * process may use. Throws `argument`.
 */
export function setDefaultThreads(threads: number | undefined): void {
  preset = threads === undefined ? undefined : checkThreads(threads);
}

/**
 * The kernels on workers: threads in Node, Web Workers in a page. They start with the first job and never keep a
 * process alive by themselves.
 */
export function createEngine(options: EngineOptions = {}): Engine {
  checkEngineOptions(options);
  const threads = checkThreads(options.threads ?? preset ?? Math.min(platform.threads(), MAX_THREADS));
  return engineOver(() => platform.spawnWorker(), {
    ...options,
    threads,
    shared: options.shared ?? platform.sharedMemory(),
  });
}
