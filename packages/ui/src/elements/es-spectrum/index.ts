import type { GeometryResult, GeometrySpectrum } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import { snapshotTitle } from '../../styles.js';
import { chosen, EsSeries, type Lines } from './series.js';

/**
 * Singular values in falling order on a logarithmic axis, mean over inputs with a band of one standard deviation: a line
 * a layer (at the chosen snapshot), or a line a snapshot (of the chosen layer).
 * @fires es-select - `{ layer }` or `{ snapshot }`.
 */
export class EsSpectrum extends EsSeries<readonly GeometrySpectrum[]> {
  /** What the lines are. */
  @property({ type: String }) by: 'layer' | 'snapshot' = 'layer';
  /** Maps from the input, or between layers. */
  @property({ type: String }) kind: 'depth' | 'layer' = 'depth';
  protected override pick(result: GeometryResult): readonly GeometrySpectrum[] {
    return result.spectra;
  }
  private shown(data: readonly GeometrySpectrum[]): GeometrySpectrum[] {
    const list = data.filter(({ kind }) => kind === this.kind);
    const one = chosen(list, this.selection);
    if (!one) return [];
    return list.filter((s) => (this.by === 'layer' ? s.snapshot.id === one.snapshot.id : s.to === one.to));
  }
  protected override emptyReason(data: readonly GeometrySpectrum[]): string {
    return this.shown(data).length ? '' : 'There is no spectrum of this kind.';
  }
  protected override summary(data: readonly GeometrySpectrum[]): string {
    const list = this.shown(data);
    const place =
      this.by === 'layer' ? `at ${snapshotTitle(list[0]!.snapshot)}` : `of ${list[0]!.to} over snapshots`;
    const said = list.map((s) => {
      // Where only the first k were computed and all count, there may be more.
      const capped = !s.whole && s.dimensions.atLeastOne.values.some((count) => count === s.k);
      return `${this.nameOf(s)} ${capped ? '≥\u00a0' : ''}${s.dimensions.atLeastOne.mean.toFixed(1)} values of ${s.k} at least 1`;
    });
    return `Singular values ${place}, mean over ${list[0]!.dimensions.atLeastOne.values.length} inputs: ${said.join(', ')}`;
  }
  private nameOf(s: GeometrySpectrum): string {
    if (this.by === 'snapshot') return snapshotTitle(s.snapshot);
    return s.kind === 'layer' ? `${s.from} → ${s.to}` : s.to;
  }

  protected override lines(data: readonly GeometrySpectrum[]): Lines {
    const list = this.shown(data);
    const most = Math.max(...list.map(({ k }) => k));
    const top = Math.max(...list.map(({ mean }) => mean[0]!));
    return {
      x: { title: 'singular value', at: Float64Array.from({ length: most }, (_, i) => i + 1) },
      y: { title: 'σ', kind: 'log' },
      level: { at: 1, name: 'σ = 1' },
      series: list.map((s) => ({
        name: this.nameOf(s),
        // Float32 leaves 1e-7 where there is nothing: not drawn.
        values: Float64Array.from(s.mean, (v) => (v > 1e-6 * top ? v : Number.NaN)),
        sd: s.sd,
        detail: this.by === 'layer' ? { layer: s.to } : { snapshot: s.snapshot.id },
        selected:
          this.by === 'layer' ? this.selection.layer === s.to : this.selection.snapshot === s.snapshot.id,
      })),
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-spectrum': EsSpectrum;
  }
}
