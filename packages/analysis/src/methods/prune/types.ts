import type { Figure, ResultBase } from '../../results/types.js';

/** How regions compete: all of the net together (paper), each unit's own, or all together by their effect on the loss. */
export type Ranking = 'network' | 'unit' | 'loss';
/** What the region rate counts: regions, or the sum of |w| in them. */
export type RateOf = 'count' | 'mass';

/** What goes at once: connected regions of a unit's weights (paper), whole units of a layer, or heads of attention. */
export type PruneUnits = 'region' | 'unit' | 'head';

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

/** A layer's weights seen as pictures. The tensor is [height·width·channels, units] row-major, flattened. */
export interface PictureLayout {
  layer: string;
  /** Name of its weights in weights.safetensors: "F1.kernel". */
  tensor: string;
  /** unit, head: the rows of the tensor that read a unit or head, one picture each; the tensor is [units · height, width]. */
  kind: 'dense' | 'conv2d' | 'unit' | 'head';
  /** [height, width, channels] of one unit's weights. */
  inputShape: [height: number, width: number, channels: number];
  /** Hidden units, or filters. */
  units: number;
  /**
   * false: the channels are colours, and a unit has one picture, in which a pixel remains while any of its channels does.
   * true: the channels are feature maps, and a unit has one picture for each: picture channel·units + unit.
   */
  apart: boolean;
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
  /** Share of units that lost every weight. */
  emptied: number;
}

/** What regions are left, over the units that kept any weight. */
export interface RegionsLeft {
  regions: number;
  /** Mean number of regions of a unit. */
  perUnit: Figure;
  /** Mean over units of (weights in the largest region) / (all weights of the unit, removed ones too). */
  largestShare: Figure;
  /** Share of units whose largest region holds more than half of all their weights: what the paper complains of. */
  largestOverHalf: Figure;
}

/** One step: the magnitude step is round 0. */
export interface PruneRound {
  round: number;
  /** Regions there were before removal, and how many were removed; null in round 0. */
  regions: { before: number; removed: number } | null;
  removed: RemovalShares;
  left: RegionsLeft;
  /** Right after removal, and after retraining under the mask. */
  accuracyAfterRemoval: Figure;
  accuracyAfterRetraining: Figure;
  /** uint8[height·width·channels × units], 1 = kept. */
  mask: Uint8Array;
  /** float32, same shape, after retraining; removed weights are exactly 0. */
  weights: Float32Array;
}

export interface PruneResult extends ResultBase {
  method: 'prune';
  layout: PictureLayout;
  /** Snapshot of the source run that was pruned. */
  snapshot: { id: string; epoch: number | null; step: number | null };
  options: PruneOptions;
  accuracyBefore: Figure;
  /** float32[height·width·channels × units] before pruning. */
  weightsBefore: Float32Array;
  rounds: PruneRound[];
  /** Rounds asked for are all there. */
  complete: boolean;
}
