import type { RunManifest } from '@epochscope/analysis';
import type { TendencyResult } from '@epochscope/analysis/results';
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import type { OverviewCell, OverviewData } from '../elements/es-run-overview/index.js';
import type { TimelineSnapshot } from '../elements/es-timeline/index.js';
import { state } from '../figure/index.js';
import type { Selection } from '../selection.js';
import { snapshotTitle } from '../styles.js';
import { coverageOf } from './coverage.js';
import styles from './dashboard-styles.js';
import type { Side } from './es-result-panel.js';
import { factsOf } from './facts.js';
import { type ResultName, type RunEntry, type RunInfo, type RunSource, resultId } from './source.js';
import { bindHash, Store } from './state.js';

/**
 * The whole page over a source of runs: overview, one slider for every panel, one selection, comparison of two snapshots
 * or two runs, filters; all of it in the address bar.
 */
export class EsDashboard extends LitElement {
  static override styles = styles;
  static override properties = {
    source: { attribute: false },
    entries: { state: true },
    info: { state: true },
    other: { state: true },
    cells: { state: true },
    pictures: { state: true },
    problem: { state: true },
    tick: { state: true },
  };
  declare source: RunSource | null;
  readonly store = new Store();
  declare private entries: readonly RunEntry[];
  declare private info: RunInfo | null;
  /** The run compared with. */
  declare private other: RunInfo | { problem: string } | null;
  declare private cells: readonly OverviewCell[];
  /** Pictures of the samples, once one is chosen. */
  declare private pictures: { run: string; samples: TendencyResult['samples'] } | null;
  declare private problem: string;
  declare private tick: number;
  private unbind: (() => void) | null = null;
  private unwatch: (() => void) | null = null;
  /** Key of the run that is loaded or loading. */
  private watched: string | null = null;
  /** Outlines read, by run, result and version. */
  private readonly covered = new Map<string, OverviewCell[]>();

  constructor() {
    super();
    this.source = null;
    this.entries = [];
    this.info = null;
    this.other = null;
    this.cells = [];
    this.pictures = null;
    this.problem = '';
    this.tick = 0;
    this.store.addEventListener('change', () => {
      this.tick++;
      void this.follow();
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.unbind = bindHash(this.store);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.unbind?.();
    this.unwatch?.();
    this.watched = null;
  }
  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('source') && this.source) void this.open(this.source);
  }

  private async open(source: RunSource): Promise<void> {
    this.problem = '';
    try {
      this.entries = await source.runs();
      await this.follow();
    } catch (error) {
      this.problem = (error as Error).message;
    }
  }

  private get key(): string | null {
    const wanted = this.store.state.run;
    return (this.entries.find(({ key }) => key === wanted) ?? this.entries[0])?.key ?? null;
  }

  /** Loads what the state asks for and is not there. */
  private async follow(): Promise<void> {
    const { source, key } = this;
    if (!source || key === null) return;
    if (this.watched !== key) {
      this.watched = key;
      this.unwatch?.();
      this.info = null;
      this.cells = [];
      this.unwatch = source.watch?.(key, () => void this.load(key)) ?? null;
      await this.load(key);
    }
    const { versus, selection } = this.store.state;
    if (typeof selection.sample === 'number') void this.loadPictures();
    const wanted = versus?.kind === 'run' ? versus.value : null;
    if (wanted === null) this.other = null;
    else if (!this.other || !('key' in this.other) || this.other.key !== wanted) {
      try {
        const other = await source.run(wanted);
        if (this.store.state.versus?.value === wanted) this.other = other;
      } catch (error) {
        this.other = { problem: (error as Error).message };
      }
    }
  }

  /** From the first tendency result, which holds them. Without one the sample is only named. */
  private async loadPictures(): Promise<void> {
    const { info, source } = this;
    const name = info?.results.find(({ method }) => method === 'tendency');
    if (!info || !source || !name || this.pictures?.run === info.key) return;
    const result = await source.result(info.key, name).catch(() => null);
    if (result && this.info?.key === info.key)
      this.pictures = { run: info.key, samples: (result as TendencyResult).samples };
  }

