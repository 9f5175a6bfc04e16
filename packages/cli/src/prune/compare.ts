import { join } from 'node:path';
import {
  type EqualAccuracy,
  equalAccuracy,
  type Figure,
  type PruneRound,
  type Ranking,
  type RegionsLeft,
  toolInfo,
} from '@epochscope/analysis';

import { guard } from '@epochscope/core-wasm';
import { table } from '../commands/_shared.js';
import { makeFolder, writeFileWhole } from '../files.js';
import type { Output } from '../output.js';
import { type PrunedRun, type PruneRunOptions, pruneOfRun } from '../prune-run.js';

export const COMPARISON_FORMAT = 'epochscope-prune-comparison/1';

/** One ranking at the accuracy that all are compared at. */
export interface ComparedRanking {
  ranking: Ranking;
  /** Its run, in the comparison's folder. */
  run: string;
  equal: EqualAccuracy;
  /** State of the layer in the last round that still has the accuracy; null when none has. */
  at: {
    round: number;
    accuracy: Figure;
    removed: number;
    over90: number;
    under40: number;
    emptied: number;
    left: RegionsLeft;
  } | null;
}

export interface PruneComparison {
  format: typeof COMPARISON_FORMAT;
  tool: { name: string; version: string };
  accuracyBefore: number;
  /** Accuracy the rankings are compared at. */
  accuracy: number;
  rankings: ComparedRanking[];
}

/**
 * Prunes the same net by each ranking into `output`/<ranking> and compares what each has removed at the accuracy before
 * less `tolerance`; each ends when it has fallen below that. Writes comparison.json there. Throws as `pruneOfRun` does, and `argument` for a run with no net.
 */
export async function compareRankings(
  directory: string,
  rankings: readonly Ranking[],
  tolerance: number,
  options: PruneRunOptions,
  output: Output,
): Promise<{ comparison: PruneComparison; runs: PrunedRun[] }> {
  const runs: PrunedRun[] = [];
  for (const ranking of rankings) {
    output.say(`Ranking by ${ranking}`);
    runs.push(
      await pruneOfRun(
        directory,
        {
          ...options,
          output: join(options.output, ranking),
          prune: { ...options.prune, ranking },
          stopAfterLoss: options.stopAfterLoss ?? tolerance,
        },
        output,
      ),
    );
  }
  const before = runs[0]!.result.accuracyBefore.value;
  guard(
    before !== null,
    'argument',
    () => `${directory}: rankings are compared at equal accuracy, which a run without its net does not have`,
    { path: directory },
  );
  const accuracy = before - tolerance;
  const comparison: PruneComparison = {
    format: COMPARISON_FORMAT,
    tool: toolInfo,
    accuracyBefore: before,
    accuracy,
    rankings: runs.map(({ result }, i) => {
      const equal = equalAccuracy(before, result.rounds, accuracy);
      const round = result.rounds.find((one) => one.round === equal.round);
      return { ranking: rankings[i]!, run: rankings[i]!, equal, at: round ? stateOf(round) : null };
    }),
  };
  await makeFolder(options.output);
  await writeFileWhole(join(options.output, 'comparison.json'), `${JSON.stringify(comparison, null, 1)}\n`);
  return { comparison, runs };
}

function stateOf(round: PruneRound): ComparedRanking['at'] {
  const { overall, over90, under40, emptied } = round.removed;
  return {
    round: round.round,
    accuracy: round.accuracyAfterRetraining,
    removed: overall,
    over90,
    under40,
    emptied,
    left: round.left,
  };
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
