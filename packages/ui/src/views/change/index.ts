import type { ChangeResult, Figure, TensorChange, TensorSample } from '@epochscope/analysis/results';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { scatterOf } from '../../elements/es-change-scatter/index.js';
import { type DivergingName, EsLoaded, robustExtent } from '../../figure/index.js';
import { format, snapshotTitle } from '../../styles.js';

/** What is kept of a tensor too large to draw: how many values changed by how much, a row a power of two. */
function magnitudes(
  { name, shape, statistics }: TensorChange,
  { delta, indices }: TensorSample,
): TemplateResult {
  const rows = [...delta.positive.keys()]
    .filter((i) => delta.negative[i]! + delta.positive[i]! > 0)
    .reverse();
  return html`<h4>${name}, ${shape.join(' × ')}</h4>
    <p>${statistics.count} values, of which ${indices.length} are kept and drawn. How many changed by how much:</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Changes of ${name} by size"><table>
      <thead><tr><th scope="col">|Δ| from</th><th scope="col">Decreased</th><th scope="col">Increased</th></tr></thead>
      <tbody>${rows.map((i) => html`<tr><td>${format(2 ** (delta.first + i))}</td><td>${delta.negative[i]}</td><td>${delta.positive[i]}</td></tr>`)}
      ${delta.zero ? html`<tr><td>0</td><td colspan="2">${delta.zero}</td></tr>` : nothing}</tbody>
    </table></div>`;
}

const percent = ({ value }: Figure) => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);
const number = ({ value }: Figure) => (value === null ? '–' : format(value));

/**
 * A whole change result: the figures of every layer, and for the chosen one its values before, its change and the scatter of one against the
 * other. Give `data`, or `src`.
 * @fires es-select - `{ layer }`, and from the elements inside.
 */
export class EsChangeView extends EsLoaded<ChangeResult, ChangeResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      :host {
        container-type: inline-size;
      }
      .scroll {
        overflow-x: auto;
      }
      td {
        white-space: nowrap;
      }
      th {
        vertical-align: bottom;
      }
      @container (max-width: 720px) {
        td,
        th {
          padding-inline: 0.3rem;
        }
      }
      tr[aria-current='true'] {
        background: var(--_raised);
      }
      td button {
        all: unset;
        box-sizing: border-box;
        min-inline-size: 24px;
        line-height: 24px;
        cursor: pointer;
        color: var(--_accent);
      }
      td button:focus-visible {
        outline: 2px solid var(--_accent);
      }
      .controls {
        margin-block: 0.7rem;
      }
      .split {
        display: grid;
        grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
        gap: 1.5rem 2rem;
        margin-block-start: 1rem;
        align-items: start;
      }
      @container (max-width: 860px) {
        .split {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      h3 {
        margin: 0 0 0.4rem;
        font-size: 1rem;
      }
      h4 {
        margin: 0.8rem 0 0.3rem;
        font-size: 0.9rem;
        font-weight: normal;
        color: var(--_quiet);
      }
    `,
  ];
  /** The layer shown large; default the first with parameters. */
  @property({ type: String }) layer: string = '';
  @property({ type: String }) palette: DivergingName = 'sign';
  /** Colours up to the largest change, also where a few leave the rest pale. */
  @property({ type: Boolean }) full: boolean = false;
  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!this.data) return;
    const known = (name: string | null | undefined): name is string =>
      this.data!.layers.some(({ layer }) => layer === name);
    if (changed.has('selection') && known(this.selection.layer)) this.layer = this.selection.layer;
    if (!known(this.layer)) this.layer = this.data.layers[0]?.layer ?? '';
  }
  protected override emptyReason({ layers }: ChangeResult): string {
    return layers.length ? '' : 'The net has no parameters.';
  }

  /** The end of the colours, one for all layers. */
  private extent(data: ChangeResult): number {
    if (this.full) return data.scale;
    if (this.robust?.data !== data) {
      const all = data.tensors.map(({ delta }) => robustExtent(delta));
      this.robust = { data, extent: Math.min(data.scale, Math.max(...all)) };
    }
    return this.robust.extent;
  }
  private robust: { data: ChangeResult; extent: number } | null = null;
  private clipped(data: ChangeResult): boolean {
    return this.full || this.extent(data) < data.scale;
  }

  private choose(layer: string): void {
    this.layer = layer;
    this.select({ layer });
  }

  protected override content(data: ChangeResult): TemplateResult {
    const scatter = scatterOf(data, this.layer)!;
    const tensors = data.tensors.filter(({ layer }) => layer === this.layer);
    return html`
      <p>From ${snapshotTitle(data.from)} to ${snapshotTitle(data.to)}. A correlation above 0 and more than half equal signs mean that values moved away from 0.</p>
      <div class="scroll" tabindex="0" role="region" aria-label="Change by layer"><table>
        <thead><tr>${['Layer', 'Weights', 'Pearson\u00a0r', 'Slope', 'Equal signs', 'Positive grew', 'Negative shrank', '‖Δ‖\u00a0/\u00a0‖w‖'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>${data.layers.map(
          ({ layer, statistics: s }) => html`<tr aria-current=${layer === this.layer ? 'true' : nothing}>
            <td><button type="button" aria-pressed=${layer === this.layer} @click=${() => this.choose(layer)}>${layer}</button></td>
            <td>${s.count}</td><td>${number(s.pearson)}</td><td>${number(s.slope)}</td><td>${percent(s.equalSigns)}</td><td>${percent(s.positiveGrew)}</td><td>${percent(s.negativeShrank)}</td><td>${percent(s.relativeChange)}</td></tr>`,
        )}</tbody>
      </table></div>
      ${this.clipped(data) ? html`<label class="controls"><input type="checkbox" .checked=${this.full} @change=${(e: Event) => (this.full = (e.target as HTMLInputElement).checked)} /> colours up to the largest change, ${format(data.scale)}</label>` : nothing}
      <div class="split">
        <div>
          <h3>${this.layer}: change</h3>
          ${tensors.map((tensor) =>
            tensor.sample
              ? magnitudes(tensor, tensor.sample)
              : html`<h4>${tensor.name}, ${tensor.shape.join(' × ')}</h4>
            <es-change-heatmap .data=${tensor} .selection=${this.selection} .inputShape=${data.inputShape} .extent=${this.extent(data)} palette=${this.palette}></es-change-heatmap>`,
          )}
        </div>
        <div>
          <h3>${this.layer}: value before against change</h3>
          <es-change-scatter .data=${scatter} .selection=${this.selection}></es-change-scatter>
          ${tensors
            .filter(({ shape, sample }) => shape.length > 1 && !sample)
            .map(
              (tensor) => html`<h4>${tensor.name} before</h4>
            <es-change-heatmap .data=${tensor} .selection=${this.selection} .inputShape=${data.inputShape} values="before" palette=${this.palette}></es-change-heatmap>`,
            )}
        </div>
      </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-change-view': EsChangeView;
  }
}
