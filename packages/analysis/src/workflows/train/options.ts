import { guard } from '@epochscope/core-wasm';
import { MODEL_NAMES, type ModelSpec } from '../../models/index.js';
import type { SnapshotPolicy } from '../../training/index.js';
import { checkObject } from '../arguments.js';
import { withDefaults } from '../select.js';

export interface TrainRunOptions {
  model: Omit<ModelSpec, 'inputShape' | 'classes'>;
  /** Training data by name or place. */
  data: string;
  epochs: number;
  batchSize: number;
  optimizer: 'sgd' | 'momentum' | 'adam' | 'adamw';
  learningRate: number;
  /** adamw: each step takes this share, times the rate, off every weight. */
  weightDecay: number;
  /** Standard deviation of noise added to training inputs of 0 … 1. */
  noise: number;
  /** dbn: contrastive divergence before the training proper. */
  pretrain: { epochs: number; learningRate: number } | null;
  /** Order of samples, noise. */
  seed: number;
  /** null: the initial state and epochs 1, 2, 5 and the last. */
  snapshots: SnapshotPolicy | null;
  /** Test samples kept for analysis: the first of them. */
  samples: number;
}

export const TRAIN_DEFAULTS: TrainRunOptions = {
  model: { name: 'lenet5', seed: 1 },
  data: 'bundled',
  epochs: 10,
  batchSize: 100,
  optimizer: 'adam',
  learningRate: 0.001,
  weightDecay: 0,
  noise: 0.1,
  pretrain: null,
  seed: 1,
  snapshots: null,
  samples: 1000,
};

/** Of a transformer that learns modular addition: by heart within some hundred steps, the rule all of a sudden after more. */
export const TRANSFORMER_DEFAULTS: TrainRunOptions = {
  ...TRAIN_DEFAULTS,
  model: { name: 'transformer', seed: 1 },
  data: 'modular-addition:59',
  epochs: 600,
  // All at once: a plan takes no more than there are.
  batchSize: 1_000_000,
  optimizer: 'adamw',
  learningRate: 0.003,
  weightDecay: 4,
  noise: 0,
  snapshots: { init: true, everySteps: 10 },
  samples: 600,
};

/** What is not said of a training of this net. */
export const trainDefaults = (net: ModelSpec['name'] | undefined): TrainRunOptions =>
  net === 'transformer' ? TRANSFORMER_DEFAULTS : TRAIN_DEFAULTS;

/** Options over defaults, the net's seed and `snapshots` filled in. Throws `argument`; what the training itself checks, it checks. */
export function trainOptions(
  given: Partial<TrainRunOptions>,
): TrainRunOptions & { snapshots: SnapshotPolicy } {
  const options = withDefaults('train', trainDefaults(given.model?.name), given);
  const { epochs, samples } = options;
  checkObject(options.model, 'train: model');
  const model = { ...options.model, seed: options.model.seed ?? TRAIN_DEFAULTS.model.seed };
  guard(
    MODEL_NAMES.includes(model.name),
    'argument',
    () => `train: model: expected a name of ${MODEL_NAMES.join(', ')}, got ${model.name}`,
  );
  guard(
    Number.isInteger(model.seed),
    'argument',
    () => `train: model: seed: expected an integer, got ${model.seed}`,
  );
  guard(
    Number.isInteger(samples) && samples >= 1,
    'argument',
    () => `train: samples: expected an integer ≥ 1, got ${samples}`,
  );
  return {
    ...options,
    model,
    snapshots: options.snapshots ?? {
      init: true,
      epochs: [...new Set([1, 2, 5, epochs])].filter((epoch) => epoch > 0 && epoch <= epochs),
    },
  };
}
