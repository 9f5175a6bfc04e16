import type { PruneResult, ResultBase } from '@epochscope/analysis/results';
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { roundSnapshot } from '../elements/es-prune-rounds/index.js';
import { state } from '../figure/index.js';
import type { Selection } from '../selection.js';
import { sentence, tokens } from '../styles.js';
import { VIEWS } from '../views/index.js';
import { type ResultName, type RunSource, resultId } from './source.js';

/** One side of a panel: a result of a run, drawn with a selection. */
export interface Side {
  title: string;
  run: string;
  result: ResultName | null;
  selection: Selection;
}

type Loaded = { state: 'waiting' } | { state: 'ready'; data: ResultBase } | { state: 'failed'; why: string };

/** Pixels before it comes into sight that a panel begins to load. */
const AHEAD = '600px';

/**
 * One result in the dashboard, or two sides of a comparison: loaded when it comes near, with its own waiting, empty and
 * error state, so that a bad result never takes the page with it.
 */
export class EsResultPanel extends LitElement {
  static override styles = [
    tokens,
    css`
      :host {
        display: block;
        border-block-start: 1px solid var(--_line);
        padding-block: 1rem 1.5rem;
      }
      h2 {
        margin: 0 0 0.5rem;
        font-size: 1.15rem;
      }
      h2 small {
        color: var(--_quiet);
        font-weight: normal;
      }
      h3 {
        margin: 0 0 0.5rem;
        font-size: 0.95rem;
        color: var(--_quiet);
      }
      :host([bare]) {
        border: 0;
        padding-block-start: 0;
      }
      .sides {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr));
        gap: 1rem 2rem;
      }
      .sides > div {
        min-inline-size: 0;
      }
      .state {
        display: grid;
        place-items: center;
        min-block-size: 8rem;
        border: 1px dashed var(--_line);
        border-radius: 6px;
        color: var(--_quiet);
        padding: 1rem;
        text-align: center;
      }
      .state[role='alert'] {
        color: light-dark(#a02020, #ff9a8a);
      }
      details {
        margin-block-start: 1rem;
      }
      pre {
        overflow-x: auto;
        font-size: 0.8rem;
      }
    `,
  ];
  /** Brings the views, where they do not come with the page's first script. */
  static load: (() => Promise<unknown>) | null = null;
  @property({ attribute: false }) source: RunSource | null = null;
  @property({ attribute: false }) sides: readonly Side[] = [];
  /** Alone below a heading that says what it is. */
  @property({ type: Boolean, reflect: true }) bare: boolean = false;
  @property({ state: true }) private seen: boolean = false;
  @property({ state: true }) private loaded: ReadonlyMap<string, Loaded> = new Map();
  private watcher: IntersectionObserver | null = null;
  private readonly views = new Map<
    number,
    HTMLElement & { data: ResultBase; selection: Selection; compared: boolean }
  >();

  /** Loads also while it is far below, for paper. */
  load(): void {
    this.seen = true;
  }
  /** Nothing that was asked for is still on its way. */
  get settled(): boolean {
    return this.sides.every((side) => {
      const loaded = this.loaded.get(this.keyOf(side));
      const drawn =
        loaded?.state !== 'ready' ||
        customElements.get(VIEWS[loaded.data.method] ?? '') ||
        !VIEWS[loaded.data.method];
      return !side.result || (loaded !== undefined && loaded.state !== 'waiting' && Boolean(drawn));
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.watcher = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        this.seen = true;
        this.watcher?.disconnect();
      },
      { rootMargin: AHEAD },
    );
    if (!this.seen) this.watcher.observe(this);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watcher?.disconnect();
  }

  private keyOf({ run, result }: Side): string {
    return result ? `${run}\n${resultId(result)}\n${result.version}` : '';
  }
  protected override willUpdate(changed: PropertyValues): void {
    if (!this.seen || !this.source) return;
    if (!['seen', 'sides', 'source'].some((name) => changed.has(name))) return;
    for (const side of this.sides) {
      const key = this.keyOf(side);
      if (!side.result || this.loaded.has(key)) continue;
      this.put(key, { state: 'waiting' });
      this.source.result(side.run, side.result).then(
        (data) => this.put(key, { state: 'ready', data }),
        (error: Error) => this.put(key, { state: 'failed', why: error.message }),
      );
    }
  }
  private put(key: string, value: Loaded): void {
    const wanted = new Set(this.sides.map((side) => this.keyOf(side)));
    const next = new Map([...this.loaded].filter(([known]) => wanted.has(known)));
    this.loaded = next.set(key, value);
  }
  private retry(side: Side): void {
    this.loaded = new Map([...this.loaded].filter(([key]) => key !== this.keyOf(side)));
    this.sides = [...this.sides];
  }

