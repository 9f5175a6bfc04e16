import type { GeometryResult, TangentAlignment } from '@epochscope/analysis/results';
import { chosen, EsSeries, type Lines } from '../es-spectrum/series.js';

/**
 * How much of each tangent vector (rotation, translation, …) lies in the span of the first k right singular vectors: the
 * cosine of its angle to the span, over k; random directions dashed beside it. At the chosen snapshot and layer.
 */
export class EsTangentAlignment extends EsSeries<readonly TangentAlignment[]> {
  protected override pick(result: GeometryResult): readonly TangentAlignment[] {
    return result.alignments;
  }
  protected override emptyReason(data: readonly TangentAlignment[]): string {
    return data.length ? '' : 'Tangent vectors were left out, or the inputs are not pictures.';
  }
  protected override summary(data: readonly TangentAlignment[]): string {
    const one = chosen(data, this.selection)!;
    const last = one.ks.length - 1;
    const said = one.names.map((name, i) => `${name} ${one.cosine[i * one.ks.length + last]!.toFixed(2)}`);
    return `Cosine of tangent vectors to the span of the first ${one.ks[last]} right singular vectors at ${one.to}: ${said.join(', ')}`;
  }
  protected override lines(data: readonly TangentAlignment[]): Lines {
    const one = chosen(data, this.selection)!;
    const width = one.ks.length;
    return {
      x: { title: 'k, right singular vectors', kind: 'log', at: Float64Array.from(one.ks) },
      y: { title: 'cosine to their span', ends: [0, 1] },
      series: one.names.map((name, i) => ({
        name,
        values: one.cosine.subarray(i * width, (i + 1) * width),
        sd: one.sd.subarray(i * width, (i + 1) * width),
        dashed: name === 'random' || name === 'shuffled',
      })),
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-tangent-alignment': EsTangentAlignment;
  }
}