  private async load(key: string): Promise<void> {
    try {
      const info = await this.source!.run(key);
      if (this.key !== key) return;
      // While training goes on, whoever looks at the newest snapshot keeps looking at the newest.
      const newest = this.info?.manifest?.snapshots.at(-1)?.id;
      const latest = info.manifest?.snapshots.at(-1)?.id;
      this.info = info;
      this.problem = '';
      if (newest && latest && newest !== latest && this.store.state.selection.snapshot === newest)
        this.store.select({ snapshot: latest });
      const snapshots = snapshotsOf(info.manifest, this.cells);
      if (this.store.state.selection.snapshot === undefined && snapshots.length)
        this.store.select({ snapshot: snapshots[snapshots.length - 1]!.id });
      if (typeof this.store.state.selection.sample === 'number') void this.loadPictures();
      await this.cover(info);
    } catch (error) {
      this.problem = (error as Error).message;
    }
  }

  /** What each result covers, one after another so that a page with many stays answerable. */
  private async cover(info: RunInfo): Promise<void> {
    const cells: OverviewCell[] = [];
    for (const name of info.results) {
      const place = `${info.key}\n${resultId(name)}\n${name.version}`;
      let found = this.covered.get(place);
      if (!found) {
        await new Promise((resolve) => setTimeout(resolve));
        try {
          found = coverageOf(await this.source!.outline(info.key, name)).map((cell) => ({
            ...cell,
            method: name.method,
          }));
        } catch {
          // Its panel says what is wrong with it.
          continue;
        }
        this.covered.set(place, found);
      }
      cells.push(...found);
    }
    if (this.info !== info) return;
    this.cells = cells;
    const last = snapshotsOf(info.manifest, cells).at(-1);
    if (this.store.state.selection.snapshot === undefined && last) this.store.select({ snapshot: last.id });
  }

  private onSelect = (event: Event) => {
    const { detail } = event as CustomEvent<Selection>;
    if (typeof detail === 'object' && detail !== null) this.store.select(detail);
  };

  override render(): TemplateResult {
    if (this.problem)
      return html`<div class="page">${state(this.problem, 'alert')}<button type="button" @click=${() => this.source && this.open(this.source)}>Try again</button></div>`;
    if (!this.source || (!this.entries.length && !this.info))
      return html`<div class="page">${state(this.source ? 'Loading…' : 'No source', this.source ? 'busy' : '')}</div>`;
    const { info } = this;
    if (!info) return html`<div class="page">${this.bar(null)}${state('Loading…', 'busy')}</div>`;
    const snapshots = snapshotsOf(info.manifest, this.cells);
    return html`<div class="page" @es-select=${this.onSelect}>
      ${this.bar(snapshots)}
      ${info.warnings.length ? html`<p class="warning" role="status">${info.warnings.slice(0, 5).join(' ')}${info.warnings.length > 5 ? ` And ${info.warnings.length - 5} more.` : ''}</p>` : nothing}
      ${this.overview(info, snapshots)}
      ${this.weights(info)}
      ${this.panels(info, snapshots)}
    </div>`;
  }

  /** Sticky: which run, the slider, what is chosen, what it is compared with. */
  private bar(snapshots: readonly TimelineSnapshot[] | null): TemplateResult {
    const { selection, versus } = this.store.state;
    const others = this.entries.filter(({ key, problem }) => key !== this.key && !problem);
    return html`<div class="bar">
      <div class="line">
        ${
          this.entries.length > 1
            ? html`<label>Run <select @change=${(e: Event) => this.store.set({ run: chosen(e), selection: {}, versus: null })}>
              ${this.entries.map(({ key, title, problem }) => html`<option value=${key} ?selected=${key === this.key} ?disabled=${!!problem} title=${problem ?? ''}>${title}${problem ? ' (cannot be read)' : ''}</option>`)}
            </select></label>`
            : nothing
        }
        <es-timeline class="slider" ?loading=${!snapshots} .data=${snapshots} .selection=${selection}></es-timeline>
        <label>Compare with <select @change=${(e: Event) => this.compare(chosen(e))}>
          <option value="" ?selected=${!versus}>nothing</option>
          ${guard([snapshots, versus?.value], () => html`<optgroup label="Snapshot">${offered(snapshots ?? [], versus?.value).map((snapshot) => html`<option value="snapshot:${snapshot.id}" ?selected=${versus?.kind === 'snapshot' && versus.value === snapshot.id}>${snapshotTitle(snapshot)}</option>`)}</optgroup>`)}
          ${others.length ? html`<optgroup label="Run">${others.map(({ key, title }) => html`<option value="run:${key}" ?selected=${versus?.kind === 'run' && versus.value === key}>${title}</option>`)}</optgroup>` : nothing}
        </select></label>
      </div>
      ${this.chips(selection)}
    </div>`;
  }
  private compare(value: string): void {
    const at = value.indexOf(':');
    this.store.set({
      versus: at < 0 ? null : { kind: value.slice(0, at) as 'snapshot' | 'run', value: value.slice(at + 1) },
    });
  }

