import { css, html, nothing, type SVGTemplateResult, svg, type TemplateResult } from 'lit';
import {
  type Chart,
  chart,
  EsFigure,
  type FigureTable,
  linePath,
  mark,
  tableOf,
} from '../../figure/index.js';
import { METRIC_COLOURS } from '../../palette.js';
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
  static override styles = [
    ...EsFigure.styles,
    css`
      .names {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1rem;
      }
      .names i {
        display: inline-block;
        inline-size: 1.2em;
        block-size: 3px;
        vertical-align: middle;
        margin-inline-end: 0.4em;
      }
      .now {
        stroke: var(--_quiet);
        stroke-dasharray: 3 3;
      }
    `,
  ];

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
    return tableOf(['Snapshot', ...names.map((name) => NAMES[name] ?? name)], data, ({ id, metrics }) => [
      id,
      ...names.map((name) => metrics[name]),
    ]);
  }

  protected override drawing(data: readonly MetricSnapshot[]): TemplateResult {
    const names = this.names(data);
    const groups = new Map<string, string[]>();
    for (const name of names) {
      const group = /accuracy/i.test(name) ? 'accuracy' : /loss/i.test(name) ? 'loss' : name;
      groups.set(group, [...(groups.get(group) ?? []), name]);
    }
    const across = this.width >= 560 ? Math.min(groups.size, 3) : 1;
    const wide = Math.floor(this.width / across);
    const charts = [...groups].map(([title, members], i) => {
      const [left, top] = [(i % across) * wide, Math.floor(i / across) * HEIGHT];
      return svg`<g transform="translate(${left} ${top})">${this.group(data, title, members, names, wide - (across > 1 ? 8 : 0))}</g>`;
    });
    return html`${this.plot({
      width: this.width,
      height: HEIGHT * Math.ceil(groups.size / across),
      marks: data.length <= MARKED,
      svg: svg`${charts}`,
    })}
    <div class="names">${names.map((name, i) => html`<span part="item"><i style="background:${METRIC_COLOURS[i % METRIC_COLOURS.length]}"></i>${NAMES[name] ?? name}</span>`)}</div>`;
  }

  /** Axes and lines of a group: with thousands of snapshots too dear for each step of a playback. */
  private laidOut(data: readonly MetricSnapshot[], title: string, members: string[], width: number): Layout {
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
      measure: this.measure,
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
    width: number,
  ): SVGTemplateResult {
    const { drawn, places, lines } = this.laidOut(data, title, members, width);
    const chosen = data.findIndex(({ id }) => id === this.selection.snapshot);
    const marked = data.length <= MARKED ? data.map((_, i) => i) : chosen >= 0 ? [chosen] : [];
    const now = chosen >= 0 ? drawn.x.at(places[chosen]!) : 0;
    return svg`${drawn.axes}
      ${chosen >= 0 ? svg`<line class="now" x1=${now} x2=${now} y1=${drawn.top} y2=${drawn.bottom} />` : nothing}
      ${lines.map(({ name, points, path }) => {
        const colour = METRIC_COLOURS[names.indexOf(name) % METRIC_COLOURS.length];
        return svg`<path d=${path} fill="none" style="stroke:${colour};stroke-width:1.5" />
          ${marked.map((i) => {
            const value = data[i]!.metrics[name];
            if (value === undefined || !Number.isFinite(value)) return nothing;
            const [cx, cy] = points[i]!;
            return svg`<circle cx=${cx} cy=${cy} r=${i === chosen ? 5 : 3} style="fill:${colour}" ${mark({
              label: `${snapshotTitle(data[i]!)}: ${NAMES[name] ?? name} ${format(value)}`,
              detail: { snapshot: data[i]!.id },
              selected: i === chosen,
            })} />`;
          })}`;
      })}`;
  }
}

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
