import type { TendencyResult } from '@epochscope/analysis/results';
import { css, html, LitElement, nothing } from 'lit';
import { classColour } from '../../palette.js';
import { tokens } from '../../styles.js';

/**
 * The real pictures of chosen samples, with their class below. At most `limit` are drawn; the rest are counted.
 * @fires es-select - `{ sample: number }`: a picture was chosen.
 */
export class EsSampleGallery extends LitElement {
  static override styles = [
    tokens,
    css`
      :host {
        display: block;
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        gap: 4px;
      }
      button {
        all: unset;
        cursor: pointer;
        text-align: center;
        border-block-end: 3px solid transparent;
      }
      button:focus-visible {
        outline: 2px solid var(--_accent);
      }
      canvas {
        display: block;
        inline-size: 34px;
        block-size: 34px;
        image-rendering: pixelated;
        background: #000;
      }
      small {
        color: var(--_quiet);
        font-size: 0.75em;
      }
    `,
  ];
  static override properties = {
    samples: { attribute: false },
    data: { attribute: false },
    limit: { type: Number },
  };
  /** Sample indices, in the order to show. */
  declare samples: ArrayLike<number>;
  /** The samples' pictures, labels and class names. */
  declare data: TendencyResult['samples'] | null;
  declare limit: number;

  constructor() {
    super();
    this.samples = [];
    this.data = null;
    this.limit = 60;
  }

  override render() {
    const { data } = this;
    if (!data?.images) return html`<p>The result holds no pictures of its samples.</p>`;
    const shown = Array.from(this.samples).slice(0, this.limit);
    const name = (sample: number) =>
      data.labels ? (data.classes?.[data.labels[sample]!] ?? String(data.labels[sample])) : String(sample);
    return html`<div class="row">
        ${shown.map(
          (
            sample,
          ) => html`<button aria-label="sample ${sample}${data.labels ? `, class ${name(sample)}` : ''}" style=${data.labels ? `border-color:${classColour(data.labels[sample]!)}` : nothing} @click=${() => this.dispatchEvent(new CustomEvent('es-select', { detail: { sample }, bubbles: true, composed: true }))}>
            <canvas data-sample=${sample}></canvas><small>${name(sample)}</small>
          </button>`,
        )}
      </div>
      ${this.samples.length > shown.length ? html`<small>and ${this.samples.length - shown.length} more</small>` : nothing}`;
  }

  protected override updated(): void {
    const images = this.data?.images;
    if (!images) return;
    const [, height, width, channels] = images.shape;
    for (const canvas of this.renderRoot.querySelectorAll('canvas')) {
      const sample = Number(canvas.dataset.sample);
      canvas.width = width;
      canvas.height = height;
      const pixels = new Uint8ClampedArray(4 * width * height);
      for (let p = 0; p < width * height; p++) {
        for (let c = 0; c < 3; c++)
          pixels[4 * p + c] =
            images.data[(sample * width * height + p) * channels + Math.min(c, channels - 1)]!;
        pixels[4 * p + 3] = 255;
      }
      canvas.getContext('2d')!.putImageData(new ImageData(pixels, width, height), 0, 0);
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-sample-gallery': EsSampleGallery;
  }
}
