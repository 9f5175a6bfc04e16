import {
  buildModel,
  createRun,
  type Dataset,
  evaluate,
  type ModelSpec,
  type Net,
  prepareTf,
  pretrain,
  type SnapshotInfo,
  type SnapshotPolicy,
  snapshotPlan,
  type Tensor,
  train,
  weightsOf,
} from '@epochscope/analysis';
import type { Output } from './output.js';

export interface TrainRunOptions {
  directory: string;
  overwrite: boolean;
  data: Dataset;
  model: Omit<ModelSpec, 'inputShape' | 'classes'>;
  epochs: number;
  batchSize: number;
  optimizer: 'sgd' | 'momentum' | 'adam';
  learningRate: number;
  noise: number;
  /** dbn: contrastive divergence before the training proper. */
  pretrain?: { epochs: number; learningRate: number };
  seed: number;
  snapshots: SnapshotPolicy;
  /** Test samples kept for analysis: the first of them. */
  samples: number;
}

/** Trains a net and writes the run: samples, snapshots, metrics. */
export async function trainRun(
  options: TrainRunOptions,
  output: Output,
): Promise<{ imagesPerSecond: number; testAccuracy: number; snapshots: number }> {
  const { data } = options;
  // Refused before anything is written.
  snapshotPlan(options.snapshots, options.epochs, Math.ceil(data.train.count / options.batchSize));
  const tf = await prepareTf();
  const spec: ModelSpec = { ...options.model, inputShape: [...data.shape], classes: data.classes.length };
  const net = buildModel(tf, spec);
  const training = {
    data: `${data.name} (${data.source})`,
    trainingSamples: data.train.count,
    testSamples: data.test.count,
    epochs: options.epochs,
    batchSize: options.batchSize,
    optimizer: options.optimizer,
    learningRate: options.learningRate,
    noise: options.noise,
    seed: options.seed,
    ...(options.pretrain ? { pretrain: options.pretrain } : {}),
  };
  const writer = await createRun(
    options.directory,
    { model: { ...spec }, layers: net.layers, classes: data.classes, inputShape: [...data.shape], training },
    { overwrite: options.overwrite },
  );
  const count = Math.min(options.samples, data.test.count);
  const size = data.shape.reduce((a, b) => a * b, 1);
  await writer.writeSamples({
    inputs: {
      data: data.test.images.subarray(0, count * size),
      shape: [count, ...data.shape],
      dtype: 'uint8',
    },
    labels: Uint32Array.from(data.test.labels.subarray(0, count)),
    source: `first ${count} test samples of ${data.name}`,
  });
  let snapshots = 0;
  const keep = async (info: SnapshotInfo, weights: Map<string, Tensor>) => {
    // Chosen epochs are folders that people copy and open; steps by the thousand go into the log.
    if ('epochs' in options.snapshots) await writer.writeSnapshot(info, weights);
    else await writer.appendSnapshot(info, weights);
    snapshots++;
    const { testAccuracy, reconstructionError } = info.metrics;
    if (reconstructionError !== undefined)
      output.say(`  ${info.id}: reconstruction error ${reconstructionError.toFixed(4)}`);
    else if (info.epoch !== null)
      output.say(`  ${info.id}: test accuracy ${(100 * (testAccuracy ?? 0)).toFixed(2)} %`);
  };
  const before = options.pretrain ? await pretrainFirst(options, net, keep, output) : 0;
  const progress = output.progress('Training');
  try {
    const summary = await train(tf, net, data, {
      ...options,
      signal: output.signal,
      onProgress: ({ epoch, epochs, step, steps, loss, imagesPerSecond }) =>
        progress.update(
          step,
          steps,
          `epoch ${epoch}/${epochs}, loss ${loss.toFixed(3)}, ${Math.round(imagesPerSecond)} images/s`,
        ),
      // After pre-training the untrained state has been written, and steps go on counting.
      ...(before ? { snapshots: { ...options.snapshots, init: false } } : {}),
      onSnapshot: (info, weights) => keep(before ? later(info, before) : info, weights),
    });
    await writer.finish();
    return { ...summary, snapshots };
  } finally {
    progress.stop();
    await writer.close();
  }
}

/** Writes the untrained state and the net after each restricted Boltzmann machine; answers the steps taken. */
async function pretrainFirst(
  { data, pretrain: how, batchSize, seed, snapshots }: TrainRunOptions,
  net: Net,
  keep: (info: SnapshotInfo, weights: Map<string, Tensor>) => Promise<void>,
  output: Output,
): Promise<number> {
  const tf = await prepareTf();
  if (snapshots.init) {
    const { accuracy, loss } = evaluate(tf, net, data.test, data.shape);
    await keep(
      { id: 'init', epoch: 0, step: 0, metrics: { testAccuracy: accuracy, testLoss: loss } },
      weightsOf(net),
    );
  }
  const progress = output.progress('Pre-training');
  try {
    const { steps } = await pretrain(tf, net, data, {
      ...how!,
      batchSize,
      seed,
      signal: output.signal,
      onProgress: ({ layer, epoch, epochs, step, steps, reconstructionError }) =>
        progress.update(
          step,
          steps,
          `${layer}, epoch ${epoch}/${epochs}, reconstruction error ${reconstructionError.toFixed(4)}`,
        ),
      onSnapshot: keep,
    });
    return steps;
  } finally {
    progress.stop();
  }
}

/** A snapshot of the training proper, with the steps of pre-training counted. */
function later(info: SnapshotInfo, before: number): SnapshotInfo {
  const step = info.step! + before;
  return { ...info, step, id: info.epoch === null ? `step-${String(step).padStart(8, '0')}` : info.id };
}
