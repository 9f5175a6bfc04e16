import { inkRamp } from '../elements/es-tendency-image/draw.js';
import { AsyncDirective, directive, type ElementPart, PartType } from '../figure/lit.js';
import { classColour } from '../palette.js';
import type { BlockContent } from './model.js';

class LeftDirective extends AsyncDirective {
  private last = '';
  constructor(part: { type: number }) {
    super(part as never);
    if (part.type !== PartType.ELEMENT) throw new Error('left() stands on an element');
  }
  render(_percent: number, _top?: number): undefined {}
  override update({ element }: ElementPart, [percent, top]: Parameters<this['render']>): void {
    const now = `${percent} ${top}`;
    if (now === this.last) return;
    this.last = now;
    const { style } = element as HTMLElement;
    style.left = `${percent}%`;
    if (top !== undefined) style.top = `${top}px`;
  }
}
/** Places an element along its box in per cent, without a style attribute: the page's policy allows none. */
export const left = directive(LeftDirective);

class TopDirective extends AsyncDirective {
  render(_percent: number): undefined {}
  override update({ element }: ElementPart, [percent]: Parameters<this['render']>): void {
    const wanted = `${percent.toFixed(3)}%`;
    const { style } = element as HTMLElement;
    if (style.top !== wanted) style.top = wanted;
  }
}
/** The same down its box. */
export const top = directive(TopDirective);

class RampDirective extends AsyncDirective {
  private last: boolean | null = null;
  render(_dark: boolean): undefined {}
  override update({ element }: ElementPart, [dark]: Parameters<this['render']>): void {
    if (dark === this.last) return;
    this.last = dark;
    const canvas = element as HTMLCanvasElement;
    const image = new ImageData(canvas.width, 1);
    const colours = inkRamp(dark);
    for (let x = 0; x < canvas.width; x++) {
      // Through the same power as the picture.
      const level = Math.round(255 * (x / (canvas.width - 1)) ** 1.7);
      image.data.set([colours[3 * level]!, colours[3 * level + 1]!, colours[3 * level + 2]!, 255], 4 * x);
    }
    canvas.getContext('2d')!.putImageData(image, 0, 0);
  }
}
/** The key of the page's pictures, on a canvas one pixel high. */
export const ramp = directive(RampDirective);

class WidthsDirective extends AsyncDirective {
  private last: readonly unknown[] = [];
  constructor(part: { type: number }) {
    super(part as never);
    if (part.type !== PartType.ELEMENT) throw new Error('widths() stands on an element');
  }
  render(_classes: BlockContent['classes'], _most: number, _only: number | null): undefined {}
  override update({ element }: ElementPart, now: Parameters<this['render']>): void {
    if (now.every((value, i) => value === this.last[i])) return;
    this.last = now;
    const [classes, most, only] = now;
    element.replaceChildren(
      ...classes.map(([label, count]) => {
        const part = document.createElement('i');
        part.style.width = `${(100 * count) / most}%`;
        part.style.background = only === null || only === label ? classColour(label) : 'var(--line)';
        return part;
      }),
    );
  }
}
/** Bars of classes, as long as they hold samples. */
export const widths = directive(WidthsDirective);
