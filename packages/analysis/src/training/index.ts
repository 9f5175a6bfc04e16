import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Optimizer, Tensor as TfTensor, Variable } from '@tensorflow/tfjs';
import type { Dataset, Split } from '../datasets/types.js';
import type { Tensor } from '../formats/types.js';
import type { Tf } from '../models/backend.js';
import { loadWeights, type Net, weightsOf } from '../models/net.js';
import { random } from '../random.js';
import type { LayerInfo, SnapshotInfo } from '../run/types.js';
import { yieldToEventLoop } from '../yield.js';
import { batchOf, type Standardise } from './batch.js';
import { type SnapshotPolicy, snapshotPlan } from './policy.js';
import { optimizerState, restoreOptimizer, type TrainState } from './state.js';

export type { Standardise } from './batch.js';
export { type SnapshotPolicy, snapshotPlan } from './policy.js';
export { type PretrainOptions, pretrain } from './pretrain.js';
export type { TrainState } from './state.js';

/**
 * Snapshots between epochs are tested only when this many times the test samples were trained on since the last test:
 * a pass forwards costs a third of a training step, and testing at every batch would take most of the time.
 */
const EVALUATION_SPACING = 5;
/** Milliseconds after which others have their turn, however few steps were taken: a pause is heard by then. */
const LONGEST_TURN = 50;

export interface TrainOptions {
  epochs: number;
  batchSize: number;
  /** adamw: Adam with β₂ = 0.98, ε = 10⁻⁸ and weights that decay apart from it (Loshchilov & Hutter 2019). */
  optimizer: 'sgd' | 'momentum' | 'adam' | 'adamw';
  learningRate: number;
  /** adamw: each step takes this share, times the rate, off every weight; default 0. */
  weightDecay?: number;
  /** Order of samples and noise; initial weights have the model's seed. */
  seed: number;
  /** Standard deviation of normal noise added to inputs (which are in 0 … 1); 0 for none. */
  noise: number;
  /** Inputs less this mean, over this standard deviation, before noise; default as they are. */
  standardise?: Standardise;
  snapshots: SnapshotPolicy;
  /** uint8 per tensor name, 1 = kept: weights removed are held at exactly 0. */
  masks?: ReadonlyMap<string, Uint8Array>;
  signal?: AbortSignal;
  onProgress?: (progress: TrainProgress) => void;
  /**
   * Called after each step with the net as it is now, a `Net`, which must stay so; a promise is awaited. Its type stands for itself: the
   * published types name none of tfjs's.
   */
  onStep?: (
    progress: TrainProgress,
    net: { model: unknown; layers: LayerInfo[] },
  ) => Promise<void> | undefined;
  /** Goes on from where a training with the same options stood. */
  from?: TrainState;
  /** Asked between steps whether to keep the state now; `keep` is awaited. Also kept when it is cancelled. */
  state?: { due(): boolean; keep(state: TrainState): Promise<void> };
  /** Called with each snapshot, awaited before training goes on. `testAccuracy` and `testLoss` are there at whole epochs, and between them now and then. */
  onSnapshot?: (info: SnapshotInfo, weights: Map<string, Tensor>) => Promise<void> | void;
}

export interface TrainProgress {
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  /** Mean loss of this epoch so far. */
  loss: number;
  /** Since training began, without evaluation and snapshots. */
  imagesPerSecond: number;
}

export interface TrainSummary {
  steps: number;
  imagesPerSecond: number;
  testAccuracy: number;
  testLoss: number;
}

/**
 * Trains a classifier whose last layer gives log-probabilities, by mini-batch gradient descent on the mean negative
 * log-likelihood. Inputs are bytes / 255 plus noise. The same options give the same weights, bit by bit, on one machine.
 * Throws `not-finite` at the step where the loss stops being a number, `cancelled`, `shape`.
 */
