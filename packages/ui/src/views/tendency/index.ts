import type { TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { GridSelectDetail } from '../../elements/es-tendency-grid/index.js';
import { type MarkColour, scaleOf } from '../../elements/es-tendency-image/draw.js';
import type { TendencySelectDetail } from '../../elements/es-tendency-image/index.js';
import { EsLoaded, state } from '../../figure/index.js';
import type { Selection } from '../../selection.js';

/**
 * A whole tendency result: the grid, the chosen picture large, its figures, and the samples of the chosen block. Give
 * `data`, or `src`: the address of a result in one file.
 * @fires es-select - from the elements inside.
 */
export class EsTendencyView extends EsLoaded<TendencyResult, TendencyResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      :host {
        container-type: inline-size;
      }
      .controls {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 1.5rem;
        margin-block: 0.5rem 1rem;
        align-items: center;
      }
      fieldset {
        border: 0;
        padding: 0;
        margin: 0;
        display: flex;
        gap: 0.8rem;
      }
      legend {
        float: left;
        padding: 0;
        color: var(--_quiet);
      }
      .split {
        display: grid;
        grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
        gap: 2rem;
        margin-block-start: 1.5rem;
        align-items: start;
      }
      @container (max-width: 760px) {
        .split {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      h3 {
        margin: 0 0 0.5rem;
        font-size: 1rem;
      }
      .reason {
        color: var(--_quiet);
        font-style: italic;
      }
    `,
  ];
  static override properties = {
    ...EsLoaded.properties,
    mode: { type: String },
    markColor: { type: String, attribute: 'mark-color' },
    outlines: { type: Boolean },
    selected: { state: true },
    block: { state: true },
  };
  declare mode: 'ivat' | 'vat';
  declare markColor: MarkColour;
  declare outlines: boolean;
  declare private selected: GridSelectDetail | null;
  declare private block: number;

  constructor() {
    super();
    this.mode = 'ivat';
    this.markColor = 'class';
    this.outlines = false;
    this.selected = null;
    this.block = -1;
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has('data') && this.data?.panels.length) {
      const last = this.data.panels[this.data.panels.length - 1]!;
      this.selected = { snapshot: last.snapshot.id, layer: last.layer };
      this.block = -1;
      if (!this.data.samples.labels) this.markColor = 'none';
    }
    if ((changed.has('selection') || changed.has('data')) && this.selected) this.follow(this.selection);
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
    const panel = data.panels.find(
      (p) => p.layer === this.selected?.layer && p.snapshot.id === this.selected.snapshot,
    );
    const radio = (name: string, value: string, text: string, now: string, set: (value: string) => void) =>
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
        <label><input type="checkbox" .checked=${this.outlines} @change=${(e: Event) => (this.outlines = (e.target as HTMLInputElement).checked)} /> outline blocks</label>
        <es-legend .classes=${data.samples.classes} .selection=${this.selection} mark-color=${this.markColor}></es-legend>
      </div>
      ${this.compared ? nothing : html`<es-tendency-grid .data=${data.panels} mode=${this.mode} mark-color=${this.markColor} .selected=${this.selected} @es-select=${this.onGrid}></es-tendency-grid>`}
      ${panel ? this.chosen(data, panel) : state(`This result has no picture of ${this.selected?.layer} at ${this.selected?.snapshot}: choose one that is analysed.`)}
    `;
  }

  private chosen(data: TendencyResult, panel: TendencyPanel): TemplateResult {
    return html`<div class="split">
      <div>
        <h3>${panel.layer}, ${panel.snapshot.id}</h3>
        <es-tendency-image .data=${panel} .selection=${this.selection} .classes=${data.samples.classes} mode=${this.mode} mark-color=${this.markColor} ?blocks=${this.outlines} @es-select=${this.onPosition}></es-tendency-image>
        <es-legend mark-color="none" .high=${scaleOf(panel, this.mode)} unit=${panel.metric}></es-legend>
      </div>
      <div>${this.figures(panel)} ${this.gallery(data, panel)}</div>
    </div>`;
  }

  private figures(panel: TendencyPanel) {
    const rows: [string, TendencyPanel['rimScore']][] = [
      ['Stability of the count', panel.blocks.stability],
      ['Adjusted Rand index', panel.scores.ari],
      ['Normalised mutual information', panel.scores.nmi],
      ['Purity', panel.scores.purity],
      ['Rim score of wrong samples', panel.rimScore],
    ];
    return html`<h3>Figures</h3>
      <table>
        <tbody>
          <tr><td>Samples × units</td><td>${panel.n} × ${panel.d}</td></tr>
          <tr><td>Dark blocks</td><td>${panel.blocks.count}</td></tr>
          ${rows.map(([name, figure]) => html`<tr><td>${name}</td><td>${figure.value === null ? html`<span class="reason">${figure.reason}</span>` : figure.value.toFixed(3)}</td></tr>`)}
        </tbody>
      </table>`;
  }

  private gallery(data: TendencyResult, panel: TendencyPanel) {
    if (!data.samples.images) return nothing;
    if (this.block < 0 || this.block >= panel.blocks.count)
      return html`<h3 style="margin-top:1.5rem">Samples</h3><p class="reason">Click a block to see its samples.</p>`;
    const [from, to] = [panel.blocks.boundaries[this.block]!, panel.blocks.boundaries[this.block + 1]!];
    return html`<h3 style="margin-top:1.5rem">Block ${this.block + 1}: ${to - from} samples</h3>
      <es-sample-gallery .data=${data.samples} .selection=${this.selection} .samples=${panel.order.subarray(from, to)}></es-sample-gallery>`;
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
