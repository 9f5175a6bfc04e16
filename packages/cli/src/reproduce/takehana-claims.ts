import type { PruneResult, PruneRound } from '@epochscope/analysis';
import type { Claim } from './claims.js';

/** Share of units over 90 % in the paper's result, by which its round is found: it does not say how many there were. */
const PAPER_OVER_90 = 0.54;

export const percent = (value: number | null, digits = 1) =>
  value === null ? '–' : `${(100 * value).toFixed(digits)} %`;
export const numberOf = (figure: { value: number | null }) => figure.value;
/** Standard deviation over units of the share of weights they lost. */
export function spread({ removed: { perUnit, overall } }: PruneRound): number {
  return Math.sqrt(perUnit.reduce((sum, x) => sum + (x - overall) ** 2, 0) / Math.max(1, perUnit.length));
}

/** The round that stands for the paper's result: the first in which as many units lost over 90 %, else the last. */
export function paperRound(rounds: readonly PruneRound[]): PruneRound {
  return rounds.find(({ removed }) => removed.over90 >= PAPER_OVER_90) ?? rounds[rounds.length - 1]!;
}

/** The paper's claims beside the figures. */
export function claimsOf(results: readonly PruneResult[], control: PruneResult): Claim[] {
  const [network, unit] = results as [PruneResult, PruneResult];
  const before = network.accuracyBefore.value;
  const round = paperRound(network.rounds);
  const after = round.accuracyAfterRetraining.value;
  const unpruned =
    control.rounds.find((one) => one.round === round.round)?.accuracyAfterRetraining.value ?? null;
  const reached = round.removed.over90 >= PAPER_OVER_90;
  const where = `round ${round.round}, ${percent(round.removed.overall)} of weights removed`;
  const { over90, under40 } = round.removed;
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
  return [
    {
      id: 'accuracy-before',
      claim: 'The trained net classifies the digits with 94.5 % accuracy',
      where: '§4.2',
      paper: '94.5 %',
      measured: percent(before, 2),
      figures: { accuracy: before },
      holds: before === null ? null : Math.abs(before - 0.945) <= 0.01,
      rule: 'within 1 point',
      note: 'the paper names no activation; logistic units meet the figure on whole MNIST, where ReLU gave 97.8 % in a run apart',
    },
    {
      id: 'accuracy-kept',
      claim: 'Pruning by magnitude and by regions hardly costs accuracy',
      where: '§4.2',
      paper: '94.5 % → 94.1 %',
      measured: `${percent(before, 2)} → ${percent(after, 2)} (${where}; unpruned with the same further training ${percent(unpruned, 2)})`,
      figures: {
        before,
        after,
        unpruned,
        removed: round.removed.overall,
        afterRemoval: round.accuracyAfterRemoval.value,
      },
      holds: before === null || after === null ? null : before - after <= 0.01,
      rule: 'at most 1 point lower, in the first round in which 54 % of units lost over 90 %',
      note: reached ? undefined : 'no round got that far; the last one stands for it',
    },
    {
      id: 'units-split',
      claim: 'Units split into those that lost over 90 % of their weights and those that lost under 40 %',
      where: '§4.2',
      paper: '54 % and 46 %, none between',
      measured: `${percent(over90, 0)} over 90 %, ${percent(under40, 0)} under 40 %, ${percent(1 - over90 - under40, 0)} between (${where})`,
      figures: { over90, under40, between: 1 - over90 - under40 },
      holds: over90 >= 0.4 && under40 >= 0.3 && over90 + under40 >= 0.9,
      rule: 'both groups within some 15 points of the paper, under 10 % between',
      note: 'the magnitude step alone takes half of the weights, and from units alike',
    },
    {
      id: 'region-fills-unit',
      claim:
        'What is left of a unit is a region of more than half of its weights, so units do not show parts of the picture',
      where: '§5',
      paper: 'more than half',
      measured: `${percent(overHalf, 0)} of the units that kept any weight; the largest region is ${percent(largest, 0)} of a unit on average, with ${numberOf(round.left.perUnit)?.toFixed(1) ?? '–'} regions a unit`,
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
      measured: `spread of removal over units: ${percent(spread(round))} by the whole net, ${percent(spread(like))} within each unit, at ${percent(round.removed.overall)} and ${percent(like.removed.overall)} removed`,
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