  private chips(selection: Selection): TemplateResult {
    const classes = this.info?.manifest?.classes;
    const chips: [keyof Selection, string][] = [];
    if (selection.layer) chips.push(['layer', `layer ${selection.layer}`]);
    if (typeof selection.class === 'number')
      chips.push(['class', `class ${classes?.[selection.class] ?? selection.class}`]);
    if (typeof selection.sample === 'number') chips.push(['sample', `sample ${selection.sample}`]);
    if (typeof selection.unit === 'number') chips.push(['unit', `unit ${selection.unit}`]);
    const { sample } = selection;
    const samples = this.pictures?.run === this.info?.key ? this.pictures?.samples : null;
    const picture =
      typeof sample === 'number' && samples?.images && sample < samples.count
        ? html`<es-sample-gallery still .data=${samples} .samples=${[sample]}></es-sample-gallery>`
        : nothing;
    const shown = (this.info?.results ?? []).filter(
      ({ method }) => !this.store.state.hidden.includes(method),
    );
    const jumps = [...shown]
      .sort((a, b) => placeOf(a.method) - placeOf(b.method))
      .map(
        (result) =>
          html`<button type="button" class="jump" @click=${() => this.jump(result)}>${result.method}${result.name === 'default' ? '' : ` ${result.name}`}</button>`,
      );
    return html`<div class="chips" role="group" aria-label="Chosen">
      ${chips.length ? chips.map(([field, text]) => html`<button type="button" class="chip" aria-label="${text}: choose none" @click=${() => this.store.select({ [field]: null })}>${text} <span aria-hidden="true">×</span></button>`) : html`<span class="quiet">Choose a layer, class, sample or unit in any picture: it is shown in all.</span>`}${picture}
      ${shown.length > 1 ? html`<nav aria-label="Results">${jumps}</nav>` : nothing}
    </div>`;
  }

  private jump(result: ResultName): void {
    const panel = this.renderRoot.querySelector<HTMLElement>(
      `es-result-panel[data-result="${CSS.escape(resultId(result))}"]`,
    );
    panel?.scrollIntoView();
    panel?.focus();
  }

  private overview(info: RunInfo, snapshots: readonly TimelineSnapshot[]): TemplateResult {
    const { hidden, find, selection } = this.store.state;
    const methods = [...new Set(info.results.map(({ method }) => method))].sort();
    const needle = find.toLowerCase();
    const layers = layersOf(info.manifest, this.cells).filter((name) => name.toLowerCase().includes(needle));
    const shown = methods.filter((method) => !hidden.includes(method));
    const data: OverviewData = {
      layers,
      snapshots,
      methods,
      cells: this.cells.filter(({ layer, method }) => layers.includes(layer) && shown.includes(method)),
    };
    const metrics = info.manifest?.snapshots ?? [];
    const hasMetrics = metrics.some((snapshot) => Object.keys(snapshot.metrics).length);
    return html`<section aria-labelledby="overview">
      <h2 id="overview">Run</h2>
      ${info.manifest ? factsOf(info.manifest) : nothing}
      <div class="split">
        ${hasMetrics ? html`<div><h3>Training</h3><es-metrics .data=${metrics} .selection=${selection}></es-metrics></div>` : nothing}
        <div>
          <h3>Analysed: layers × snapshots</h3>
          <div class="filters">
            <label>Layers <input type="search" placeholder="all" .value=${find} @input=${(e: Event) => this.store.set({ find: chosen(e) })} /></label>
            ${methods.map((method) => html`<label><input type="checkbox" .checked=${!hidden.includes(method)} @change=${() => this.store.set({ hidden: hidden.includes(method) ? hidden.filter((one) => one !== method) : [...hidden, method] })} /> ${method}</label>`)}
          </div>
          <es-run-overview .data=${data} .selection=${selection}></es-run-overview>
        </div>
      </div>
    </section>`;
  }

  /** The change from the snapshot compared with, or the first, to the one on the slider; where the source has weights. */
  private weights({ key, manifest }: RunInfo): TemplateResult | typeof nothing {
    const { selection, versus } = this.store.state;
    const first = manifest?.snapshots[0];
    if (!this.source?.weights || !first || !manifest.layers.some(({ parameters }) => parameters.length))
      return nothing;
    const from = versus?.kind === 'snapshot' ? versus.value : first.id;
    return html`<es-weights-panel .source=${this.source} run=${key} .manifest=${manifest} from=${from} to=${selection.snapshot ?? from} .selection=${selection}></es-weights-panel>`;
  }

