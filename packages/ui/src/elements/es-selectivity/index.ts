import type { ActivityPanel, ActivityResult } from '@epochscope/analysis/results';
import {
  chart,
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  locatePoint,
} from '../../figure/index.js';
import type { SceneItem } from '../../scene/index.js';
import { format, snapshotTitle } from '../../styles.js';

const HEIGHT = 240;
/** With more filters than this only boxes are marks. */
const MARKED = 400;

/**
 * How selective the filters of each layer are, one dot a filter and a box from quartile to quartile, layers and snapshots side by side.
 * 0: responds alike to all classes; 1: silent but for one.
 * @fires es-select - `{ layer, snapshot, unit }`.
 */
export class EsSelectivity extends EsFigure<readonly ActivityPanel[], ActivityResult> {
  protected override pick(result: ActivityResult): readonly ActivityPanel[] {
    return result.panels;
  }
  private places(panels: readonly ActivityPanel[]): string[] {
    const snapshots = new Set(panels.map(({ snapshot }) => snapshot.id));
    const layers = new Set(panels.map(({ layer }) => layer));
    return panels.map(({ layer, snapshot }) =>
      snapshots.size < 2
        ? layer
        : layers.size < 2
          ? snapshotTitle(snapshot)
          : `${layer}, ${snapshotTitle(snapshot)}`,
    );
  }
  protected override emptyReason(panels: readonly ActivityPanel[]): string {
    if (!panels.length) return 'The result holds no layer.';
    return panels.some(({ distribution }) => distribution.median.value !== null)
      ? ''
      : 'No filter has a selectivity: fewer than two classes have an activity.';
  }
  protected override summary(panels: readonly ActivityPanel[]): string {
    const places = this.places(panels);
    return `Selectivity of filters: ${panels.map((p, i) => `${places[i]} median ${p.distribution.median.value === null ? 'undefined' : format(p.distribution.median.value)}`).join('; ')}`;
  }
  protected override table(panels: readonly ActivityPanel[]): FigureTable {
    const places = this.places(panels);
    return {
      columns: ['Layer', 'Filters', 'First quartile', 'Median', 'Third quartile'],
      length: panels.length,
      row: (i) => {
        const { filters, distribution: d } = panels[i]!;
        return [places[i]!, filters, d.q1.value, d.median.value, d.q3.value];
      },
    };
  }

  protected override draw(panels: readonly ActivityPanel[], { width, measure }: Frame): Drawing {
    // Equal names are told apart by what takes no room.
    const places = this.places(panels).map((place, i) => `${place}${'\u200b'.repeat(i)}`);
    const { x, y, axes } = chart({
      width,
      height: HEIGHT,
      measure,
      x: { domain: places, format: ((place: string) => place.replaceAll('\u200b', '')) as never },
      y: {
        domain: [
          0,
          ...panels.flatMap(({ selectivity }) =>
            selectivity.flatMap(({ value }) => (value === null ? [] : [value])),
          ),
        ],
        zero: true,
        title: 'selectivity',
      },
    });
    const marked = panels.reduce((sum, { filters }) => sum + filters, 0) <= MARKED;
    const half = Math.min(x.bandwidth / 2, 42);
    const items: SceneItem[] = [axes];
    const dots: {
      x: number;
      y: number;
      label: string;
      detail: { layer: string; snapshot: string; unit: number };
    }[] = [];
    panels.forEach((panel, i) => {
      const middle = x.at(places[i]!);
      const { q1, median, q3 } = panel.distribution;
      if (q1.value === null || median.value === null || q3.value === null) return;
      const base = { layer: panel.layer, snapshot: panel.snapshot.id };
      items.push(
        {
          kind: 'rect',
          class: 'fill',
          x: middle - half,
          width: 2 * half,
          y: y.at(q3.value),
          height: Math.max(1, y.at(q1.value) - y.at(q3.value)),
          fill: 'var(--_accent)',
          fillOpacity: 0.16,
          stroke: 'var(--_accent)',
          mark: {
            label: `${places[i]!.replaceAll('\u200b', '')}: median ${format(median.value)}, quartiles ${format(q1.value)} and ${format(q3.value)}, ${panel.filters} filters`,
            detail: base,
          },
        },
        {
          kind: 'line',
          class: 'silent',
          x1: middle - half,
          x2: middle + half,
          y1: y.at(median.value),
          y2: y.at(median.value),
          stroke: 'var(--_accent)',
          strokeWidth: 2.5,
        },
      );
      panel.selectivity.forEach(({ value }, f) => {
        if (value === null) return;
        const selected = this.selection.layer === panel.layer && this.selection.unit === f;
        const dot = {
          // Side by side by filter number, so that equal dots do not hide one another.
          x: middle + half * 0.8 * (panel.filters > 1 ? (2 * f) / (panel.filters - 1) - 1 : 0),
          y: y.at(value),
          label: `${panel.layer} filter ${f}: selectivity ${format(value)}`,
          detail: { ...base, unit: f },
        };
        dots.push(dot);
        items.push({
          kind: 'circle',
          x: dot.x,
          y: dot.y,
          r: marked ? 3.5 : 2,
          fill: selected ? 'var(--_accent)' : 'var(--_text)',
          opacity: selected ? 1 : 0.55,
          ...(selected ? { stroke: 'var(--_text)' } : {}),
          ...(marked ? { mark: { label: dot.label, detail: dot.detail, selected } } : {}),
        });
      });
    });
    return {
      width,
      height: HEIGHT,
      items,
      legend: [
        { name: 'a filter', colour: 'var(--_text)', kind: 'dot' },
        { name: 'quartiles and median', colour: 'var(--_accent)' },
      ],
      locate: locatePoint(
        dots.length,
        (i) => [dots[i]!.x, dots[i]!.y],
        (i) => dots[i]!.label,
        (i) => dots[i]!.detail,
      ),
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-selectivity': EsSelectivity;
  }
}
