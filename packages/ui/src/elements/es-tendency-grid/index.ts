import type { TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import { css, html, LitElement, type PropertyValues } from 'lit';
import { SourceLoader } from '../../source.js';
import { tokens } from '../../styles.js';
import type { MarkColour } from '../es-tendency-image/draw.js';

export interface GridSelectDetail {
  snapshot: string;
  layer: string;
}

/**
 * VAT/iVAT pictures of snapshots (columns) × layers (rows), with the number of blocks and the adjusted Rand index below each.
 * Arrow keys move between pictures. Uses es-tendency-image, which must be registered.
 * @fires es-select - `GridSelectDetail`: a picture was chosen.
 * @csspart cell - one picture with its caption.
 */
export class EsTendencyGrid extends LitElement {
  static override styles = [
    tokens,
    css`
      :host {
        display: block;
        overflow-x: auto;
      }
      .grid {
        display: grid;
        gap: 0.5rem;
        align-items: center;
        min-inline-size: min-content;
      }
      .head {
        font-weight: 600;
        text-align: center;
        color: var(--_quiet);
        white-space: nowrap;
      }
      .layer {
        text-align: right;
        padding-inline-end: 0.3rem;
      }
      button {
        all: unset;
        box-sizing: border-box;
        display: block;
        inline-size: 100%;
        padding: 4px;
        border-radius: 6px;
        border: 2px solid transparent;
        cursor: pointer;
      }
      button:hover {
        background: var(--_raised);
      }
      button:focus-visible {
        outline: 2px solid var(--_accent);
      }
      button[aria-pressed='true'] {
        border-color: var(--_accent);
      }
      .caption {
        display: block;
        text-align: center;
        color: var(--_quiet);
        font-size: 0.8em;
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
    `,
  ];
  static override properties = {
    data: { attribute: false },
    src: { type: String },
    problem: { state: true },
    mode: { type: String },
    markColor: { type: String, attribute: 'mark-color' },
    selected: { attribute: false },
  };
  declare data: readonly TendencyPanel[];
  /** Address of a result in one file, instead of `data`. */
  declare src: string;
  declare private problem: string;
  private loader = new SourceLoader<TendencyResult>();
  declare mode: 'ivat' | 'vat';
  declare markColor: MarkColour;
  declare selected: GridSelectDetail | null;

  constructor() {
    super();
    this.data = [];
    this.src = '';
    this.problem = '';
    this.mode = 'ivat';
    this.markColor = 'class';
    this.selected = null;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!this.src || !changed.has('src')) return;
    this.loader.load(this.src, (result, problem) => {
      this.data = result?.panels ?? [];
      this.problem = problem;
    });
  }

  override render() {
    if (this.problem) return html`<p role="alert">${this.problem}</p>`;
    if (!this.data.length) return html`<p>${this.src ? 'Loading…' : 'No pictures'}</p>`;
    const snapshots = [...new Map(this.data.map(({ snapshot }) => [snapshot.id, snapshot])).values()];
    const layers = [...new Set(this.data.map(({ layer }) => layer))];
    const title = (s: TendencyPanel['snapshot']) =>
      s.epoch === 0
        ? 'before training'
        : s.epoch !== null
          ? `epoch ${s.epoch}`
          : s.step !== null
            ? `step ${s.step}`
            : s.id;
    return html`<div class="grid" style="grid-template-columns:auto repeat(${snapshots.length}, minmax(7rem, 1fr))" @keydown=${this.onKey}>
      <span></span>${snapshots.map((s) => html`<span class="head">${title(s)}</span>`)}
      ${layers.map(
        (layer) =>
          html`<span class="head layer">${layer}</span>${snapshots.map((s) =>
            this.cell(
              this.data.find((p) => p.layer === layer && p.snapshot.id === s.id),
              title(s),
            ),
          )}`,
      )}
    </div>`;
  }

  private cell(panel: TendencyPanel | undefined, title: string) {
    if (!panel) return html`<span class="caption">not analysed</span>`;
    const pressed = this.selected?.layer === panel.layer && this.selected?.snapshot === panel.snapshot.id;
    const ari = panel.scores.ari.value;
    const caption = `${panel.blocks.count} ${panel.blocks.count === 1 ? 'block' : 'blocks'}${ari === null ? '' : ` · ARI ${ari.toFixed(2)}`}`;
    return html`<button part="cell" aria-pressed=${pressed} aria-label="${panel.layer}, ${title}: ${caption}" data-layer=${panel.layer} data-snapshot=${panel.snapshot.id} @click=${() => this.choose(panel)}>
      <es-tendency-image still .data=${panel} mode=${this.mode} mark-color=${this.markColor} aria-hidden="true"></es-tendency-image>
      <span class="caption">${caption}</span>
    </button>`;
  }

  private choose(panel: TendencyPanel): void {
    this.selected = { snapshot: panel.snapshot.id, layer: panel.layer };
    this.dispatchEvent(
      new CustomEvent<GridSelectDetail>('es-select', {
        detail: this.selected,
        bubbles: true,
        composed: true,
      }),
    );
  }

  private onKey = (event: KeyboardEvent) => {
    const buttons = [...this.renderRoot.querySelectorAll('button')];
    const at = buttons.indexOf((this.renderRoot as ShadowRoot).activeElement as HTMLButtonElement);
    const columns = new Set(this.data.map(({ snapshot }) => snapshot.id)).size;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (at < 0 || !step) return;
    event.preventDefault();
    buttons[at + step]?.focus();
  };
}

declare global {
  interface HTMLElementTagNameMap {
    'es-tendency-grid': EsTendencyGrid;
  }
}
