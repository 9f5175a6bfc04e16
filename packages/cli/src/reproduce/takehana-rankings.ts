import type { PruneResult, Ranking } from '@epochscope/analysis';
import { accuracyAtRemoval } from '@epochscope/analysis/methods';
import type { PruneComparison } from '@epochscope/analysis/workflows';
import { numberOf, percent, spread } from './takehana-claims.js';

/** Shares of weights removed at which the rankings are compared. */
const SHARES = [0.6, 0.7, 0.8, 0.9, 0.95];

/** Which ranking removes most at the paper's loss of accuracy, and which is best where all removed as much. */
export function answerOf(
  { accuracy, rankings }: PruneComparison,
  results: readonly PruneResult[],
  name: (ranking: Ranking) => string,
): string {
  // One that never fell that low removed at least what it ended with.
  const removed = rankings.map(({ ranking, equal, at }) => ({
    ranking,
    value: equal.removed.value ?? at?.removed ?? 0,
    least: equal.removed.value === null,
  }));
  removed.sort((a, b) => b.value - a.value);
  const first = `At ${percent(accuracy, 2)} accuracy the rankings have removed: ${removed
    .map(({ ranking, value, least }) => `${name(ranking)} ${least ? 'at least ' : ''}${percent(value)}`)
    .join(', ')}.`;
  const share = SHARES.filter((s) =>
    results.every((r) => accuracyAtRemoval(r.accuracyBefore.value!, r.rounds, s).value !== null),
  ).pop();
  if (share === undefined) return first;
  const accuracies = results
    .map((r) => ({
      ranking: r.options.ranking,
      value: accuracyAtRemoval(r.accuracyBefore.value!, r.rounds, share).value!,
    }))
    .sort((a, b) => b.value - a.value);
  return `${first} Where all have removed ${percent(share, 0)}, accuracies are: ${accuracies
    .map(({ ranking, value }) => `${name(ranking)} ${percent(value, 2)}`)
    .join(', ')}.`;
}

/** The open problem: which ranking to take, with figures; and the rounds. Markdown. */
export function remarksOf(
  comparison: PruneComparison,
  results: readonly PruneResult[],
  control: PruneResult,
  testSamples: number,
): string[] {
  const { accuracy, rankings } = comparison;
  const name: Record<Ranking, string> = {
    network: 'whole net (paper)',
    unit: 'within each unit',
    loss: 'effect on the loss',
  };
  const answer = answerOf(comparison, results, (ranking) => name[ranking]);
  const table = (head: string[], rows: string[][]) =>
    [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  return [
    "### The paper's open problem: by what to rank",
    answer,
    table(
      [
        'ranking',
        `removed at ${percent(accuracy, 2)}`,
        'rounds until there',
        ...SHARES.map((s) => `accuracy at ${percent(s, 0)} removed`),
      ],
      results.map((result, i) => {
        const { equal, at } = rankings[i]!;
        return [
          name[result.options.ranking],
          equal.removed.value === null && at ? `over ${percent(at.removed)}` : percent(equal.removed.value),
          equal.round === null ? '–' : String(equal.round),
          ...SHARES.map((share) =>
            percent(accuracyAtRemoval(result.accuracyBefore.value!, result.rounds, share).value, 2),
          ),
        ];
      }),
    ),
    '### Rounds',
    table(
      [
        'ranking',
        'round',
        'regions removed',
        'weights removed',
        'units > 90 %',
        '< 40 %',
        'emptied',
        'spread',
        'regions a unit',
        'after removal',
        'retrained',
      ],
      results.flatMap(({ options, rounds }) =>
        rounds.map((r) => [
          name[options.ranking],
          r.round === 0 ? 'magnitude' : String(r.round),
          r.regions ? `${r.regions.removed} of ${r.regions.before}` : '–',
          percent(r.removed.overall),
          percent(r.removed.over90, 0),
          percent(r.removed.under40, 0),
          percent(r.removed.emptied, 0),
          percent(spread(r)),
          numberOf(r.left.perUnit)?.toFixed(1) ?? '–',
          percent(r.accuracyAfterRemoval.value, 2),
          percent(r.accuracyAfterRetraining.value, 2),
        ]),
      ),
    ),
    'A ranking that takes fewer weights a round has been retrained for longer by the time it has removed as much; the control below shows what that training alone gives.',
    `The standard error of an accuracy near ${percent(accuracy, 0)} is ${percent(Math.sqrt((accuracy * (1 - accuracy)) / testSamples), 2)} on ${testSamples} test samples, so differences under twice that say nothing.`,
    `Control, the same further training with nothing removed: ${control.rounds
      .slice(1)
      .map((r) => percent(r.accuracyAfterRetraining.value, 2))
      .join(', ')}.`,
  ];
}
