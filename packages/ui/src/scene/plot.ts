import { type AxisSpec, axisScale } from '../figure/scale.js';
import { textWidth } from './text.js';
import type { FillItem, SceneItem, TextItem } from './types.js';

export const INK = '#1d2329';
export const QUIET = '#5a6570';
const LINE = '#d5dae0';
/** Size that letters are drawn at in PNGs. */
export const TEXT = 22;
const TICK = 8;
const GAP = 8;

export const fill = (x: number, y: number, width: number, height: number, colour: string): FillItem => ({
  kind: 'fill',
  x: Math.round(x),
  y: Math.round(y),
  width: Math.max(1, Math.round(width)),
  height: Math.max(1, Math.round(height)),
  colour,
});
export const words = (
  x: number,
  y: number,
  text: string,
  anchor: TextItem['anchor'] = 'start',
  colour = INK,
): TextItem => ({ kind: 'text', x: Math.round(x), y: Math.round(y), anchor, text, size: TEXT, colour });

/** A value's place in pixels, for marks. */
export interface ScenePlot {
  /** Axes, ticks and titles: drawn before the marks. */
  items: SceneItem[];
  left: number;
  right: number;
  top: number;
  bottom: number;
  x: ReturnType<typeof axisScale>;
  y: ReturnType<typeof axisScale>;
}

/** Axes in a rectangle, with room for labels measured; for pictures made without a browser. */
export function scenePlot(
  box: readonly [x: number, y: number, width: number, height: number],
  xSpec: AxisSpec,
  ySpec: AxisSpec,
): ScenePlot {
  const [x0, y0, width, height] = box;
  const top = y0 + (ySpec.title ? TEXT + GAP : TEXT / 2);
  const bottom = y0 + height - TICK - TEXT - GAP - (xSpec.title ? TEXT + GAP : 0);
  const y = axisScale(ySpec, bottom, top);
  const yTicks = y.ticks(Math.max(2, Math.floor((bottom - top) / 60)));
  const widest = yTicks.reduce((most, { label }) => Math.max(most, textWidth(label, TEXT)), 0);
  const left = Math.round(x0 + widest + TICK + GAP);
  const right = x0 + width - 16;
  const x = axisScale(xSpec, left, right);
  const xTicks = x.ticks(Math.max(2, Math.floor((right - left) / 110)));
  return {
    left,
    right,
    top,
    bottom,
    x,
    y,
    items: [
      ...yTicks.map(({ value }) => fill(left, y.at(value), right - left, 1, LINE)),
      fill(left, bottom, right - left, 2, QUIET),
      fill(left, top, 2, bottom - top, QUIET),
      ...yTicks.flatMap(({ value, label }) => [
        fill(left - TICK, y.at(value), TICK, 2, QUIET),
        words(left - TICK - GAP / 2, y.at(value) + TEXT / 3, label, 'end', QUIET),
      ]),
      ...xTicks.flatMap(({ value, label }) => [
        fill(x.at(value), bottom, 2, TICK, QUIET),
        words(x.at(value), bottom + TICK + TEXT, label, 'middle', QUIET),
      ]),
      ...(xSpec.title
        ? [words((left + right) / 2, y0 + height - GAP / 2, xSpec.title, 'middle', QUIET)]
        : []),
      ...(ySpec.title ? [words(x0, y0 + TEXT - 4, ySpec.title, 'start', QUIET)] : []),
    ],
  };
}
