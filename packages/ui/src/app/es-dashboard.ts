import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { state } from '../figure/index.js';
import { mergeSelection, type Selection } from '../selection.js';
import { snapshotTitle } from '../styles.js';
import styles from './dashboard-styles.js';
import { dock } from './dock.js';
import { head } from './head.js';
import { shortcut } from './keys.js';
import { Loader } from './loader.js';
import { classWord, isDigits, letterOf, sampleName } from './model.js';
import type { Followed, LayerRow, Page } from './page.js';
import { layersOf, snapshotsOf } from './shown.js';
import type { RunInfo, RunSource } from './source.js';
import { stage } from './stage.js';
import { bindHash, Store } from './state.js';
import { strip } from './strip.js';

/** Time a snapshot stays while playing. */
const STAY_MS = 900;
/** Time a pointer stays on something before other figures show it. */
const POINT_MS = 60;
/** With more, the head leaves out what stands beside the name of the run. */
const MANY_TABS = 8;

/**
 * The whole page over a source of runs: the net's layers at the left, its epochs below, and between them one answer at a time: the
 * story, or a method. One selection for all of it, in the address bar.
 */
export class EsDashboard extends LitElement {
  static override styles = styles;
  @property({ attribute: false }) source: RunSource | null = null;
  @property({ state: true }) private width: number = 1280;
  @property({ state: true }) private dark: boolean = false;
  @property({ state: true }) private playing: boolean = false;
  /** What the address held that makes no sense. */
  @property({ state: true }) private said: readonly string[] = [];
  /** Every tab's results at once, for paper. */
  @property({ state: true }) everything: boolean = false;
  /** Not all of it was there when the browser began to print. */
  @property({ state: true }) private unready: boolean = false;
  readonly store = new Store();
  readonly loader = new Loader(this, this.store);
  private unbind: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sizes: ResizeObserver | null = null;
  private readonly scheme = matchMedia('(prefers-color-scheme: dark)');

