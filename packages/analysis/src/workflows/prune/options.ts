import { guard } from '@epochscope/core-wasm';
import { PAPER_OPTIONS, type PruneOptions, type PruneUnits } from '../../methods/prune/index.js';
import type { RunManifest } from '../../run/types.js';
import { withDefaults } from '../select.js';

/** How the net is trained again after each round. */
export interface Retraining {
  /** Passes over the training samples; 0: not at all. */
  epochs: number;
  batchSize: number;
  optimizer: 'sgd' | 'momentum' | 'adam';
  learningRate: number;
  noise: number;
  seed: number;
  /** Training samples behind ∂L/∂w, for ranking by loss. */
  gradientSamples: number;
}

export interface PruneRunOptions extends PruneOptions {
  /** Snapshot to prune: id, epoch, "first", "last" or "init". */
  snapshot: string | number;
  /** null: the first dense layer; of heads the first that reads attention, of units the first behind an activation. */
  layer: string | null;
  /** What goes at once. Units and heads are ranked whole: without the magnitude step, unless it is asked for. */
  units: PruneUnits;
  /** What is not given is taken from the run's own training, then from the paper. */
  retraining: Partial<Retraining>;
  /** Where the training data is, as `dataset` takes it; null: what the run says. */
  data: string | null;
  /** Ends after the first round whose accuracy after retraining is lower than before pruning by more than this; null: never. */
  stopAfterLoss: number | null;
  /** Of the result. */
  name: string;
}

export const PRUNE_DEFAULTS: PruneRunOptions = {
  ...PAPER_OPTIONS,
  rounds: 3,
  snapshot: 'last',
  layer: null,
  units: 'region',
  retraining: {},
  data: null,
  stopAfterLoss: null,
  name: 'default',
};

/** Options over defaults. Throws `argument`. */
export function pruneOptions(given: Partial<PruneRunOptions>): PruneRunOptions {
  const whole = given.units === 'unit' || given.units === 'head';
  const options = withDefaults('prune', { ...PRUNE_DEFAULTS, ...(whole ? { magnitude: 0 } : {}) }, given);
  const { rounds, stopAfterLoss } = options;
  guard(
    Number.isInteger(rounds) && rounds >= 0,
    'argument',
    () => `rounds: expected an integer ≥ 0, got ${rounds}`,
    { rounds },
  );
  for (const name of ['magnitude', 'regions'] as const)
    guard(
      options[name] >= 0 && options[name] <= 1,
      'argument',
      () => `${name} rate: expected 0 … 1, got ${options[name]}`,
      { [name]: options[name] },
    );
  for (const [name, choices] of [
    ['neighbours', [4, 8]],
    ['ranking', ['network', 'unit', 'loss']],
    ['rateOf', ['count', 'mass']],
    ['units', ['region', 'unit', 'head']],
  ] as const)
    guard(
      (choices as readonly unknown[]).includes(options[name]),
      'argument',
      () => `prune: ${name}: expected one of ${choices.join(', ')}, got ${options[name]}`,
      { got: options[name] },
    );
  guard(
    stopAfterLoss === null || (stopAfterLoss >= 0 && stopAfterLoss <= 1),
    'argument',
    () => `prune: stopAfterLoss: expected 0 … 1, got ${stopAfterLoss}`,
  );
  return options;
}

/** What was asked for, then what the run was trained with, then the paper's setting. Throws `argument`. */
export function retrainingOf({ training }: RunManifest, asked: Partial<Retraining>): Retraining {
  const own = (training ?? {}) as Partial<Retraining>;
  const how = withDefaults<Retraining>(
    'retraining',
    {
      epochs: 5,
      batchSize: own.batchSize ?? 100,
      optimizer: own.optimizer ?? 'sgd',
      learningRate: own.learningRate ?? 0.1,
      noise: own.noise ?? 0,
      seed: own.seed ?? 1,
      gradientSamples: 2000,
    },
    asked,
  );
  // Training refuses these too, but only once a round has been computed.
  guard(
    how.learningRate > 0 && Number.isFinite(how.learningRate),
    'argument',
    () => `learning rate: expected a number > 0, got ${how.learningRate}`,
  );
  guard(
    Number.isInteger(how.batchSize) && how.batchSize > 0,
    'argument',
    () => `batch size: expected an integer > 0, got ${how.batchSize}`,
  );
  guard(
    Number.isInteger(how.epochs) && how.epochs >= 0,
    'argument',
    () => `epochs: expected an integer ≥ 0, got ${how.epochs}`,
  );
  return how;
}

/** The method's own options among a workflow's. */
export const methodOptions = ({
  magnitude,
  regions,
  rounds,
  neighbours,
  ranking,
  rateOf,
}: PruneOptions): PruneOptions => ({ magnitude, regions, rounds, neighbours, ranking, rateOf });
