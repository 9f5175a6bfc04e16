import { AsyncDirective, directive, type ElementPart, PartType } from './lit.js';

/** Draws in CSS pixels: the context is scaled by the device pixel ratio already, and clear. */
export type Painter = (context: CanvasRenderingContext2D, width: number, height: number) => void;

/** Largest side of a canvas in device pixels: browsers draw nothing beyond theirs. */
const MAX_SIDE = 8192;

/** Sizes a canvas for the device pixel ratio and draws. */
export function paintCanvas(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  painter: Painter,
  ratio = globalThis.devicePixelRatio || 1,
): void {
  if (!(width > 0 && height > 0)) return;
  const scale = Math.min(ratio, MAX_SIDE / width, MAX_SIDE / height);
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d')!;
  context.setTransform(canvas.width / width, 0, 0, canvas.height / height, 0, 0);
  painter(context, width, height);
}

class PaintDirective extends AsyncDirective {
  private last: readonly unknown[] = [];
  constructor(part: { type: number }) {
    super(part as never);
    if (part.type !== PartType.ELEMENT) throw new Error('painted() stands on a canvas element');
  }
  render(_width: number, _height: number, _painter: Painter, _changes: readonly unknown[]): undefined {}
  override update(part: ElementPart, [width, height, painter, changes]: Parameters<this['render']>): void {
    const now = [width, height, globalThis.devicePixelRatio, ...changes];
    if (now.length === this.last.length && now.every((value, i) => Object.is(value, this.last[i]))) return;
    this.last = now;
    paintCanvas(part.element as HTMLCanvasElement, width, height, painter);
  }
}
/** On a `<canvas>`: sizes it and paints, again only when the size or one of `changes` differs. */
export const painted = directive(PaintDirective);
