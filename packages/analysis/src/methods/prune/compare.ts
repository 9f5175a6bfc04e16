import type { Figure } from '../../results/types.js';
import type { PruneRound } from './types.js';

/** What a ranking had removed where its accuracy was the one asked for. */
export interface EqualAccuracy {
  accuracy: number;
  /** Share of the layer's weights removed, interpolated between the rounds on both sides. */
  removed: Figure;
  /** Last round whose accuracy is still at least that; null when none is. */
  round: number | null;
}

/**
 * Compares rankings at one accuracy: the share of weights removed when the accuracy after retraining falls through
 * `accuracy` for the first time, linear between rounds. Starts from the net before pruning (nothing removed). Rounds
 * without an accuracy after retraining (the magnitude step) are passed over. When the last round is still above, the
 * share is at least that round's, and `removed` is null with that reason.
 */
export function equalAccuracy(
  before: number,
  rounds: readonly Pick<PruneRound, 'round' | 'removed' | 'accuracyAfterRetraining'>[],
  accuracy: number,
): EqualAccuracy {
  if (!(before >= accuracy))
    return {
      accuracy,
      removed: {
        value: null,
        reason: `the net before pruning has ${before}, less than the accuracy asked for`,
      },
      round: null,
    };
  let last = { removed: 0, accuracy: before, round: null as number | null };
  for (const one of rounds) {
    const { value } = one.accuracyAfterRetraining;
    if (value === null) continue;
    const now = { removed: one.removed.overall, accuracy: value, round: one.round };
    if (value < accuracy) {
      const share = (last.accuracy - accuracy) / (last.accuracy - value);
      return {
        accuracy,
        removed: { value: last.removed + share * (now.removed - last.removed) },
        round: last.round,
      };
    }
    last = now;
  }
  return {
    accuracy,
    removed: {
      value: null,
      reason: `still ${last.accuracy} in round ${last.round ?? 0}, with ${(100 * last.removed).toFixed(1)} % removed: more rounds are needed`,
    },
    round: last.round,
  };
}

/**
 * The same the other way round: the accuracy after retraining when `removed` of the weights are gone, linear between
 * rounds, from the net before pruning on. null, with the reason, beyond the last round.
 */
export function accuracyAtRemoval(
  before: number,
  rounds: readonly Pick<PruneRound, 'removed' | 'accuracyAfterRetraining'>[],
  removed: number,
): Figure {
  let last = { removed: 0, accuracy: before };
  for (const one of rounds) {
    const { value } = one.accuracyAfterRetraining;
    if (value === null) continue;
    const now = { removed: one.removed.overall, accuracy: value };
    if (now.removed >= removed) {
      const extent = now.removed - last.removed;
      const share = extent > 0 ? (removed - last.removed) / extent : 1;
      return { value: last.accuracy + share * (now.accuracy - last.accuracy) };
    }
    last = now;
  }
  return { value: null, reason: `at most ${(100 * last.removed).toFixed(1)} % were removed` };
}
