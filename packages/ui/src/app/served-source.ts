import type { ResultBase } from '@epochscope/analysis/results';
import { HttpSource } from './http-source.js';
import type { Computing } from './jobs.js';
import { type ResultName, type RunInfo, resultId } from './source.js';
import type { WorkSource } from './work/client.js';

/** A picture of the newest snapshot is begun when pictures have not used more than this share of the time. */
const PICTURES_SHARE = 0.1;

/**
 * A server's runs that this page also computes on: it opens the files that the server hands out, and keeps the results itself. While a
 * run is trained, its last layer is drawn as snapshots arrive, unless the server has a result of its own.
 */
export class ServedSource extends HttpSource {
  /** Runs as the run worker has them opened, by key. */
  private readonly opened = new Map<string, Promise<WorkSource>>();
  private readonly watchers = new Set<(key: string) => void>();
  /** Results of this page: run and id → where the worker keeps it. */
  private readonly own = new Map<string, ResultName>();
  private count = 0;
  private readonly drawing = new Map<string, { busy: boolean; snapshots: number; until: number }>();

  readonly computing: Computing = {
    workers: 'in this page',
    keeps: 'this page, to be saved as a zip',
    volatile: true,
    plan: async (key, workflow, options) => {
      const source = await this.inWorker(key);
      return source.computing.plan(source.opened.name, workflow, options);
    },
    compute: async (key, workflow, options, how) => {
      const source = await this.inWorker(key);
      const name = await source.computing.compute(source.opened.name, workflow, options, how);
      await this.take(key, source);
      return name;
    },
    samplesOf: async (file, shape) =>
      (await import('./work/client.js')).runWorker().call('samplesOf', { file, shape }),
    zip: async (key) => {
      const source = await this.inWorker(key);
      return source.computing.zip(source.opened.name);
    },
  };

  private inWorker(key: string): Promise<WorkSource> {
    let found = this.opened.get(key);
    if (!found) {
      found = import('./work/client.js').then(
        ({ openGiven }) =>
          openGiven({ kind: 'url', url: this.filesOf(key), live: true }) as Promise<WorkSource>,
      );
      found.catch(() => this.opened.delete(key));
      this.opened.set(key, found);
    }
    return found;
  }
  /** What the worker has computed, under versions of this page. */
  private async take(key: string, source: WorkSource): Promise<void> {
    const { results } = await source.run(source.opened.name);
    for (const one of results)
      if (one.version !== '0')
        this.own.set(`${key}\n${resultId(one)}`, { ...one, version: `page ${this.count}-${one.version}` });
    this.count++;
  }

  override async run(key: string): Promise<RunInfo> {
    const info = await super.run(key);
    void this.follow(info);
    const own = [...this.own].filter(([place]) => place.startsWith(`${key}\n`)).map(([, name]) => name);
    const theirs = info.results.filter((one) => !this.own.has(`${key}\n${resultId(one)}`));
    return { ...info, results: [...theirs, ...own] };
  }
  override async result(key: string, name: ResultName): Promise<ResultBase> {
    if (!name.version.startsWith('page')) return super.result(key, name);
    const source = await this.inWorker(key);
    return source.result(source.opened.name, name);
  }
  override watch(key: string, changed: () => void): () => void {
    const watcher = (one: string) => one === key && changed();
    this.watchers.add(watcher);
    const stop = super.watch(key, changed);
    return () => {
      this.watchers.delete(watcher);
      stop();
    };
  }
  changed(key: string): void {
    for (const watcher of this.watchers) watcher(key);
  }

  /** Draws what has come since, of a run that grows. */
  private async follow({ key, manifest, results }: RunInfo): Promise<void> {
    const count = manifest?.snapshots.length ?? 0;
    const place = this.drawing.get(key) ?? { busy: false, snapshots: 0, until: 0 };
    const whole = manifest?.complete !== false;
    // A run that was whole when it was first seen is left to the person.
    if (
      !manifest ||
      !count ||
      results.some(({ method }) => method === 'tendency') ||
      (whole && !place.snapshots)
    )
      return;
    this.drawing.set(key, place);
    if (place.busy || count === place.snapshots) return;
    place.busy = true;
    try {
      const wait = place.until - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const begun = performance.now();
      const how = { signal: new AbortController().signal, onProgress: () => {}, onNote: () => {} };
      const layer = manifest.layers.at(-1)!.name;
      // Stability, which takes most of the time, when training is over.
      await this.computing.compute(
        key,
        'tendency',
        { layers: [layer], vatSide: 0, ...(whole ? {} : { stabilitySubsets: 0 }) },
        how,
      );
      const took = performance.now() - begun;
      place.until = performance.now() + took * (1 / PICTURES_SHARE - 1);
      place.snapshots = count;
    } catch {
      // The panel says why when a person asks for it.
      place.snapshots = count;
    } finally {
      place.busy = false;
    }
    this.changed(key);
  }
}
