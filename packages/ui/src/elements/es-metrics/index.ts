import {
  type Chart,
  chart,
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  type Located,
  linePath,
  locateOnLines,
  tableOf,
} from '../../figure/index.js';
import { METRIC_COLOURS } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { format, snapshotTitle } from '../../styles.js';

export interface MetricSnapshot {
  id: string;
  epoch: number | null;
  step: number | null;
  metrics: Record<string, number>;
}

const NAMES: Record<string, string> = {
  testAccuracy: 'test accuracy',
  testLoss: 'test loss',
  trainAccuracy: 'training accuracy',
  loss: 'training loss',
  accuracy: 'training accuracy',
};
/** With more snapshots than this only the chosen one is marked. */
const MARKED = 120;
const HEIGHT = 170;

/**
 * A run's metrics over its snapshots: accuracies in one chart, losses in another, any other metric in its own. Choosing a
 * point chooses its snapshot.
 * @fires es-select - `{ snapshot }`.
 */
export class EsMetrics extends EsFigure<readonly MetricSnapshot[]> {
  private readonly layouts = new Map<string, Layout>();

  private names(data: readonly MetricSnapshot[]): string[] {
    return [...new Set(data.flatMap(({ metrics }) => Object.keys(metrics)))].filter((name) =>
      data.some(({ metrics }) => Number.isFinite(metrics[name])),
    );
  }
  protected override emptyReason(data: readonly MetricSnapshot[]): string {
    if (!data.length) return 'The run has no snapshot yet.';
    return this.names(data).length ? '' : 'No snapshot has a metric.';
  }
  protected override summary(data: readonly MetricSnapshot[]): string {
    const last = data[data.length - 1]!;
    const figures = this.names(data)
      .filter((name) => Number.isFinite(last.metrics[name]))
      .map((name) => `${NAMES[name] ?? name} ${format(last.metrics[name]!)}`);
    return `Metrics at ${data.length} snapshots; at the last, ${snapshotTitle(last)}: ${figures.join(', ') || 'none'}`;
  }
  protected override table(data: readonly MetricSnapshot[]): FigureTable {
    const names = this.names(data);
    return tableOf(
      ['Snapshot', ...names.map((name) => NAMES[name] ?? name)],
      data,
      ({ metrics, ...snapshot }) => [snapshotTitle(snapshot), ...names.map((name) => metrics[name])],
    );
  }

  protected override draw(data: readonly MetricSnapshot[], frame: Frame): Drawing {
    const names = this.names(data);
    const groups = new Map<string, string[]>();
    for (const name of names) {
      const group = /accuracy/i.test(name) ? 'accuracy' : /loss/i.test(name) ? 'loss' : name;
      groups.set(group, [...(groups.get(group) ?? []), name]);
    }
    const across = frame.width >= 560 ? Math.min(groups.size, 3) : 1;
    const wide = Math.floor(frame.width / across);
    const charts = [...groups].map(([title, members], i) => ({
      x: (i % across) * wide,
      y: Math.floor(i / across) * HEIGHT,
      ...this.group(data, title, members, names, { ...frame, width: wide - (across > 1 ? 8 : 0) }),
    }));
    return {
      width: frame.width,
      height: HEIGHT * Math.ceil(groups.size / across),
      items: charts.map(({ x, y, items }) => ({ kind: 'group', x, y, items })),
      legend: names.map((name, i) => ({ name: NAMES[name] ?? name, colour: colourOf(i), kind: 'line' })),
      locate: (px, py) => {
        const at = charts.find(({ x, y }) => px >= x && px < x + wide && py >= y && py < y + HEIGHT);
        const found = at?.locate(px - at.x, py - at.y);
        return at && found ? { ...found, x: found.x + at.x, y: found.y + at.y } : null;
      },
    };
  }

  /** Axes and lines of a group: with thousands of snapshots too dear for each step of a playback. */
  private laidOut(
    data: readonly MetricSnapshot[],
    title: string,
    members: string[],
    { width, measure }: Frame,
  ): Layout {
    const known = this.layouts.get(title);
    if (known?.data === data && known.width === width) return known;
    const by = (['epoch', 'step'] as const).find(
      (key) => new Set(data.map((s) => s[key])).size === data.length && data.every((s) => s[key] !== null),
    );
    const places = data.map((snapshot, i) => (by ? snapshot[by]! : i));
    const values = data.flatMap(({ metrics }) => members.map((name) => metrics[name] ?? Number.NaN));
    const drawn = chart({
      width,
      height: HEIGHT,
      measure,
      x: { domain: places, title: by ?? 'snapshot', nice: false },
      y: { domain: values, title },
    });
    const lines = members.map((name) => {
      const points = data.map(
        ({ metrics }, i) => [drawn.x.at(places[i]!), drawn.y.at(metrics[name] ?? Number.NaN)] as const,
      );
      // Where a metric was not measured, the line goes on to where it was.
      const measured = points.filter((_, i) => Number.isFinite(data[i]!.metrics[name]));
      return { name, points, path: linePath(measured) };
    });
    const layout = { data, width, drawn, places, lines };
    this.layouts.set(title, layout);
    return layout;
  }

  private group(
    data: readonly MetricSnapshot[],
    title: string,
    members: string[],
    names: string[],
    frame: Frame,
  ): { items: SceneItem[]; locate: (x: number, y: number) => Located | null } {
    const { drawn, places, lines } = this.laidOut(data, title, members, frame);
    const chosen = data.findIndex(({ id }) => id === this.selection.snapshot);
    const marked = data.length <= MARKED ? data.map((_, i) => i) : chosen >= 0 ? [chosen] : [];
    const now = chosen >= 0 ? drawn.x.at(places[chosen]!) : 0;
    const label = (name: string, i: number) =>
      `${snapshotTitle(data[i]!)}: ${NAMES[name] ?? name} ${format(data[i]!.metrics[name] ?? Number.NaN)}`;
    const items: SceneItem[] = [drawn.axes];
    if (chosen >= 0)
      items.push({
        kind: 'line',
        x1: now,
        x2: now,
        y1: drawn.top,
        y2: drawn.bottom,
        stroke: 'var(--_quiet)',
        dash: [3, 3],
      });
    for (const { name, points, path } of lines) {
      const colour = colourOf(names.indexOf(name));
      items.push({ kind: 'path', d: path, stroke: colour, strokeWidth: 1.5 });
      for (const i of marked) {
        if (!Number.isFinite(data[i]!.metrics[name] ?? Number.NaN)) continue;
        items.push({
          kind: 'circle',
          x: points[i]![0],
          y: points[i]![1],
          r: i === chosen ? 5 : 3,
          fill: colour,
          mark: { label: label(name, i), detail: { snapshot: data[i]!.id }, selected: i === chosen },
        });
      }
    }
    return {
      items,
      locate: locateOnLines(
        lines.map(({ name, points }) => ({
          length: points.length,
          x: (i) => points[i]![0],
          y: (i) => points[i]![1],
          label: (i) => label(name, i),
          detail: (i) => ({ snapshot: data[i]!.id }),
        })),
      ),
    };
  }
}

const colourOf = (i: number) => METRIC_COLOURS[i % METRIC_COLOURS.length]!;

interface Layout {
  data: readonly MetricSnapshot[];
  width: number;
  drawn: Chart;
  places: number[];
  lines: { name: string; points: (readonly [number, number])[]; path: string }[];
}

declare global {
  interface HTMLElementTagNameMap {
    'es-metrics': EsMetrics;
  }
}
