import type { PictureLayout } from '@epochscope/analysis/results';
import type { Pixels } from '../../scene/index.js';

/** `sign`: − brown, + teal; `red-blue`: positive red, negative blue (Takehana & Ozaki). */
export type WeightPalette = 'sign' | 'red-blue';
/** Weights by sign and size, or which are kept: white on black. */
export type WeightMode = 'weights' | 'regions';

const POSITIVE: Record<WeightPalette, readonly [number, number, number]> = {
  sign: [88, 226, 206],
  'red-blue': [255, 48, 32],
};
const NEGATIVE: Record<WeightPalette, readonly [number, number, number]> = {
  sign: [240, 164, 76],
  'red-blue': [56, 96, 255],
};
/** Brightness of the smallest weight that is kept, so that it is told from a removed one. */
const FLOOR = 0.16;

/** Colour of a weight by its sign, brighter the larger; removed black. */
export function weightColour(
  value: number,
  kept: boolean,
  extent: number,
  palette: WeightPalette = 'sign',
): readonly [number, number, number] {
  if (!kept) return [0, 0, 0];
  const share = extent > 0 ? Math.min(1, Math.abs(value) / extent) : 0;
  const light = FLOOR + (1 - FLOOR) * share;
  const hue = (value < 0 ? NEGATIVE : POSITIVE)[palette];
  if (!hue) throw new Error(`expected colours sign or red-blue, got ${JSON.stringify(palette)}`);
  const [r, g, b] = hue;
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
): Pixels {
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
  return { data, width: tile.width, height: tile.height, channels: 3 };
}
