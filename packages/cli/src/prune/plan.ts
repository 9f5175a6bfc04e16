import type { Run, SnapshotInfo } from '@epochscope/analysis';
import {
  type Figure,
  type PictureLayout,
  type PruneOptions,
  type PruneResult,
  RESULT_FORMAT,
  type Tensor,
  toolInfo,
} from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import type { PruneNet, Retraining } from './target.js';

export interface PruneRunOptions {
  /** Run directory to write. */
  output: string;
  overwrite?: boolean;
  /** Go on with a run that was cut off, with the same options; "if-there": if there is one. */
  resume?: boolean | 'if-there';
  /** Snapshot to prune; default the last. */
  snapshot?: string;
  /** Default: the first dense layer. */
  layer?: string;
  prune: PruneOptions;
  /** What is not given is taken from the run's own training. */
  retraining: Partial<Retraining>;
  /** Where the training data is; default: what the run says. */
  data?: string;
  /** Ends after the first round whose accuracy after retraining is lower than before pruning by more than this. */
  stopAfterLoss?: number;
  /** Name of the result. */
  name?: string;
}

/** All that is known before the first round. */
export interface Plan {
  run: Run;
  snapshot: SnapshotInfo;
  layout: PictureLayout;
  kernel: Float32Array;
  shape: readonly number[];
  weights: ReadonlyMap<string, Tensor>;
  own: PruneNet | null;
  retraining: Retraining;
  options: PruneRunOptions;
  sha256: string;
  folder: string;
}

/** What was asked for, then what the run was trained with, then the paper's setting. */
export function retrainingOf({ manifest }: Run, asked: Partial<Retraining>): Retraining {
  const { batchSize, optimizer, learningRate, noise, seed } = (manifest.training ??
    {}) as Partial<Retraining>;
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  const how: Retraining = {
    epochs: 5,
    batchSize: batchSize ?? 100,
    optimizer: optimizer ?? 'sgd',
    learningRate: learningRate ?? 0.1,
    noise: noise ?? 0,
    seed: seed ?? 1,
    gradientSamples: 2000,
    ...given,
  };
  // Training refuses these too, but only once a round has been written.
  guard(
    how.learningRate > 0 && Number.isFinite(how.learningRate),
    'argument',
    () => `learning rate: expected a number > 0, got ${how.learningRate}`,
  );
  guard(
    Number.isInteger(how.batchSize) && how.batchSize > 0,
    'argument',
    () => `batch size: expected a whole number > 0, got ${how.batchSize}`,
  );
  return how;
}

/** What makes two prunings the same: kept in run.json, compared on resuming. */
export function recordOf({
  run,
  snapshot,
  layout,
  options,
  retraining,
  own,
  sha256,
}: Plan): Record<string, unknown> {
  return {
    source: run.name,
    snapshot: snapshot.id,
    layer: layout.layer,
    ...options.prune,
    stopAfterLoss: options.stopAfterLoss ?? null,
    retraining: own ? { ...retraining } : null,
    sha256,
  };
}

/** The result but for its rounds. */
export function describe(
  plan: Plan,
  accuracyBefore: Figure,
): Omit<PruneResult, 'rounds' | 'complete' | 'seconds'> {
  const { run, snapshot, layout, options, retraining, own } = plan;
  return {
    format: RESULT_FORMAT,
    method: 'prune',
    name: options.name ?? 'default',
    tool: toolInfo,
    input: {
      source: run.name,
      files: { [`${snapshot.id}/${layout.tensor}`]: { sha256: plan.sha256 } },
    },
    parameters: {
      ...options.prune,
      layer: layout.layer,
      snapshot: snapshot.id,
      stopAfterLoss: options.stopAfterLoss ?? null,
      retraining: own ? { ...retraining } : null,
      data: own ? `${own.data.name} (${own.data.source})` : null,
    },
    seeds: own ? { retraining: retraining.seed } : {},
    layout,
    snapshot: { id: snapshot.id, epoch: snapshot.epoch, step: snapshot.step },
    options: options.prune,
    accuracyBefore,
    weightsBefore: plan.kernel,
  };
}
