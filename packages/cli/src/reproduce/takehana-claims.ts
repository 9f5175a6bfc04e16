import type { PruneResult, PruneRound } from '@epochscope/analysis';
import type { Claim } from './claims.js';

/** Share of units over 90 % in the paper's result, by which its round is found: it does not say how many there were. */
const PAPER_OVER_90 = 0.54;
/** Two groups and none between: so wide a gap in the shares that units lost, with so many units on each side. */
const GAP = 0.25;
const EACH_SIDE = 0.25;

/** The same net pruned in several ways. */
export interface Pruned {
  /** The paper's: half by magnitude, regions of 8 neighbours over the whole net. */
  main: PruneResult;
  /** 0.4 by magnitude. */
  less: PruneResult;
  /** Regions of 4 neighbours. */
  four: PruneResult;
  /** Ranking within each unit. */
  unit: PruneResult;
  /** The same further training with nothing removed. */
  control: PruneResult;
}

export const percent = (value: number | null, digits = 1) =>
  value === null ? '–' : `${(100 * value).toFixed(digits)} %`;
export const numberOf = (figure: { value: number | null }) => figure.value;
/** Standard deviation over units of the share of weights they lost. */
export function spread({ removed: { perUnit, overall } }: PruneRound): number {
  return Math.sqrt(perUnit.reduce((sum, x) => sum + (x - overall) ** 2, 0) / Math.max(1, perUnit.length));
}

/** The round that stands for the paper's result: the one whose share of units over 90 % is nearest to its 54 %; the earlier of two. */
export function paperRound(rounds: readonly PruneRound[]): PruneRound {
  const far = ({ removed }: PruneRound) => Math.abs(removed.over90 - PAPER_OVER_90);
  return rounds.reduce((best, round) => (far(round) < far(best) ? round : best));
}

/** Shares of units that lost over 90 % and under 40 %: of all weights, and of those that the magnitude step left. */
export function shares(result: PruneResult): {
  round: PruneRound;
  all: { over90: number; under40: number };
  left: { over90: number; under40: number };
} {
  const round = paperRound(result.rounds);
  const first = result.rounds[0]!.removed.perUnit;
  const split = (list: readonly number[]) => ({
    over90: list.filter((share) => share > 0.9).length / Math.max(1, list.length),
    under40: list.filter((share) => share < 0.4).length / Math.max(1, list.length),
  });
  const all = [...round.removed.perUnit];
  const left = all.map((share, u) => (first[u]! < 1 ? (share - first[u]!) / (1 - first[u]!) : 1));
  return { round, all: split(all), left: split(left) };
}

/** The widest gap between the shares that neighbouring units lost, a quarter of the units or more on each side; null for under four units. */
export function widestGap(perUnit: ArrayLike<number>): { low: number; high: number; above: number } | null {
  const sorted = Float64Array.from(perUnit).sort();
  const least = Math.ceil(EACH_SIDE * sorted.length);
  let at = -1;
  for (let i = least - 1; i + 1 <= sorted.length - least; i++)
    if (i >= 0 && (at < 0 || sorted[i + 1]! - sorted[i]! > sorted[at + 1]! - sorted[at]!)) at = i;
  if (at < 0 || sorted.length < 4) return null;
  return { low: sorted[at]!, high: sorted[at + 1]!, above: (sorted.length - at - 1) / sorted.length };
}

const isSplit = ({ over90, under40 }: { over90: number; under40: number }) =>
  over90 >= 0.4 && under40 >= 0.3 && over90 + under40 >= 0.9;
const SPLIT_RULE = 'both groups within some 15 points of the paper, under 10 % between';
const between = ({ over90, under40 }: { over90: number; under40: number }) => 1 - over90 - under40;

