import { rgbOf } from '../scene/colour.js';

export type Rgb = readonly [red: number, green: number, blue: number];
/**
 * Colours of signed values. `sign` is ours: − brown, + teal, told apart under common colour-vision deficiencies and in grey. `red-blue`
 * (decrease red, increase blue) and `grey` (black −, white +) are for figures that reproduce a paper's own.
 */
export type DivergingName = 'sign' | 'red-blue' | 'grey';

/** Colours of − and + for lines, bars and text. */
export const MINUS = 'light-dark(#97540b, #e0a054)';
export const PLUS = 'light-dark(#00776b, #45c4b0)';

const STOPS: Record<string, readonly string[]> = {
  sign: ['#5f3205', '#97540b', '#d3a468', '#ffffff', '#6fbdb2', '#00776b', '#00443d'],
  'sign-dark': ['#f3c583', '#d18f43', '#7d5426', '#23272d', '#1f6b62', '#3aae9d', '#8ff0e0'],
  'red-blue': ['#b2182b', '#ef8a62', '#ffffff', '#67a9cf', '#2166ac'],
  grey: ['#000000', '#808080', '#ffffff'],
  blues: ['#f7fbff', '#c6dbef', '#6baed6', '#2171b5', '#08306b'],
};
/** An odd number, so that the middle is a stop. */
const STEPS = 257;
const tables = new Map<string, Rgb[]>();

/** Steps of a colour map through stops at even distances, as bytes. */
function tableOf(name: string): Rgb[] {
  const known = tables.get(name);
  if (known) return known;
  const stops = STOPS[name]?.map(rgbOf);
  if (!stops) throw new Error(`expected colours sign, red-blue or grey, got ${JSON.stringify(name)}`);
  const table = Array.from({ length: STEPS }, (_, i): Rgb => {
    const at = (i / (STEPS - 1)) * (stops.length - 1);
    const k = Math.min(stops.length - 2, Math.floor(at));
    const mix = (c: number) => Math.round(stops[k]![c]! + (at - k) * (stops[k + 1]![c]! - stops[k]![c]!));
    return [mix(0), mix(1), mix(2)];
  });
  tables.set(name, table);
  return table;
}
const NOT_A_NUMBER: Rgb = [128, 128, 128];

/** Bytes of a signed value: −extent … 0 … +extent, beyond it as at its ends. NaN is grey. */
export function diverging(
  name: DivergingName = 'sign',
  dark = false,
): (value: number, extent: number) => Rgb {
  const colours = tableOf(dark && name === 'sign' ? 'sign-dark' : name);
  return (value, extent) => {
    if (Number.isNaN(value)) return NOT_A_NUMBER;
    const share = extent > 0 ? Math.min(1, Math.max(-1, value / extent)) : 0;
    return colours[Math.round(128 + 128 * share)]!;
  };
}

/** Bytes of a value within [low, high], light to dark (a colour-vision-safe blue run). NaN is grey. */
export function sequential(): (value: number, low: number, high: number) => Rgb {
  const colours = tableOf('blues');
  return (value, low, high) => {
    if (Number.isNaN(value)) return NOT_A_NUMBER;
    const share = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0;
    return colours[Math.round(256 * share)]!;
  };
}

/** As a colour of a scene. */
export const hexColour = (rgb: Rgb): string =>
  `#${rgb.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
/** Black or white, whichever reads better on the colour. */
export const inkOn = ([r, g, b]: Rgb): string =>
  0.299 * r + 0.587 * g + 0.114 * b > 140 ? '#000000' : '#ffffff';

/**
 * The end of a colour scale that outliers do not stretch: the magnitude that all but a share of the values stay below, or the
 * largest where that is less than twice as far. NaN is left out; 0 of no value.
 */
export function robustExtent(values: ArrayLike<number>, beyond = 0.005): number {
  const sizes = Float64Array.from(values, Math.abs)
    .filter((size) => !Number.isNaN(size))
    .sort();
  if (!sizes.length) return 0;
  const most = sizes[sizes.length - 1]!;
  // Of fifty or more one may be an outlier.
  const beyondEnd = Math.max(Math.floor(beyond * sizes.length), sizes.length >= 50 ? 1 : 0);
  const clipped = sizes[sizes.length - 1 - beyondEnd]!;
  return clipped > 0 && most >= 2 * clipped ? clipped : most;
}
