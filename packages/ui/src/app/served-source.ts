import type { ResultBase } from '@epochscope/analysis/results';
import { HttpSource } from './http-source.js';
import type { Computing } from './jobs.js';
import { type ResultName, type RunInfo, resultId } from './source.js';
import type { WorkSource } from './work/client.js';
import { PICTURES_SHARE } from './work/types.js';

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
  private readonly drawing = new Map<string, Drawing>();

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

  /** Draws what has come since, of a run that grows; one picture at a time, of the newest. */
  private async follow(info: RunInfo): Promise<void> {
    const { key, manifest, results } = info;
    const place = this.drawing.get(key) ?? { busy: false, drawn: '', until: 0, info };
    place.info = info;
    // A run that was whole when it was first seen is left to the person.
    const left = manifest?.complete !== false && !place.drawn;
    if (!manifest?.snapshots.length || left || results.some(({ method }) => method === 'tendency')) return;
    this.drawing.set(key, place);
    if (place.busy) return;
    place.busy = true;
    while (stateOf(place.info) !== place.drawn) {
      // The last picture need not wait: training is over.
      while (!isWhole(place.info) && performance.now() < place.until)
        await new Promise((resolve) => setTimeout(resolve, 200));
      await this.draw(key, place);
    }
    place.busy = false;
  }
  private async draw(key: string, place: Drawing): Promise<void> {
    const { info } = place;
    const begun = performance.now();
    place.drawn = stateOf(info);
    const how = { signal: new AbortController().signal, onProgress: () => {}, onNote: () => {} };
    const layers = [info.manifest!.layers.at(-1)!.name];
    // Stability, which takes most of the time, when training is over.
    const rest = isWhole(info) ? {} : { stabilitySubsets: 0 };
    // Where it fails, the panel says why when a person asks for it.
    await this.computing.compute(key, 'tendency', { layers, vatSide: 0, ...rest }, how).catch(() => null);
    const took = performance.now() - begun;
    place.until = performance.now() + took * (1 / PICTURES_SHARE - 1);
    this.changed(key);
  }
}

interface Drawing {
  busy: boolean;
  /** The state of the run that was drawn last. */
  drawn: string;
  until: number;
  info: RunInfo;
}
const isWhole = ({ manifest }: RunInfo) => manifest?.complete !== false;
const stateOf = (info: RunInfo) => `${info.manifest?.snapshots.length} ${isWhole(info)}`;
