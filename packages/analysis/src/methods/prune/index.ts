import { guard } from '@epochscope/core-wasm';
import type { Engine } from '../../engine/types.js';
import type { Figure } from '../../results/types.js';
import { applyMask, magnitudeMask, removalShares } from './masks.js';
import { chooseRegions, findRegions, regionsLeft, removeRegions } from './regions.js';
import type { PictureLayout, PruneOptions, PruneRound } from './types.js';

export { accuracyAtRemoval, type EqualAccuracy, equalAccuracy } from './compare.js';
export { pictureLayout } from './layout.js';
export { applyMask, magnitudeMask, removalShares } from './masks.js';
export { chooseRegions, findRegions, type Regions, regionsLeft, removeRegions } from './regions.js';
export * from './types.js';
export { asKernel, asPictures, unitsLayout } from './units.js';

/** The paper's setting (Takehana & Ozaki, §4.1). It does not say how many rounds. */
export const PAPER_OPTIONS: PruneOptions = {
  magnitude: 0.5,
  regions: 0.4,
  rounds: 1,
  neighbours: 8,
  ranking: 'network',
  rateOf: 'count',
};

/** What pruning asks of the network around the layer. All kernels are [height·width·channels, units] row-major. */
export interface PruneTarget {
  layout: PictureLayout;
  /** float32[height·width·channels × units]. */
  weights: Float32Array;
  /** Test accuracy with these weights in the layer and everything else as it is now. */
  evaluate(weights: Float32Array): Promise<Figure>;
  /** Trains the whole net with removed weights held at 0; answers the layer's new weights. null: there is no net to train. */
  retrain: ((weights: Float32Array, mask: Uint8Array, round: number) => Promise<Float32Array>) | null;
  /** ∂L/∂w over training samples at these weights; needed for `ranking: 'loss'` only. */
  gradient?(weights: Float32Array): Promise<Float32Array>;
}

/** Where to go on: a round that is done. */
export type PruneStart = Pick<PruneRound, 'round' | 'mask' | 'weights'>;

/**
 * Magnitude pruning, then `rounds` times: connected regions of what remains, removal of the lowest, retraining
 * (Takehana & Ozaki 2023; step 1 after Han et al. 2015). The accuracy of round 0 (magnitude only) is before any
 * retraining; as in the paper, retraining follows each region step only. Yields each round as it ends, so that a caller
 * can write it down and go on from it later; memory is one mask and one copy of the weights a round.
 * Throws `argument`, `not-finite`, `shape`, and `internal` when retraining revives a removed weight.
 */
export async function* pruneRounds(
  target: PruneTarget,
  engine: Pick<Engine, 'labelRegions'>,
  options: PruneOptions & { signal?: AbortSignal },
  start?: PruneStart,
): AsyncGenerator<PruneRound> {
  checkOptions(target, options);
  const { layout, retrain } = target;
  let { mask, weights } = start ?? { mask: new Uint8Array(0), weights: new Float32Array(0) };
  if (!start) {
    mask = magnitudeMask(target.weights, options.magnitude);
    weights = applyMask(target.weights, mask);
    yield {
      round: 0,
      regions: null,
      removed: removalShares(mask, layout.units),
      left: regionsLeft(await findRegions(weights, mask, layout, engine, options)),
      accuracyAfterRemoval: await target.evaluate(weights),
      accuracyAfterRetraining: { value: null, reason: 'the magnitude step is not followed by retraining' },
      mask,
      weights,
    };
  }
  for (let round = (start?.round ?? 0) + 1; round <= options.rounds; round++) {
    const gradient = options.ranking === 'loss' ? await target.gradient!(weights) : undefined;
    const regions = await findRegions(weights, mask, layout, engine, options, gradient);
    const removed = chooseRegions(regions, options.regions, options.ranking, options.rateOf);
    mask = removeRegions(mask, regions, removed);
    weights = applyMask(weights, mask);
    const accuracyAfterRemoval = await target.evaluate(weights);
    if (retrain) weights = await retrain(weights, mask, round);
    const alive = weights.findIndex((w, i) => !mask[i] && w !== 0);
    guard(
      alive < 0,
      'internal',
      () => `round ${round}: removed weight ${alive} is ${weights[alive]} after retraining`,
      { round, index: alive },
    );
    // A mask times a negative weight is −0.
    weights = applyMask(weights, mask);
    yield {
      round,
      regions: { before: removed.length, removed: removed.reduce((a, b) => a + b, 0) },
      removed: removalShares(mask, layout.units),
      left: regionsLeft(await findRegions(weights, mask, layout, engine, options)),
      accuracyAfterRemoval,
      accuracyAfterRetraining: retrain
        ? await target.evaluate(weights)
        : { value: null, reason: 'the net was not retrained' },
      mask,
      weights,
    };
  }
}

function checkOptions(target: PruneTarget, options: PruneOptions): void {
  guard(
    Number.isInteger(options.rounds) && options.rounds >= 0,
    'argument',
    () => `rounds: expected a whole number ≥ 0, got ${options.rounds}`,
    { rounds: options.rounds },
  );
  for (const name of ['magnitude', 'regions'] as const)
    guard(
      options[name] >= 0 && options[name] <= 1,
      'argument',
      () => `${name} rate: expected 0 … 1, got ${options[name]}`,
      { [name]: options[name] },
    );
  guard(
    options.ranking !== 'loss' || options.rounds === 0 || target.gradient,
    'argument',
    'ranking by loss needs the gradient of the loss, which this network cannot give',
  );
}
