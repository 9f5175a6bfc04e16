import type { Colour, Measure, Scene, SceneItem } from '../scene/types.js';
import type { Selection } from '../selection.js';

/** What a drawing is made for. */
export interface Frame {
  /** CSS pixels. */
  width: number;
  measure: Measure;
  /** Pictures of numbers have other colours on a dark page. */
  dark: boolean;
}

/** A figure as plain data: the picture, and what explains it. A page stands legend and scales below it, a file draws them into it. */
export interface Drawing extends Scene {
  legend?: readonly LegendEntry[];
  scales?: readonly ColourScale[];
  /** A sentence below: what is left out, or not defined. */
  note?: string;
  /** The value nearest to a place in the picture; null where there is none. */
  locate?: (x: number, y: number) => Located | null;
}

export interface LegendEntry {
  name: string;
  colour: Colour;
  /** Default box. */
  kind?: 'box' | 'line' | 'dashed' | 'dot';
  /** Of a line. */
  dash?: readonly number[] | undefined;
}

/** A bar of colours with the values at its ends. */
export interface ColourScale {
  title?: string;
  colours: readonly Colour[];
  low: string;
  middle?: string;
  high: string;
}

/** A value in a picture: what stands beside the pointer, and what a click chooses. */
export interface Located {
  x: number;
  y: number;
  label: string;
  detail?: Selection & Record<string, unknown>;
  /** A point, which gets a ring; not a cell. */
  ring?: boolean;
}

/** How far from a line or a point the pointer still means it, CSS pixels. */
export const NEAR = 40;

/** Of lines over places that rise from left to right: the nearest point of any. */
export function locateOnLines(
  lines: readonly {
    length: number;
    x: (i: number) => number;
    y: (i: number) => number;
    label: (i: number) => string;
    detail?: Located['detail'] | ((i: number) => Located['detail']);
  }[],
): (x: number, y: number) => Located | null {
  return (px, py) => {
    let best: Located | null = null;
    let least = NEAR * NEAR;
    for (const line of lines) {
      let low = 0;
      let high = line.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (line.x(middle) < px) low = middle + 1;
        else high = middle;
      }
      for (const i of [low - 2, low - 1, low, low + 1]) {
        if (i < 0 || i >= line.length) continue;
        const [x, y] = [line.x(i), line.y(i)];
        // Along x the pointer may be half a step away; across, it means the line that it is near.
        const far = ((x - px) / 2) ** 2 + (y - py) ** 2;
        if (!(far < least)) continue;
        least = far;
        const detail = typeof line.detail === 'function' ? line.detail(i) : line.detail;
        best = { x, y, label: line.label(i), ring: true, ...(detail ? { detail } : {}) };
      }
    }
    return best;
  };
}

/** Of points in no order: the nearest. O(n) a call. */
export function locatePoint(
  length: number,
  at: (i: number) => readonly [number, number],
  label: (i: number) => string,
  detail?: (i: number) => Located['detail'],
): (x: number, y: number) => Located | null {
  return (px, py) => {
    let best = -1;
    let least = NEAR * NEAR;
    for (let i = 0; i < length; i++) {
      const [x, y] = at(i);
      const far = (x - px) ** 2 + (y - py) ** 2;
      if (far < least) [least, best] = [far, i];
    }
    if (best < 0) return null;
    const [x, y] = at(best);
    const chosen = detail?.(best);
    return { x, y, label: label(best), ring: true, ...(chosen ? { detail: chosen } : {}) };
  };
}

/** Items of a legend's sample, 22 × 12. */
export function legendSample({ colour, kind = 'box', dash }: LegendEntry): SceneItem[] {
  if (kind === 'box')
    return [
      { kind: 'rect', x: 5, y: 0.5, width: 11, height: 11, radius: 2, fill: colour, stroke: 'var(--_line)' },
    ];
  if (kind === 'dot') return [{ kind: 'circle', x: 10.5, y: 6, r: 4.5, fill: colour }];
  return [
    {
      kind: 'line',
      x1: 0,
      x2: 21,
      y1: 6,
      y2: 6,
      stroke: colour,
      strokeWidth: 2.5,
      ...(kind === 'dashed' ? { dash: [5, 3] } : dash ? { dash } : {}),
    },
  ];
}
export const SAMPLE = [22, 12] as const;

/** A colour scale with its labels, `width` wide; its height is `SCALE_HEIGHT`, a line more with a title. */
export function scaleItems(scale: ColourScale, width: number): SceneItem[] {
  const { title, colours, low, middle, high } = scale;
  const top = title ? 18 : 0;
  const step = width / colours.length;
  const text = (x: number, words: string, anchor: 'start' | 'middle' | 'end'): SceneItem => ({
    kind: 'text',
    x,
    y: top + 12,
    text: words,
    anchor,
    baseline: 'top',
    size: 11,
    fill: 'var(--_quiet)',
  });
  return [
    ...(title
      ? [
          {
            kind: 'text' as const,
            x: 0,
            y: 2,
            baseline: 'top' as const,
            text: title,
            size: 11,
            fill: 'var(--_quiet)',
          },
        ]
      : []),
    // Each reaches under the next: viewers show seams between shapes that only touch.
    ...colours.map((fill, i) => ({
      kind: 'rect' as const,
      x: i * step,
      y: top,
      width: i + 1 < colours.length ? step + 1 : step,
      height: 9,
      fill,
    })),
    { kind: 'rect', x: 0, y: top, width, height: 9, stroke: 'var(--_line)' },
    text(0, low, 'start'),
    ...(middle === undefined ? [] : [text(width / 2, middle, 'middle')]),
    text(width, high, 'end'),
  ];
}
/** Of the bar, and of all where its title is longer. */
export const SCALE_WIDTH = 200;
export const scaleWidth = ({ title = '' }: ColourScale, measure: Measure): number =>
  Math.max(SCALE_WIDTH, Math.ceil(measure(title, 11)) + 1);
export const scaleHeight = ({ title }: ColourScale): number => (title ? 44 : 26);
