import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import type { OverviewData } from '../elements/es-run-overview/index.js';
import type { TimelineSnapshot } from '../elements/es-timeline/index.js';
import { state } from '../figure/index.js';
import type { Selection } from '../selection.js';
import { snapshotTitle } from '../styles.js';
import styles from './dashboard-styles.js';
import { factsOf } from './facts.js';
import { Loader } from './loader.js';
import { layersOf, offered, placeOf, snapshotsOf } from './shown.js';
import { sidesOf } from './sides.js';
import { type ResultName, type RunInfo, type RunSource, resultId } from './source.js';
import { bindHash, Store } from './state.js';

/**
 * The whole page over a source of runs: overview, one slider for every panel, one selection, comparison of two snapshots
 * or two runs, filters; all of it in the address bar.
 */
export class EsDashboard extends LitElement {
  static override styles = styles;
  static override properties = {
    source: { attribute: false },
  };
  declare source: RunSource | null;
  readonly store = new Store();
  private readonly loader = new Loader(this, this.store);
  private unbind: (() => void) | null = null;

  constructor() {
    super();
    this.source = null;
    this.store.addEventListener('change', () => this.requestUpdate());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.unbind = bindHash(this.store);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.unbind?.();
  }
  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('source') && this.source) void this.loader.open(this.source);
  }

  private onSelect = (event: Event) => {
    const { detail } = event as CustomEvent<Selection>;
    if (typeof detail === 'object' && detail !== null) this.store.select(detail);
  };

  override render(): TemplateResult {
    if (this.loader.problem)
      return html`<div class="page">${state(this.loader.problem, 'alert')}<button type="button" @click=${() => this.source && this.loader.open(this.source)}>Try again</button></div>`;
    if (!this.source) return html`<div class="page">${state('No source')}</div>`;
    if (!this.loader.answered) return html`<div class="page">${state('Loading…', 'busy')}</div>`;
    if (!this.loader.entries.length) return html`<div class="page">${state('There are no runs here.')}</div>`;
    const { info } = this.loader;
    if (!info) return html`<div class="page">${this.bar(null)}${state('Loading…', 'busy')}</div>`;
    const snapshots = snapshotsOf(info.manifest, this.loader.cells);
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
    const others = this.loader.entries.filter(({ key, problem }) => key !== this.loader.key && !problem);
    return html`<div class="bar">
      <div class="line">
        ${
          this.loader.entries.length > 1
            ? html`<label>Run <select @change=${(e: Event) => this.store.set({ run: chosen(e), selection: {}, versus: null })}>
              ${this.loader.entries.map(({ key, title, problem }) => html`<option value=${key} ?selected=${key === this.loader.key} ?disabled=${!!problem} title=${problem ?? ''}>${title}${problem ? ' (cannot be read)' : ''}</option>`)}
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
    const classes = this.loader.info?.manifest?.classes;
    const chips: [keyof Selection, string][] = [];
    if (selection.layer) chips.push(['layer', `layer ${selection.layer}`]);
    if (typeof selection.class === 'number')
      chips.push(['class', `class ${classes?.[selection.class] ?? selection.class}`]);
    if (typeof selection.sample === 'number') chips.push(['sample', `sample ${selection.sample}`]);
    if (typeof selection.unit === 'number') chips.push(['unit', `unit ${selection.unit}`]);
    const { sample } = selection;
    const samples =
      this.loader.pictures?.run === this.loader.info?.key ? this.loader.pictures?.samples : null;
    const picture =
      typeof sample === 'number' && samples?.images && sample < samples.count
        ? html`<es-sample-gallery still .data=${samples} .samples=${[sample]}></es-sample-gallery>`
        : nothing;
    const shown = (this.loader.info?.results ?? []).filter(
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
    const layers = layersOf(info.manifest, this.loader.cells).filter((name) =>
      name.toLowerCase().includes(needle),
    );
    const shown = methods.filter((method) => !hidden.includes(method));
    const data: OverviewData = {
      layers,
      snapshots,
      methods,
      cells: this.loader.cells.filter(
        ({ layer, method }) => layers.includes(layer) && shown.includes(method),
      ),
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
    return html`${repeat(order, resultId, (result) => html`<es-result-panel tabindex="-1" data-result=${resultId(result)} .source=${this.source} .sides=${sidesOf(info.key, result, this.store.state, snapshots, this.loader)}></es-result-panel>`)}`;
  }
}

const chosen = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;
