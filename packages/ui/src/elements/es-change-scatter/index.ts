import type { ChangeResult, ChangeStatistics, TensorChange } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import {
  chart,
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  locatePoint,
} from '../../figure/index.js';
import { CORRECT_COLOUR, WRONG_COLOUR } from '../../palette.js';
import { type Pixels, rgbOf, type SceneItem } from '../../scene/index.js';
import { format, percent as percentOf } from '../../styles.js';

export interface ScatterData {
  /** "C1", or whatever the points are of. */
  title: string;
  /** Same lengths within a part; any number of points. */
  parts: readonly { before: Float32Array; delta: Float32Array }[];
  statistics: ChangeStatistics;
}

/** The weights (not biases, where there are both) of a layer of a change result. */
export function scatterOf(result: ChangeResult, layer: string): ScatterData | null {
  const entry = result.layers.find((one) => one.layer === layer);
  if (!entry) return null;
  const own = result.tensors.filter((tensor: TensorChange) => tensor.layer === layer);
  const weights = own.filter(({ shape }) => shape.length > 1);
  return { title: layer, parts: weights.length ? weights : own, statistics: entry.statistics };
}

const figure = ({ value }: { value: number | null }) => (value === null ? 'undefined' : format(value));
const percent = ({ value }: { value: number | null }) => (value === null ? 'undefined' : percentOf(value));

/** Points that the pointer looks for one by one; of more, it finds none. */
const FOUND = 200_000;

/**
 * Value before against change, a point a parameter: hundreds of thousands of points are counted per pixel and shaded by
 * their number. Blue: the change has the sign of the value (it grew away from 0), orange: it has the other.
 */
export class EsChangeScatter extends EsFigure<ScatterData, ChangeResult> {
  /** With `src`: which layer; default the first. */
  @property({ type: String }) layer: string = '';
  /** CSS pixels. */
  @property({ type: Number }) height: number = 300;
  protected override get pickedBy(): readonly string[] {
    return ['layer'];
  }
  protected override pick(result: ChangeResult): ScatterData {
    const found = scatterOf(result, this.layer || (result.layers[0]?.layer ?? ''));
    if (!found)
      throw new Error(
        `The result has no layer ${this.layer}; it has ${result.layers.map((l) => l.layer).join(', ')}`,
      );
    return found;
  }
  protected override emptyReason({ title, parts }: ScatterData): string {
    return parts.some(({ before }) => before.length) ? '' : `${title} has no parameters.`;
  }
  protected override summary({ title, statistics: s }: ScatterData): string {
    return `${title}: ${s.count} values before against their change; Pearson r ${figure(s.pearson)}, slope ${figure(s.slope)}, equal signs ${percent(s.equalSigns)}`;
  }
  protected override hint({ statistics: s }: ScatterData): string {
    return `r ${figure(s.pearson)} · slope ${figure(s.slope)} · equal signs ${percent(s.equalSigns)} · n ${s.count}${this.drawn(this.data)}`;
  }
  /** Of a large net a sample of the points is drawn. */
  private drawn(data: ScatterData | null): string {
    const points = data?.parts.reduce((sum, { before }) => sum + before.length, 0) ?? 0;
    return data && points < data.statistics.count ? `, ${points} drawn` : '';
  }
  protected override table({ parts }: ScatterData): FigureTable {
    const ends: number[] = [];
    let total = 0;
    for (const { before } of parts) ends.push((total += before.length));
    return {
      columns: ['Before', 'Change'],
      length: total,
      row: (i) => {
        const at = ends.findIndex((end) => i < end);
        const k = i - (ends[at - 1] ?? 0);
        return [parts[at]!.before[k]!, parts[at]!.delta[k]!];
      },
    };
  }
  protected override get fileName(): string {
    return `change-scatter-${this.data?.title ?? ''}`;
  }

