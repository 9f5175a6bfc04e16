import type { PictureLayout, PruneResult } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import {
  type ColourScale,
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  hexColour,
  type Located,
  tableOf,
} from '../../figure/index.js';
import type { SceneItem } from '../../scene/index.js';
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
 * A layer's weights as one picture per unit: − brown, + teal, brighter the larger, removed black; or the
 * regions that are kept, white on black. Channels stand side by side. Choosing a picture chooses its unit.
 * @fires es-select - `{ unit }`.
 */
export class EsWeightPictures extends EsFigure<WeightPicturesData, PruneResult> {
  @property({ type: String }) mode: WeightMode = 'weights';
  /** sign, or red-blue as in the paper. */
  @property({ type: String }) palette: WeightPalette = 'sign';
  /** |w| of full brightness, to share one scale between elements; 0: from these weights. */
  @property({ type: Number }) extent: number = 0;
  /** Order of the pictures. */
  @property({ type: String }) sort: 'unit' | 'removed' = 'unit';
  /** Only these units; null: all. */
  @property({ attribute: false }) units: readonly number[] | null = null;
  /** Pictures drawn at most: the first of the order. */
  @property({ type: Number }) limit: number = 400;
  /** With `src`: round of the result; −1 is the last, and before pruning is −2. */
  @property({ type: Number }) round: number = -1;
  /** Widest a picture becomes, CSS pixels. */
  @property({ type: Number }) largest: number = 224;

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

  /** Units drawn, in their order. */
  private shown(data: WeightPicturesData): number[] {
    return this.kept('shown', [data, this.units, this.sort, this.limit], () => {
      const { layout, mask } = data;
      const units = this.units
        ? this.units.filter((unit) => unit >= 0 && unit < layout.units)
        : Array.from({ length: layout.units }, (_, unit) => unit);
      if (this.sort === 'removed' && mask) {
        const kept = keptOf(data);
        units.sort((a, b) => kept[b]! - kept[a]! || a - b);
      }
      return units.slice(0, Math.max(1, this.limit));
    });
  }
  /** |w| of full brightness. */
  private bright({ weights }: WeightPicturesData): number {
    return this.extent || this.kept('bright', [weights], () => weightExtent(weights));
  }

