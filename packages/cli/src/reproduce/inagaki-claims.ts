import type { ActivityPanel, ChangeStatistics } from '@epochscope/analysis';
import type { ShiftStatistics } from '@epochscope/analysis/methods';
import type { Claim } from './claims.js';

/** A filter whose selectivity is below this responds alike to all classes: its best class is at most 22 % above the mean of the others. */
const ALIKE = 0.1;

/** How a layer's filters changed, apart from what all weights of a filter share. */
export interface SignsOf {
  /** "C1", or "C1, standardised inputs and SGD". */
  layer: string;
  statistics: ChangeStatistics;
  shifted: ShiftStatistics;
}

// Two standard errors of r where there is no relation (Fisher).
const leastR = (count: number) => (count > 3 ? 2 / Math.sqrt(count - 3) : 1);

/** §6.1: what starts positive grows, what starts negative shrinks, in the first layer. */
export function signsClaim({ layer, statistics: s }: SignsOf, id = 'change-follows-sign'): Claim {
  const { pearson, positiveGrew, negativeShrank, equalSigns, slope } = s;
  const known = pearson.value !== null && positiveGrew.value !== null && negativeShrank.value !== null;
  const least = leastR(s.count);
  return {
    id,
    claim: `Parameters of the first layer that start positive grow, and those that start negative shrink (${layer})`,
    where: '§6.1, figures 5 and 6',
    paper: null,
    measured:
      'r {pearson}, slope {slope}; {positiveGrew:%0} of the positive grew, {negativeShrank:%0} of the negative shrank; equal signs {equalSigns:%0}',
    figures: {
      pearson: pearson.value,
      slope: slope.value,
      equalSigns: equalSigns.value,
      positiveGrew: positiveGrew.value,
      negativeShrank: negativeShrank.value,
    },
    holds: known ? pearson.value! > least && positiveGrew.value! > 0.5 && negativeShrank.value! > 0.5 : null,
    rule: `r above ${least.toFixed(2)} (two standard errors), and more than half of each sign`,
    ...(known ? {} : { note: pearson.reason ?? positiveGrew.reason ?? negativeShrank.reason ?? '' }),
  };
}

/** The same apart from the shift: each filter's mean change is taken out. */
export function shiftClaim({ layer, statistics, shifted: s }: SignsOf, id = 'sign-beside-shift'): Claim {
  const known = s.pearson.value !== null && s.positiveGrew.value !== null && s.negativeShrank.value !== null;
  const least = leastR(statistics.count);
  return {
    id,
    claim: `The same within each filter, its mean change taken out (${layer})`,
    where: '§6.1, figure 6; the distinction is ours',
    paper: null,
    measured:
      'r {pearson}, slope {slope}; {positiveGrew:%0} of the positive grew by more than their filter, {negativeShrank:%0} of the negative by less; filters moved by {shift:3} on average, which makes up {shiftShare:%0} of all change',
    figures: {
      pearson: s.pearson.value,
      slope: s.slope.value,
      positiveGrew: s.positiveGrew.value,
      negativeShrank: s.negativeShrank.value,
      shift: s.shift.value,
      shiftShare: s.shiftShare.value,
    },
    holds: known
      ? s.pearson.value! > least && s.positiveGrew.value! > 0.5 && s.negativeShrank.value! > 0.5
      : null,
    rule: `r above ${least.toFixed(2)} (two standard errors), and more than half of each sign`,
    ...(known ? {} : { note: s.pearson.reason ?? s.positiveGrew.reason ?? s.negativeShrank.reason ?? '' }),
  };
}

const values = (panel: ActivityPanel) =>
  panel.selectivity.flatMap(({ value }) => (value === null ? [] : [value]));
const shareAlike = (panel: ActivityPanel): number | null => {
  const list = values(panel);
  return list.length ? list.filter((value) => value < ALIKE).length / list.length : null;
};

/** §6.2, first half: most filters of the first layer respond alike to all classes. */
export function alikeClaim(first: ActivityPanel): Claim {
  const share = shareAlike(first);
  return {
    id: 'first-layer-alike',
    claim: 'Most feature maps of the first layer are about as active for every class',
    where: '§6.2, figure 7',
    paper: null,
    measured: `${first.layer}: {share:%0} of ${values(first).length} filters have a selectivity below ${ALIKE}; median {median}`,
    figures: { share, median: first.distribution.median.value },
    holds: share === null ? null : share > 0.5,
    rule: `more than half below ${ALIKE}`,
    ...(share === null ? { note: 'no filter has a selectivity' } : {}),
  };
}

/** §6.2, second half: more filters of the second layer differ between classes. */
export function differsClaim(first: ActivityPanel, second: ActivityPanel): Claim {
  const [a, b] = [shareAlike(first), shareAlike(second)];
  const [low, high] = [first.distribution.median.value, second.distribution.median.value];
  const known = a !== null && b !== null && low !== null && high !== null;
  return {
    id: 'second-layer-differs',
    claim: 'More feature maps of the second layer differ between the classes',
    where: '§6.2, figure 7',
    paper: null,
    measured: `selectivity ${ALIKE} or more: {firstShare:%0} of ${first.layer}, {secondShare:%0} of ${second.layer}; medians {firstMedian} and {secondMedian}`,
    figures: {
      firstShare: a === null ? null : 1 - a,
      secondShare: b === null ? null : 1 - b,
      firstMedian: low,
      secondMedian: high,
    },
    holds: known ? b < a && high > low : null,
    rule: 'a larger share than in the first layer, and a larger median',
    ...(known ? {} : { note: 'no filter of one of the layers has a selectivity' }),
  };
}
