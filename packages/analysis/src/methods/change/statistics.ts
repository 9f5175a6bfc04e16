import type { Figure } from '../../results/types.js';
import type { ChangeStatistics } from './types.js';

const figure = (value: number): Figure => ({ value });
const undefinedFigure = (reason: string): Figure => ({ value: null, reason });

type Pairs = { before: Float32Array; delta: Float32Array };

/** Sums over pairs (before, Δ): of values, of squares, about the means, and by sign. */
interface Moments {
  count: number;
  meanBefore: number;
  meanDelta: number;
  covariance: number;
  varianceBefore: number;
  varianceDelta: number;
  squaresBefore: number;
  squaresDelta: number;
  largest: number;
  positive: number;
  positiveGrew: number;
  negative: number;
  negativeShrank: number;
}

/** Of one part, in two passes in float64. Zeros have no sign and are left out of the signs' counts. O(values) time, O(1) memory. */
export function momentsOf({ before, delta }: Pairs): Moments {
  const count = before.length;
  let [sumBefore, sumDelta, squaresBefore, squaresDelta, largest] = [0, 0, 0, 0, 0];
  let [positive, positiveGrew, negative, negativeShrank] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const w = before[i]!;
    const d = delta[i]!;
    sumBefore += w;
    sumDelta += d;
    squaresBefore += w * w;
    squaresDelta += d * d;
    if (Math.abs(d) > Math.abs(largest)) largest = d;
    if (d === 0) continue;
    if (w > 0) {
      positive++;
      if (d > 0) positiveGrew++;
    } else if (w < 0) {
      negative++;
      if (d < 0) negativeShrank++;
    }
  }
  const meanBefore = count && sumBefore / count;
  const meanDelta = count && sumDelta / count;
  let [covariance, varianceBefore, varianceDelta] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const w = before[i]! - meanBefore;
    const d = delta[i]! - meanDelta;
    covariance += w * d;
    varianceBefore += w * w;
    varianceDelta += d * d;
  }
  return {
    count,
    meanBefore,
    meanDelta,
    covariance,
    varianceBefore,
    varianceDelta,
    squaresBefore,
    squaresDelta,
    largest,
    positive,
    positiveGrew,
    negative,
    negativeShrank,
  };
}

/**
 * Sums over pairs (before, Δ) that come in parts: each part in two passes in float64, parts put together by the formulas of Chan, Golub and
 * LeVeque (1979), so that a large mean costs no digits however many parts there are.
 */
export class ChangeSums implements Moments {
  count = 0;
  meanBefore = 0;
  meanDelta = 0;
  covariance = 0;
  varianceBefore = 0;
  varianceDelta = 0;
  squaresBefore = 0;
  squaresDelta = 0;
  largest = 0;
  positive = 0;
  positiveGrew = 0;
  negative = 0;
  negativeShrank = 0;

  add(pairs: Pairs): void {
    this.merge(momentsOf(pairs));
  }

  /** What `momentsOf` found in one more part. */
  merge(part: Moments): void {
    const n = part.count;
    if (!n) return;
    const all = this.count + n;
    const apartBefore = part.meanBefore - this.meanBefore;
    const apartDelta = part.meanDelta - this.meanDelta;
    const weight = (this.count * n) / all;
    this.covariance += part.covariance + weight * apartBefore * apartDelta;
    this.varianceBefore += part.varianceBefore + weight * apartBefore * apartBefore;
    this.varianceDelta += part.varianceDelta + weight * apartDelta * apartDelta;
    this.meanBefore += (apartBefore * n) / all;
    this.meanDelta += (apartDelta * n) / all;
    this.squaresBefore += part.squaresBefore;
    this.squaresDelta += part.squaresDelta;
    if (Math.abs(part.largest) > Math.abs(this.largest)) this.largest = part.largest;
    this.positive += part.positive;
    this.positiveGrew += part.positiveGrew;
    this.negative += part.negative;
    this.negativeShrank += part.negativeShrank;
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
