import type { TracksResult } from '@epochscope/analysis/results';
import { css, html, nothing, svg, type TemplateResult } from 'lit';
import { chart, decimate, EsFigure, type FigureTable, linePath, mark } from '../../figure/index.js';
import { lineColour } from '../../palette.js';
import { format, snapshotTitle } from '../../styles.js';

export type TracksData = Pick<TracksResult, 'snapshots' | 'paths' | 'updates'>;
export const layerOfTensor = (tensor: string) =>
  tensor.includes('.') ? tensor.slice(0, tensor.lastIndexOf('.')) : tensor;

/** Where snapshots stand along x: their step, where all have one, else their place. */
export function along(snapshots: TracksData['snapshots']): { title: string; at: number[] } {
  return snapshots.every(({ step }) => step !== null)
    ? { title: 'step', at: snapshots.map(({ step }) => step!) }
    : { title: 'snapshot', at: snapshots.map((_, i) => i) };
}

/** The mark of the snapshot chosen on the page: its place, or NaN. */
export const chosenAt = (data: TracksData, snapshot: string | null | undefined): number => {
  const i = data.snapshots.findIndex(({ id }) => id === snapshot);
  return i < 0 ? Number.NaN : along(data.snapshots).at[i]!;
};

/**
 * Values of chosen parameters over all snapshots, one line a parameter.
 * @fires es-select - `{ layer, unit }`: a line was chosen (the unit is the last axis of its place).
 */
export class EsParameterPaths extends EsFigure<TracksData, TracksResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .path {
        fill: none;
        stroke-width: 1.25;
        opacity: 0.85;
      }
      .path:hover,
      .path:focus-visible,
      .path[aria-pressed='true'] {
        stroke-width: 3;
        opacity: 1;
      }
      .hit {
        fill: none;
        stroke: transparent;
        stroke-width: 9;
      }
      .zero {
        stroke: var(--_quiet);
        stroke-dasharray: 2 3;
      }
      .now {
        stroke: var(--_quiet);
      }
    `,
  ];
  static override properties = {
    ...EsFigure.properties,
    layer: { type: String },
    height: { type: Number },
  };
  /** Only this layer's parameters; '' for all. */
  declare layer: string;
  declare height: number;

  constructor() {
    super();
    this.layer = '';
    this.height = 220;
  }
  private shown({ paths }: TracksData) {
    return this.layer ? paths.filter(({ tensor }) => layerOfTensor(tensor) === this.layer) : paths;
  }
  protected override emptyReason(data: TracksData): string {
    if (data.snapshots.length < 2) return 'A path needs two snapshots.';
    return this.shown(data).length
      ? ''
      : `No parameter ${this.layer ? `of ${this.layer} ` : ''}was followed.`;
  }
  protected override summary(data: TracksData): string {
    const shown = this.shown(data);
    return `${this.layer ? `${this.layer}: paths` : 'Paths'} of ${shown.length} parameters over ${data.snapshots.length} snapshots, ${snapshotTitle(data.snapshots[0]!)} to ${snapshotTitle(data.snapshots[data.snapshots.length - 1]!)}`;
  }
  protected override table(data: TracksData): FigureTable {
    const shown = this.shown(data);
    return {
      columns: ['Snapshot', ...shown.map(nameOf)],
      length: data.snapshots.length,
      row: (i) => [data.snapshots[i]!.id, ...shown.map(({ values }) => values[i]!)],
    };
  }
  protected override get fileName(): string {
    return `parameter-paths${this.layer ? `-${this.layer}` : ''}`;
  }

  protected override drawing(data: TracksData): TemplateResult {
    const shown = this.shown(data);
    const { title, at } = along(data.snapshots);
    const extremes = shown.flatMap(({ values }) => {
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
      return [low, high];
    });
    const { x, y, left, right, top, bottom, axes } = chart({
      width: this.width,
      height: this.height,
      measure: this.measure,
      x: { domain: [at[0]!, at[at.length - 1]!], title, nice: false },
      y: { domain: extremes, title: 'value' },
    });
    const now = x.at(chosenAt(data, this.selection.snapshot));
    const [low, high] = y.ends;
    return html`${this.plot({
      width: this.width,
      height: this.height,
      marks: true,
      svg: svg`${axes}
        ${low < 0 && high > 0 ? svg`<line class="zero" x1=${left} x2=${right} y1=${y.at(0)} y2=${y.at(0)} />` : nothing}
        ${Number.isFinite(now) ? svg`<line class="now" x1=${now} x2=${now} y1=${top} y2=${bottom} />` : nothing}
        ${shown.map((path, i) => {
          const points = decimate(
            path.values.length,
            (k) => [x.at(at[k]!), y.at(path.values[k]!)],
            right - left,
          );
          const unit = path.position[path.position.length - 1] ?? null;
          const layer = layerOfTensor(path.tensor);
          const first = path.values[0]!;
          const last = path.values[path.values.length - 1]!;
          return svg`<g>
            <path class="path" d=${linePath(points)} style="stroke:${lineColour(i)}" ${mark({
              label: `${nameOf(path)}: ${format(first)} → ${format(last)}`,
              detail: { layer, unit },
              selected: this.selection.layer === layer && this.selection.unit === unit,
            })} /></g>`;
        })}`,
    })}`;
  }
}

const nameOf = ({ tensor, position }: TracksData['paths'][number]) => `${tensor}[${position.join(', ')}]`;

declare global {
  interface HTMLElementTagNameMap {
    'es-parameter-paths': EsParameterPaths;
  }
}
