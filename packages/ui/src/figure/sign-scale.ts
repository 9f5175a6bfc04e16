import { format } from '../styles.js';
import { type DivergingName, diverging, hexColour } from './colours.js';
import type { ColourScale } from './drawing.js';

const STEPS = 33;

/** The colour scale of signed values up to ±extent; where larger ones are drawn in its last colours, its ends say so. */
export function signScale(
  palette: DivergingName,
  extent: number,
  most = extent,
  title?: string,
): ColourScale {
  const colour = diverging(palette);
  const clipped = most > extent * (1 + 1e-6);
  return {
    ...(title === undefined ? {} : { title }),
    colours: Array.from({ length: STEPS }, (_, i) => hexColour(colour((2 * i) / (STEPS - 1) - 1, 1))),
    low: extent > 0 ? `${clipped ? '≤ ' : ''}−${format(extent)}` : '0',
    middle: '0',
    high: extent > 0 ? `${clipped ? '≥ ' : ''}+${format(extent)}` : '0',
  };
}