  override render(): TemplateResult {
    const first = this.sides.find(({ result }) => result)?.result;
    if (!first) return html``;
    return html`
      ${this.bare ? nothing : html`<h2>${sentence(first.method.replaceAll('-', ' '))}${first.name === 'default' ? nothing : html` <small>${first.name}</small>`}</h2>`}
      <div class="sides">${this.sides.map(
        (side, i) => html`<div>
          ${this.sides.length > 1 ? html`<h3>${side.title}</h3>` : nothing}
          ${this.side(side, i)}
        </div>`,
      )}</div>`;
  }

  private side(side: Side, i: number): TemplateResult {
    if (!side.result) return state(`${side.title} has no result of this kind.`);
    const loaded = this.loaded.get(this.keyOf(side));
    if (!loaded || loaded.state === 'waiting') return state('Loading…', 'busy');
    if (loaded.state === 'failed')
      return html`${state(loaded.why, 'alert')}<button type="button" @click=${() => this.retry(side)}>Try again</button>`;
    return html`${this.view(loaded.data, side.selection, i)}${details(loaded.data, this.source?.note)}`;
  }

  /**
   * A pruning has rounds in place of snapshots, and often a net of its own: its units are none of the run's. Only the round goes to
   * the page.
   */
  private readonly own: Selection = {};
  private pruned(data: ResultBase, { round, sample, class: label }: Selection): Selection {
    const known = (data as PruneResult).rounds.some((one) => one.round === round);
    return { ...this.own, sample, class: label, snapshot: known ? roundSnapshot(round!) : undefined };
  }
  private onPruned = (event: Event) => {
    event.stopPropagation();
    const { snapshot, ...detail } = (event as CustomEvent<Selection>).detail;
    for (const name of ['layer', 'unit'] as const)
      if (detail[name] !== undefined) Object.assign(this.own, { [name]: detail[name] });
    const round = /^round-0*(\d+)$/.exec(snapshot ?? '')?.[1];
    this.requestUpdate();
    this.dispatchEvent(
      new CustomEvent<Selection>('es-select', {
        detail: round === undefined ? {} : { round: Number(round) },
        bubbles: true,
        composed: true,
      }),
    );
  };

  /** The view is made once a side and kept, so that what a person opened or zoomed stays while the selection changes. */
  private view(data: ResultBase, selection: Selection, i: number): TemplateResult | HTMLElement {
    const tag = VIEWS[data.method];
    if (!tag) return state(`There is no view for ${data.method} yet; its figures are below.`);
    if (!customElements.get(tag) && EsResultPanel.load) {
      void EsResultPanel.load().then(
        () => this.requestUpdate(),
        (error: Error) => this.put(this.keyOf(this.sides[i]!), { state: 'failed', why: error.message }),
      );
      return state('Loading…', 'busy');
    }
    let view = this.views.get(i);
    if (view?.localName !== tag) {
      view = document.createElement(tag) as typeof view & object;
      if (tag === 'es-prune-view') view.addEventListener('es-select', this.onPruned);
      this.views.set(i, view);
    }
    if (view.data !== data) view.data = data;
    view.selection = tag === 'es-prune-view' ? this.pruned(data, selection) : selection;
    view.compared = this.sides.length > 1 && this.sides[0]!.run === this.sides[1]!.run;
    return view;
  }
}

function details(result: ResultBase, note = ''): TemplateResult {
  const facts = {
    parameters: result.parameters,
    seeds: result.seeds,
    input: result.input,
    seconds: Number(result.seconds.toFixed(2)),
  };
  return html`<details><summary>Parameters, seeds and inputs</summary>${note ? html`<p>${note}</p>` : nothing}<pre tabindex="0">${JSON.stringify(facts, null, 1)}</pre></details>`;
}

declare global {
  interface HTMLElementTagNameMap {
    'es-result-panel': EsResultPanel;
  }
}