  private panels(info: RunInfo, snapshots: readonly TimelineSnapshot[]): TemplateResult {
    const { hidden } = this.store.state;
    const results = info.results.filter(({ method }) => !hidden.includes(method));
    if (!info.results.length)
      return html`<section>${state('The run holds no results yet: run "epochscope tendency" on it, for instance.')}</section>`;
    if (!results.length) return html`<section>${state('Every method is filtered out.')}</section>`;
    const order = [...results].sort((a, b) => placeOf(a.method) - placeOf(b.method));
    return html`${repeat(order, resultId, (result) => html`<es-result-panel tabindex="-1" data-result=${resultId(result)} .source=${this.source} .sides=${this.sides(info, result, snapshots)}></es-result-panel>`)}`;
  }

  private sides(info: RunInfo, result: ResultName, snapshots: readonly TimelineSnapshot[]): Side[] {
    const { selection, versus } = this.store.state;
    const titleOf = (id: string | null | undefined) => {
      const found = snapshots.find((snapshot) => snapshot.id === id);
      return found ? snapshotTitle(found) : (id ?? '');
    };
    const own: Side = { title: titleOf(selection.snapshot), run: info.key, result, selection };
    if (!versus) return [own];
    if (versus.kind === 'snapshot')
      return [
        own,
        { ...own, title: titleOf(versus.value), selection: { ...selection, snapshot: versus.value } },
      ];
    const entry = (key: string) => this.entries.find((one) => one.key === key)?.title ?? key;
    const other = this.other;
    const same =
      other && 'key' in other
        ? (other.results.find((one) => resultId(one) === resultId(result)) ?? null)
        : null;
    const theirs =
      other && 'key' in other ? counterpart(other.manifest, snapshots, selection.snapshot) : null;
    return [
      { ...own, title: entry(info.key) },
      {
        title:
          other && 'problem' in other ? `${entry(versus.value)} (${other.problem})` : entry(versus.value),
        run: versus.value,
        result: same,
        selection: theirs ? { ...selection, snapshot: theirs } : selection,
      },
    ];
  }
}

const chosen = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;

/** With more snapshots than this, the list to compare with holds so many evenly spaced ones; any other by the address. */
const OFFERED = 200;
function offered(
  snapshots: readonly TimelineSnapshot[],
  chosen: string | undefined,
): readonly TimelineSnapshot[] {
  if (snapshots.length <= OFFERED) return snapshots;
  const step = (snapshots.length - 1) / (OFFERED - 1);
  const keep = new Set(Array.from({ length: OFFERED }, (_, i) => Math.round(i * step)));
  return snapshots.filter(({ id }, i) => keep.has(i) || id === chosen);
}

/** Panels in the order of the papers, then what is not known here. */
const METHODS = ['tendency', 'modules', 'change', 'tracks', 'activity', 'geometry', 'prune'];
const placeOf = (method: string) => (METHODS.includes(method) ? METHODS.indexOf(method) : METHODS.length);

/** The run's snapshots; without a manifest those that its results name. */
function snapshotsOf(
  manifest: RunManifest | null,
  cells: readonly OverviewCell[],
): readonly TimelineSnapshot[] {
  if (manifest?.snapshots.length) return manifest.snapshots;
  return [...new Set(cells.map(({ snapshot }) => snapshot))].map((id) => ({ id, epoch: null, step: null }));
}
function layersOf(manifest: RunManifest | null, cells: readonly OverviewCell[]): string[] {
  const named = manifest?.layers.map(({ name }) => name) ?? [];
  // Channels ("P1@3") stand after their layer.
  const extra = [...new Set(cells.map(({ layer }) => layer))].filter((layer) => !named.includes(layer));
  const out = named.flatMap((name) => [name, ...extra.filter((layer) => layer.startsWith(`${name}@`))]);
  return [...out, ...extra.filter((layer) => !out.includes(layer))];
}

/** The other run's snapshot at the same id, epoch or step. */
function counterpart(
  manifest: RunManifest | null,
  snapshots: readonly TimelineSnapshot[],
  id: string | null | undefined,
): string | null {
  const here = snapshots.find((snapshot) => snapshot.id === id);
  const theirs = manifest?.snapshots ?? [];
  const found =
    theirs.find((one) => one.id === id) ??
    (here?.epoch != null ? theirs.find((one) => one.epoch === here.epoch) : undefined) ??
    (here?.step != null ? theirs.find((one) => one.step === here.step) : undefined);
  return found?.id ?? null;
}
