import type { Figure } from '../../results/types.js';
import type { ChangeStatistics } from './types.js';

const figure = (value: number): Figure => ({ value });
const undefinedFigure = (reason: string): Figure => ({ value: null, reason });

/**
 * Statistics of the pairs (before, Δ), accumulated in float64 by two passes over `parts` (so that a layer's kernels need
 * not be joined). Zeros have no sign and are left out of the sign shares. O(parameters) time, O(1) memory.
 */
export function changeStatistics(
  parts: readonly { before: Float32Array; delta: Float32Array }[],
): ChangeStatistics {
  let count = 0;
  let sumBefore = 0;
  let sumDelta = 0;
  let squaresBefore = 0;
  let squaresDelta = 0;
  let largest = 0;
  let largestMagnitude = 0;
  let positive = 0;
  let positiveGrew = 0;
  let negative = 0;
  let negativeShrank = 0;
  for (const { before, delta } of parts) {
    count += before.length;
    for (let i = 0; i < before.length; i++) {
      const w = before[i]!;
      const d = delta[i]!;
      sumBefore += w;
      sumDelta += d;
      squaresBefore += w * w;
      squaresDelta += d * d;
      if (Math.abs(d) > largestMagnitude) {
        largestMagnitude = Math.abs(d);
        largest = d;
      }
      if (d === 0) continue;
      if (w > 0) {
        positive++;
        if (d > 0) positiveGrew++;
      } else if (w < 0) {
        negative++;
        if (d < 0) negativeShrank++;
      }
    }
  }
  const none = 'no parameters';
  const meanBefore = sumBefore / count;
  const meanDelta = sumDelta / count;
  let covariance = 0;
  let varianceBefore = 0;
  let varianceDelta = 0;
  for (const { before, delta } of parts) {
    for (let i = 0; i < before.length; i++) {
      const w = before[i]! - meanBefore;
      const d = delta[i]! - meanDelta;
      covariance += w * d;
      varianceBefore += w * w;
      varianceDelta += d * d;
    }
  }
  const share = (part: number, whole: number, reason: string) =>
    whole ? figure(part / whole) : undefinedFigure(count ? reason : none);
  const constant = !count
    ? none
    : !varianceBefore
      ? 'all values before are equal'
      : !varianceDelta
        ? 'all changes are equal'
        : null;
  return {
    count,
    pearson: constant
      ? undefinedFigure(constant)
      : figure(covariance / Math.sqrt(varianceBefore * varianceDelta)),
    slope: varianceBefore
      ? figure(covariance / varianceBefore)
      : undefinedFigure(count ? 'all values before are equal' : none),
    equalSigns: share(
      positiveGrew + negativeShrank,
      positive + negative,
      'no parameter has both a sign and a change',
    ),
    positiveGrew: share(positiveGrew, positive, 'no positive parameter changed'),
    negativeShrank: share(negativeShrank, negative, 'no negative parameter changed'),
    meanChange: count ? figure(meanDelta) : undefinedFigure(none),
    rmsChange: count ? figure(Math.sqrt(squaresDelta / count)) : undefinedFigure(none),
    relativeChange: squaresBefore
      ? figure(Math.sqrt(squaresDelta / squaresBefore))
      : undefinedFigure(count ? 'all values before are 0' : none),
    largestChange: count ? figure(largest) : undefinedFigure(none),
  };
}
