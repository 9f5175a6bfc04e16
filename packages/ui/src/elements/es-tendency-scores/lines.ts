import { chart, type Drawing, fitText, linePath, locatePoint } from '../../figure/index.js';
import { lineDash } from '../../palette.js';
import type { Mark, Measure, SceneItem } from '../../scene/index.js';

export interface LinePoint {
  /** One of the plot's places. */
  x: string;
  /** null leaves a gap. */
  value: number | null;
  label: string;
  detail?: Mark['detail'];
  selected?: boolean;
}
export interface Line {
  name: string;
  colour: string;
  /** Default: a line through points. "points": these alone; "limit": a dashed line without points, behind the others. */
  as?: 'points' | 'limit';
  points: readonly LinePoint[];
}
export interface LinePlot {
  width: number;
  height: number;
  measure: Measure;
  /** Places along x in order. */
  places: readonly { id: string; label: string }[];
  xTitle: string;
  yTitle: string;
  /** Ends that y holds at least; without them it begins at 0. */
  range?: readonly [number, number];
  lines: readonly Line[];
}

const ROW = 15;
/** Largest share of the width that names take. */
const NAME_SHARE = 0.3;

/** Labels moved apart so that none covers another, in the order of their heights, within [low, high]. */
export function spread<T extends { y: number }>(labels: readonly T[], low: number, high: number): T[] {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  const step = Math.min(ROW, sorted.length > 1 ? (high - low) / (sorted.length - 1) : ROW);
  const ys = sorted.map(({ y }) => Math.min(high, Math.max(low, y)));
  for (let i = 1; i < ys.length; i++) ys[i] = Math.max(ys[i]!, ys[i - 1]! + step);
  for (let i = ys.length - 1; i >= 0; i--)
    ys[i] = Math.min(ys[i]!, i === ys.length - 1 ? high : ys[i + 1]! - step);
  return sorted.map((label, i) => ({ ...label, y: ys[i]! }));
}

const dashed = (dash: readonly number[] | undefined) => (dash ? { dash } : {});

/** Lines over named places with their names at the right end, and every point a mark. */
export function linePlot({
  width,
  height,
  measure,
  places,
  xTitle,
  yTitle,
  range,
  lines,
}: LinePlot): Drawing {
  const names = Math.min(NAME_SHARE * width, Math.max(0, ...lines.map(({ name }) => measure(name))) + 30);
  const values = lines.flatMap(({ points }) => points.flatMap(({ value }) => value ?? []));
  const titles = new Map(places.map(({ id, label }) => [id, label]));
  const { axes, x, y, right, top, bottom } = chart({
    width: width - names,
    height,
    measure,
    x: {
      kind: 'point',
      domain: places.map(({ id }) => id),
      format: ((id: string) => titles.get(id) ?? id) as never,
      title: xTitle,
    },
    y: range
      ? { domain: [Math.min(range[0], ...values), Math.max(range[1], ...values)], title: yTitle }
      : { domain: values, zero: true, title: yTitle },
  });
  const placed = lines.map((line, row) => ({
    ...line,
    row,
    at: line.points.map((point) => ({
      ...point,
      column: places.findIndex(({ id }) => id === point.x),
      left: x.at(point.x),
      up: point.value === null ? Number.NaN : y.at(point.value),
    })),
  }));
  const ends = spread(
    placed.flatMap(({ name, colour, row, as, at }) => {
      const last = at.filter(({ value }) => value !== null).at(-1);
      return last ? [{ name, colour, dash: as ? undefined : lineDash(row), y: last.up }] : [];
    }),
    top,
    bottom,
  );
  const points = placed.flatMap(({ at, as }) =>
    as === 'limit' ? [] : at.filter(({ value }) => value !== null),
  );
  return {
    width,
    height,
    items: [
      axes,
      ...placed.flatMap(({ at, colour, row, as }): SceneItem[] => [
        ...(as === 'points'
          ? []
          : [
              {
                kind: 'path' as const,
                d: linePath(at.map((p) => [p.left, p.up] as const)),
                stroke: colour,
                ...(as === 'limit'
                  ? { strokeWidth: 1.5, dash: [5, 4] }
                  : { strokeWidth: 2, ...dashed(lineDash(row)) }),
              },
            ]),
        ...at
          .filter(({ value }) => value !== null && as !== 'limit')
          .map(
            ({ left, up, column, label, detail, selected }): SceneItem => ({
              kind: 'circle',
              x: left,
              y: up,
              r: selected ? 6 : 4,
              fill: colour,
              stroke: selected ? 'var(--_text)' : 'var(--_surface)',
              strokeWidth: 1.5,
              mark: {
                label,
                ...(detail ? { detail } : {}),
                row,
                column,
                ...(selected === undefined ? {} : { selected }),
              },
            }),
          ),
      ]),
      ...ends.flatMap(({ name, colour, dash, y: at }): SceneItem[] => [
        {
          kind: 'line',
          x1: right + 5,
          x2: right + 19,
          y1: at,
          y2: at,
          stroke: colour,
          strokeWidth: 3,
          ...dashed(dash),
        },
        {
          kind: 'text',
          x: right + 23,
          y: at,
          text: fitText(name, names - 26, measure),
          title: name,
          baseline: 'middle',
        },
      ]),
    ],
    locate: locatePoint(
      points.length,
      (i) => [points[i]!.left, points[i]!.up],
      (i) => points[i]!.label,
      (i) => points[i]!.detail,
    ),
  };
}
