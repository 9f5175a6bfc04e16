import type { ActivityPanel, ChangeStatistics, Figure } from '@epochscope/analysis';
import type { Claim } from './claims.js';

/** A filter whose selectivity is below this responds alike to all classes: its best class is at most 22 % above the mean of the others. */
const ALIKE = 0.1;

const text = ({ value }: Figure, digits = 2) => value?.toFixed(digits) ?? 'undefined';
const percent = (value: number | null) => (value === null ? 'undefined' : `${(100 * value).toFixed(0)} %`);

/** §6.1: what starts positive grows, what starts negative shrinks, in the first layer. */
export function signsClaim(layer: string, s: ChangeStatistics): Claim {
  const { pearson, positiveGrew, negativeShrank, equalSigns, slope } = s;
  const known = pearson.value !== null && positiveGrew.value !== null && negativeShrank.value !== null;
  // Two standard errors of r where there is no relation (Fisher).
  const least = s.count > 3 ? 2 / Math.sqrt(s.count - 3) : 1;
  return {
    id: 'change-follows-sign',
    claim: 'Parameters of the first layer that start positive grow, and those that start negative shrink',
    where: '§6.1, figures 5 and 6',
    paper: null,
    measured: `${layer}: r ${text(pearson)}, slope ${text(slope)}, ${percent(positiveGrew.value)} of the positive grew, ${percent(negativeShrank.value)} of the negative shrank, equal signs ${percent(equalSigns.value)}`,
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
    measured: `${first.layer}: ${percent(share)} of ${values(first).length} filters have a selectivity below ${ALIKE}; median ${text(first.distribution.median)}`,
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
    where: '§6.2, figure 8',
    paper: null,
    measured: `selectivity ${ALIKE} or more: ${percent(a === null ? null : 1 - a)} of ${first.layer}, ${percent(b === null ? null : 1 - b)} of ${second.layer}; medians ${text(first.distribution.median)} and ${text(second.distribution.median)}`,
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