/** The paper's claims beside the figures. */
export function claimsOf(pruned: Pruned): Claim[] {
  const { main, less, four, unit, control } = pruned;
  const before = main.accuracyBefore.value;
  const found = shares(main);
  const { round } = found;
  const after = round.accuracyAfterRetraining.value;
  const at04 = shares(less);
  const unpruned =
    control.rounds.find((one) => one.round === round.round)?.accuracyAfterRetraining.value ?? null;
  const survivors = [...round.removed.perUnit].filter((x) => x <= 0.9).length;
  // The two rankings where each has removed about as much.
  const like = unit.rounds.reduce((best, one) =>
    Math.abs(one.removed.overall - round.removed.overall) <
    Math.abs(best.removed.overall - round.removed.overall)
      ? one
      : best,
  );
  const largest = numberOf(round.left.largestShare);
  const overHalf = numberOf(round.left.largestOverHalf);
  const gap = widestGap(round.removed.perUnit);
  const gapLess = widestGap(at04.round.removed.perUnit);
  const gapFour = widestGap(paperRound(four.rounds).removed.perUnit);
  const width = (one: typeof gap) => (one ? one.high - one.low : null);
  const split = (
    id: string,
    of: string,
    { over90, under40 }: { over90: number; under40: number },
    at: PruneRound,
    note: string,
  ): Claim => ({
    id,
    claim: `Units split into those that lost over 90 % and those that lost under 40 % (${of})`,
    where: '§4.2',
    paper: '54 % and 46 %, none between',
    measured: '{over90:%0} over 90 %, {under40:%0} under 40 %, {between:%0} between, at round {round:1}',
    figures: { over90, under40, between: between({ over90, under40 }), round: at.round },
    holds: isSplit({ over90, under40 }),
    rule: SPLIT_RULE,
    note,
  });
  return [
    {
      id: 'accuracy-before',
      claim: 'The trained net classifies the digits with 94.5 % accuracy',
      where: '§4.2',
      paper: '94.5 %',
      measured: '{accuracy:%2}',
      figures: { accuracy: before },
      holds: before === null ? null : Math.abs(before - 0.945) <= 0.01,
      rule: 'within 1 point',
    },
    {
      id: 'accuracy-kept',
      claim: 'Pruning by magnitude and by regions hardly costs accuracy',
      where: '§4.2',
      paper: '94.5 % → 94.1 %',
      measured:
        '{before:%2} → {after:%2} with {removed:%1} of weights removed (0.4 by magnitude: {after, 0.4:%2}; unpruned with the same further training {unpruned:%2})',
      figures: {
        before,
        after,
        'after, 0.4': at04.round.accuracyAfterRetraining.value,
        unpruned,
        removed: round.removed.overall,
        afterRemoval: round.accuracyAfterRemoval.value,
      },
      holds: before === null || after === null ? null : before - after <= 0.01,
      rule: 'at most 1 point lower, in the round nearest to 54 % of units over 90 %',
    },
    split(
      'units-split',
      'of all weights, 0.5 by magnitude',
      found.all,
      round,
      'the magnitude step alone takes half of the weights, and from units alike',
    ),
    split(
      'units-split-left',
      'of what the magnitude step left, 0.5',
      found.left,
      round,
      'the paper does not say of which weights its shares are',
    ),
    split(
      'units-split-less',
      'of all weights, 0.4 by magnitude',
      at04.all,
      at04.round,
      'that 0.4 comes nearest was found afterwards',
    ),
    {
      id: 'two-groups',
      claim: 'There are two groups of units and none between',
      where: '§4.2',
      paper: 'over 90 %, and under 40 %',
      measured:
        'no unit lost between {low:%0} and {high:%0} of its weights ({above:%0} lie above); 0.4 by magnitude: a gap of {gap, 0.4:%0}; 4 neighbours: {gap, 4 neighbours:%0}',
      figures: {
        low: gap?.low ?? null,
        high: gap?.high ?? null,
        above: gap?.above ?? null,
        gap: width(gap),
        'gap, 0.4': width(gapLess),
        'gap, 4 neighbours': width(gapFour),
      },
      holds: gap ? width(gap)! >= GAP : null,
      rule: `the widest gap in the units’ shares, with a quarter of the units or more on each side, is at least ${100 * GAP} points`,
    },
    {
      id: 'region-fills-unit',
      claim:
        'What is left of a unit is a region of more than half of its weights, so units do not show parts of the picture',
      where: '§5',
      paper: 'more than half',
      measured:
        '{largestOverHalf:%0} of the units that kept any weight; the largest region is {largestShare:%0} of a unit on average, with {regionsPerUnit:1} regions a unit',
      figures: {
        largestOverHalf: overHalf,
        largestShare: largest,
        regionsPerUnit: numberOf(round.left.perUnit),
        survivors: survivors / Math.max(1, round.removed.perUnit.length),
      },
      holds: overHalf === null ? null : overHalf >= 0.4,
      rule: 'for at least 40 % of these units (the paper: 46 % lost under 40 %)',
    },
    {
      id: 'ranking-causes-split',
      claim: 'The split comes from ranking all regions of the net together',
      where: '§5, conjecture',
      paper: null,
      measured:
        'spread of removal over units: {spreadNetwork:%1} by the whole net, {spreadUnit:%1} within each unit, at {removedNetwork:%1} and {removedUnit:%1} removed',
      figures: {
        spreadNetwork: spread(round),
        spreadUnit: spread(like),
        removedNetwork: round.removed.overall,
        removedUnit: like.removed.overall,
      },
      holds: spread(like) < 0.75 * spread(round),
      rule: 'ranking within each unit spreads removal over units by a quarter less (standard deviation), at the round nearest in weights removed',
    },
  ];
}

/** The settings beside each other, at the round of each that is nearest to the paper's. Markdown. */
export function settingsRemark({ main, less, four }: Pruned): string {
  const rows = (
    [
      ['8 neighbours, 0.5', main],
      ['8 neighbours, 0.4', less],
      ['4 neighbours, 0.5', four],
    ] as const
  ).map(([name, result]) => {
    const { round, all, left } = shares(result);
    const gap = widestGap(round.removed.perUnit);
    return [
      name,
      round.round,
      percent(round.removed.overall),
      percent(all.over90, 0),
      percent(all.under40, 0),
      percent(left.over90, 0),
      percent(left.under40, 0),
      gap ? `${percent(gap.low, 0)} – ${percent(gap.high, 0)}` : '–',
      percent(round.accuracyAfterRetraining.value, 2),
    ];
  });
  const head = [
    'setting',
    'round',
    'weights removed',
    'units > 90 %',
    '< 40 %',
    'of what step 1 left: > 90 %',
    '< 40 %',
    'widest gap',
    'accuracy',
  ];
  return [
    'At the round nearest to the paper’s shares:',
    '',
    ...[head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}
