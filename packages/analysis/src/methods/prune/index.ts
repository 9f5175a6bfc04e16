import { guard } from '@epochscope/core-wasm';
import type { Figure } from '../../results/types.js';
import { applyMask, magnitudeMask, removalShares } from './masks.js';
import { chooseRegions, findRegions, type LabelRegions, removeRegions } from './regions.js';
import type { PruneOptions, PruneRound } from './types.js';

export { applyMask, magnitudeMask, removalShares } from './masks.js';
export { chooseRegions, findRegions, type LabelRegions, type Regions, removeRegions } from './regions.js';
export * from './types.js';

/** The paper's setting (Takehana & Ozaki, §4.1). */
export const PAPER_OPTIONS: PruneOptions = {
  magnitude: 0.5,
  regions: 0.4,
  rounds: 1,
  neighbours: 4,
  ranking: 'network',
  rateOf: 'count',
};

/** What pruning asks of the network around the layer. All kernels are [inputs, units] row-major. */
export interface PruneTarget {
  /** float32[height·width·channels × units]. */
  weights: Float32Array;
  inputShape: readonly [height: number, width: number, channels: number];
  units: number;
  /** Test accuracy with these weights in the layer and everything else as it is now. */
  evaluate(weights: Float32Array): Promise<Figure>;
  /** Trains the whole net with removed weights held at 0; answers the layer's new weights. */
  retrain(weights: Float32Array, mask: Uint8Array, round: number): Promise<Float32Array>;
  /** ∂L/∂w over training samples at these weights; needed for `ranking: 'loss'` only. */
  gradient?(weights: Float32Array): Promise<Float32Array>;
}

/**
 * Magnitude pruning, then `rounds` times: connected regions of what remains, removal of the lowest, retraining
 * (Takehana & Ozaki 2023; step 1 after Han et al. 2015). The accuracy of round 0 (magnitude only) is before any
 * retraining; as in the paper, retraining follows each region step only. Yields each round as it ends, so that a caller
 * can write it down; memory is one mask and one copy of the weights a round.
 */
export async function* pruneRounds(
  target: PruneTarget,
  label: LabelRegions,
  options: PruneOptions,
): AsyncGenerator<PruneRound> {
  const { inputShape, units } = target;
  guard(
    Number.isInteger(options.rounds) && options.rounds >= 0,
    'argument',
    () => `rounds: expected a whole number ≥ 0, got ${options.rounds}`,
    { rounds: options.rounds },
  );
  guard(
    options.ranking !== 'loss' || target.gradient,
    'argument',
    'ranking by loss needs the gradient of the loss, which this network cannot give',
  );
  let mask = magnitudeMask(target.weights, options.magnitude);
  let weights = applyMask(target.weights, mask);
  yield {
    round: 0,
    regions: null,
    removed: removalShares(mask, units),
    accuracyAfterRemoval: await target.evaluate(weights),
    accuracyAfterRetraining: { value: null, reason: 'the magnitude step is not followed by retraining' },
    mask,
    weights,
  };
  for (let round = 1; round <= options.rounds; round++) {
    const gradient = options.ranking === 'loss' ? await target.gradient!(weights) : undefined;
    const regions = await findRegions(weights, mask, inputShape, units, options.neighbours, label, gradient);
    const removed = chooseRegions(regions, options.regions, options.ranking, options.rateOf);
    mask = removeRegions(mask, regions, removed, inputShape[2]);
    weights = applyMask(weights, mask);
    const accuracyAfterRemoval = await target.evaluate(weights);
    weights = await target.retrain(weights, mask, round);
    const alive = weights.findIndex((w, i) => !mask[i] && w !== 0);
    guard(
      alive < 0,
      'internal',
      () => `round ${round}: removed weight ${alive} is ${weights[alive]} after retraining`,
      { round, index: alive },
    );
    yield {
      round,
      regions: { before: removed.length, removed: removed.reduce((a, b) => a + b, 0) },
      removed: removalShares(mask, units),
      accuracyAfterRemoval,
      accuracyAfterRetraining: await target.evaluate(weights),
      mask,
      weights,
    };
  }
}
