import type { Figure } from '../../results/types.js';

const figure = (value: number): Figure => ({ value });
const undefinedFigure = (reason: string): Figure => ({ value: null, reason });

/** What is left of a change when each filter's own mean change is taken out. */
export interface ShiftStatistics {
  /** Mean over the filters of their mean change: the shift they share. */
  shift: Figure;
  /** Share of Σ Δ² that the filters' mean changes make up, 0 … 1. */
  shiftShare: Figure;
  /** Of (w, Δ), each less its filter's mean. */
  pearson: Figure;
  slope: Figure;
  /** Share of the parameters that began positive (negative) and changed by more (less) than their filter's mean. */
  positiveGrew: Figure;
  negativeShrank: Figure;
}

/** Squares of float32 rounding, relative. */
const ROUNDING = 1e-14;

/**
 * Tells the relation of values and changes apart from a shift that all weights of a filter share: a filter that moves upward as a whole
 * makes positive weights grow without following their sign. Float64, two passes. O(parameters).
 *
 * @param before float32, row-major, the filter (output channel, unit) last: element i belongs to filter i mod `filters`.
 */
export function shiftStatistics(before: Float32Array, delta: Float32Array, filters: number): ShiftStatistics {
  const size = before.length / filters;
  const meanOf = (values: Float32Array) => {
    const means = new Float64Array(filters);
    for (let i = 0; i < values.length; i++) means[i % filters]! += values[i]!;
    return means.map((sum) => sum / size);
  };
  const [meanBefore, meanDelta] = [meanOf(before), meanOf(delta)];
  let squares = 0;
  let within = 0;
  let covariance = 0;
  let varianceBefore = 0;
  const counts = { positive: 0, grew: 0, negative: 0, shrank: 0 };
  for (let i = 0; i < before.length; i++) {
    const w = before[i]!;
    const d = delta[i]! - meanDelta[i % filters]!;
    squares += delta[i]! ** 2;
    within += d * d;
    const centred = w - meanBefore[i % filters]!;
    covariance += centred * d;
    varianceBefore += centred * centred;
    if (w > 0) {
      counts.positive++;
      if (d > 0) counts.grew++;
    } else if (w < 0) {
      counts.negative++;
      if (d < 0) counts.shrank++;
    }
  }
  // Changes that are equal within a filter leave nothing but rounding.
  if (within <= ROUNDING * squares) within = 0;
  const over = (part: number, whole: number, reason: string) =>
    whole ? figure(part / whole) : undefinedFigure(reason);
  return {
    shift: over(
      meanDelta.reduce((a, b) => a + b, 0),
      before.length ? filters : 0,
      'no parameters',
    ),
    shiftShare: over(squares - within, squares, 'nothing changed'),
    pearson: over(
      covariance,
      Math.sqrt(varianceBefore * within),
      varianceBefore ? 'all changes of a filter are equal' : 'all values of a filter are equal',
    ),
    slope: over(covariance, varianceBefore, 'all values of a filter are equal'),
    positiveGrew: over(counts.grew, counts.positive, 'no parameter is positive'),
    negativeShrank: over(counts.shrank, counts.negative, 'no parameter is negative'),
  };
}
