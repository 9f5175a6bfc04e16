/** A picture as plain data, in whole pixels, drawn alike on a canvas, as SVG and as bytes (Node, no browser). */
export interface Scene {
  width: number;
  height: number;
  /** "#rrggbb", or null where nothing is below. */
  background: string | null;
  /** Drawn in this order. */
  items: SceneItem[];
}

export type SceneItem = GreyItem | FillItem | TextItem;

/** Grey levels, one a pixel: width × height bytes, row-major. */
export interface GreyItem {
  kind: 'grey';
  x: number;
  y: number;
  width: number;
  height: number;
  data: Uint8Array;
}

export interface FillItem {
  kind: 'fill';
  x: number;
  y: number;
  width: number;
  height: number;
  /** "#rrggbb". */
  colour: string;
}

export interface TextItem {
  kind: 'text';
  /** Start, middle or end of the text, on its baseline. */
  x: number;
  y: number;
  anchor: 'start' | 'middle' | 'end';
  text: string;
  /** Pixels. */
  size: number;
  colour: string;
}

/** The outline of a rectangle, inside it, as fills. */
export function outline(
  x: number,
  y: number,
  width: number,
  height: number,
  thick: number,
  colour: string,
): FillItem[] {
  const fill = (left: number, top: number, w: number, h: number): FillItem => ({
    kind: 'fill',
    x: left,
    y: top,
    width: w,
    height: h,
    colour,
  });
  return [
    fill(x, y, width, thick),
    fill(x, y + height - thick, width, thick),
    fill(x, y, thick, height),
    fill(x + width - thick, y, thick, height),
  ];
}

/** The same items elsewhere. */
export const moved = (items: readonly SceneItem[], dx: number, dy: number): SceneItem[] =>
  items.map((item) => ({ ...item, x: item.x + dx, y: item.y + dy }));
