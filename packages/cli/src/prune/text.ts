import type { Figure, PruneRound } from '@epochscope/analysis';
import { type PruneComparison, prunedSnapshot } from '@epochscope/analysis/workflows';
import { table } from '../commands/_shared.js';

const share = (figure: Figure) => (figure.value === null ? '–' : `${(100 * figure.value).toFixed(2)} %`);

/** One round for the terminal. */
export function roundLine(round: PruneRound): string {
  const removed = `${(100 * round.removed.overall).toFixed(1)} % removed`;
  return round.regions
    ? `${prunedSnapshot(round.round)}: ${round.regions.removed} of ${round.regions.before} regions, ${removed}, accuracy ${share(round.accuracyAfterRemoval)} → ${share(round.accuracyAfterRetraining)}`
    : `magnitude: ${removed}, accuracy ${share(round.accuracyAfterRemoval)}`;
}

const percent = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : `${(100 * value).toFixed(1)} %`;

/** The comparison for the terminal. */
export function comparisonText({ accuracy, rankings }: PruneComparison): string {
  return table([
    [
      `at ${(100 * accuracy).toFixed(2)} % accuracy`,
      'removed',
      'last round',
      'units > 90 %',
      '< 40 %',
      'emptied',
      'regions a unit',
      'largest > half',
    ],
    ...rankings.map(({ ranking, equal, at }) => [
      ranking,
      equal.removed.value === null && at ? `> ${percent(at.removed)}` : percent(equal.removed.value),
      at?.round ?? '–',
      percent(at?.over90),
      percent(at?.under40),
      percent(at?.emptied),
      at?.left.perUnit.value?.toFixed(1) ?? '–',
      percent(at?.left.largestOverHalf.value),
    ]),
  ]);
}