  protected override emptyReason(data: WeightPicturesData): string {
    if (!data.layout.units || !data.weights.length) return 'The layer has no weights.';
    return this.shown(data).length ? '' : 'No such unit.';
  }
  protected override summary(data: WeightPicturesData): string {
    const { layout, mask } = data;
    const [height, width] = layout.inputShape;
    const removed = mask ? mask.reduce((sum, kept) => sum + (kept ? 0 : 1), 0) / mask.length : 0;
    const which =
      this.shown(data).length === 1 ? `unit ${this.shown(data)[0]}` : `${this.shown(data).length} units`;
    return this.mode === 'regions'
      ? `Regions of weights that ${which} of ${layout.layer} keep, in pictures of ${height}×${width}; ${share(removed)} of the layer is removed`
      : `Weights of ${which} of ${layout.layer} as pictures of ${height}×${width}, brightest at ${format(this.bright(data))}; ${share(removed)} of the layer is removed`;
  }
  protected override hint(data: WeightPicturesData): string {
    const left = (this.units?.length ?? data.layout.units) - this.shown(data).length;
    return left > 0 ? `${left} more units are not drawn (limit ${this.limit})` : '';
  }
  protected override table(data: WeightPicturesData): FigureTable {
    const { layout, weights, mask } = data;
    const size = weights.length / layout.units;
    const kept = keptOf(data);
    return tableOf(['Unit', 'Removed', 'Kept', 'Largest |w|', 'Positive'], this.shown(data), (unit) => {
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

  protected override draw(data: WeightPicturesData, { width: room }: Frame): Drawing {
    const { layout, weights } = data;
    const tile = tileOf(layout);
    const units = this.shown(data);
    const whole = (pixels: number) => Math.max(1, Math.floor(pixels / tile.width)) * tile.width;
    const least = Math.ceil(LEAST / Math.min(tile.width, tile.height)) * tile.width;
    const most = Math.max(1, Math.floor((room + GAP) / (least + GAP)));
    const columns = Math.min(units.length, most);
    const own = (room - GAP * (columns - 1)) / columns;
    // Whole pixels per weight where they fit; filters of few pixels are drawn large.
    const wide = own < tile.width ? own : Math.min(whole(own), Math.max(least, whole(this.largest)));
    const high = (wide * tile.height) / tile.width;
    const kept = keptOf(data);
    const size = weights.length / layout.units;
    const name = layout.kind === 'conv2d' ? 'filter' : 'unit';
    const extent = this.bright(data);
    const { mode, palette } = this;
    const pixels = this.kept('pixels', [data, mode, palette, extent, units], () => {
      const all = data.mask ?? new Uint8Array(weights.length).fill(1);
      return units.map((unit) => unitPixels(layout, weights, all, unit, { mode, palette, extent }));
    });
    const images: SceneItem[] = [];
    const marks: SceneItem[] = [];
    units.forEach((unit, i) => {
      const box = {
        x: (i % columns) * (wide + GAP),
        y: Math.floor(i / columns) * (high + GAP),
        width: wide,
        height: high,
      };
      const removed = data.mask ? `, ${share(1 - kept[unit]! / size)} removed` : '';
      const selected = this.selection.unit === unit;
      images.push({ kind: 'image', ...box, pixels: pixels[i]! });
      marks.push({
        kind: 'rect',
        class: 'cell',
        ...box,
        // Filled for the pointer, with nothing to see: the picture lies below.
        fill: '#808080',
        fillOpacity: 0,
        ...(selected ? { stroke: 'var(--_accent)', strokeWidth: 3 } : {}),
        mark: {
          label: `${name} ${unit}${removed}, ${kept[unit]} weights kept`,
          detail: { unit },
          row: Math.floor(i / columns),
          column: i % columns,
          selected,
        },
      });
    });
    return {
      width: columns * (wide + GAP) - GAP,
      height: Math.ceil(units.length / columns) * (high + GAP) - GAP,
      items: [...images, ...marks],
      ...(this.still
        ? {}
        : mode === 'regions'
          ? {
              legend: [
                { name: 'removed', colour: '#000000' },
                { name: 'kept (white)', colour: '#ffffff' },
              ],
            }
          : { legend: [{ name: 'removed', colour: '#000000' }], scales: [this.scale(data)] }),
      locate: (x, y) => {
        const i = marks.findIndex(
          (one) =>
            one.kind === 'rect' &&
            x >= one.x &&
            x < one.x + one.width &&
            y >= one.y &&
            y < one.y + one.height,
        );
        return i < 0 ? null : weightAt(data, units[i]!, tile, images[i]!, x, y);
      },
    };
  }

  private scale(data: WeightPicturesData): ColourScale {
    const bright = this.bright(data);
    const most = this.kept('most', [data.weights], () =>
      data.weights.reduce((top, w) => Math.max(top, Math.abs(w)), 0),
    );
    const clipped = most > bright * (1 + 1e-6);
    const steps = [-1, -0.8, -0.6, -0.4, -0.2, -1e-9, 1e-9, 0.2, 0.4, 0.6, 0.8, 1];
    return {
      title: 'weight',
      colours: steps.map((value) => hexColour(weightColour(value, true, 1, this.palette))),
      low: `${clipped ? '≤ ' : ''}−${format(bright)}`,
      middle: '0',
      high: `${clipped ? '≥ ' : ''}+${format(bright)}`,
    };
  }
}

/** The weight at a place of a unit's picture; null on a line between channels. */
function weightAt(
  { layout, weights, mask }: WeightPicturesData,
  unit: number,
  tile: ReturnType<typeof tileOf>,
  box: SceneItem,
  x: number,
  y: number,
): Located | null {
  if (box.kind !== 'image') return null;
  const [height, width, channels] = layout.inputShape;
  const column = Math.floor(((x - box.x) / box.width) * tile.width);
  const row = Math.floor(((y - box.y) / box.height) * tile.height);
  const [across, down] = [Math.floor(column / (width + 1)), Math.floor(row / (height + 1))];
  const c = down * tile.across + across;
  const [left, top] = [column - across * (width + 1), row - down * (height + 1)];
  if (left >= width || top >= height || c >= channels) return null;
  const i = ((top * width + left) * channels + c) * layout.units + unit;
  const place = channels > 1 ? `${top}, ${left}, channel ${c}` : `${top}, ${left}`;
  return {
    x,
    y,
    label: `${layout.kind === 'conv2d' ? 'filter' : 'unit'} ${unit} [${place}]: ${mask && !mask[i] ? 'removed' : format(weights[i]!)}`,
    detail: { unit },
  };
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
