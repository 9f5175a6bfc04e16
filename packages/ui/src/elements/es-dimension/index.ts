import type { GeometryResult, GeometrySpectrum } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import { snapshotTitle } from '../../styles.js';
import { EsSeries, type Lines } from '../es-spectrum/series.js';

export type DimensionMeasure = 'atLeastOne' | 'effectiveRank' | 'participationRatio';
export const DIMENSION_TITLES: Record<DimensionMeasure, string> = {
  atLeastOne: 'singular values ≥ 1',
  effectiveRank: 'effective rank',
  participationRatio: 'participation ratio',
};

/**
 * How many directions get through, mean ± sd over inputs: a line a layer over snapshots; of a single snapshot, one line over layers.
 * @fires es-select - `{ layer }`.
 */
export class EsDimension extends EsSeries<readonly GeometrySpectrum[]> {
  /** Which of the three readings. */
  @property({ type: String }) measured: DimensionMeasure = 'atLeastOne';

  constructor() {
    super();
    this.height = 220;
  }
  protected override pick(result: GeometryResult): readonly GeometrySpectrum[] {
    return result.spectra;
  }
  private depth(data: readonly GeometrySpectrum[]): GeometrySpectrum[] {
    return data.filter(({ kind }) => kind === 'depth');
  }
  protected override emptyReason(data: readonly GeometrySpectrum[]): string {
    return this.depth(data).length ? '' : 'There is no map from the input.';
  }
  protected override summary(data: readonly GeometrySpectrum[]): string {
    const list = this.depth(data);
    const last = list.at(-1)!.snapshot.id;
    return `Dimension as ${DIMENSION_TITLES[this.measured]}; at the last snapshot ${list
      .filter(({ snapshot }) => snapshot.id === last)
      .map(
        (s) => `${s.to} ${this.isCapped(s) ? '≥\u00a0' : ''}${s.dimensions[this.measured].mean.toFixed(1)}`,
      )
      .join(', ')}`;
  }
  /** Whether some input has as many values ≥ 1 as were computed: there may be more. */
  private isCapped(s: GeometrySpectrum | undefined): boolean {
    return (
      this.measured === 'atLeastOne' &&
      s?.whole === false &&
      s.dimensions.atLeastOne.values.some((count) => count === s.k)
    );
  }
  protected override lines(data: readonly GeometrySpectrum[]): Lines {
    const list = this.depth(data);
    const snapshots = [...new Map(list.map(({ snapshot }) => [snapshot.id, snapshot])).values()];
    const layers = [...new Set(list.map(({ to }) => to))];
    const y = { title: DIMENSION_TITLES[this.measured], zero: true };
    const at = (id: string, to: string) => list.find((s) => s.snapshot.id === id && s.to === to);
    const find = (id: string, to: string) => at(id, to)?.dimensions[this.measured];
    if (snapshots.length === 1) {
      const [{ id }] = snapshots as [GeometrySpectrum['snapshot']];
      return {
        x: { title: 'layer', kind: 'point', at: layers },
        y,
        series: [
          {
            name: snapshotTitle(snapshots[0]!),
            values: layers.map((to) => find(id, to)!.mean),
            sd: layers.map((to) => find(id, to)!.sd.value ?? 0),
            capped: layers.map((to) => this.isCapped(at(id, to))),
          },
        ],
      };
    }
    return {
      x: { title: 'snapshot', kind: 'point', at: snapshots.map(snapshotTitle) },
      y,
      series: layers.map((to) => ({
        name: to,
        values: snapshots.map(({ id }) => find(id, to)?.mean ?? Number.NaN),
        sd: snapshots.map(({ id }) => find(id, to)?.sd.value ?? 0),
        capped: snapshots.map(({ id }) => this.isCapped(at(id, to))),
        detail: { layer: to },
        selected: this.selection.layer === to,
      })),
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-dimension': EsDimension;
  }
}
