import type { PictureLayout, PruneResult } from '@epochscope/analysis/results';
import { css, html, type PropertyValues, svg, type TemplateResult } from 'lit';
import { cssColour, EsFigure, type FigureTable, mark, type Painter, tableOf } from '../../figure/index.js';
import { format } from '../../styles.js';
import {
  tileOf,
  unitPixels,
  type WeightMode,
  type WeightPalette,
  weightColour,
  weightExtent,
} from './draw.js';

export interface WeightPicturesData {
  layout: PictureLayout;
  /** float32[height·width·channels × units], row-major. */
  weights: Float32Array;
  /** uint8 of the same length, 1 = kept; null: all are. */
  mask: Uint8Array | null;
}

const GAP = 4;
/** A picture is at least this wide and high. */
const LEAST = 44;

/**
 * A layer's weights as one picture per unit: positive red, negative blue, brighter the larger, removed black; or the
 * regions that are kept, white on black. Channels stand side by side. Choosing a picture chooses its unit.
 * @fires es-select - `{ unit }`.
 * @csspart scale - the colour scale below.
 */
export class EsWeightPictures extends EsFigure<WeightPicturesData, PruneResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .unit {
        fill: transparent;
        stroke: transparent;
        stroke-width: 2;
      }
      .unit:hover {
        stroke: var(--_quiet);
      }
      .unit[aria-pressed='true'] {
        stroke: var(--_accent);
        stroke-width: 3;
      }
      .scale {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.2rem 0.5rem;
        margin-block-start: 0.4rem;
        color: var(--_quiet);
        font-variant-numeric: tabular-nums;
      }
      .scale i {
        inline-size: 9rem;
        block-size: 0.8rem;
        border: 1px solid var(--_line);
      }
      .scale i.key {
        inline-size: 0.8rem;
      }
    `,
  ];
  static override properties = {
    ...EsFigure.properties,
    mode: { type: String },
    palette: { type: String },
    extent: { type: Number },
    sort: { type: String },
    units: { attribute: false },
    limit: { type: Number },
    round: { type: Number },
    largest: { type: Number },
  };
  declare mode: WeightMode;
  /** red-blue, or orange-blue, which is told apart under colour-vision deficiencies. */
  declare palette: WeightPalette;
  /** |w| of full brightness, to share one scale between elements; 0: from these weights. */
  declare extent: number;
  /** Order of the pictures. */
  declare sort: 'unit' | 'removed';
  /** Only these units; null: all. */
  declare units: readonly number[] | null;
  /** Pictures drawn at most: the first of the order. */
  declare limit: number;
  /** With `src`: round of the result; −1 is the last, and before pruning is −2. */
  declare round: number;
  /** Widest a picture becomes, CSS pixels. */
  declare largest: number;
  private shown: number[] = [];
  private bright = 0;

  constructor() {
    super();
    this.mode = 'weights';
    this.palette = 'red-blue';
    this.extent = 0;
    this.sort = 'unit';
    this.units = null;
    this.limit = 400;
    this.round = -1;
    this.largest = 224;
  }

  protected override pick(result: PruneResult): WeightPicturesData {
    const { layout, rounds, weightsBefore } = result;
    if (this.round === -2) return { layout, weights: weightsBefore, mask: null };
    const found =
      this.round === -1 ? rounds[rounds.length - 1] : rounds.find(({ round }) => round === this.round);
    if (!found) throw new Error(`The result has no round ${this.round}`);
    return { layout, weights: found.weights, mask: found.mask };
  }
  protected override get pickedBy(): readonly string[] {
    return ['round'];
  }
  protected override get fileName(): string {
    return this.mode === 'regions' ? 'regions' : 'weights';
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!this.data || !['data', 'units', 'sort', 'limit', 'extent'].some((name) => changed.has(name))) return;
    const { layout, weights, mask } = this.data;
    const units = this.units
      ? this.units.filter((unit) => unit >= 0 && unit < layout.units)
      : Array.from({ length: layout.units }, (_, unit) => unit);
    if (this.sort === 'removed' && mask) {
      const kept = keptOf(this.data);
      units.sort((a, b) => kept[b]! - kept[a]! || a - b);
    }
    this.shown = units.slice(0, Math.max(1, this.limit));
    this.bright = this.extent || weightExtent(weights);
  }

  protected override emptyReason({ layout, weights }: WeightPicturesData): string {
    if (!layout.units || !weights.length) return 'The layer has no weights.';
    return this.shown.length ? '' : 'No such unit.';
  }
  protected override summary(data: WeightPicturesData): string {
    const { layout, mask } = data;
    const [height, width] = layout.inputShape;
    const removed = mask ? mask.reduce((sum, kept) => sum + (kept ? 0 : 1), 0) / mask.length : 0;
    const which = this.shown.length === 1 ? `unit ${this.shown[0]}` : `${this.shown.length} units`;
    return this.mode === 'regions'
      ? `Regions of weights that ${which} of ${layout.layer} keep, in pictures of ${height}×${width}; ${share(removed)} of the layer is removed`
      : `Weights of ${which} of ${layout.layer} as pictures of ${height}×${width}, brightest at ${format(this.bright)}; ${share(removed)} of the layer is removed`;
  }
  protected override hint({ layout }: WeightPicturesData): string {
    const left = (this.units?.length ?? layout.units) - this.shown.length;
    return left > 0 ? `${left} more units are not drawn (limit ${this.limit})` : '';
  }
  protected override table(data: WeightPicturesData): FigureTable {
    const { layout, weights, mask } = data;
    const size = weights.length / layout.units;
    const kept = keptOf(data);
    return tableOf(['Unit', 'Removed', 'Kept', 'Largest |w|', 'Positive'], this.shown, (unit) => {
      let largest = 0;
      let positive = 0;
      for (let i = unit; i < weights.length; i += layout.units) {
        if (mask && !mask[i]) continue;
        largest = Math.max(largest, Math.abs(weights[i]!));
        if (weights[i]! > 0) positive++;
      }
      return [
        unit,
        share(1 - kept[unit]! / size),
        kept[unit]!,
        largest,
        kept[unit] ? share(positive / kept[unit]!) : null,
      ];
    });
  }

  protected override drawing(data: WeightPicturesData): TemplateResult {
    const { layout } = data;
    const tile = tileOf(layout);
    const whole = (pixels: number) => Math.max(1, Math.floor(pixels / tile.width)) * tile.width;
    const count = this.shown.length;
    const least = Math.ceil(LEAST / Math.min(tile.width, tile.height)) * tile.width;
    const most = Math.max(1, Math.floor((this.width + GAP) / (least + GAP)));
    const columns = Math.min(count, most);
    const room = (this.width - GAP * (columns - 1)) / columns;
    // Whole pixels per weight where they fit; filters of few pixels are drawn large.
    const wide = room < tile.width ? room : Math.min(whole(room), Math.max(least, whole(this.largest)));
    const high = (wide * tile.height) / tile.width;
    const rows = Math.ceil(count / columns);
    const place = (i: number) =>
      [(i % columns) * (wide + GAP), Math.floor(i / columns) * (high + GAP)] as const;
    const kept = keptOf(data);
    const size = data.weights.length / layout.units;
    const name = layout.kind === 'conv2d' ? 'filter' : 'unit';
    return html`${this.plot({
      width: columns * (wide + GAP) - GAP,
      height: rows * (high + GAP) - GAP,
      paint: this.painter(data, place, wide, high),
      changes: [this.mode, this.palette, this.bright, this.shown, wide],
      marks: true,
      svg: svg`${this.shown.map((unit, i) => {
        const [x, y] = place(i);
        const removed = data.mask ? `, ${share(1 - kept[unit]! / size)} removed` : '';
        return svg`<rect class="unit" x=${x} y=${y} width=${wide} height=${high} ${mark({
          label: `${name} ${unit}${removed}, ${kept[unit]} weights kept`,
          detail: { unit },
          row: Math.floor(i / columns),
          column: i % columns,
          selected: this.selection.unit === unit,
        })} />`;
      })}`,
    })}
    ${this.still ? '' : this.scale()}`;
  }

  private painter(
    { layout, weights, mask }: WeightPicturesData,
    place: (i: number) => readonly [number, number],
    wide: number,
    high: number,
  ): Painter {
    const { mode, palette, bright: extent, shown } = this;
    const all = mask ?? new Uint8Array(weights.length).fill(1);
    return (context) => {
      const { width, height } = tileOf(layout);
      const small = new OffscreenCanvas(width, height);
      const inside = small.getContext('2d')!;
      const image = new ImageData(width, height);
      context.imageSmoothingEnabled = false;
      shown.forEach((unit, i) => {
        const { data } = unitPixels(layout, weights, all, unit, { mode, palette, extent });
        for (let p = 0; p < width * height; p++) {
          image.data[4 * p] = data[3 * p]!;
          image.data[4 * p + 1] = data[3 * p + 1]!;
          image.data[4 * p + 2] = data[3 * p + 2]!;
          image.data[4 * p + 3] = 255;
        }
        inside.putImageData(image, 0, 0);
        context.drawImage(small, ...place(i), wide, high);
      });
    };
  }

  private scale(): TemplateResult {
    const key = (colour: string, text: string) =>
      html`<i class="key" style="background:${colour}"></i><span>${text}</span>`;
    if (this.mode === 'regions')
      return html`<div class="scale" part="scale">${key('#fff', 'kept')} ${key('#000', 'removed')}</div>`;
    const colour = (value: number) => cssColour(weightColour(value, true, 1, this.palette));
    const stops = [-1, -0.5, -1e-9, 1e-9, 0.5, 1].map(
      (value) => `${colour(value)} ${(50 + 50 * value).toFixed(1)}%`,
    );
    return html`<div class="scale" part="scale">
      <span>−${format(this.bright)}</span><i style="background:linear-gradient(to right, ${stops.join(',')})"></i><span>+${format(this.bright)}</span>
      ${key('#000', 'removed')}
    </div>`;
  }
}

/** Weights kept of each unit. */
function keptOf({ layout, weights, mask }: WeightPicturesData): Uint32Array {
  const kept = new Uint32Array(layout.units);
  if (!mask) return kept.fill(weights.length / layout.units);
  for (let i = 0; i < mask.length; i++) if (mask[i]) kept[i % layout.units]!++;
  return kept;
}
const share = (value: number) => `${(100 * value).toFixed(1)} %`;

declare global {
  interface HTMLElementTagNameMap {
    'es-weight-pictures': EsWeightPictures;
  }
}
