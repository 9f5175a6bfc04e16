import type { TendencyResult } from '@epochscope/analysis/results';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import {
  type Drawing,
  drawn,
  EsFigure,
  type FigureTable,
  type Frame,
  mark,
  tableOf,
} from '../../figure/index.js';
import { classColour } from '../../palette.js';
import { matrixPixels, type Pixels, rgba, type SceneItem } from '../../scene/index.js';

type Samples = TendencyResult['samples'];

const SIDE = 34;
const GAP = 4;
const TALL = SIDE + 22;

/** A sample's picture. */
export function samplePixels({ data, shape }: NonNullable<Samples['images']>, sample: number): Pixels {
  const [, height, width, channels] = shape;
  return matrixPixels([height, width], (p) => {
    const at = (sample * width * height + p) * channels;
    const level = (c: number) => data[at + Math.min(c, channels - 1)]!;
    return [level(0), level(1), level(2)];
  });
}

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
      .row svg {
        display: block;
        inline-size: 34px;
        block-size: 3px;
        forced-color-adjust: none;
      }
      small {
        color: var(--_quiet);
        font-size: 0.75em;
      }
    `,
  ];
  /** Sample indices, in the order to show. */
  @property({ attribute: false }) samples: ArrayLike<number> = [];
  @property({ type: Number }) limit: number = 60;

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

  protected override draw(data: Samples, { width }: Frame): Drawing {
    const shown = Array.from(this.samples).slice(0, this.limit);
    const across = Math.max(1, Math.floor((width + GAP) / (SIDE + GAP)));
    return {
      width,
      height: Math.ceil(shown.length / across) * TALL,
      items: shown.map((sample, i) => {
        const pixels = data.images && samplePixels(data.images, sample);
        const items: SceneItem[] = [
          ...(pixels ? [{ kind: 'image' as const, x: 0, y: 0, width: SIDE, height: SIDE, pixels }] : []),
          ...(data.labels
            ? [
                {
                  kind: 'rect' as const,
                  x: 0,
                  y: SIDE,
                  width: SIDE,
                  height: 3,
                  fill: classColour(data.labels[sample]!),
                },
              ]
            : []),
          {
            kind: 'text',
            x: SIDE / 2,
            y: SIDE + 14,
            text: this.nameOf(sample),
            anchor: 'middle',
            size: 10,
            fill: 'var(--_quiet)',
          },
        ];
        return { kind: 'group', x: (i % across) * (SIDE + GAP), y: Math.floor(i / across) * TALL, items };
      }),
      note: this.hint(),
    };
  }
  /** Buttons that wrap: a page may show a gallery beside other things. */
  protected override picture(data: Samples): TemplateResult {
    const shown = Array.from(this.samples).slice(0, this.limit);
    const buttons = shown.map(
      (sample) =>
        html`<button type="button" part="item" ${mark({
          label: `sample ${sample}${data.labels ? `, class ${this.nameOf(sample)}` : ''}`,
          detail: { sample },
          selected: this.selection.sample === sample,
        })}>
          <canvas data-sample=${sample}></canvas>${data.labels ? html`<svg viewBox="0 0 34 3" preserveAspectRatio="none" aria-hidden="true" ${drawn(this.stripe(data.labels[sample]!))}></svg>` : nothing}<small>${this.nameOf(sample)}</small>
        </button>`,
    );
    return this.marked({ class: 'row', marks: true, label: this.summary() }, buttons);
  }
  private stripe(label: number): SceneItem[] {
    return this.kept(`class ${label}`, [], () => [
      { kind: 'rect', x: 0, y: 0, width: 34, height: 3, fill: classColour(label) },
    ]);
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
    for (const canvas of this.renderRoot.querySelectorAll('canvas')) {
      const pixels = samplePixels(images, Number(canvas.dataset.sample));
      canvas.width = pixels.width;
      canvas.height = pixels.height;
      canvas.getContext('2d')!.putImageData(new ImageData(rgba(pixels), pixels.width, pixels.height), 0, 0);
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-sample-gallery': EsSampleGallery;
  }
}
