import type { Figure, PruneRound, SnapshotInfo } from '@epochscope/analysis';

/** The snapshot that a round is kept as. */
export const idOf = (round: number) =>
  round === 0 ? 'magnitude' : `round-${String(round).padStart(2, '0')}`;

export function infoOf(round: PruneRound): SnapshotInfo {
  const metrics: Record<string, number> = { removed: round.removed.overall };
  const after = round.accuracyAfterRetraining.value ?? round.accuracyAfterRemoval.value;
  if (after !== null) metrics.testAccuracy = after;
  if (round.accuracyAfterRemoval.value !== null)
    metrics.testAccuracyAfterRemoval = round.accuracyAfterRemoval.value;
  if (round.regions) metrics.regionsRemoved = round.regions.removed;
  return {
    id: idOf(round.round),
    // A round is no epoch of the run's training; its name says what it is.
    epoch: null,
    step: null,
    metrics,
  };
}

/** Whether a round's net is less accurate than the one before pruning by more than `loss`. */
export function fellBelow(round: PruneRound | undefined, before: Figure, loss: number | undefined): boolean {
  const now = round?.accuracyAfterRetraining.value ?? null;
  return loss !== undefined && now !== null && before.value !== null && now < before.value - loss;
}

const percent = (figure: Figure) => (figure.value === null ? '–' : `${(100 * figure.value).toFixed(2)} %`);

/** One round for the terminal. */
export function line(round: PruneRound): string {
  const removed = `${(100 * round.removed.overall).toFixed(1)} % removed`;
  return round.regions
    ? `${idOf(round.round)}: ${round.regions.removed} of ${round.regions.before} regions, ${removed}, accuracy ${percent(round.accuracyAfterRemoval)} → ${percent(round.accuracyAfterRetraining)}`
    : `magnitude: ${removed}, accuracy ${percent(round.accuracyAfterRemoval)}`;
}
