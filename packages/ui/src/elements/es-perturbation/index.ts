import type { GeometryResult, PerturbationCurves } from '@epochscope/analysis/results';
import { chosen, EsSeries, type Lines } from '../es-spectrum/series.js';

/**
 * How far the layer's output moves when the input takes a step of a given length: along the first right singular vectors ("tangent"), across
 * them ("normal", dashed), at random, along the picture's own tangents. Both axes logarithmic. At the chosen snapshot and layer.
 */
export class EsPerturbation extends EsSeries<readonly PerturbationCurves[]> {
  protected override pick(result: GeometryResult): readonly PerturbationCurves[] {
    return result.perturbations;
  }
  protected override emptyReason(data: readonly PerturbationCurves[]): string {
    return data.length ? '' : 'Steps were left out, or the inputs are not pictures.';
  }
  protected override summary(data: readonly PerturbationCurves[]): string {
    const one = chosen(data, this.selection)!;
    const step = one.lengths.indexOf(1) < 0 ? one.lengths.length - 1 : one.lengths.indexOf(1);
    const said = one.names.map(
      (name, i) => `${name} ${one.moved[i * one.lengths.length + step]!.toPrecision(2)}`,
    );
    return `A step of ${one.lengths[step]} moves the output of ${one.to} by: ${said.join(', ')}`;
  }
  protected override lines(data: readonly PerturbationCurves[]): Lines {
    const one = chosen(data, this.selection)!;
    const width = one.lengths.length;
    return {
      x: { title: 'length of the step', kind: 'log', at: one.lengths },
      y: { title: 'output moves by', kind: 'log' },
      series: one.names.map((name, i) => ({
        name,
        values: one.moved.subarray(i * width, (i + 1) * width),
        sd: i < 3 ? one.sd.subarray(i * width, (i + 1) * width) : undefined,
        dashed: name === 'normal',
      })),
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-perturbation': EsPerturbation;
  }
}