  constructor() {
    super();
    this.store.addEventListener('change', () => {
      // What the pointer was on is gone with its tab, and says no more that it was left.
      if (this.store.state.tab !== this.tab) this.pointed = null;
      this.tab = this.store.state.tab;
      this.applyTheme();
      this.requestUpdate();
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.width = this.clientWidth || innerWidth;
    this.unbind = bindHash(this.store, (problems) => (this.said = problems));
    this.sizes = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry!.contentRect.width);
      if (width && width !== this.width) requestAnimationFrame(() => (this.width = width));
    });
    this.sizes.observe(this);
    this.scheme.addEventListener('change', this.applyTheme);
    this.applyTheme();
    document.addEventListener('keydown', this.onKey);
    addEventListener('beforeprint', this.onPrint);
    addEventListener('afterprint', this.onPrinted);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.unbind?.();
    this.sizes?.disconnect();
    this.scheme.removeEventListener('change', this.applyTheme);
    document.removeEventListener('keydown', this.onKey);
    removeEventListener('beforeprint', this.onPrint);
    removeEventListener('afterprint', this.onPrinted);
    this.play(false);
    clearTimeout(this.pointing);
    this.pointed = null;
  }
  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has('source')) return;
    (changed.get('source') as RunSource | null)?.reachable?.removeEventListener('change', this.onReach);
    this.source?.reachable?.addEventListener('change', this.onReach);
    if (this.source) void this.loader.open(this.source);
  }
  protected override updated(): void {
    // On a phone the strip is a row that scrolls: the chosen layer is kept in sight.
    const row = this.renderRoot.querySelector<HTMLElement>('.strip [aria-current]');
    const box = row?.closest('.rows');
    if (row && box && box.scrollWidth > box.clientWidth)
      box.scrollLeft = row.offsetLeft - (box.clientWidth - row.offsetWidth) / 2;
  }

  private applyTheme = () => {
    const { theme } = this.store.state;
    const { style } = document.documentElement;
    if (theme) style.colorScheme = theme;
    else if (this.themed) style.colorScheme = '';
    this.themed = theme !== null;
    const own = getComputedStyle(document.documentElement).colorScheme;
    this.dark = own === 'dark' || (own.includes('dark') && own.includes('light') && this.scheme.matches);
  };
  private themed = false;

  /** Loads what every tab shows, and prints. */
  async print(): Promise<void> {
    this.everything = true;
    await this.updateComplete;
    const panels = () => [...this.renderRoot.querySelectorAll('es-result-panel')];
    for (const panel of panels()) panel.load();
    // Pictures are drawn some frames after their data has come.
    for (let i = 0; i < 600 && !panels().every((panel) => panel.settled); i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 300));
    print();
  }
  private onPrint = () => {
    this.everything = true;
    this.performUpdate();
    const panels = [...this.renderRoot.querySelectorAll('es-result-panel')];
    for (const panel of panels) panel.load();
    // Paper does not wait: what the browser's own menu prints may come too early, and says so.
    this.unready = !panels.every((panel) => panel.settled);
    this.performUpdate();
  };
  private onPrinted = () => {
    this.everything = false;
    this.unready = false;
  };

  private onReach = () => this.requestUpdate();
  private onKey = (event: KeyboardEvent) => shortcut(event, this.page(), this);

  play(on: boolean): void {
    clearTimeout(this.timer);
    this.playing = on;
    const page = on ? this.page() : null;
    if (!page) return;
    const last = page.snapshots.length - 1;
    if (page.at >= last) page.goTo(0, 'replace');
    const next = () => {
      const now = this.page();
      if (!now || !this.playing) return;
      if (now.at < last) now.goTo(now.at + 1, 'replace');
      if (now.at + 1 >= last) this.playing = false;
      else this.timer = setTimeout(next, STAY_MS);
    };
    this.timer = setTimeout(next, STAY_MS);
  }

  /** Follows a sample that was placed by `locate`, from now on. */
  async followNew(name: string): Promise<void> {
    await this.loader.reload();
    this.store.set({
      located: name,
      selection: mergeSelection(this.store.state.selection, { sample: null, class: null, unit: null }),
    });
  }

  private onSelect = (event: Event) => {
    const { detail } = event as CustomEvent<Selection>;
    if (typeof detail === 'object' && detail !== null) this.store.select(detail);
  };

  /** What the pointer is on; other figures show it, and the address does not hold it. */
  private pointed: Selection | null = null;
  private tab = '';
  private pointing: ReturnType<typeof setTimeout> | undefined;
  private point(to: Selection | null): void {
    clearTimeout(this.pointing);
    const { sample, class: label, unit, layer } = to ?? {};
    const next: Selection | null =
      typeof sample === 'number'
        ? { sample }
        : typeof label === 'number'
          ? { class: label }
          : typeof unit === 'number' && layer
            ? { unit, layer }
            : null;
    // A pointer that passes by is on nothing.
    this.pointing = setTimeout(() => {
      if (JSON.stringify(next) === JSON.stringify(this.pointed)) return;
      this.pointed = next;
      this.requestUpdate();
    }, POINT_MS);
  }
  private onPoint = (event: CustomEvent<Selection | null>) => {
    event.stopPropagation();
    this.point(event.detail);
  };

  private kept: {
    key: readonly unknown[];
    layers: readonly LayerRow[];
    snapshots: Page['snapshots'];
  } | null = null;

  /** What there is to draw from; null while there is no run. */
  page(): Page | null {
    const { info, tendency } = this.loader;
    if (!info || !this.source) return null;
    const panels = tendency?.panels ?? null;
    const key = [info.manifest, panels];
    if (!this.kept?.key.every((one, i) => one === key[i]))
      this.kept = {
        key,
        layers: layersOf(info.manifest, panels),
        snapshots: snapshotsOf(info.manifest, panels),
      };
    const { layers, snapshots } = this.kept;
    const { selection, ownOrder } = this.store.state;
    const found = snapshots.findIndex(({ id }) => id === selection.snapshot);
    const at = found < 0 ? snapshots.length - 1 : found;
    const snapshot = snapshots[at] ?? null;
    const wanted = layers.find(({ name }) => name === selection.layer)?.name;
    const layer = wanted ?? panels?.layers.at(-1) ?? layers.at(-1)?.name ?? null;
    const results = new Set(info.results.map(({ method }) => method));
    return {
      source: this.source,
      store: this.store,
      info,
      manifest: info.manifest,
      snapshots,
      at,
      snapshot,
      layers,
      layer,
      panels,
      panelsProblem: tendency?.problem ?? '',
      panelsWaiting: tendency !== null && !panels && !tendency.problem,
      panel: (layer && snapshot && panels?.at(layer, snapshot.id, !ownOrder)) || null,
      check: this.loader.check,
      followed: this.followed(this.store.state.selection, layer, this.loader.located),
      pointed: this.pointed && this.followed(this.pointed, this.pointed.layer ?? layer, null),
      point: (to) => this.point(to),
      dark: this.dark,
      followColour: this.dark ? '#ff5c93' : '#d10a55',
      playing: this.playing,
      play: (on) => this.play(on),
      goTo: (index, how = 'push') => {
        const { id } = snapshots[Math.min(snapshots.length - 1, Math.max(0, index))]!;
        if (how === 'push') this.play(false);
        this.store.select({ snapshot: id, cluster: null, round: null }, how);
      },
      select: (change) => this.store.select(change),
      has: (tab) => results.has(tab),
      update: () => this.requestUpdate(),
    };
  }

  private followed(
    { sample, class: label, unit }: Selection,
    layer: string | null,
    located: Loader['located'],
  ): Followed | null {
    const samples = this.loader.tendency?.panels?.result.samples;
    if (located) return { kind: 'new', name: located.name, result: located };
    if (typeof sample === 'number') {
      if (samples && sample >= samples.count) return null;
      return { kind: 'sample', sample, name: samples ? sampleName(samples, sample) : `sample ${sample}` };
    }
    const classes = samples?.classes ?? this.loader.info?.manifest?.classes;
    if (typeof label === 'number')
      return {
        kind: 'class',
        label,
        name: isDigits(classes) ? `every ${classes![label]}` : `class ${classWord(classes, label)}`,
      };
    if (typeof unit === 'number' && layer)
      return {
        kind: 'unit',
        unit,
        layer,
        name: `unit ${unit} of ${layer}`,
        modules: this.loader.modulesOf(layer, unit),
      };
    return null;
  }

  /** What the address names and the run does not have. */
  private lost(page: Page): string[] {
    const { selection, run, tab } = this.store.state;
    const said = [...this.said];
    const short = (text: string) => `“${text.slice(0, 40)}”`;
    if (run !== null && this.loader.entries.length && !this.loader.entries.some(({ key }) => key === run))
      said.push(`there is no run ${short(run)} here`);
    if (
      selection.snapshot &&
      !page.snapshots.some(({ id }) => id === selection.snapshot) &&
      page.snapshots.length
    )
      said.push(
        `this run has no snapshot ${short(selection.snapshot)}; ${snapshotTitle(page.snapshot!)} is shown`,
      );
    const settled = page.manifest || page.panels;
    if (
      selection.layer &&
      settled &&
      page.layers.length &&
      !page.layers.some(({ name }) => name === selection.layer)
    )
      said.push(`this run has no layer ${short(selection.layer)}; ${page.layer} is shown`);
    const count = page.panels?.result.samples.count ?? page.manifest?.samples?.count;
    if (typeof selection.sample === 'number' && count !== undefined && selection.sample >= count)
      said.push(`there is no sample ${selection.sample}: they end at ${count - 1}`);
    const { located, block } = this.store.state;
    if (block !== null && page.panel && block >= page.panel.blocks.count)
      said.push(`there is no block ${letterOf(block)} here`);
    if (
      located !== null &&
      !page.info.results.some(({ method, name }) => method === 'locate' && name === located)
    )
      said.push(`this run has no new sample ${short(located)}`);
    const known = ['story', ...new Set(this.tabs(page.info))];
    if (!known.includes(tab.split('/')[0]!)) said.push(`there is no tab ${short(tab)}`);
    return said;
  }
  private tabs(info: RunInfo): string[] {
    return head.tabsOf(info).map(({ id }) => id);
  }

  override render(): TemplateResult {
    const { loader } = this;
    if (loader.problem)
      return html`<div class="alone">${state(loader.problem, 'alert')}<button type="button" class="plain-button" @click=${() => this.source && loader.open(this.source)}>Try again</button></div>`;
    if (!this.source) return html`<div class="alone">${state('No source')}</div>`;
    if (!loader.answered) return html`<div class="alone">${state('Loading…', 'busy')}</div>`;
    if (!loader.entries.length) return html`<div class="alone">${state('There are no runs here.')}</div>`;
    const page = this.page();
    const problem = loader.entries.find(({ key }) => key === loader.key)?.problem;
    if (!page)
      return html`<div class="alone">${problem ? state(problem, 'alert') : state('Loading…', 'busy')}</div>`;
    const lost = this.lost(page);
    // One picture of one matrix has no depth and no time.
    const single = !page.manifest && page.snapshots.length < 2;
    return html`<div class="page ${single ? 'single' : ''} ${this.tabs(page.info).length > MANY_TABS ? 'many' : ''} ${this.everything ? 'everything' : ''}" @es-select=${this.onSelect} @es-point=${this.onPoint}>
      ${head.template(page, this)}
      ${single ? nothing : strip(page)}
      <main class="stage" id="stage" tabindex="-1">
        ${this.unready ? html`<p class="said unready">Not everything was loaded yet when this was printed. Ctrl P in the page, or “Print everything” in its menu, waits for it.</p>` : nothing}
        ${this.source.alive === false ? html`<p class="said" role="alert">The server does not answer any more. What is here stays; it is tried again every few seconds.</p>` : nothing}
        ${lost.length ? html`<p class="said" role="alert">The address: ${lost.join('; ')}. <button type="button" class="text-button" @click=${() => this.forgetAddress()}>Forget it</button></p>` : nothing}
        ${page.info.warnings.length ? html`<p class="warning" role="status">${page.info.warnings.slice(0, 5).join(' ')}${page.info.warnings.length > 5 ? ` And ${page.info.warnings.length - 5} more.` : ''}</p>` : nothing}
        <es-notices .source=${this.source} .info=${page.info}></es-notices>
        ${stage(page, this, this.width)}
      </main>
      ${single ? nothing : dock(page, this.width)}
    </div>`;
  }
  private forgetAddress(): void {
    this.said = [];
    const page = this.page();
    const { selection, tab } = this.store.state;
    const has = (list: readonly string[], one: string | null | undefined) =>
      one && list.includes(one) ? one : undefined;
    const count = page?.panels?.result.samples.count ?? 0;
    this.store.set(
      {
        run: null,
        located: null,
        block: null,
        tab: page && this.tabs(page.info).includes(tab.split('/')[0]!) ? tab : 'story',
        selection: {
          ...selection,
          snapshot: has(page?.snapshots.map(({ id }) => id) ?? [], selection.snapshot),
          layer: has(page?.layers.map(({ name }) => name) ?? [], selection.layer),
          ...(typeof selection.sample === 'number' && selection.sample >= count ? { sample: null } : {}),
        },
      },
      'replace',
    );
  }
}
