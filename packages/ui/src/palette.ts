/** Class colours: Paul Tol's "muted" scheme and two of his "bright" one, told apart under common colour-vision deficiencies. */
export const CLASS_COLOURS = [
  '#88ccee',
  '#cc6677',
  '#ddcc77',
  '#117733',
  '#6f5bd0',
  '#aa4499',
  '#44aa99',
  '#999933',
  '#a83268',
  '#ee7733',
] as const;
/** Right and wrong predictions: blue and orange, safe together. */
export const CORRECT_COLOUR = '#4477aa';
export const WRONG_COLOUR = '#ee7733';
/** Marks of samples with no label. */
export const PLAIN_COLOUR = '#4477aa';

/** Colours repeat beyond ten classes; the legend then numbers them. */
export const classColour = (label: number): string => CLASS_COLOURS[label % CLASS_COLOURS.length]!;

/** Grey level 0 … 255 of a dissimilarity: dark = similar. A scale without extent is all dark. */
export function greyLevel(value: number, low: number, high: number): number {
  if (!(high > low)) return 0;
  return Math.round(255 * Math.min(1, Math.max(0, (value - low) / (high - low))));
}
