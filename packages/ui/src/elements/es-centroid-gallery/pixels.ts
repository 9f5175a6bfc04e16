import { type DivergingName, diverging } from '../../figure/colours.js';
import type { Pixels } from '../../scene/index.js';

/**
 * A centroid as pixels; the largest magnitude has full colour (`grey` is Watanabe's, figures 3–6). Of three channels each is a level of its own, mid grey 0. values: height ×
 * width × channels, row-major; missing ones at the end are 0.
 */
export function centroidPixels(
  values: ArrayLike<number>,
  [height, width, channels]: readonly [number, number, number],
  palette: DivergingName = 'sign',
  dark = false,
): Pixels {
  let top = 0;
  for (let k = 0; k < values.length; k++) top = Math.max(top, Math.abs(values[k]!));
  const level = (value: number) => Math.round(127.5 * (1 + (top ? value / top : 0)));
  const colour = diverging(palette, dark);
  const data = new Uint8Array(3 * height * width);
  for (let p = 0; p < height * width; p++) {
    const at = (c: number) => values[channels === 3 ? 3 * p + c : p] ?? 0;
    if (channels === 3) for (let c = 0; c < 3; c++) data[3 * p + c] = level(at(c));
    else data.set(colour(at(0), top), 3 * p);
  }
  return { width, height, channels: 3, data };
}
