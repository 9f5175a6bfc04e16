import { nothing, type SVGTemplateResult, svg } from 'lit';
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
  /** SVG of grid, axes, ticks, labels, titles: put it before the marks. */
  axes: SVGTemplateResult;
}

const FONT = 12;
const LINE = 15;
const TICK = 5;
const GAP = 4;
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
  const measure = spec.measure ?? measureWith(`${FONT}px system-ui, 'DejaVu Sans', sans-serif`);
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
  const titleOf = (text: string, middle: number, room: number) => {
    const words = fitText(text, room - 8, measure);
    const half = measure(words) / 2 + 2;
    return { words, at: Math.max(half, Math.min(middle, room - half)) };
  };
  const xTitle = titleOf(spec.x.title ?? '', (left + right) / 2, width);
  const yTitle = titleOf(spec.y.title ?? '', (top + bottom) / 2, height);

  const axes = svg`<g class="axes" aria-hidden="true">
    ${grid === 'y' || grid === 'both' ? yShown.map(({ value }) => svg`<line class="grid" x1=${left} x2=${right} y1=${y.at(value)} y2=${y.at(value)} />`) : nothing}
    ${grid === 'x' || grid === 'both' ? xShown.map(({ value }) => svg`<line class="grid" y1=${top} y2=${bottom} x1=${x.at(value)} x2=${x.at(value)} />`) : nothing}
    ${spec.x.hidden ? nothing : svg`<line class="axis" x1=${left} x2=${right} y1=${bottom} y2=${bottom} />`}
    ${spec.y.hidden ? nothing : svg`<line class="axis" x1=${left} x2=${left} y1=${top} y2=${bottom} />`}
    ${xShown.map(({ value, label }) => {
      const at = x.at(value);
      const text = turned ? fitText(label, xRoom, measure) : label;
      const place = turned
        ? svg`<text class="tick" transform="translate(${at} ${bottom + TICK + GAP}) rotate(-90)" text-anchor="end" dominant-baseline="central">${text}<title>${label}</title></text>`
        : svg`<text class="tick" x=${at} y=${bottom + TICK + GAP} text-anchor="middle" dominant-baseline="hanging">${text}</text>`;
      return svg`<line class="axis" x1=${at} x2=${at} y1=${bottom} y2=${bottom + TICK} />${place}`;
    })}
    ${yShown.map(({ value, label }) => {
      const at = y.at(value);
      const text = yNames ? fitText(label, yWide, measure) : label;
      return svg`<line class="axis" x1=${left - TICK} x2=${left} y1=${at} y2=${at} /><text class="tick" x=${left - TICK - GAP} y=${at} text-anchor="end" dominant-baseline="central">${text}${text === label ? nothing : svg`<title>${label}</title>`}</text>`;
    })}
    ${spec.x.title && !spec.x.hidden ? svg`<text class="title" x=${xTitle.at} y=${height - 4} text-anchor="middle">${xTitle.words}<title>${spec.x.title}</title></text>` : nothing}
    ${spec.y.title && !spec.y.hidden ? svg`<text class="title" transform="translate(${LINE - 4} ${yTitle.at}) rotate(-90)" text-anchor="middle">${yTitle.words}<title>${spec.y.title}</title></text>` : nothing}
  </g>`;
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
