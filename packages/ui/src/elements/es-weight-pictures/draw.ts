import type { PictureLayout } from '@epochscope/analysis/results';

export type WeightPalette = 'red-blue' | 'orange-blue';
/** Weights by sign and size, or which are kept: white on black. */
export type WeightMode = 'weights' | 'regions';

const POSITIVE: Record<WeightPalette, readonly [number, number, number]> = {
  'red-blue': [255, 48, 32],
  'orange-blue': [255, 176, 0],
};
const NEGATIVE: Record<WeightPalette, readonly [number, number, number]> = {
  'red-blue': [56, 96, 255],
  'orange-blue': [100, 143, 255],
};
/** Brightness of the smallest weight that is kept, so that it is told from a removed one. */
const FLOOR = 0.16;

/** Colour of a weight: positive red (or orange), negative blue, brighter the larger, removed black. */
export function weightColour(
  value: number,
  kept: boolean,
  extent: number,
  palette: WeightPalette = 'red-blue',
): readonly [number, number, number] {
  if (!kept) return [0, 0, 0];
  const share = extent > 0 ? Math.min(1, Math.abs(value) / extent) : 0;
  const light = FLOOR + (1 - FLOOR) * share;
  const [r, g, b] = (value < 0 ? NEGATIVE : POSITIVE)[palette];
  return [Math.round(r * light), Math.round(g * light), Math.round(b * light)];
}

/** The |w| that is fully bright: the 99.5th percentile of those not 0, so that a few large weights do not darken the rest. */
export function weightExtent(weights: Float32Array): number {
  const sizes = weights
    .filter((w) => w !== 0)
    .map(Math.abs)
    .sort();
  return sizes.length ? sizes[Math.min(sizes.length - 1, Math.floor(0.995 * sizes.length))]! : 0;
}

/** Where the pictures of one unit stand: channels side by side in a block of their own. */
export function tileOf({ inputShape: [height, width, channels] }: PictureLayout) {
  const across = channels <= 4 ? channels : Math.ceil(Math.sqrt(channels));
  const down = Math.ceil(channels / across);
  // One pixel between the channels.
  return { across, down, width: across * (width + 1) - 1, height: down * (height + 1) - 1 };
}

const GAP: readonly [number, number, number] = [70, 70, 70];

/** RGB bytes of one unit's pictures, row-major, each channel a picture, a grey line between. */
export function unitPixels(
  layout: PictureLayout,
  weights: Float32Array,
  mask: Uint8Array,
  unit: number,
  { mode, palette, extent }: { mode: WeightMode; palette: WeightPalette; extent: number },
): { data: Uint8Array; width: number; height: number } {
  const [height, width, channels] = layout.inputShape;
  const tile = tileOf(layout);
  const data = new Uint8Array(3 * tile.width * tile.height);
  if (channels > 1) for (let i = 0; i < data.length; i += 3) data.set(GAP, i);
  for (let c = 0; c < tile.across * tile.down; c++) {
    const left = (c % tile.across) * (width + 1);
    const top = Math.floor(c / tile.across) * (height + 1);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = 3 * ((top + y) * tile.width + left + x);
        if (c >= channels) {
          data.set(GAP, at);
          continue;
        }
        const i = ((y * width + x) * channels + c) * layout.units + unit;
        const kept = mask[i] === 1;
        data.set(
          mode === 'weights'
            ? weightColour(weights[i]!, kept, extent, palette)
            : kept
              ? [255, 255, 255]
              : [0, 0, 0],
          at,
        );
      }
    }
  }
  return { data, width: tile.width, height: tile.height };
}

/**
 * All units (or `units`) as one sheet, `columns` side by side, each pixel `zoom` × `zoom`, 2·zoom white between units. RGB.
 */
export function weightSheet(
  layout: PictureLayout,
  weights: Float32Array,
  mask: Uint8Array,
  options: {
    mode?: WeightMode;
    palette?: WeightPalette;
    extent?: number;
    columns?: number;
    zoom?: number;
    units?: readonly number[];
  } = {},
): { data: Uint8Array; width: number; height: number } {
  const units = options.units ?? Array.from({ length: layout.units }, (_, u) => u);
  const { mode = 'weights', palette = 'red-blue', zoom = 2 } = options;
  const extent = options.extent ?? weightExtent(weights);
  const columns = Math.max(1, Math.min(options.columns ?? Math.ceil(Math.sqrt(units.length)), units.length));
  const rows = Math.ceil(units.length / columns);
  const tile = tileOf(layout);
  const gap = 2 * zoom;
  const step = [tile.width * zoom + gap, tile.height * zoom + gap] as const;
  const width = columns * step[0] + gap;
  const height = rows * step[1] + gap;
  const data = new Uint8Array(3 * width * height).fill(255);
  units.forEach((unit, k) => {
    const picture = unitPixels(layout, weights, mask, unit, { mode, palette, extent });
    const left = gap + (k % columns) * step[0];
    const top = gap + Math.floor(k / columns) * step[1];
    for (let y = 0; y < tile.height * zoom; y++)
      for (let x = 0; x < tile.width * zoom; x++) {
        const from = 3 * (Math.floor(y / zoom) * tile.width + Math.floor(x / zoom));
        data.set(picture.data.subarray(from, from + 3), 3 * ((top + y) * width + left + x));
      }
  });
  return { data, width, height };
}
