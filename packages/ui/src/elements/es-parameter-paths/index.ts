import type { TracksResult } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import {
  chart,
  type Drawing,
  decimate,
  EsFigure,
  type FigureTable,
  type Frame,
  linePath,
  locateOnLines,
} from '../../figure/index.js';
import { lineColour } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
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
  /** Only this layer's parameters; '' for all. */
  @property({ type: String }) layer: string = '';
  @property({ type: Number }) height: number = 220;
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
      row: (i) => [snapshotTitle(data.snapshots[i]!), ...shown.map(({ values }) => values[i]!)],
    };
  }
  protected override get fileName(): string {
    return `parameter-paths${this.layer ? `-${this.layer}` : ''}`;
  }

  protected override draw(data: TracksData, { width, measure }: Frame): Drawing {
    const shown = this.shown(data);
    const { title, at } = along(data.snapshots);
    const extremes = shown.flatMap(({ values }) => {
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
      return [low, high];
    });
    const { x, y, left, right, top, bottom, axes } = chart({
      width,
      height: this.height,
      measure,
      x: { domain: [at[0]!, at[at.length - 1]!], title, nice: false },
      y: { domain: extremes, title: 'value' },
    });
    const [low, high] = y.ends;
    const items: SceneItem[] = [axes];
    if (low < 0 && high > 0)
      items.push({
        kind: 'line',
        x1: left,
        x2: right,
        y1: y.at(0),
        y2: y.at(0),
        stroke: 'var(--_quiet)',
        dash: [2, 3],
      });
    items.push(...nowLine(x.at(chosenAt(data, this.selection.snapshot)), top, bottom));
    const detailOf = ({ tensor, position }: TracksData['paths'][number]) => ({
      layer: layerOfTensor(tensor),
      unit: position[position.length - 1] ?? null,
    });
    shown.forEach((path, i) => {
      const detail = detailOf(path);
      const selected = this.selection.layer === detail.layer && this.selection.unit === detail.unit;
      items.push({
        kind: 'path',
        class: 'line',
        d: linePath(decimate(path.values.length, (k) => [x.at(at[k]!), y.at(path.values[k]!)], right - left)),
        stroke: lineColour(i),
        strokeWidth: selected ? 3 : 1.25,
        opacity: selected ? 1 : 0.85,
        mark: {
          label: `${nameOf(path)}: ${format(path.values[0]!)} → ${format(path.values[path.values.length - 1]!)}`,
          detail,
          selected,
        },
      });
    });
    return {
      width,
      height: this.height,
      items,
      // Beyond ten colours repeat, and names would take more room than the lines.
      legend:
        shown.length <= 10
          ? shown.map((path, i) => ({ name: nameOf(path), colour: lineColour(i), kind: 'line' }))
          : [],
      locate: locateOnLines(
        shown.map((path) => ({
          length: at.length,
          x: (k) => x.at(at[k]!),
          y: (k) => y.at(path.values[k]!),
          label: (k) => `${nameOf(path)}, ${snapshotTitle(data.snapshots[k]!)}: ${format(path.values[k]!)}`,
          detail: detailOf(path),
        })),
      ),
    };
  }
}

/** A line at the snapshot chosen on the page, if there is one. */
export const nowLine = (at: number, top: number, bottom: number): SceneItem[] =>
  Number.isFinite(at)
    ? [{ kind: 'line', x1: at, x2: at, y1: top, y2: bottom, stroke: 'var(--_quiet)', dash: [3, 3] }]
    : [];

const nameOf = ({ tensor, position }: TracksData['paths'][number]) => `${tensor}[${position.join(', ')}]`;

declare global {
  interface HTMLElementTagNameMap {
    'es-parameter-paths': EsParameterPaths;
  }
}
