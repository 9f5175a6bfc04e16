import type { GroupItem, SceneItem } from '../scene/types.js';
import { type AxisScale, type AxisSpec, axisScale } from './scale.js';
import { fitText, type Measure, measureWith } from './text.js';

export interface ChartSpec {
  /** Whole drawing, CSS pixels. */
  width: number;
  height: number;
  x: AxisSpec;
  y: AxisSpec;
  /** Lines across the plot at the ticks: default 'y'. */
  grid?: 'x' | 'y' | 'both' | 'none';
  measure?: Measure;
}

/** Rectangle of the plot within the drawing, the two scales in its pixels, and the drawn axes. */
export interface Chart {
  width: number;
  height: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
  x: AxisScale;
  y: AxisScale;
  /** Grid, axes, ticks, labels, titles: put it before the marks. */
  axes: GroupItem;
}

const LINE = 15;
const TICK = 5;
const GAP = 4;
const MINOR = 3;
const AXIS = 'var(--_quiet)';
const LINES = 'var(--_line)';
/** Widest share of the drawing that labels of categories take; longer ones end in "…" with the whole in their tooltip. */
const LABEL_SHARE = 0.38;
/** The same for the height that upright labels take. */
const UPRIGHT_SHARE = 0.5;

/**
 * Lays out a chart: margins are measured from the labels, so that none is cut; categories that do not fit side by side are
 * turned upright, then thinned. The plot is never narrower or lower than 20 px.
 */
export function chart(spec: ChartSpec): Chart {
  const { width, height } = spec;
  const measure = spec.measure ?? measureWith("system-ui, 'DejaVu Sans', sans-serif");
  const title = (axis: AxisSpec) => (axis.title && !axis.hidden ? LINE + GAP : 0);
  const widest = (labels: string[]) => labels.reduce((most, label) => Math.max(most, measure(label)), 0);
  const texts = (axis: AxisSpec) => {
    const scale = axisScale(axis, 0, 1);
    return scale.kind === 'band' || scale.kind === 'point' ? scale.ticks(0).map((tick) => tick.label) : null;
  };

  const top = 8 + LINE / 2;
  const xNames = texts(spec.x);
  const yNames = texts(spec.y);
  // The bottom margin first, with labels level; then left; then whether the x labels fit or turn.
  let bottomMargin = spec.x.hidden ? 4 : TICK + GAP + LINE + title(spec.x);
  const yScaleFor = (bottom: number) => axisScale(spec.y, bottom, top);
  const yTicks = (bottom: number) => yScaleFor(bottom).ticks(Math.max(2, Math.floor((bottom - top) / 44)));
  const yWide = spec.y.hidden
    ? 0
    : Math.min(
        widest(yNames ?? yTicks(height - bottomMargin).map((tick) => tick.label)),
        yNames ? LABEL_SHARE * width : Number.POSITIVE_INFINITY,
      );
  let left = spec.y.hidden ? 4 : Math.ceil(yWide + TICK + GAP + title(spec.y));
  let right = width - 8;
  let turned = false;
  let xTicks: { value: number | string; label: string }[] = [];
  if (!spec.x.hidden) {
    if (xNames) {
      const step = (right - left) / Math.max(1, xNames.length);
      const wide = widest(xNames);
      turned = wide > step - 6;
      if (turned) bottomMargin += Math.ceil(Math.min(wide, UPRIGHT_SHARE * height)) - LINE + GAP;
      else {
        // A label may be wider than half its band only at the ends.
        left = Math.max(left, Math.ceil(wide / 2 - step / 2));
      }
      xTicks = axisScale(spec.x, left, right).ticks(0);
    } else {
      let wanted = Math.max(2, Math.floor((right - left) / 80));
      for (; wanted >= 1; wanted--) {
        const scale = axisScale(spec.x, left, right);
        xTicks = scale.ticks(wanted);
        const fits = xTicks.every((tick, i) => {
          const next = xTicks[i + 1];
          return (
            !next ||
            scale.at(next.value) - scale.at(tick.value) > (measure(tick.label) + measure(next.label)) / 2 + 8
          );
        });
        if (fits) break;
      }
      const first = xTicks[0];
      const last = xTicks[xTicks.length - 1];
      const scale = axisScale(spec.x, left, right);
      if (first) left += Math.max(0, Math.ceil(measure(first.label) / 2 - scale.at(first.value)));
      if (last) right -= Math.max(0, Math.ceil(scale.at(last.value) + measure(last.label) / 2 - (width - 1)));
    }
  }
  right = Math.max(right, left + 20);
  const bottom = Math.max(height - bottomMargin, top + 20);
  const x = axisScale(spec.x, left, right);
  const y = yScaleFor(bottom);
  const yShown = spec.y.hidden ? [] : thin(yTicks(bottom), y, LINE, !!yNames);
  const xShown = xNames ? thin(xTicks, x, turned ? LINE : 0, turned) : xTicks;
  const xRoom = UPRIGHT_SHARE * height;
  const grid = spec.grid ?? 'y';
  // A title stands at the middle of its axis, and within the drawing where it is longer than the axis.
  const titleOf = (spec: AxisSpec, middle: number, room: number) => {
    const text = spec.title ? `${spec.title}${spec.kind === 'log' ? ' (log scale)' : ''}` : '';
    const words = fitText(text, room - 8, measure);
    const half = measure(words) / 2 + 2;
    return { words, whole: text, at: Math.max(half, Math.min(middle, room - half)) };
  };
  const xTitle = titleOf(spec.x, (left + right) / 2, width);
  const yTitle = titleOf(spec.y, (top + bottom) / 2, height);

  const items: SceneItem[] = [];
  const line = (x1: number, y1: number, x2: number, y2: number, stroke: string) =>
    items.push({ kind: 'line', x1, y1, x2, y2, stroke, crisp: true });
  if (grid === 'y' || grid === 'both')
    for (const { value } of yShown) line(left, y.at(value), right, y.at(value), LINES);
  if (grid === 'x' || grid === 'both')
    for (const { value } of xShown) line(x.at(value), top, x.at(value), bottom, LINES);
  if (!spec.x.hidden) line(left, bottom, right, bottom, AXIS);
  if (!spec.y.hidden) line(left, top, left, bottom, AXIS);
  // Unlabelled ticks between the powers show an axis to be logarithmic.
  if (!spec.x.hidden)
    for (const value of x.minor) line(x.at(value), bottom, x.at(value), bottom + MINOR, AXIS);
  if (!spec.y.hidden) for (const value of y.minor) line(left - MINOR, y.at(value), left, y.at(value), AXIS);
  for (const { value, label } of xShown) {
    const at = x.at(value);
    line(at, bottom, at, bottom + TICK, AXIS);
    const below = bottom + TICK + GAP;
    if (turned)
      items.push({
        kind: 'text',
        x: at,
        y: below,
        text: fitText(label, xRoom, measure),
        title: label,
        anchor: 'end',
        baseline: 'middle',
        rotate: -90,
        fill: AXIS,
      });
    else
      items.push({
        kind: 'text',
        x: at,
        y: below,
        text: label,
        anchor: 'middle',
        baseline: 'top',
        fill: AXIS,
      });
  }
  for (const { value, label } of yShown) {
    const at = y.at(value);
    line(left - TICK, at, left, at, AXIS);
    const text = yNames ? fitText(label, yWide, measure) : label;
    items.push({
      kind: 'text',
      x: left - TICK - GAP,
      y: at,
      text,
      ...(text === label ? {} : { title: label }),
      anchor: 'end',
      baseline: 'middle',
      fill: AXIS,
    });
  }
  if (xTitle.words && !spec.x.hidden)
    items.push({
      kind: 'text',
      x: xTitle.at,
      y: height - 4,
      text: xTitle.words,
      title: xTitle.whole,
      anchor: 'middle',
      fill: AXIS,
    });
  if (yTitle.words && !spec.y.hidden)
    items.push({
      kind: 'text',
      x: LINE - 4,
      y: yTitle.at,
      text: yTitle.words,
      title: yTitle.whole,
      anchor: 'middle',
      rotate: -90,
      fill: AXIS,
    });
  const axes: GroupItem = { kind: 'group', hidden: true, items };
  return { width, height, left, top, right, bottom, x, y, axes };
}

