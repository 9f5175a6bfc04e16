import type { TendencyMetric } from '@epochscope/analysis/methods';
import { blocksSentence, type TendencyPanel, type TendencyResult } from '@epochscope/analysis/results';
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import type { Points, tendencyOfPoints } from '../../compute.js';
import type { GridSelectDetail } from '../../elements/es-tendency-grid/index.js';
import { type MarkColour, sharedScales } from '../../elements/es-tendency-image/draw.js';
import type { TendencySelectDetail } from '../../elements/es-tendency-image/index.js';
import { SCORE_MEASURES, type ScoreMeasure } from '../../elements/es-tendency-scores/index.js';
import { AGREEMENTS, type Agreement } from '../../elements/es-tendency-thinning/index.js';
import { EsLoaded, state } from '../../figure/index.js';
import type { Selection } from '../../selection.js';
import { snapshotTitle, titleOfId } from '../../styles.js';
import { shownPanels } from './shown.js';
import styles from './styles.js';

type Radio = (
  name: string,
  value: string,
  text: string,
  now: string,
  set: (value: string) => void,
) => TemplateResult;
/** Time a snapshot stays while playing. */
const PLAY_MS = 900;

/**
 * A whole tendency result: the grid, the chosen picture large, its figures, the samples of the chosen block, the
 * scores over the snapshots, and thinning where the result holds it. Give
 * `data`, or `src`: the address of a result in one file, or `points`: rows that it analyses itself.
 * @fires es-select - from the elements inside.
 */
