/** Class colours, light and dark: told apart under common colour-vision deficiencies, always beside a name. */
export const CLASS_COLOURS = [
  'light-dark(#2b6fb2, #5b88cb)',
  'light-dark(#ca9a68, #e7b376)',
  'light-dark(#0d6c33, #478212)',
  'light-dark(#790000, #ce5f58)',
  'light-dark(#9f96e9, #b4adf7)',
  'light-dark(#5d2746, #a84c64)',
  'light-dark(#3fbaa8, #96ceba)',
  'light-dark(#a58712, #a8a433)',
  'light-dark(#478e9e, #49a8b4)',
  'light-dark(#6f3180, #865a9a)',
] as const;
/** Colours of clusters over time: greyer than any class, so that nobody takes a cluster for a class. */
const TRACK_COLOURS = [
  'light-dark(#62768f, #8ea2bb)',
  'light-dark(#b58a63, #c9a37f)',
  'light-dark(#7d8f68, #a3b48e)',
  'light-dark(#8f6a7a, #b8929f)',
  'light-dark(#8c8fb5, #a9acd0)',
  'light-dark(#5e6a5a, #8d9a88)',
  'light-dark(#7fa3a0, #9dc0bd)',
  'light-dark(#a5a06f, #c0bb8c)',
  'light-dark(#6d5f55, #9c8e83)',
  'light-dark(#a88f9f, #c4acbb)',
] as const;
/** A cluster's colour; they repeat beyond ten, numbers tell clusters apart. */
export const trackColour = (track: number): string => TRACK_COLOURS[track % TRACK_COLOURS.length]!;
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

const LINE_DASHES = [[], [7, 3], [2, 2], [8, 3, 2, 3], [12, 4]] as const;
/** Dashes that tell lines apart where colours do not (print in grey); the first is whole. */
export const lineDash = (index: number): readonly number[] | undefined => {
  const dash = LINE_DASHES[index % LINE_DASHES.length]!;
  return dash.length ? dash : undefined;
};

/** Colours of the few lines of accuracy, loss and rankings. */
export const METRIC_COLOURS = [
  'light-dark(#2a62b0, #7fb0f5)',
  'light-dark(#c2570c, #f5a35c)',
  'light-dark(#117733, #6cc58a)',
  'light-dark(#aa4499, #dd88cc)',
] as const;

/** Grey level 0 … 255 of a dissimilarity from 0 to `high`: dark = similar. A scale without extent is all dark. */
export function greyLevel(value: number, high: number, exponent = 1): number {
  if (!(high > 0)) return 0;
  return Math.round(255 * Math.min(1, Math.max(0, value / high)) ** exponent);
}
