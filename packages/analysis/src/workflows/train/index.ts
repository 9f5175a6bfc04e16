import { guard } from '@epochscope/core-wasm';
import type { Dataset } from '../../datasets/types.js';
import { elementCount } from '../../formats/dtypes.js';
import type { Tensor } from '../../formats/types.js';
import { buildModel, type ModelSpec, type Net, prepareTf, type Tf, weightsOf } from '../../models/index.js';
import type { SnapshotInfo } from '../../run/types.js';
import { createRun } from '../../run/write.js';
import type { Place } from '../../stores/of.js';
import { evaluate, pretrain, type SnapshotPolicy, snapshotPlan, train } from '../../training/index.js';
import type { WorkflowOptions } from '../run.js';
import { withDefaults } from '../select.js';

export interface TrainRunOptions {
  model: Omit<ModelSpec, 'inputShape' | 'classes'>;
  epochs: number;
  batchSize: number;
  optimizer: 'sgd' | 'momentum' | 'adam';
  learningRate: number;
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
  epochs: 10,
  batchSize: 100,
  optimizer: 'adam',
  learningRate: 0.001,
  noise: 0.1,
  pretrain: null,
  seed: 1,
  snapshots: null,
  samples: 1000,
};

export interface TrainSummaryOfRun {
  imagesPerSecond: number;
  testAccuracy: number;
  snapshots: number;
}

export interface TrainRunHow extends Pick<WorkflowOptions, 'signal' | 'onProgress' | 'onNote'> {
  /** Replaces a run that is there. */
  overwrite?: boolean;
}

type Keep = (info: SnapshotInfo, weights: Map<string, Tensor>) => Promise<void>;

/**
 * Trains a net of ours and writes the run: samples, snapshots, metrics. Same options, data and seed, same bits. Cut off, it leaves a run that
 * opens, with the snapshots so far. Throws `argument`, `io` before anything is written where that can be known, `cancelled`.
 */
export async function trainRun(
  place: Place,
  data: Dataset,
  given: Partial<TrainRunOptions> = {},
  { overwrite = false, signal, onProgress, onNote }: TrainRunHow = {},
): Promise<TrainSummaryOfRun> {
  const options = withDefaults('train', TRAIN_DEFAULTS, given);
  const { epochs, batchSize, optimizer, learningRate, noise, seed } = options;
  guard(
    Number.isInteger(options.samples) && options.samples >= 1,
    'argument',
    () => `train: samples: expected an integer ≥ 1, got ${options.samples}`,
  );
  const snapshots: SnapshotPolicy = options.snapshots ?? {
    init: true,
    epochs: [...new Set([1, 2, 5, epochs])].filter((epoch) => epoch > 0 && epoch <= epochs),
  };
  // Refused before anything is written.
  snapshotPlan(snapshots, epochs, Math.ceil(data.train.count / batchSize));
  const tf = await prepareTf();
  const spec: ModelSpec = { ...options.model, inputShape: [...data.shape], classes: data.classes.length };
  const net = buildModel(tf, spec);
  const training = {
    data: `${data.name} (${data.source})`,
    trainingSamples: data.train.count,
    testSamples: data.test.count,
    epochs,
    batchSize,
    optimizer,
    learningRate,
    noise,
    seed,
    ...(options.pretrain ? { pretrain: options.pretrain } : {}),
  };
  const writer = await createRun(
    place,
    { model: { ...spec }, layers: net.layers, classes: data.classes, inputShape: [...data.shape], training },
    { overwrite },
  );
  try {
    const count = Math.min(options.samples, data.test.count);
    await writer.writeSamples({
      inputs: {
        data: data.test.images.subarray(0, count * elementCount(data.shape)),
        shape: [count, ...data.shape],
        dtype: 'uint8',
      },
      labels: Uint32Array.from(data.test.labels.subarray(0, count)),
      source: `first ${count} test samples of ${data.name}`,
    });
    let kept = 0;
    const keep: Keep = async (info, weights) => {
      // Chosen epochs are folders that people copy and open; steps by the thousand go into the log.
      if ('epochs' in snapshots) await writer.writeSnapshot(info, weights);
      else await writer.appendSnapshot(info, weights);
      kept++;
      const { testAccuracy, reconstructionError } = info.metrics;
      if (reconstructionError !== undefined)
        onNote?.(`  ${info.id}: reconstruction error ${reconstructionError.toFixed(4)}`);
      else if (info.epoch !== null)
        onNote?.(`  ${info.id}: test accuracy ${(100 * (testAccuracy ?? 0)).toFixed(2)} %`);
    };
    const report = reporter(onProgress, options.pretrain ? 2 : 1);
    const before = options.pretrain
      ? await pretrainFirst(
          tf,
          net,
          data,
          { ...options, pretrain: options.pretrain, snapshots },
          keep,
          signal,
          report,
        )
      : 0;
    const summary = await train(tf, net, data, {
      ...options,
      signal,
      onProgress: ({ epoch, step, steps, loss, imagesPerSecond }) =>
        report(
          'Training',
          options.pretrain ? 1 : 0,
          step / steps,
          `epoch ${epoch}/${epochs}, loss ${loss.toFixed(3)}, ${Math.round(imagesPerSecond)} images/s`,
        ),
      // After pre-training the untrained state has been written, and steps go on counting.
      snapshots: before ? { ...snapshots, init: false } : snapshots,
      onSnapshot: (info, weights) => keep(before ? later(info, before) : info, weights),
    });
    await writer.finish();
    return { ...summary, snapshots: kept };
  } finally {
    await writer.close();
    net.model.dispose();
  }
}