export async function train(tf: Tf, net: Net, data: Dataset, options: TrainOptions): Promise<TrainSummary> {
  const { epochs, batchSize, seed, noise, signal } = options;
  guard(
    Number.isInteger(epochs) && epochs >= 0,
    'argument',
    () => `epochs: expected a whole number ≥ 0, got ${epochs}`,
  );
  guard(
    Number.isInteger(batchSize) && batchSize > 0,
    'argument',
    () => `batch size: expected a whole number > 0, got ${batchSize}`,
  );
  guard(
    options.learningRate > 0 && Number.isFinite(options.learningRate),
    'argument',
    () => `learning rate: expected a number > 0, got ${options.learningRate}`,
  );
  const { weightDecay = 0 } = options;
  guard(
    weightDecay >= 0 && Number.isFinite(weightDecay),
    'argument',
    () => `weight decay: expected a number ≥ 0, got ${weightDecay}`,
  );
  guard(
    weightDecay === 0 || options.optimizer === 'adamw',
    'argument',
    () => `weight decay: expected optimizer adamw, got ${options.optimizer}`,
  );
  guard(noise >= 0 && Number.isFinite(noise), 'argument', () => `noise: expected a number ≥ 0, got ${noise}`);
  guard(data.train.count > 0, 'argument', () => `${data.source}: no training samples`);
  const stepsPerEpoch = Math.ceil(data.train.count / batchSize);
  const wanted = snapshotPlan(options.snapshots, epochs, stepsPerEpoch);
  const optimizer = makeOptimizer(tf, options);
  const masks = maskTensors(tf, net, options.masks);
  const size = data.shape[0] * data.shape[1] * data.shape[2];
  const { from: start } = options;
  let step = start?.step ?? 0;
  let images = start?.images ?? 0;
  let lossSum = start?.lossSum ?? 0;
  let imagesAtEvaluation = start?.imagesAtEvaluation ?? Number.NEGATIVE_INFINITY;
  /** Of this process. */
  let busy = 0;
  let imagesHere = 0;
  let yielded = performance.now();
  const keepState = async () =>
    options.state?.keep({
      step,
      lossSum,
      images,
      imagesAtEvaluation: Number.isFinite(imagesAtEvaluation) ? imagesAtEvaluation : null,
      weights: weightsOf(net),
      optimizer: await optimizerState(optimizer),
    });
  const snapshot = async (epoch: number, trainLoss: number | null) => {
    const whole = step % stepsPerEpoch === 0;
    const metrics: Record<string, number> = {};
    if (whole || images - imagesAtEvaluation >= EVALUATION_SPACING * data.test.count) {
      const evaluation = evaluate(tf, net, data.test, data.shape, undefined, options.standardise);
      metrics.testAccuracy = evaluation.accuracy;
      metrics.testLoss = evaluation.loss;
      imagesAtEvaluation = images;
    }
    if (trainLoss !== null) metrics.loss = trainLoss;
    const id =
      step === 0
        ? 'init'
        : whole
          ? `epoch-${String(epoch).padStart(4, '0')}`
          : `step-${String(step).padStart(8, '0')}`;
    await options.onSnapshot?.(
      { id, epoch: step === 0 ? 0 : whole ? epoch : null, step, metrics },
      weightsOf(net),
    );
  };

  try {
    if (start) {
      loadWeights(tf, net, start.weights, 'state of the training');
      await restoreOptimizer(tf, optimizer, start.optimizer);
    } else {
      for (const mask of masks) mask.apply();
      if (wanted.has(0)) await snapshot(0, null);
    }
    for (let epoch = Math.floor(step / stepsPerEpoch) + 1; epoch <= epochs; epoch++) {
      const order = random(seed, epoch).permutation(data.train.count);
      const first = (step % stepsPerEpoch) * batchSize;
      if (first === 0) lossSum = 0;
      for (let from = first; from < data.train.count; from += batchSize) {
        if (signal?.aborted) {
          await keepState();
          throw new EpochscopeError('cancelled', `training was cancelled in epoch ${epoch}, step ${step}`, {
            epoch,
            step,
          });
        }
        const begun = performance.now();
        const indices = order.subarray(from, from + batchSize);
        const inputs = batchOf(
          data.train,
          size,
          indices,
          noise,
          noise > 0 ? random(seed, epoch, step + 1) : null,
          options.standardise,
        );
        const labels = Int32Array.from(indices, (i) => data.train.labels[i]!);
        const kept = 1 - options.learningRate * weightDecay;
        const loss = descend(tf, net, optimizer, inputs, labels, data.shape, kept);
        for (const mask of masks) mask.apply();
        step++;
        if (!Number.isFinite(loss))
          throw new EpochscopeError(
            'not-finite',
            `the loss became ${loss} in epoch ${epoch}, step ${step}; try a smaller learning rate than ${options.learningRate}`,
            { epoch, step },
          );
        lossSum += loss * indices.length;
        images += indices.length;
        imagesHere += indices.length;
        busy += performance.now() - begun;
        const progress: TrainProgress = {
          epoch,
          epochs,
          step,
          steps: epochs * stepsPerEpoch,
          loss: lossSum / Math.min(data.train.count, from + batchSize),
          imagesPerSecond: (1000 * imagesHere) / busy,
        };
        options.onProgress?.(progress);
        if (wanted.has(step)) await snapshot(epoch, progress.loss);
        await options.onStep?.(progress, net);
        if (options.state?.due()) await keepState();
        // Lets signals, timers and progress bars run.
        if (step % 8 === 0 || performance.now() - yielded > LONGEST_TURN) {
          await yieldToEventLoop();
          yielded = performance.now();
        }
      }
    }
    const { accuracy, loss } = evaluate(tf, net, data.test, data.shape, undefined, options.standardise);
    return {
      steps: step,
      imagesPerSecond: busy ? (1000 * imagesHere) / busy : 0,
      testAccuracy: accuracy,
      testLoss: loss,
    };
  } finally {
    optimizer.dispose();
    for (const mask of masks) mask.dispose();
  }
}

