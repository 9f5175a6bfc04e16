import type { Figure, ResultBase } from '../../results/types.js';

/** How regions compete: all of the net together (paper), each unit's own, or by their effect on the loss. */
export type Ranking = 'network' | 'unit' | 'loss';
/** What the region rate counts: regions, or the sum of |w| in them. */
export type RateOf = 'count' | 'mass';

export interface PruneOptions {
  /** r1: share of weights removed first, smallest |w| first. Paper: 0.5. */
  magnitude: number;
  /** r2: share of regions removed in each round, smallest index first. Paper: 0.4. */
  regions: number;
  rounds: number;
  neighbours: 4 | 8;
  ranking: Ranking;
  rateOf: RateOf;
}

/** Share of weights removed per unit, and how units split. */
export interface RemovalShares {
  /** float64[units]. */
  perUnit: Float64Array;
  /** Share of all weights of the layer. */
  overall: number;
  /** Share of units that lost more than 90 % / less than 40 % (the paper's split: 54 % / 46 %). */
  over90: number;
  under40: number;
}

/** One step: the magnitude step is round 0. */
export interface PruneRound {
  round: number;
  /** Regions there were before removal, and how many were removed; null in round 0. */
  regions: { before: number; removed: number } | null;
  removed: RemovalShares;
  /** Right after removal, and after retraining under the mask. */
  accuracyAfterRemoval: Figure;
  accuracyAfterRetraining: Figure;
  /** uint8[inputs × units], 1 = kept. */
  mask: Uint8Array;
  /** float32[inputs × units] after retraining; removed weights are exactly 0. */
  weights: Float32Array;
}

export interface PruneResult extends ResultBase {
  method: 'prune';
  layer: string;
  /** [height, width, channels] of a unit's weight picture. */
  inputShape: [number, number, number];
  units: number;
  accuracyBefore: Figure;
  /** float32[inputs × units] before pruning. */
  weightsBefore: Float32Array;
  rounds: PruneRound[];
}