/** Writes the untrained state and the net after each restricted Boltzmann machine; answers the steps taken. */
async function pretrainFirst(
  tf: Tf,
  net: Net,
  data: Dataset,
  {
    pretrain: how,
    batchSize,
    seed,
    snapshots,
  }: {
    pretrain: NonNullable<TrainRunOptions['pretrain']>;
    batchSize: number;
    seed: number;
    snapshots: SnapshotPolicy;
  },
  keep: Keep,
  signal: AbortSignal | undefined,
  report: ReturnType<typeof reporter>,
): Promise<number> {
  if (snapshots.init) {
    const { accuracy, loss } = evaluate(tf, net, data.test, data.shape);
    await keep(
      { id: 'init', epoch: 0, step: 0, metrics: { testAccuracy: accuracy, testLoss: loss } },
      weightsOf(net),
    );
  }
  const { steps } = await pretrain(tf, net, data, {
    ...how,
    batchSize,
    seed,
    signal,
    onProgress: ({ layer, epoch, epochs, step, steps, reconstructionError }) =>
      report(
        'Pre-training',
        0,
        step / steps,
        `${layer}, epoch ${epoch}/${epochs}, reconstruction error ${reconstructionError.toFixed(4)}`,
      ),
    onSnapshot: keep,
  });
  return steps;
}

/** A snapshot of the training proper, with the steps of pre-training counted. */
function later(info: SnapshotInfo, before: number): SnapshotInfo {
  const step = info.step! + before;
  return { ...info, step, id: info.epoch === null ? `step-${String(step).padStart(8, '0')}` : info.id };
}

/** Progress over stages of equal weight, with the time left of the stage at hand. */
function reporter(onProgress: WorkflowOptions['onProgress'], stages: number) {
  let begun = performance.now();
  let current = '';
  return (stage: string, done: number, stageShare: number, title: string): void => {
    if (stage !== current) {
      current = stage;
      begun = performance.now();
    }
    const seconds = (performance.now() - begun) / 1000;
    onProgress?.({
      share: (done + stageShare) / stages,
      stage,
      title,
      stageShare,
      secondsLeft: stageShare > 0 && seconds > 0.5 ? (seconds * (1 - stageShare)) / stageShare : null,
    });
  };
}
