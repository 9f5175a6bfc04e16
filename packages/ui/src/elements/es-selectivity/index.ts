import type { ActivityPanel, ActivityResult } from '@epochscope/analysis/results';
import { css, html, nothing, svg, type TemplateResult } from 'lit';
import { chart, EsFigure, type FigureTable, mark } from '../../figure/index.js';
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
  static override styles = [
    ...EsFigure.styles,
    css`
      .box {
        fill: color-mix(in srgb, var(--_accent) 16%, transparent);
        stroke: var(--_accent);
      }
      .median {
        stroke: var(--_accent);
        stroke-width: 2.5;
      }
      .dot {
        fill: var(--_text);
        opacity: 0.55;
      }
      .dot[aria-pressed='true'] {
        fill: var(--_accent);
        stroke: var(--_text);
        opacity: 1;
      }
    `,
  ];
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

  protected override drawing(panels: readonly ActivityPanel[]): TemplateResult {
    const places = this.places(panels).map((place, i) => `${place}${'\u200b'.repeat(i)}`);
    const { x, y, axes } = chart({
      width: this.width,
      height: HEIGHT,
      measure: this.measure,
      x: { domain: places },
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
    return html`${this.plot({
      width: this.width,
      height: HEIGHT,
      marks: true,
      svg: svg`${axes}${panels.map((panel, i) => {
        const middle = x.at(places[i]!);
        const { q1, median, q3 } = panel.distribution;
        if (q1.value === null || median.value === null || q3.value === null) return nothing;
        const base = { layer: panel.layer, snapshot: panel.snapshot.id };
        const box = svg`<rect class="box" x=${middle - half} width=${2 * half} y=${y.at(q3.value)} height=${Math.max(1, y.at(q1.value) - y.at(q3.value))} ${mark(
          {
            label: `${places[i]!.replaceAll('\u200b', '')}: median ${format(median.value)}, quartiles ${format(q1.value)} and ${format(q3.value)}, ${panel.filters} filters`,
            detail: base,
          },
        )} />
          <line class="median" x1=${middle - half} x2=${middle + half} y1=${y.at(median.value)} y2=${y.at(median.value)} />`;
        return svg`${box}${panel.selectivity.map(({ value }, f) => {
          if (value === null) return nothing;
          // Side by side by filter number, so that equal dots do not hide one another.
          const cx = middle + half * 0.8 * (panel.filters > 1 ? (2 * f) / (panel.filters - 1) - 1 : 0);
          const selected = this.selection.layer === panel.layer && this.selection.unit === f;
          return marked
            ? svg`<circle class="dot" cx=${cx} cy=${y.at(value)} r="3.5" ${mark({ label: `${panel.layer} filter ${f}: selectivity ${format(value)}`, detail: { ...base, unit: f }, selected })} />`
            : svg`<circle class="dot" cx=${cx} cy=${y.at(value)} r="2" />`;
        })}`;
      })}`,
    })}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-selectivity': EsSelectivity;
  }
}