/** Every k-th tick, so that neighbours stand at least `least` pixels apart. */
function thin<Tick extends { value: number | string }>(
  ticks: Tick[],
  scale: AxisScale,
  least: number,
  wanted: boolean,
): Tick[] {
  if (!wanted || ticks.length < 2) return ticks;
  const step = Math.abs(scale.at(ticks[1]!.value) - scale.at(ticks[0]!.value));
  const every = Math.max(1, Math.ceil(least / Math.max(step, 1e-9)));
  return ticks.filter((_, i) => i % every === 0);
}

/** Path of a line; a point that is not finite breaks it. */
export function linePath(points: Iterable<readonly [number, number]>): string {
  let path = '';
  let down = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      down = false;
      continue;
    }
    path += `${down ? 'L' : 'M'}${x.toFixed(2)} ${y.toFixed(2)}`;
    down = true;
  }
  return path;
}

/** Path of the band between two lines (a mean ± sd): points are [x, low, high]; a gap splits the band. */
export function bandPath(points: Iterable<readonly [number, number, number]>): string {
  const runs: (readonly [number, number, number])[][] = [[]];
  for (const point of points) {
    if (point.every(Number.isFinite)) runs[runs.length - 1]!.push(point);
    else if (runs[runs.length - 1]!.length) runs.push([]);
  }
  return runs
    .filter((run) => run.length)
    .map(
      (run) =>
        `${linePath(run.map(([x, low]) => [x, low] as const))}${linePath([...run].reverse().map(([x, , high]) => [x, high] as const)).replace('M', 'L')}Z`,
    )
    .join('');
}
