import type { TracksResult } from '@epochscope/analysis/results';
import { css, html, nothing, svg, type TemplateResult } from 'lit';
import { chart, decimate, EsFigure, type FigureTable, linePath, mark } from '../../figure/index.js';
import { lineColour } from '../../palette.js';
import { format } from '../../styles.js';
import { along, chosenAt, type TracksData } from '../es-parameter-paths/index.js';

/**
 * How far each layer moved from one snapshot to the next, ‖Δw‖ or ‖Δw‖ / ‖w‖, on a logarithmic axis.
 * @fires es-select - `{ layer }`.
 */
export class EsUpdateSizes extends EsFigure<TracksData, TracksResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .path {
        fill: none;
        stroke-width: 1.5;
      }
      .path:hover,
      .path:focus-visible,
      .path[aria-pressed='true'] {
        stroke-width: 3;
      }
      .now {
        stroke: var(--_quiet);
      }
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
    `,
  ];
  static override properties = {
    ...EsFigure.properties,
    absolute: { type: Boolean },
    height: { type: Number },
  };
  /** ‖Δw‖ instead of ‖Δw‖ / ‖w‖. */
  declare absolute: boolean;
  declare height: number;

  constructor() {
    super();
    this.absolute = false;
    this.height = 220;
  }
  private tracksOf({ updates }: TracksData): { layer: string; sizes: Float64Array }[] {
    return updates.map(({ layer, norm, relative }) => ({ layer, sizes: this.absolute ? norm : relative }));
  }
  protected override emptyReason({ updates, snapshots }: TracksData): string {
    return updates.length && snapshots.length > 1 ? '' : 'An update needs two snapshots.';
  }
  protected override summary(data: TracksData): string {
    const last = this.tracksOf(data).map(
      ({ layer, sizes }) => `${layer} ${format(sizes[sizes.length - 1]!)}`,
    );
    return `${this.absolute ? 'Size' : 'Relative size'} of updates over ${data.snapshots.length} snapshots; the last: ${last.join(', ')}`;
  }
  protected override table(data: TracksData): FigureTable {
    const sizes = this.tracksOf(data);
    return {
      columns: ['To snapshot', ...sizes.map(({ layer }) => layer)],
      length: data.snapshots.length - 1,
      row: (i) => [data.snapshots[i + 1]!.id, ...sizes.map((one) => one.sizes[i]!)],
    };
  }

  protected override drawing(data: TracksData): TemplateResult {
    const { title, at } = along(data.snapshots);
    const sizes = this.tracksOf(data);
    const positive = sizes.flatMap(({ sizes: list }) => {
      let [low, high] = [Number.POSITIVE_INFINITY, 0];
      for (const value of list) if (value > 0) [low, high] = [Math.min(low, value), Math.max(high, value)];
      return high ? [low, high] : [];
    });
    const { x, y, left, right, top, bottom, axes } = chart({
      width: this.width,
      height: this.height,
      measure: this.measure,
      x: { domain: [at[0]!, at[at.length - 1]!], title, nice: false },
      y: { domain: positive, kind: 'log', title: this.absolute ? '‖Δw‖' : '‖Δw‖ / ‖w‖' },
    });
    const now = x.at(chosenAt(data, this.selection.snapshot));
    return html`${this.plot({
      width: this.width,
      height: this.height,
      marks: true,
      svg: svg`${axes}
        ${Number.isFinite(now) ? svg`<line class="now" x1=${now} x2=${now} y1=${top} y2=${bottom} />` : nothing}
        ${sizes.map(({ layer, sizes: list }, i) => {
          const points = decimate(list.length, (k) => [x.at(at[k + 1]!), y.at(list[k]!)], right - left);
          return svg`<path class="path" d=${linePath(points)} style="stroke:${lineColour(i)}" ${mark({
            label: `${layer}: ${format(list[0]!)} at first, ${format(list[list.length - 1]!)} at last`,
            detail: { layer },
            selected: this.selection.layer === layer,
          })} />`;
        })}`,
    })}
    <div class="names">${sizes.map(({ layer }, i) => html`<span part="item"><i style="background:${lineColour(i)}"></i>${layer}</span>`)}</div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-update-sizes': EsUpdateSizes;
  }
}