export class EsTendencyView extends EsLoaded<TendencyResult, TendencyResult> {
  static override styles = [...EsLoaded.styles, styles];
  @property({ type: String }) mode: 'ivat' | 'vat' = 'ivat';
  @property({ type: String, attribute: 'mark-color' }) markColor: MarkColour = 'class';
  @property({ type: Boolean }) outlines: boolean = true;
  /** Draw the orders aligned between snapshots. */
  @property({ type: Boolean }) aligned: boolean = false;
  /** What the chart over the snapshots shows. */
  @property({ type: String }) score: ScoreMeasure = 'ari';
  /** Rows to analyse in place of a result: the element computes VAT and iVAT of them itself. */
  @property({ attribute: false }) points: Points | null = null;
  /** With points: the class of each row, and what classes are called. */
  @property({ attribute: false }) labels: ArrayLike<number> | null = null;
  @property({ attribute: false }) classes: readonly string[] | null = null;
  /** With points; default "euclidean". */
  @property({ type: String }) metric: TendencyMetric = 'euclidean';
  /** How points are computed; set by the registering entry. */
  static compute: typeof tendencyOfPoints | null = null;
  private computing: AbortController | null = null;
  /** Thinning step shown; −1 all samples. */
  @property({ state: true }) private step: number = -1;
  @property({ state: true }) private agreement: Agreement = 'correlation';
  @property({ state: true }) private playing: boolean = false;
  private shown: readonly TendencyPanel[] = [];
  private clock: ReturnType<typeof setInterval> | undefined;
  @property({ state: true }) private selected: GridSelectDetail | null = null;
  @property({ state: true }) private block: number = -1;

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (['points', 'labels', 'classes', 'metric'].some((name) => changed.has(name)) && this.points)
      void this.compute(this.points);
    if (changed.has('data') && this.data?.panels.length) {
      const last = this.data.panels[this.data.panels.length - 1]!;
      this.selected = { snapshot: last.snapshot.id, layer: last.layer };
      this.block = -1;
      this.step = -1;
      this.play(false);
      if (!this.data.samples.labels) this.markColor = 'none';
    }
    if (this.data && ['data', 'step', 'aligned'].some((name) => changed.has(name)))
      this.shown = shownPanels(this.data, this.step, this.aligned);
    if (this.data && this.selected && ['selection', 'data'].some((name) => changed.has(name)))
      this.follow(this.selection);
  }

  /** The newest points alone count. */
  private async compute(points: Points): Promise<void> {
    this.computing?.abort();
    const computing = new AbortController();
    this.computing = computing;
    this.problem = '';
    this.loading = true;
    const { labels, classes, metric } = this;
    try {
      if (!EsTendencyView.compute)
        throw new Error('points are computed where @epochscope/ui/register is imported');
      const result = await EsTendencyView.compute(points, { labels, classes, metric }, computing.signal);
      if (this.computing !== computing) return;
      this.data = this.result = result;
    } catch (error) {
      if (this.computing !== computing) return;
      this.data = null;
      this.problem = (error as Error).message;
    }
    this.loading = false;
  }

  /** What is chosen on the page; a layer that this result does not have leaves its own choice. */
  private follow({ snapshot, layer }: Selection): void {
    const { panels } = this.data!;
    const known = (name: string | null | undefined) => name && panels.some((p) => p.layer === name);
    const next = {
      snapshot: snapshot ?? this.selected!.snapshot,
      layer: known(layer) ? layer! : this.selected!.layer,
    };
    if (next.snapshot === this.selected!.snapshot && next.layer === this.selected!.layer) return;
    this.selected = next;
    this.block = -1;
  }

  protected override emptyReason({ panels }: TendencyResult): string {
    return panels.length ? '' : 'The result holds no picture.';
  }

  protected override content(data: TendencyResult): TemplateResult {
    const panel = this.shown.find(
      (p) => p.layer === this.selected?.layer && p.snapshot.id === this.selected.snapshot,
    );
    const radio: Radio = (name, value, text, now, set) =>
      html`<label><input type="radio" name=${name} value=${value} .checked=${now === value} @change=${() => set(value)} /> ${text}</label>`;
    return html`
      <div class="controls">
        <fieldset>
          <legend>Picture</legend>
          ${radio('mode', 'ivat', 'iVAT', this.mode, (v) => (this.mode = v as 'ivat'))} ${radio('mode', 'vat', 'VAT', this.mode, (v) => (this.mode = v as 'vat'))}
        </fieldset>
        ${
          data.samples.labels
            ? html`<fieldset>
              <legend>Marks</legend>
              ${radio('marks', 'class', 'class', this.markColor, (v) => (this.markColor = v as MarkColour))}
              ${radio('marks', 'correct', 'right / wrong', this.markColor, (v) => (this.markColor = v as MarkColour))} ${radio('marks', 'none', 'none', this.markColor, (v) => (this.markColor = v as MarkColour))}
            </fieldset>`
            : nothing
        }
        ${data.panels.some((p) => p.aligned) ? html`<label><input type="checkbox" name="aligned" .checked=${this.aligned} @change=${(e: Event) => (this.aligned = (e.target as HTMLInputElement).checked)} /> align snapshots</label>` : nothing}
        <label><input type="checkbox" .checked=${this.outlines} @change=${(e: Event) => (this.outlines = (e.target as HTMLInputElement).checked)} /> outline blocks</label>
        <es-legend .classes=${data.samples.classes} .selection=${this.selection} mark-color=${this.markColor}></es-legend>
      </div>
      ${this.sizes(data, radio)}
      ${this.compared || this.shown.length < 2 ? nothing : html`<es-tendency-grid .data=${this.shown} mode=${this.mode} mark-color=${this.markColor} .selected=${this.selected} @es-select=${this.onGrid}></es-tendency-grid>`}
      ${panel ? this.chosen(data, panel) : state(`This result has no picture of ${this.selected?.layer} at ${titleOfId(this.selected?.snapshot ?? '')}: choose one that is analysed.`)}
      ${this.compared ? nothing : html`${this.scores(data)} ${this.thinning(data)}`}
    `;
  }

  private chosen(data: TendencyResult, panel: TendencyPanel): TemplateResult {
    return html`<div class="split">
      <div>
        <h3>${panel.layer === panel.snapshot.id ? panel.layer : `${panel.layer}, ${snapshotTitle(panel.snapshot)}`}</h3>
        ${this.player(panel)}
        <es-tendency-image .data=${panel} .selection=${this.selection} .classes=${data.samples.classes} mode=${this.mode} mark-color=${this.markColor} outlines=${this.outlines ? 'blocks' : 'none'} .scaleHigh=${sharedScales(this.shown, this.mode)(panel).high} @es-select=${this.onPosition}></es-tendency-image>
        <p class="reason">${blocksSentence(panel)}</p>
      </div>
      <div>${this.figures(panel)} ${this.bySize(panel)} ${this.gallery(data, panel)}</div>
    </div>`;
  }

  private figures(panel: TendencyPanel) {
    const rows: [string, TendencyPanel['rimScore']][] = [
      ['Mean clearness of the blocks', panel.blocks.clearness],
      ['Stability of the blocks', panel.blocks.stability],
      ['Adjusted Rand index in blocks', panel.scores.inBlocks.ari],
      ['… of all samples', panel.scores.overall.ari],
      ['Normalised mutual information in blocks', panel.scores.inBlocks.nmi],
      ['… of all samples', panel.scores.overall.nmi],
      ['Purity in blocks', panel.scores.inBlocks.purity],
      ['… of all samples', panel.scores.overall.purity],
      ['Rim score of wrong samples', panel.rimScore],
    ];
    return html`<h3>Figures</h3>
      <table>
        <tbody>
          <tr><td>Samples × units</td><td>${panel.n} × ${panel.d}</td></tr>
          <tr><td>Dark blocks of at least ${panel.blocks.smallest}</td><td>${panel.blocks.count}</td></tr>
          ${rows.map(([name, figure]) => html`<tr><td>${name}</td><td>${figure.value === null ? html`<span class="reason">${figure.reason}</span>` : figure.value.toFixed(3)}</td></tr>`)}
        </tbody>
      </table>`;
  }

  /** Blocks for every smallest size, rows of equal numbers joined. */
  private bySize({ n, blocks: { bySize, smallest } }: TendencyPanel) {
    const { count, persistence } = bySize;
    const first = [...bySize.smallest.keys()].filter((i) => i === 0 || count[i] !== count[i - 1]);
    if (!first.length) return nothing;
    const rows = first.map((i, k) => {
      const from = bySize.smallest[i]!;
      const to = k + 1 < first.length ? bySize.smallest[first[k + 1]!]! - 1 : Math.floor(n / 2);
      return {
        from,
        to,
        count: count[i]!,
        persistence: persistence[i]!,
        chosen: from <= smallest && smallest <= to,
      };
    });
    return html`<details class="sizes">
      <summary>Blocks for every smallest size</summary>
      <table>
        <thead><tr><th>Smallest size</th><th>Blocks</th><th>Persistence</th></tr></thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr aria-current=${row.chosen ? 'true' : nothing}><td>${row.from === row.to ? row.from : `${row.from} – ${row.to}`}${row.chosen ? ` (chosen: ${smallest})` : ''}</td><td>${row.count}</td><td>${row.persistence.toFixed(2)}</td></tr>`,
          )}
        </tbody>
      </table>
    </details>`;
  }

  private gallery(data: TendencyResult, panel: TendencyPanel) {
    if (!data.samples.images) return nothing;
    const block = panel.blocks.ranges[this.block];
    if (!block)
      return html`<h3 class="samples">Samples</h3><p class="reason">Click a block to see its samples.</p>`;
    const { start: from, end: to } = block;
    return html`<h3 class="samples">Block ${this.block + 1}: ${to - from} samples</h3>
      <es-sample-gallery .data=${data.samples} .selection=${this.selection} .samples=${panel.order.subarray(from, to)}></es-sample-gallery>`;
  }

  /** Which samples are shown, where there was thinning. */
  private sizes({ panels, thinning }: TendencyResult, radio: Radio) {
    if (!thinning?.steps.length) return nothing;
    const now = String(this.step);
    const set = (value: string) => {
      this.step = Number(value);
      this.block = -1;
    };
    return html`<div class="controls"><fieldset>
      <legend>Samples</legend>
      ${radio('samples', '-1', `all ${panels[0]!.n}`, now, set)}
      ${thinning.steps.map(({ size }, i) => radio('samples', String(i), String(size), now, set))}
    </fieldset></div>`;
  }

  /** Snapshots of the layer shown as a slider that plays. */
  private player(panel: TendencyPanel) {
    const row = this.shown.filter(({ layer }) => layer === panel.layer);
    // A page that says which snapshot is shown has a timeline of its own.
    if (row.length < 2 || this.compared || this.selection.snapshot !== undefined) return nothing;
    const at = row.findIndex(({ snapshot }) => snapshot.id === panel.snapshot.id);
    return html`<div class="player">
      <button type="button" aria-pressed=${this.playing} @click=${() => this.play(!this.playing)}>${this.playing ? 'Stop' : 'Play'}</button>
      <input type="range" aria-label="Snapshot" min="0" max=${row.length - 1} step="1" .value=${String(at)} aria-valuetext=${snapshotTitle(panel.snapshot)}
        @input=${(e: Event) => {
          this.play(false);
          this.goTo(row[Number((e.target as HTMLInputElement).value)]!);
        }} />
      <span class="reason">${snapshotTitle(panel.snapshot)}${this.aligned ? '' : panel.aligned ? '; orders are not aligned' : ''}</span>
    </div>`;
  }

  private goTo({ snapshot, layer }: TendencyPanel): void {
    this.selected = { snapshot: snapshot.id, layer };
    this.block = -1;
    this.select(this.selected);
  }

  /** Goes through the snapshots of the layer shown, from the start when at the end, and stops at the end. */
  private play(on: boolean): void {
    clearInterval(this.clock);
    this.playing = on;
    if (!on) return;
    const row = () => this.shown.filter(({ layer }) => layer === this.selected?.layer);
    const at = () => row().findIndex(({ snapshot }) => snapshot.id === this.selected?.snapshot);
    if (at() === row().length - 1) this.goTo(row()[0]!);
    this.clock = setInterval(() => {
      const next = row()[at() + 1];
      if (next) this.goTo(next);
      if (!next || at() === row().length - 1) this.play(false);
    }, PLAY_MS);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.play(false);
  }

  private scores({ panels }: TendencyResult) {
    if (panels.length < 2) return nothing;
    return html`<h3 class="later">Over the snapshots</h3>
      <label>Figure <select name="score" @change=${(e: Event) => (this.score = (e.target as HTMLSelectElement).value as ScoreMeasure)}>
        ${Object.entries(SCORE_MEASURES).map(([value, text]) => html`<option value=${value} ?selected=${value === this.score}>${text}</option>`)}
      </select></label>
      <es-tendency-scores .data=${this.shown} score=${this.score} .selection=${this.selected ?? {}} @es-select=${this.onGrid}></es-tendency-scores>`;
  }

  private thinning({ thinning }: TendencyResult) {
    if (!thinning) return nothing;
    return html`<h3 class="later">Fewer samples, along the order of ${thinning.reference.layer}, ${titleOfId(thinning.reference.snapshot)}</h3>
      <label>Agreement with all samples <select name="agreement" @change=${(e: Event) => (this.agreement = (e.target as HTMLSelectElement).value as Agreement)}>
        ${Object.entries(AGREEMENTS).map(([value, text]) => html`<option value=${value} ?selected=${value === this.agreement}>${text}</option>`)}
      </select></label>
      <es-tendency-thinning .data=${thinning} agreement=${this.agreement} .selection=${this.selected ?? {}} @es-select=${this.onGrid}></es-tendency-thinning>`;
  }

  private onGrid = (event: CustomEvent<GridSelectDetail>) => {
    this.selected = event.detail;
    this.block = -1;
  };
  private onPosition = (event: CustomEvent<TendencySelectDetail>) => {
    this.block = event.detail.block;
  };
}

declare global {
  interface HTMLElementTagNameMap {
    'es-tendency-view': EsTendencyView;
  }
}
