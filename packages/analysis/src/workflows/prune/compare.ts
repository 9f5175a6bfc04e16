import { guard } from '@epochscope/core-wasm';
import {
  type EqualAccuracy,
  equalAccuracy,
  type PruneResult,
  type PruneRound,
  type Ranking,
  type RegionsLeft,
} from '../../methods/prune/index.js';
import type { Figure } from '../../results/types.js';
import type { Run } from '../../run/types.js';
import { type Place, storeOf } from '../../stores/of.js';
import { within } from '../../stores/overlay.js';
import { toolInfo } from '../../version.js';
import type { PruneRunOptions } from './index.js';
import { type PrunedRunOptions, prunedRun } from './pruned-run.js';

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
 * Prunes the same net by each ranking into `place`/<ranking> and compares what each has removed at the accuracy before less `tolerance`; each
 * ends when it has fallen below that. Writes comparison.json there. Throws as `prunedRun` does, and `argument` for a run with no net.
 */
export async function compareRankings(
  run: Run,
  rankings: readonly Ranking[],
  tolerance: number,
  options: Partial<PruneRunOptions>,
  place: Place,
  how: PrunedRunOptions = {},
): Promise<{ comparison: PruneComparison; results: PruneResult[] }> {
  const store = await storeOf(place);
  const results: PruneResult[] = [];
  for (const ranking of rankings) {
    how.onNote?.(`Ranking by ${ranking}`);
    results.push(
      await prunedRun(
        run,
        { ...options, ranking, stopAfterLoss: options.stopAfterLoss ?? tolerance },
        within(store, ranking),
        how,
      ),
    );
  }
  const before = results[0]!.accuracyBefore.value;
  guard(
    before !== null,
    'argument',
    () =>
      `${run.store.name}: rankings are compared at equal accuracy, which a run without its net does not have`,
    { path: run.store.name },
  );
  const accuracy = before - tolerance;
  const comparison: PruneComparison = {
    format: COMPARISON_FORMAT,
    tool: toolInfo,
    accuracyBefore: before,
    accuracy,
    rankings: results.map(({ rounds }, i) => {
      const equal = equalAccuracy(before, rounds, accuracy);
      const round = rounds.find((one) => one.round === equal.round);
      return { ranking: rankings[i]!, run: rankings[i]!, equal, at: round ? stateOf(round) : null };
    }),
  };
  await store.write('comparison.json', `${JSON.stringify(comparison, null, 1)}\n`);
  return { comparison, results };
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