function makeOptimizer(tf: Tf, { optimizer, learningRate }: TrainOptions): Optimizer {
  if (optimizer === 'sgd') return tf.train.sgd(learningRate);
  if (optimizer === 'momentum') return tf.train.momentum(learningRate, 0.9);
  if (optimizer === 'adam') return tf.train.adam(learningRate);
  if (optimizer === 'adamw') return tf.train.adam(learningRate, 0.9, 0.98, 1e-8);
  throw new EpochscopeError('argument', `optimizer: expected sgd, momentum, adam or adamw, got ${optimizer}`);
}

/** One update, of weights times `kept`; answers the batch's mean loss before it. */
function descend(
  tf: Tf,
  net: Net,
  optimizer: Optimizer,
  inputs: Float32Array,
  labels: Int32Array,
  shape: readonly number[],
  kept: number,
): number {
  return tf.tidy(() => {
    const x = tf.tensor(inputs, [labels.length, ...shape]);
    const variables = net.model.trainableWeights.map((weight) => weight.read() as Variable);
    const { value, grads } = optimizer.computeGradients(() => {
      const logProbabilities = net.model.apply(x, { training: true }) as TfTensor;
      const hot = tf.oneHot(tf.tensor1d(labels, 'int32'), logProbabilities.shape[1]!);
      return tf.neg(tf.sum(tf.mul(hot, logProbabilities))).div(labels.length) as never;
    }, variables);
    if (kept !== 1) for (const variable of variables) variable.assign(tf.mul(variable, kept));
    optimizer.applyGradients(variables.map(({ name }) => ({ name, tensor: grads[name]! })));
    return value.dataSync()[0]!;
  });
}

function maskTensors(tf: Tf, net: Net, masks: TrainOptions['masks']): { apply(): void; dispose(): void }[] {
  return [...(masks ?? [])].map(([name, mask]) => {
    const layer = net.layers.find(({ parameters }) => parameters.includes(name));
    guard(layer, 'missing', () => `mask: the net has no tensor ${name}`, { tensor: name });
    const variable = net.model
      .getLayer(layer.name)
      .weights[layer.parameters.indexOf(name)]!.read() as Variable;
    guard(
      variable.size === mask.length,
      'shape',
      () => `mask of ${name}: expected ${variable.size} values, got ${mask.length}`,
      { tensor: name },
    );
    const tensor = tf.tensor(
      Float32Array.from(mask, (kept) => (kept ? 1 : 0)),
      variable.shape,
    );
    return {
      apply: () => tf.tidy(() => variable.assign(tf.mul(variable, tensor))),
      dispose: () => tensor.dispose(),
    };
  });
}

/** Share of right answers and mean negative log-likelihood on a split. 0 and 0 for an empty one. */
export function evaluate(
  tf: Tf,
  net: Net,
  split: Split,
  shape: readonly number[],
  batchSize = 500,
  standardise?: Standardise,
): { accuracy: number; loss: number } {
  const size = shape.reduce((a, b) => a * b, 1);
  let right = 0;
  let loss = 0;
  for (let from = 0; from < split.count; from += batchSize) {
    const count = Math.min(batchSize, split.count - from);
    const indices = Array.from({ length: count }, (_, i) => from + i);
    const batch = batchOf(split, size, indices, 0, null, standardise);
    const out = tf.tidy(() =>
      (net.model.predictOnBatch(tf.tensor(batch, [count, ...shape])) as TfTensor).dataSync<'float32'>(),
    );
    const classes = out.length / count;
    for (let i = 0; i < count; i++) {
      const row = out.subarray(i * classes, (i + 1) * classes);
      const label = split.labels[from + i]!;
      if (row.indexOf(row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)) === label) right++;
      loss -= row[label]!;
    }
  }
  return split.count ? { accuracy: right / split.count, loss: loss / split.count } : { accuracy: 0, loss: 0 };
}
