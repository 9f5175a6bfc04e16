import type { TendencyResult } from '@epochscope/analysis/results';
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { OverviewCell } from '../elements/es-run-overview/index.js';
import { coverageOf } from './coverage.js';
import { snapshotsOf } from './shown.js';
import { type RunEntry, type RunInfo, type RunSource, resultId } from './source.js';
import type { Store } from './state.js';

/** What has been loaded. */
interface Loaded {
  /** Null until the source has answered. */
  entries: readonly RunEntry[] | null;
  info: RunInfo | null;
  /** The run compared with. */
  other: RunInfo | { problem: string } | null;
  cells: readonly OverviewCell[];
  /** Pictures of the samples, once one is chosen. */
  pictures: { run: string; samples: TendencyResult['samples'] } | null;
  problem: string;
}

const NOTHING: Loaded = { entries: null, info: null, other: null, cells: [], pictures: null, problem: '' };

/** Loads what the page's state asks for from a source of runs, follows a run that changes, and draws its host again. */
export class Loader implements ReactiveController {
  private loaded = NOTHING;
  private source: RunSource | null = null;
  /** Whether the host is in a page: nothing is watched while it is not. */
  private connected = false;
  private unwatch: (() => void) | null = null;
  /** Key of the run that is loaded or loading. */
  private watched: string | null = null;
  /** Outlines read, by run, result and version. */
  private readonly covered = new Map<string, OverviewCell[]>();

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly store: Store,
  ) {
    host.addController(this);
    store.addEventListener('change', () => void this.follow());
  }

  get entries(): readonly RunEntry[] {
    return this.loaded.entries ?? [];
  }
  /** Whether the source has told which runs it has. */
  get answered(): boolean {
    return this.loaded.entries !== null;
  }
  get info() {
    return this.loaded.info;
  }
  get other() {
    return this.loaded.other;
  }
  get cells() {
    return this.loaded.cells;
  }
  get pictures() {
    return this.loaded.pictures;
  }
  get problem() {
    return this.loaded.problem;
  }
  private set(change: Partial<Loaded>): void {
    this.loaded = { ...this.loaded, ...change };
    this.host.requestUpdate();
  }

  hostConnected(): void {
    this.connected = true;
    // Taken out of the page and put back: what changed meanwhile is not known.
    void this.follow();
  }
  hostDisconnected(): void {
    this.connected = false;
    this.forget();
  }
  private forget(): void {
    this.unwatch?.();
    this.unwatch = null;
    this.watched = null;
  }

  /** Begins with a source, or once more with the same after it failed. */
  async open(source: RunSource): Promise<void> {
    this.forget();
    if (source !== this.source) {
      this.covered.clear();
      this.set(NOTHING);
    }
    this.source = source;
    this.set({ problem: '' });
    try {
      const entries = await source.runs();
      if (this.source !== source) return;
      this.set({ entries });
      await this.follow();
    } catch (error) {
      if (this.source === source) this.set({ problem: (error as Error).message });
    }
  }

  /** The run that is looked at: the one the state names, or the first. */
  get key(): string | null {
    const wanted = this.store.state.run;
    return (this.entries.find(({ key }) => key === wanted) ?? this.entries[0])?.key ?? null;
  }

  /** Loads what the state asks for and is not there. */
  private async follow(): Promise<void> {
    const { source, key } = this;
    if (!this.connected || !source || key === null) return;
    if (this.watched !== key) {
      this.forget();
      this.watched = key;
      if (this.info?.key !== key) this.set({ info: null, cells: [] });
      this.unwatch = source.watch?.(key, () => void this.load(source, key)) ?? null;
      await this.load(source, key);
    }
    const { versus, selection } = this.store.state;
    if (typeof selection.sample === 'number') void this.loadPictures();
    await this.loadOther(source, versus?.kind === 'run' ? versus.value : null);
  }

  private async loadOther(source: RunSource, wanted: string | null): Promise<void> {
    const { other } = this;
    if (wanted === null) {
      if (other) this.set({ other: null });
      return;
    }
    if (other && 'key' in other && other.key === wanted) return;
    const found = await source.run(wanted).catch((error: Error) => ({ problem: error.message }));
    const { versus } = this.store.state;
    if (this.source === source && versus?.kind === 'run' && versus.value === wanted)
      this.set({ other: found });
  }

  /** From the first tendency result, which holds them. Without one the sample is only named. */
  private async loadPictures(): Promise<void> {
    const { info, source } = this;
    const name = info?.results.find(({ method }) => method === 'tendency');
    if (!info || !source || !name || this.pictures?.run === info.key) return;
    const result = await source.result(info.key, name).catch(() => null);
    if (result && this.source === source && this.info?.key === info.key)
      this.set({ pictures: { run: info.key, samples: (result as TendencyResult).samples } });
  }

  private async load(source: RunSource, key: string): Promise<void> {
    const wanted = () => this.source === source && this.key === key;
    try {
      const info = await source.run(key);
      if (!wanted()) return;
      // While training goes on, whoever looks at the newest snapshot keeps looking at the newest.
      const newest = this.info?.manifest?.snapshots.at(-1)?.id;
      const latest = info.manifest?.snapshots.at(-1)?.id;
      this.set({ info, problem: '' });
      if (newest && latest && newest !== latest && this.store.state.selection.snapshot === newest)
        this.store.select({ snapshot: latest });
      this.chooseLast(info, this.cells);
      if (typeof this.store.state.selection.sample === 'number') void this.loadPictures();
      await this.cover(source, info);
    } catch (error) {
      if (wanted()) this.set({ problem: (error as Error).message });
    }
  }

  /** What each result covers, one after another so that a page with many stays answerable. */
  private async cover(source: RunSource, info: RunInfo): Promise<void> {
    const cells: OverviewCell[] = [];
    for (const name of info.results) {
      const place = `${info.key}\n${resultId(name)}\n${name.version}`;
      let found = this.covered.get(place);
      if (!found) {
        await new Promise((resolve) => setTimeout(resolve));
        try {
          found = coverageOf(await source.outline(info.key, name)).map((cell) => ({
            ...cell,
            method: name.method,
          }));
        } catch {
          // Its panel says what is wrong with it.
          continue;
        }
        if (this.source !== source) return;
        this.covered.set(place, found);
      }
      cells.push(...found);
    }
    if (this.info !== info) return;
    this.set({ cells });
    this.chooseLast(info, cells);
  }

  /** Where no snapshot is chosen, the last is. */
  private chooseLast({ manifest }: RunInfo, cells: readonly OverviewCell[]): void {
    const last = snapshotsOf(manifest, cells).at(-1);
    if (last && this.store.state.selection.snapshot === undefined) this.store.select({ snapshot: last.id });
  }
}
