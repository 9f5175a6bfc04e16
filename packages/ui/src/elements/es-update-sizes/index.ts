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
import { lineColour, lineDash } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { format, snapshotTitle } from '../../styles.js';
import { along, chosenAt, nowLine, type TracksData } from '../es-parameter-paths/index.js';

/**
 * How far each layer moved from one snapshot to the next, ‖Δw‖ or ‖Δw‖ / ‖w‖, on a logarithmic axis.
 * @fires es-select - `{ layer }`.
 */
export class EsUpdateSizes extends EsFigure<TracksData, TracksResult> {
  /** ‖Δw‖ instead of ‖Δw‖ / ‖w‖. */
  @property({ type: Boolean }) absolute: boolean = false;
  @property({ type: Number }) height: number = 220;
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
      row: (i) => [snapshotTitle(data.snapshots[i + 1]!), ...sizes.map((one) => one.sizes[i]!)],
    };
  }

  protected override draw(data: TracksData, { width, measure }: Frame): Drawing {
    const { title, at } = along(data.snapshots);
    const tracks = this.tracksOf(data);
    const positive = tracks.flatMap(({ sizes }) => {
      let [low, high] = [Number.POSITIVE_INFINITY, 0];
      for (const value of sizes) if (value > 0) [low, high] = [Math.min(low, value), Math.max(high, value)];
      return high ? [low, high] : [];
    });
    const { x, y, left, right, top, bottom, axes } = chart({
      width,
      height: this.height,
      measure,
      x: { domain: [at[0]!, at[at.length - 1]!], title, nice: false },
      y: { domain: positive, kind: 'log', title: this.absolute ? '‖Δw‖' : '‖Δw‖ / ‖w‖' },
    });
    const lines = tracks.map(({ layer, sizes }, i): SceneItem => {
      const selected = this.selection.layer === layer;
      return {
        kind: 'path',
        class: 'line',
        d: linePath(decimate(sizes.length, (k) => [x.at(at[k + 1]!), y.at(sizes[k]!)], right - left)),
        stroke: lineColour(i),
        strokeWidth: selected ? 3 : 1.5,
        ...(lineDash(i) ? { dash: lineDash(i)! } : {}),
        mark: {
          label: `${layer}: ${format(sizes[0]!)} at first, ${format(sizes[sizes.length - 1]!)} at last`,
          detail: { layer },
          selected,
        },
      };
    });
    return {
      width,
      height: this.height,
      items: [axes, ...nowLine(x.at(chosenAt(data, this.selection.snapshot)), top, bottom), ...lines],
      legend: tracks.map(({ layer }, i) => ({
        name: layer,
        colour: lineColour(i),
        kind: 'line',
        dash: lineDash(i),
      })),
      locate: locateOnLines(
        tracks.map(({ layer, sizes }) => ({
          length: sizes.length,
          x: (k) => x.at(at[k + 1]!),
          y: (k) => y.at(sizes[k]!),
          label: (k) => `${layer}, ${snapshotTitle(data.snapshots[k + 1]!)}: ${format(sizes[k]!)}`,
          detail: { layer },
        })),
      ),
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-update-sizes': EsUpdateSizes;
  }
}
