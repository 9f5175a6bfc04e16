import type {
  LocateResult,
  ModulesResult,
  SeriesCheckResult,
  TendencyResult,
} from '@epochscope/analysis/results';
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { Panels } from './model.js';
import type { UnitModule } from './page.js';
import { type ResultName, type RunEntry, type RunInfo, type RunSource, resultId } from './source.js';
import type { Store } from './state.js';

/** What has been loaded. */
interface Loaded {
  /** Null until the source has answered. */
  entries: readonly RunEntry[] | null;
  info: RunInfo | null;
  /** The run compared with. */
  other: RunInfo | { problem: string } | null;
  /** The cluster tendency that strip, dock and story are drawn from; `problem` where it could not be read. */
  tendency: { place: string; panels: Panels | null; problem: string } | null;
  /** What the check of the series found, for the dock to mark. */
  check: { place: string; result: SeriesCheckResult | null } | null;
  /** Where a new sample stands; null while it loads. */
  located: { place: string; result: LocateResult | null } | null;
  /** Modules of units, once a unit is followed. */
  modules: { place: string; result: ModulesResult | null } | null;
  problem: string;
}

const NOTHING: Loaded = {
  entries: null,
  info: null,
  other: null,
  tendency: null,
  check: null,
  located: null,
  modules: null,
  problem: '',
};

/** Names a state of a result. */
const placeOf = ({ key }: RunInfo, name: ResultName): string => `${key}\n${resultId(name)}\n${name.version}`;

/** Loads what the page's state asks for from a source of runs, follows a run that changes, and draws its host again. */
export class Loader implements ReactiveController {
  private loaded = NOTHING;
  private source: RunSource | null = null;
  /** Whether the host is in a page: nothing is watched while it is not. */
  private connected = false;
  private unwatch: (() => void) | null = null;
  /** Key of the run that is loaded or loading. */
  private watched: string | null = null;

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
  get tendency() {
    return this.loaded.tendency;
  }
  get check() {
    return this.loaded.check?.result ?? null;
  }
  get located() {
    return this.loaded.located?.result ?? null;
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
    if (source !== this.source) this.set(NOTHING);
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

  /** The run that is looked at: the one the state names, or the first that can be read. */
  get key(): string | null {
    const wanted = this.store.state.run;
    const { entries } = this;
    const found = entries.find(({ key }) => key === wanted) ?? entries.find(({ problem }) => !problem);
    return (found ?? entries[0])?.key ?? null;
  }

  /** Asks the run's source again: a result was written. */
  async reload(): Promise<void> {
    const { source, key } = this;
    if (source && key !== null) await this.load(source, key);
  }

  /** Loads what the state asks for and is not there. */
  private async follow(): Promise<void> {
    const { source, key } = this;
    if (!this.connected || !source || key === null) return;
    if (this.watched !== key) {
      this.forget();
      this.watched = key;
      if (this.info?.key !== key) this.set({ info: null, tendency: null });
      this.unwatch = source.watch?.(key, () => void this.load(source, key)) ?? null;
      await this.load(source, key);
    } else if (this.info?.key === key) {
      void this.loadTendency(source, this.info);
      void this.loadLocated(source, this.info);
      void this.loadModules(source, this.info);
    }
    const { versus } = this.store.state;
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

  /** The result that pictures are taken from: the one the tab names, else "default", else the first. */
  tendencyName(info: RunInfo): ResultName | null {
    const all = info.results.filter(({ method }) => method === 'tendency');
    const [tab, name] = this.store.state.tab.split('/');
    return (
      (tab === 'clusters' && all.find((one) => one.name === name)) ||
      all.find((one) => one.name === 'default') ||
      all[0] ||
      null
    );
  }

  private async loadTendency(source: RunSource, info: RunInfo): Promise<void> {
    const name = this.tendencyName(info);
    if (!name) {
      if (this.tendency) this.set({ tendency: null });
      return;
    }
    const place = placeOf(info, name);
    if (this.tendency?.place === place) return;
    const before = this.tendency?.place.startsWith(`${info.key}\n${resultId(name)}\n`)
      ? this.tendency.panels
      : null;
    // A newer version takes the place of an older one once it is there.
    this.set({ tendency: { place, panels: before, problem: '' } });
    const here = () => this.source === source && this.tendency?.place === place;
    try {
      const result = (await source.result(info.key, name)) as TendencyResult;
      if (here()) this.set({ tendency: { place, panels: new Panels(result), problem: '' } });
    } catch (error) {
      if (here()) this.set({ tendency: { place, panels: null, problem: (error as Error).message } });
    }
  }

  private async loadCheck(source: RunSource, info: RunInfo): Promise<void> {
    const name = info.results.find(({ method }) => method === 'check');
    const place = name ? placeOf(info, name) : null;
    if (place === (this.loaded.check?.place ?? null)) return;
    this.set({ check: place === null ? null : { place, result: null } });
    if (!name) return;
    // A check that cannot be read is told in its own tab.
    const result = (await source.result(info.key, name).catch(() => null)) as SeriesCheckResult | null;
    if (this.source === source && this.loaded.check?.place === place)
      this.set({ check: { place: place!, result } });
  }

  private async loadLocated(source: RunSource, info: RunInfo): Promise<void> {
    const wanted = this.store.state.located;
    const name = info.results.find((one) => one.method === 'locate' && one.name === wanted);
    if (!name) {
      if (this.loaded.located) this.set({ located: null });
      return;
    }
    await this.loadBeside('located', source, info, name);
  }

  /** The modules that hold a unit, for whoever follows it. */
  private async loadModules(source: RunSource, info: RunInfo): Promise<void> {
    const all = info.results.filter(({ method }) => method === 'modules');
    const name = all.find((one) => one.name === 'default') ?? all[0];
    if (!name || typeof this.store.state.selection.unit !== 'number') return;
    await this.loadBeside('modules', source, info, name);
  }
  /** A result that others draw from; what cannot be read is told in its own tab. */
  private async loadBeside(
    kind: 'located' | 'modules',
    source: RunSource,
    info: RunInfo,
    name: ResultName,
  ): Promise<void> {
    const place = placeOf(info, name);
    if (this.loaded[kind]?.place === place) return;
    this.set({ [kind]: { place, result: null } });
    const result = await source.result(info.key, name).catch(() => null);
    if (this.source === source && this.loaded[kind]?.place === place) this.set({ [kind]: { place, result } });
  }
  /** Module of a unit at each snapshot; null where none are known, or of other layers. */
  modulesOf(layer: string, unit: number): ReadonlyMap<string, UnitModule> | null {
    const result = this.loaded.modules?.result;
    const own = result?.units.layers.find(({ name }) => name === layer);
    if (!result || !own || unit >= own.count) return null;
    const number = own.first + unit;
    return new Map(
      result.snapshots.map(({ snapshot, kept, labels, clusters, removed }) => {
        const cluster = labels[kept.indexOf(number)] ?? null;
        const found = cluster === null ? null : clusters[cluster]!;
        const reason = removed.find(({ units }) => units.includes(number))?.reason ?? '';
        return [snapshot.id, { cluster, size: found?.size ?? 0, track: found?.track ?? null, reason }];
      }),
    );
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
        this.store.select({ snapshot: latest }, 'replace');
      void this.loadLocated(source, info);
      void this.loadModules(source, info);
      await Promise.all([this.loadTendency(source, info), this.loadCheck(source, info)]);
    } catch (error) {
      if (wanted()) this.set({ problem: (error as Error).message });
    }
  }
}
