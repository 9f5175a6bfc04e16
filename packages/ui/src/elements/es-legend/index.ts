import { css, html, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { drawn } from '../../figure/drawn.js';
import { CORRECT_COLOUR, classColour, WRONG_COLOUR } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import type { Selection } from '../../selection.js';
import { format, tokens } from '../../styles.js';

const swatches = new Map<string, SceneItem[]>();
/** A square of a colour. */
function swatch(colour: string) {
  let items = swatches.get(colour);
  if (!items)
    swatches.set(
      colour,
      (items = [{ kind: 'rect', x: 0, y: 0, width: 12, height: 12, radius: 2, fill: colour }]),
    );
  return html`<svg viewBox="0 0 12 12" aria-hidden="true" ${drawn(items)}></svg>`;
}

/**
 * What colours and greys mean: classes, right and wrong, and the grey scale with its ends.
 * @fires es-select - `{ class }`: a class was chosen, `null` when it was let go.
 * @csspart item - one entry. @csspart scale - the grey bar.
 */
export class EsLegend extends LitElement {
  static override styles = [
    tokens,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        gap: 0.3rem 0.9rem;
        align-items: center;
      }
      button {
        all: unset;
        cursor: pointer;
        border-radius: 4px;
      }
      button:focus-visible {
        outline: 2px solid var(--_accent);
        outline-offset: 2px;
      }
      button[aria-pressed='true'] {
        font-weight: 600;
        text-decoration: underline;
        text-underline-offset: 3px;
      }
      span[part='scale'] {
        max-inline-size: 100%;
      }
      span,
      button {
        display: inline-flex;
        align-items: center;
        gap: 0.35rem;
      }
      svg {
        inline-size: 0.8em;
        block-size: 0.8em;
        forced-color-adjust: none;
      }
      .bar {
        inline-size: 7rem;
        min-inline-size: 2rem;
        block-size: 0.8em;
        border: 1px solid var(--_line);
        background: linear-gradient(to right, #000, #fff);
      }
    `,
  ];
  /** Class names, in label order. */
  @property({ attribute: false }) classes: string[] | null = null;
  @property({ type: String, attribute: 'mark-color' }) markColor: 'class' | 'correct' | 'none' = 'class';
  /** White end of the grey scale; NaN hides the bar. */
  @property({ type: Number }) high: number = Number.NaN;
  /** What the scale measures: "euclidean". */
  @property({ type: String }) unit: string = '';
  @property({ attribute: false }) selection: Selection = {};

  protected override willUpdate(): void {
    // A page whose selection is not there yet hands over null or undefined.
    this.selection ??= {};
  }

  override render() {
    const item = (colour: string, text: string) => html`<span part="item">${swatch(colour)}${text}</span>`;
    return html`
      ${this.markColor === 'correct' ? html`${item(CORRECT_COLOUR, 'right')}${item(WRONG_COLOUR, 'wrong')}` : nothing}
      ${this.markColor === 'class' ? (this.classes ?? []).map((name, c) => this.classItem(name, c)) : nothing}
      ${Number.isFinite(this.high) ? html`<span part="scale" role="img" aria-label="Grey scale: black is 0, white is ${format(this.high)} ${this.unit}">0<b class="bar"></b>${format(this.high)} ${this.unit}</span>` : nothing}
    `;
  }

  private classItem(name: string, c: number) {
    const chosen = this.selection.class === c;
    const choose = () =>
      this.dispatchEvent(
        new CustomEvent<Selection>('es-select', {
          detail: { class: chosen ? null : c },
          bubbles: true,
          composed: true,
        }),
      );
    return html`<button type="button" part="item" aria-pressed=${chosen} aria-label="class ${name}" @click=${choose}>${swatch(classColour(c))}${name}</button>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-legend': EsLegend;
  }
}
