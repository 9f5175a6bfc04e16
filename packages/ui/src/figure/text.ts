/** Width of a text in CSS pixels. */
export type Measure = (text: string) => number;

let context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null | undefined;

/** Measures with a font such as "12px system-ui"; where there is no canvas (Node) a generous estimate. */
export function measureWith(font: string): Measure {
  context ??= typeof OffscreenCanvas === 'undefined' ? null : new OffscreenCanvas(1, 1).getContext('2d');
  const size = Number.parseFloat(font) || 12;
  return (text) => {
    if (!context) return text.length * size * 0.62;
    context.font = font;
    return context.measureText(text).width;
  };
}

/** The text, or as much of its beginning as fits with "…". */
export function fitText(text: string, width: number, measure: Measure): string {
  if (measure(text) <= width) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (measure(`${text.slice(0, middle)}…`) <= width) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : '';
}