  protected override draw(data: ScatterData, frame: Frame): Drawing {
    const { parts, statistics } = data;
    const limits = (key: 'before' | 'delta') => {
      let [low, high] = [0, 0];
      for (const part of parts)
        for (const value of part[key]) {
          if (value < low) low = value;
          if (value > high) high = value;
        }
      return [low, high];
    };
    const width = Math.min(frame.width, 640);
    const { x, y, left, right, top, bottom, axes } = chart({
      width,
      height: this.height,
      measure: frame.measure,
      grid: 'none',
      x: { domain: limits('before'), title: 'value before' },
      y: { domain: limits('delta'), title: 'change' },
    });
    const { slope, meanChange } = statistics;
    const box = { x: left, y: top, width: right - left, height: bottom - top };
    const zero = { stroke: 'var(--_quiet)', dash: [2, 3] };
    const items: SceneItem[] = [
      {
        kind: 'image',
        ...box,
        pixels: this.kept('density', [data, width, this.height, ...Object.values(box)], () =>
          densityOf(parts, box, x.at, y.at),
        ),
      },
      axes,
      { kind: 'line', x1: x.at(0), x2: x.at(0), y1: top, y2: bottom, ...zero },
      { kind: 'line', x1: left, x2: right, y1: y.at(0), y2: y.at(0), ...zero },
    ];
    if (slope.value !== null && meanChange.value !== null) {
      const mean = this.meanBefore(data);
      const fit = (value: number) => y.at(meanChange.value! + slope.value! * (value - mean));
      const line: SceneItem = {
        kind: 'line',
        x1: left,
        x2: right,
        y1: fit(x.invert(left)),
        y2: fit(x.invert(right)),
        stroke: 'var(--_text)',
        strokeWidth: 1.5,
      };
      items.push({ kind: 'group', clip: box, items: [line] });
    }
    const place = this.table(data);
    return {
      width,
      height: this.height,
      items,
      legend: [
        { name: 'same sign: grew away from 0', colour: CORRECT_COLOUR, kind: 'dot' },
        { name: 'opposite sign', colour: WRONG_COLOUR, kind: 'dot' },
        { name: `least squares, slope ${figure(slope)}`, colour: 'var(--_text)', kind: 'line' },
      ],
      ...(place.length <= FOUND
        ? {
            locate: locatePoint(
              place.length,
              (i) => {
                const [before, delta] = place.row(i) as [number, number];
                return [x.at(before), y.at(delta)];
              },
              (i) => {
                const [before, delta] = place.row(i) as [number, number];
                return `before ${format(before)}, change ${delta > 0 ? '+' : ''}${format(delta)}`;
              },
            ),
          }
        : {}),
    };
  }

  private meanBefore({ parts, statistics }: ScatterData): number {
    let sum = 0;
    for (const { before } of parts) for (const value of before) sum += value;
    return sum / statistics.count;
  }
}

/** Pixels per CSS pixel of the points: also when printed. */
const DENSITY = 2;

/** Counts points per pixel and shades each by the logarithm of its count, single points as dots of some pixels. */
function densityOf(
  parts: ScatterData['parts'],
  box: { x: number; y: number; width: number; height: number },
  xAt: (value: number) => number,
  yAt: (value: number) => number,
): Pixels {
  const width = Math.max(1, Math.round(box.width * DENSITY));
  const height = Math.max(1, Math.round(box.height * DENSITY));
  // Scales are linear: two points give the map, and no call per point is needed.
  const [x0, x1, y0, y1] = [xAt(0), xAt(1), yAt(0), yAt(1)];
  const same = new Uint32Array(width * height);
  const other = new Uint32Array(width * height);
  let points = 0;
  let most = 1;
  for (const { before, delta } of parts) {
    points += before.length;
    for (let i = 0; i < before.length; i++) {
      const px = Math.round((x0 + (x1 - x0) * before[i]! - box.x) * DENSITY);
      const py = Math.round((y0 + (y1 - y0) * delta[i]! - box.y) * DENSITY);
      const at = Math.min(height - 1, Math.max(0, py)) * width + Math.min(width - 1, Math.max(0, px));
      const counts = before[i]! * delta[i]! >= 0 ? same : other;
      if (++counts[at]! > most) most = counts[at]!;
    }
  }
  const size = points > 20_000 ? 2 : points > 2_000 ? 4 : 7;
  const floor = points > 20_000 ? 0.25 : points > 2_000 ? 0.55 : 0.8;
  const data = new Uint8Array(4 * width * height);
  for (const [colour, counts] of [
    [rgbOf(CORRECT_COLOUR), same],
    [rgbOf(WRONG_COLOUR), other],
  ] as const)
    for (let at = 0; at < counts.length; at++) {
      const count = counts[at]!;
      if (!count) continue;
      const share = most > 1 ? floor + ((1 - floor) * Math.log(count)) / Math.log(most) : floor;
      const [left, top] = [(at % width) - (size >> 1), Math.floor(at / width) - (size >> 1)];
      for (let row = Math.max(0, top); row < Math.min(height, top + size); row++)
        for (let column = Math.max(0, left); column < Math.min(width, left + size); column++) {
          const i = 4 * (row * width + column);
          // Over what is there already.
          const below = (data[i + 3]! / 255) * (1 - share);
          const all = share + below;
          for (let c = 0; c < 3; c++) data[i + c] = (colour[c]! * share + data[i + c]! * below) / all;
          data[i + 3] = 255 * all;
        }
    }
  return { width, height, channels: 4, data };
}

declare global {
  interface HTMLElementTagNameMap {
    'es-change-scatter': EsChangeScatter;
  }
}
