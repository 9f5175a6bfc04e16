import type { Selection } from '../selection.js';

/**
 * A CSS colour: "#rrggbb", one of the tokens "var(--_text)" …, or "light-dark(#rrggbb, #rrggbb)". A page takes it as it is; a file
 * gets it resolved by a `Theme`.
 */
export type Colour = string;

/** A picture as plain data, in CSS pixels (1/96 inch): drawn alike by elements, as SVG, PNG and PDF, with no browser needed. */
export interface Scene {
  width: number;
  height: number;
  /** Drawn in this order; on a page pictures (`image`) lie below everything else. */
  items: readonly SceneItem[];
}

/** Something in a picture that can be focused, read out and chosen. */
export interface Mark {
  /** Its name and value in words: the label for screen readers, and the text beside the pointer. */
  label: string;
  /** What `es-select` says when it is chosen; without it the mark is only read out. */
  detail?: Selection & Record<string, unknown>;
  /** Place for the arrow keys in a table of marks; otherwise marks stand in one line. */
  row?: number;
  column?: number;
  selected?: boolean;
}

interface Item {
  mark?: Mark;
  /** Class on the page, for what a pointer does to it; files know no classes. */
  class?: string;
  /** Shown by the browser where the pointer rests. */
  title?: string;
  /** 0 … 1. */
  opacity?: number;
}
interface Painted extends Item {
  /** Nothing is filled or stroked that is not named. */
  fill?: Colour;
  fillOpacity?: number;
  stroke?: Colour;
  /** Default 1. */
  strokeWidth?: number;
  dash?: readonly number[];
  join?: 'round';
  /** On whole pixels of a screen. */
  crisp?: boolean;
}

export interface RectItem extends Painted {
  kind: 'rect';
  x: number;
  y: number;
  width: number;
  height: number;
  radius?: number;
}
export interface LineItem extends Painted {
  kind: 'line';
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}
export interface CircleItem extends Painted {
  kind: 'circle';
  x: number;
  y: number;
  r: number;
}
/** `d` of absolute M, L, H, V, C and Z. */
export interface PathItem extends Painted {
  kind: 'path';
  d: string;
}
export interface PolygonItem extends Painted {
  kind: 'polygon';
  points: readonly (readonly [x: number, y: number])[];
}
export interface TextItem extends Item {
  kind: 'text';
  x: number;
  y: number;
  text: string;
  /** Where x is; default start. */
  anchor?: 'start' | 'middle' | 'end';
  /** Where y is: the baseline (default), the middle of a capital letter, or its top. */
  baseline?: 'middle' | 'top';
  /** CSS pixels; default 12. */
  size?: number;
  bold?: boolean;
  /** Degrees clockwise around (x, y). */
  rotate?: number;
  /** Default the token of text. */
  fill?: Colour;
  /** A rim of the surface's colour, for text on lines. */
  halo?: boolean;
}
/** Pixels, row-major, 1 (grey), 3 (RGB) or 4 (RGBA) bytes each; never smoothed when enlarged. */
export interface Pixels {
  width: number;
  height: number;
  channels: 1 | 3 | 4;
  data: Uint8Array;
}
export interface ImageItem extends Item {
  kind: 'image';
  x: number;
  y: number;
  width: number;
  height: number;
  pixels: Pixels;
}
export interface GroupItem {
  kind: 'group';
  x?: number;
  y?: number;
  /** What lies outside is cut; in the group's own coordinates. */
  clip?: { x: number; y: number; width: number; height: number };
  /** Not read out. */
  hidden?: boolean;
  items: readonly SceneItem[];
}
export type SceneItem =
  | RectItem
  | LineItem
  | CircleItem
  | PathItem
  | PolygonItem
  | TextItem
  | ImageItem
  | GroupItem;

/** Width of a text in CSS pixels; default 12 px, regular. */
export type Measure = (text: string, size?: number, bold?: boolean) => number;

/** From a text's y to its baseline. */
export const baselineShift = ({ baseline, size = 12 }: TextItem): number =>
  baseline === 'middle' ? 0.36 * size : baseline === 'top' ? 0.75 * size : 0;
