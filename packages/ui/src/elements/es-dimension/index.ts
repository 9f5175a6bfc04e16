import type { GeometryResult, GeometrySpectrum } from '@epochscope/analysis/results';
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
  static override properties = { ...EsSeries.properties, measured: { type: String } };
  /** Which of the three readings. */
  declare measured: DimensionMeasure;

  constructor() {
    super();
    this.measured = 'atLeastOne';
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
      .map((s) => `${s.to} ${s.dimensions[this.measured].mean.toFixed(1)}`)
      .join(', ')}`;
  }
  protected override lines(data: readonly GeometrySpectrum[]): Lines {
    const list = this.depth(data);
    const snapshots = [...new Map(list.map(({ snapshot }) => [snapshot.id, snapshot])).values()];
    const layers = [...new Set(list.map(({ to }) => to))];
    const y = { title: DIMENSION_TITLES[this.measured], zero: true };
    const spread = (s: GeometrySpectrum | undefined) => s?.dimensions[this.measured];
    const find = (id: string, to: string) => spread(list.find((s) => s.snapshot.id === id && s.to === to));
    if (snapshots.length === 1) {
      const [{ id }] = snapshots as [GeometrySpectrum['snapshot']];
      return {
        x: { title: 'layer', kind: 'point', at: layers },
        y,
        series: [
          {
            name: nameOf(snapshots[0]!),
            values: layers.map((to) => find(id, to)!.mean),
            sd: layers.map((to) => find(id, to)!.sd.value ?? 0),
          },
        ],
      };
    }
    return {
      x: { title: 'snapshot', kind: 'point', at: snapshots.map(nameOf) },
      y,
      series: layers.map((to) => ({
        name: to,
        values: snapshots.map(({ id }) => find(id, to)?.mean ?? Number.NaN),
        sd: snapshots.map(({ id }) => find(id, to)?.sd.value ?? 0),
        detail: { layer: to },
        selected: this.selection.layer === to,
      })),
    };
  }
}

/** "rbm-2" says more than the step it ended at. */
function nameOf(snapshot: GeometrySpectrum['snapshot']): string {
  const title = snapshotTitle(snapshot);
  return title === `step ${snapshot.step}` ? snapshot.id : title;
}

declare global {
  interface HTMLElementTagNameMap {
    'es-dimension': EsDimension;
  }
}
