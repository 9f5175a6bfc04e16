import type { Measure } from '../scene/types.js';

export type { Measure } from '../scene/types.js';

let context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null | undefined;
const widths = new Map<string, Map<string, number>>();
/** Texts kept of a font. */
const MOST = 5000;

/** Measures in font families, by a canvas; where there is none (Node), a generous estimate. */
export function measureWith(families: string): Measure {
  context ??= typeof OffscreenCanvas === 'undefined' ? null : new OffscreenCanvas(1, 1).getContext('2d');
  return (text, size = 12, bold = false) => {
    if (!context) return text.length * size * 0.62;
    const font = `${bold ? 600 : 400} ${size}px ${families}`;
    let known = widths.get(font);
    if (!known || known.size > MOST) widths.set(font, (known = new Map()));
    let width = known.get(text);
    if (width === undefined) {
      context.font = font;
      known.set(text, (width = context.measureText(text).width));
    }
    return width;
  };
}

/** The text, or as much of its beginning as fits with "…". */
export function fitText(text: string, width: number, measure: Measure, size?: number): string {
  if (measure(text, size) <= width) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (measure(`${text.slice(0, middle)}…`, size) <= width) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : '';
}

/** A text in lines no wider than `width`, broken at spaces. */
export function wrapText(
  text: string,
  width: number,
  measure: Measure,
  size?: number,
  bold?: boolean,
): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/[ \n]+/).filter(Boolean)) {
    const longer = line ? `${line} ${word}` : word;
    if (line && measure(longer, size, bold) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  if (line) lines.push(line);
  return lines;
}
