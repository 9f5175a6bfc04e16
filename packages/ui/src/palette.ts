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

/** Marks of samples that belong to no class: noise. */
export const NO_CLASS_COLOUR = '#9a9a9a';

/** Colours repeat beyond ten classes; the legend then numbers them. Grey for no class: −1, in lists of labels the largest uint32. */
export const classColour = (label: number): string =>
  label < 0 || label === 0xffffffff ? NO_CLASS_COLOUR : CLASS_COLOURS[label % CLASS_COLOURS.length]!;

/** Colours of lines that stand for layers, snapshots or parameters: nine hues and grey, at least 4.4 : 1 on a light and 6 : 1 on a dark page. */
const LINE_COLOURS = [
  'light-dark(#2a7fb8, #88ccee)',
  'light-dark(#b8475b, #e08a98)',
  'light-dark(#8a7400, #ddcc77)',
  'light-dark(#117733, #5fc285)',
  'light-dark(#6f5bd0, #a79bf0)',
  'light-dark(#aa4499, #d98acb)',
  'light-dark(#1f8577, #5cc4b3)',
  'light-dark(#5b6470, #aab4bf)',
  'light-dark(#a83268, #e07ba6)',
  'light-dark(#c4560f, #ee7733)',
] as const;
/** A CSS colour; they repeat beyond ten. */
export const lineColour = (index: number): string => LINE_COLOURS[index % LINE_COLOURS.length]!;

/** Colours of the few lines of accuracy, loss and rankings. */
export const METRIC_COLOURS = [
  'light-dark(#2a62b0, #7fb0f5)',
  'light-dark(#c2570c, #f5a35c)',
  'light-dark(#117733, #6cc58a)',
  'light-dark(#aa4499, #dd88cc)',
] as const;

/** Grey level 0 … 255 of a dissimilarity: dark = similar. A scale without extent is all dark. */
export function greyLevel(value: number, low: number, high: number): number {
  if (!(high > low)) return 0;
  return Math.round(255 * Math.min(1, Math.max(0, (value - low) / (high - low))));
}
