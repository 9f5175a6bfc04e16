import type { GeometryResult, GeometrySpectrum } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import {
  type AxisSpec,
  bandPath,
  chart,
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  linePath,
  locateOnLines,
} from '../../figure/index.js';
import { lineColour, lineDash } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import type { Selection } from '../../selection.js';
import { format } from '../../styles.js';

/** One line of a chart, with a band where `sd` is given. */
export interface Series {
  name: string;
  values: ArrayLike<number>;
  sd?: ArrayLike<number>;
  dashed?: boolean;
  /** Which values are no more than a lower bound: as many as were computed. Marked "≥". */
  capped?: readonly boolean[];
  detail?: Selection;
  selected?: boolean;
}

export interface Lines {
  x: Pick<AxisSpec, 'title' | 'kind'> & { at: ArrayLike<number> | readonly string[] };
  y: Pick<AxisSpec, 'title' | 'kind' | 'zero'> & { ends?: readonly number[] };
  series: Series[];
  /** A line across. */
  level?: { at: number; name: string };
}

/** Lines of no more points than this show each. */
const DOTTED = 16;

/** Lines over a common axis with bands of mean ± sd, names below; a subclass says what they are. */
export abstract class EsSeries<Data> extends EsFigure<Data, GeometryResult> {
  /** CSS pixels. */
  @property({ type: Number }) height: number = 260;

  protected abstract lines(data: Data): Lines;

  protected override table(data: Data): FigureTable {
    const { x, series } = this.lines(data);
    return {
      columns: [x.title ?? '', ...series.flatMap(({ name, sd }) => (sd ? [name, `± ${name}`] : [name]))],
      length: x.at.length,
      row: (i) => [
        x.at[i]!,
        ...series.flatMap((one) => (one.sd ? [cellOf(one, i), one.sd[i]!] : [cellOf(one, i)])),
      ],
    };
  }

  protected override draw(data: Data, { width, measure }: Frame): Drawing {
    const lines = this.lines(data);
    const { series, level } = lines;
    const log = lines.y.kind === 'log';
    const all = series.flatMap(({ values, sd }) =>
      Array.from(values).flatMap((value, i) => (sd && !log ? [value - sd[i]!, value + sd[i]!] : [value])),
    );
    // Room for "≥ 60" above the point it stands at.
    const capped = series.flatMap((one) => Array.from(one.values).filter((_, i) => one.capped?.[i]));
    const above = capped.map((value) => 1.12 * value);
    const { x, y, left, right, axes, top, bottom } = chart({
      width,
      height: this.height,
      measure,
      x: { ...lines.x, domain: lines.x.at, nice: false },
      y: { ...lines.y, domain: [...all, ...(lines.y.ends ?? []), ...(level ? [level.at] : []), ...above] },
    });
    const place = (i: number) => x.at(lines.x.at[i]!);
    const [low] = y.ends;
    const clip = (pixel: number) => Math.min(bottom, Math.max(top, pixel));
    const across = level ? y.at(level.at) : Number.NaN;
    const items: SceneItem[] = [axes];
    if (Number.isFinite(across))
      items.push({
        kind: 'line',
        x1: left,
        x2: right,
        y1: across,
        y2: across,
        stroke: 'var(--_quiet)',
        dash: [2, 3],
      });
    series.forEach(({ values, sd }, i) => {
      if (!sd) return;
      const band = Array.from(values, (value, j): readonly [number, number, number] => [
        place(j),
        // What a logarithm cannot show goes down to the axis.
        clip(y.at(log ? Math.max(low, value - sd[j]!) : value - sd[j]!)),
        clip(y.at(value + sd[j]!)),
      ]);
      items.push({
        kind: 'path',
        class: 'silent',
        d: bandPath(band),
        fill: lineColour(i),
        fillOpacity: 0.16,
      });
    });
    series.forEach((one, i) => {
      const { name, values, dashed, detail, selected = false, capped } = one;
      const points = Array.from(values, (value, j): readonly [number, number] => [place(j), y.at(value)]);
      const last = values.length - 1;
      items.push({
        kind: 'path',
        class: 'line',
        d: linePath(points),
        stroke: lineColour(i),
        strokeWidth: selected ? 3.5 : 2,
        join: 'round',
        ...(dashed ? { dash: [5, 4] } : lineDash(i) ? { dash: lineDash(i)! } : {}),
        mark: {
          label: `${name}: ${valueText(one, 0)} at ${textOf(lines.x.at[0]!)}, ${valueText(one, last)} at ${textOf(lines.x.at[last]!)}`,
          ...(detail ? { detail: { ...detail } } : {}),
          selected,
        },
      });
      points.forEach(([px, py], j) => {
        if (!Number.isFinite(py)) return;
        if (values.length < DOTTED)
          items.push({
            kind: 'circle',
            class: 'silent',
            x: px,
            y: py,
            r: 3,
            fill: capped?.[j] ? 'var(--_surface)' : lineColour(i),
            ...(capped?.[j] ? { stroke: lineColour(i), strokeWidth: 1.5 } : {}),
          });
        if (capped?.[j])
          items.push({
            kind: 'text',
            x: px,
            y: py - 7 < top ? py + 16 : py - 7,
            text: valueText(one, j),
            anchor: j === 0 ? 'start' : j === last ? 'end' : 'middle',
            size: 11,
            fill: 'var(--_quiet)',
            halo: true,
          });
      });
    });
    if (Number.isFinite(across))
      items.push({
        kind: 'text',
        x: right - 2,
        y: across - 4,
        text: level!.name,
        anchor: 'end',
        fill: 'var(--_quiet)',
        halo: true,
      });
    return {
      width,
      height: this.height,
      items,
      legend: series.map(({ name, dashed }, i) => ({
        name,
        colour: lineColour(i),
        kind: dashed ? 'dashed' : 'line',
        dash: lineDash(i),
      })),
      locate: locateOnLines(
        series.map((one) => ({
          length: one.values.length,
          x: place,
          y: (i) => y.at(one.values[i]!),
          label: (i) =>
            `${one.name}, ${lines.x.title ?? 'at'} ${textOf(lines.x.at[i]!)}: ${valueText(one, i)}${one.sd ? ` ± ${format(one.sd[i]!)}` : ''}`,
          ...(one.detail ? { detail: { ...one.detail } } : {}),
        })),
      ),
    };
  }
}

const cellOf = (one: Series, i: number) => (one.capped?.[i] ? valueText(one, i) : one.values[i]!);
/** A value as it is said: "≥ 60" where it is a lower bound. */
const valueText = ({ values, capped }: Series, i: number) =>
  `${capped?.[i] ? '≥\u00a0' : ''}${format(values[i]!)}`;
const textOf = (value: number | string) => (typeof value === 'number' ? format(value) : value);

/** One of a list by the selected snapshot and layer: the nearest there is, else the last. */
export function chosen<T extends { snapshot: GeometrySpectrum['snapshot']; to: string }>(
  list: readonly T[],
  { snapshot, layer }: Selection,
): T | null {
  const at = (id: string | null | undefined, to: string | null | undefined) =>
    list.filter((one) => (!id || one.snapshot.id === id) && (!to || one.to === to)).at(-1);
  return at(snapshot, layer) ?? at(null, layer) ?? at(snapshot, null) ?? list.at(-1) ?? null;
}
