import type { TendencyResult } from '@epochscope/analysis/results';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { EsFigure, type FigureTable, mark, tableOf } from '../../figure/index.js';
import { classColour } from '../../palette.js';

type Samples = TendencyResult['samples'];

/**
 * The real pictures of chosen samples, with their class below. At most `limit` are drawn; the rest are counted. One tab
 * stop: arrow keys, Home and End move, Enter or Space chooses.
 * @fires es-select - `{ sample: number }`: a picture was chosen.
 */
export class EsSampleGallery extends EsFigure<Samples, TendencyResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .row {
        display: flex;
        flex-wrap: wrap;
        gap: 4px;
      }
      .row button {
        all: unset;
        cursor: pointer;
        text-align: center;
        border-block-end: 3px solid transparent;
      }
      .row button[aria-pressed='true'] {
        outline: 2px solid var(--_accent);
      }
      .row button:focus-visible {
        outline: 2px solid var(--_text);
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
    ...EsFigure.properties,
    samples: { attribute: false },
    limit: { type: Number },
  };
  /** Sample indices, in the order to show. */
  declare samples: ArrayLike<number>;
  declare limit: number;

  constructor() {
    super();
    this.samples = [];
    this.limit = 60;
  }

  protected override pick({ samples }: TendencyResult): Samples {
    return samples;
  }
  protected override emptyReason({ images }: Samples): string {
    return images ? '' : 'The result holds no pictures of its samples.';
  }
  private nameOf(sample: number): string {
    const { labels, classes } = this.data!;
    return labels ? (classes?.[labels[sample]!] ?? String(labels[sample])) : String(sample);
  }
  protected override summary(): string {
    const count = this.samples.length;
    return `${count} ${count === 1 ? 'sample' : 'samples'}`;
  }
  protected override table({ labels }: Samples): FigureTable {
    return tableOf(labels ? ['Sample', 'Class'] : ['Sample'], this.samples, (sample) =>
      labels ? [sample, this.nameOf(sample)] : [sample],
    );
  }
  protected override hint(): string {
    const more = this.samples.length - this.limit;
    return more > 0 ? `and ${more} more` : '';
  }
  protected override get fileName(): string {
    return 'samples';
  }

  protected override drawing(data: Samples): TemplateResult {
    const shown = Array.from(this.samples).slice(0, this.limit);
    const buttons = shown.map(
      (sample) =>
        html`<button type="button" part="item" style=${data.labels ? `border-color:${classColour(data.labels[sample]!)}` : nothing} ${mark(
          {
            label: `sample ${sample}${data.labels ? `, class ${this.nameOf(sample)}` : ''}`,
            detail: { sample },
            selected: this.selection.sample === sample,
          },
        )}>
          <canvas data-sample=${sample}></canvas><small data-export>${this.nameOf(sample)}</small>
        </button>`,
    );
    return this.marked({ class: 'row', marks: true, label: this.summary() }, buttons);
  }

  private painted: Promise<void> = Promise.resolve();

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (['data', 'samples', 'limit'].some((name) => changed.has(name))) this.painted = this.paintLater();
  }
  protected override async getUpdateComplete(): Promise<boolean> {
    const complete = await super.getUpdateComplete();
    await this.painted;
    return complete;
  }

  /** After the next frame: what was clicked is answered first, sixty small canvases take their time. A hidden page has no frames. */
  private async paintLater(): Promise<void> {
    await new Promise<void>((resolve) => {
      requestAnimationFrame(() => setTimeout(resolve));
      setTimeout(resolve, 200);
    });
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
