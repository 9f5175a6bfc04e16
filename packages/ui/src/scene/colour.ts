import type { Colour } from './types.js';

/** What the tokens of a scene's colours mean in a file or on a canvas. */
export interface Theme {
  dark: boolean;
  text: string;
  quiet: string;
  line: string;
  surface: string;
  raised: string;
  accent: string;
}

/** Ink on white paper: what files are drawn in. */
export const PAPER: Theme = {
  dark: false,
  text: '#15171c',
  quiet: '#4a505a',
  line: '#dddcd7',
  surface: '#ffffff',
  raised: '#f1f0ec',
  accent: '#1a66ff',
};

/** A scene's colour as "#rrggbb" or "rgb(…)". */
export function resolveColour(colour: Colour, theme: Theme): string {
  const token = /^var\(--_(\w+)\)$/.exec(colour);
  if (token) return String(theme[token[1] as keyof Theme] ?? theme.text);
  const pair = /^light-dark\(\s*([^,]+?)\s*,\s*(.+?)\s*\)$/.exec(colour);
  return pair ? pair[theme.dark ? 2 : 1]! : colour;
}

/** Bytes of a resolved colour. */
export function rgbOf(colour: string): [red: number, green: number, blue: number] {
  if (colour.startsWith('#'))
    return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as [number, number, number];
  const [r, g, b] = colour.match(/\d+(\.\d+)?/g)?.map(Number) ?? [];
  return [Math.round(r ?? 0), Math.round(g ?? 0), Math.round(b ?? 0)];
}
