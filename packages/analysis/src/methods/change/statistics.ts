import type { Figure } from '../../results/types.js';
import type { ChangeStatistics } from './types.js';

const figure = (value: number): Figure => ({ value });
const undefinedFigure = (reason: string): Figure => ({ value: null, reason });

type Pairs = { before: Float32Array; delta: Float32Array };

/**
 * Sums over pairs (before, Δ) that come in parts: each part in two passes in float64, parts put together by the formulas of Chan, Golub and
 * LeVeque (1979), so that a large mean costs no digits however many parts there are.
 */
export class ChangeSums {
  private count = 0;
  private meanBefore = 0;
  private meanDelta = 0;
  private covariance = 0;
  private varianceBefore = 0;
  private varianceDelta = 0;
  private squaresBefore = 0;
  private squaresDelta = 0;
  private largest = 0;
  private positive = 0;
  private positiveGrew = 0;
  private negative = 0;
  private negativeShrank = 0;

  /** Zeros have no sign and are left out of the sign shares. */
  add({ before, delta }: Pairs): void {
    const n = before.length;
    if (!n) return;
    let sumBefore = 0;
    let sumDelta = 0;
    for (let i = 0; i < n; i++) {
      const w = before[i]!;
      const d = delta[i]!;
      sumBefore += w;
      sumDelta += d;
      this.squaresBefore += w * w;
      this.squaresDelta += d * d;
      if (Math.abs(d) > Math.abs(this.largest)) this.largest = d;
      if (d === 0) continue;
      if (w > 0) {
        this.positive++;
        if (d > 0) this.positiveGrew++;
      } else if (w < 0) {
        this.negative++;
        if (d < 0) this.negativeShrank++;
      }
    }
    const meanBefore = sumBefore / n;
    const meanDelta = sumDelta / n;
    let covariance = 0;
    let varianceBefore = 0;
    let varianceDelta = 0;
    for (let i = 0; i < n; i++) {
      const w = before[i]! - meanBefore;
      const d = delta[i]! - meanDelta;
      covariance += w * d;
      varianceBefore += w * w;
      varianceDelta += d * d;
    }
    const all = this.count + n;
    const apartBefore = meanBefore - this.meanBefore;
    const apartDelta = meanDelta - this.meanDelta;
    const weight = (this.count * n) / all;
    this.covariance += covariance + weight * apartBefore * apartDelta;
    this.varianceBefore += varianceBefore + weight * apartBefore * apartBefore;
    this.varianceDelta += varianceDelta + weight * apartDelta * apartDelta;
    this.meanBefore += (apartBefore * n) / all;
    this.meanDelta += (apartDelta * n) / all;
    this.count = all;
  }

  /** Of what was added so far. */
  statistics(): ChangeStatistics {
    const { count, covariance, varianceBefore, varianceDelta, squaresBefore, squaresDelta } = this;
    const none = 'no parameters';
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
        this.positiveGrew + this.negativeShrank,
        this.positive + this.negative,
        'no parameter has both a sign and a change',
      ),
      positiveGrew: share(this.positiveGrew, this.positive, 'no positive parameter changed'),
      negativeShrank: share(this.negativeShrank, this.negative, 'no negative parameter changed'),
      meanChange: count ? figure(this.meanDelta) : undefinedFigure(none),
      rmsChange: count ? figure(Math.sqrt(squaresDelta / count)) : undefinedFigure(none),
      relativeChange: squaresBefore
        ? figure(Math.sqrt(squaresDelta / squaresBefore))
        : undefinedFigure(count ? 'all values before are 0' : none),
      largestChange: count ? figure(this.largest) : undefinedFigure(none),
    };
  }
}

/** Statistics of the pairs (before, Δ) of all parts together, so that a layer's kernels need not be joined. O(parameters) time, O(1) memory. */
export function changeStatistics(parts: readonly Pairs[]): ChangeStatistics {
  const sums = new ChangeSums();
  for (const part of parts) sums.add(part);
  return sums.statistics();
}
