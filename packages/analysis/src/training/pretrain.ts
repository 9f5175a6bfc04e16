import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Tensor2D } from '@tensorflow/tfjs';
import type { Dataset } from '../datasets/types.js';
import type { Tensor } from '../formats/types.js';
import type { Tf } from '../models/backend.js';
import { type Net, weightsOf } from '../models/net.js';
import { random } from '../random.js';
import type { SnapshotInfo } from '../run/types.js';
import { yieldToEventLoop } from '../yield.js';
import { batchOf } from './batch.js';
import { Rbm } from './rbm.js';

export interface PretrainOptions {
  /** Passes over the training samples for each machine. */
  epochs: number;
  batchSize: number;
  /** Step size of contrastive divergence. */
  learningRate: number;
  /** Initial weights, order of samples and sampled states. */
  seed: number;
  /** So many machines are in the net's weights already. */
  done?: number;
  signal?: AbortSignal;
  onProgress?: (progress: PretrainProgress) => void;
  /** Called when a machine is done, with the whole net's weights; awaited. */
  onSnapshot?: (info: SnapshotInfo, weights: Map<string, Tensor>) => Promise<void> | void;
}

export interface PretrainProgress {
  /** Layer being trained, "F1". */
  layer: string;
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  /** Mean squared difference of data and reconstruction, per visible unit, of this epoch so far. */
  reconstructionError: number;
}

/**
 * Greedy layer-wise pre-training of a Deep Belief Network (Hinton, Osindero & Teh 2006): each dense layer that a
 * logistic layer follows becomes, from the bottom up, a restricted Boltzmann machine on the probabilities of the one
 * below, trained by one step of contrastive divergence (see `Rbm`). Inputs are bytes / 255. The last dense layer keeps
 * its initial weights. Weights go into the net as each machine ends; its visible biases are not part of the net and are
 * dropped. Answers the number of steps taken. The same options give the same weights on one machine.
 * Throws `argument`, `not-finite` at the step where weights stop being numbers, `cancelled`.
 */
export async function pretrain(
  tf: Tf,
  net: Net,
  data: Dataset,
  options: PretrainOptions,
): Promise<{ steps: number }> {
  const { epochs, batchSize, learningRate, seed, signal } = options;
  guard(
    Number.isInteger(epochs) && epochs >= 1,
    'argument',
    () => `pre-training epochs: expected a whole number ≥ 1, got ${epochs}`,
  );
  guard(
    Number.isInteger(batchSize) && batchSize > 0,
    'argument',
    () => `batch size: expected a whole number > 0, got ${batchSize}`,
  );
  guard(
    learningRate > 0 && Number.isFinite(learningRate),
    'argument',
    () => `pre-training rate: expected a number > 0, got ${learningRate}`,
  );
  guard(data.train.count > 0, 'argument', () => `${data.source}: no training samples`);
  const machines = net.layers.filter(
    ({ kind }, i) => kind === 'dense' && net.layers[i + 1]?.kind === 'sigmoid',
  );
  guard(
    machines.length > 0 &&
      net.layers.slice(0, 2 * machines.length).every(({ kind }) => kind === 'dense' || kind === 'sigmoid'),
    'unsupported',
    () =>
      `pre-training: expected dense and logistic layers in turn, got ${net.layers.map(({ kind }) => kind).join(', ')}`,
  );
  const size = data.shape[0] * data.shape[1] * data.shape[2];
  const stepsPerEpoch = Math.ceil(data.train.count / batchSize);
  const steps = machines.length * epochs * stepsPerEpoch;
  let step = (options.done ?? 0) * epochs * stepsPerEpoch;
  for (const [m, { name }] of machines.entries()) {
    if (m < (options.done ?? 0)) continue;
    const [kernel] = net.model.getLayer(name).getWeights();
    const [visible, units] = kernel!.shape as [number, number];
    const rbm = new Rbm(tf, visible, units, random(seed, 0x4b, m));
    try {
      let error = 0;
      for (let epoch = 1; epoch <= epochs; epoch++) {
        const order = random(seed, 0x4b, m, epoch).permutation(data.train.count);
        error = 0;
        for (let from = 0; from < data.train.count; from += batchSize) {
          if (signal?.aborted)
            throw new EpochscopeError(
              'cancelled',
              `pre-training was cancelled in layer ${name}, step ${step}`,
              {
                layer: name,
                step,
              },
            );
          const indices = order.subarray(from, from + batchSize);
          const batch = batchOf(data.train, size, indices, 0, null);
          const mean = tf.tidy(() =>
            rbm.descend(
              upTo(tf, net, m, tf.tensor2d(batch, [indices.length, size])),
              random(seed, 0x4b, m, epoch, step + 1),
              { learningRate, momentum: epoch <= 5 ? 0.5 : 0.9 },
            ),
          );
          step++;
          if (!Number.isFinite(mean))
            throw new EpochscopeError(
              'not-finite',
              `the reconstruction became ${mean} in layer ${name}, step ${step}; try a smaller pre-training rate than ${learningRate}`,
              { layer: name, step },
            );
          error += mean * indices.length;
          const done = Math.min(data.train.count, from + batchSize);
          options.onProgress?.({
            layer: name,
            epoch,
            epochs,
            step,
            steps,
            reconstructionError: error / done,
          });
          if (step % 8 === 0) await yieldToEventLoop();
        }
      }
      tf.tidy(() => net.model.getLayer(name).setWeights([rbm.weights, rbm.hiddenBias]));
      await options.onSnapshot?.(
        {
          id: `rbm-${m + 1}`,
          epoch: null,
          step,
          metrics: { reconstructionError: error / data.train.count },
        },
        weightsOf(net),
      );
    } finally {
      rbm.dispose();
    }
  }
  return { steps };
}

/** Probabilities of the hidden units under machine m: through the machines trained already. */
function upTo(tf: Tf, net: Net, m: number, x: Tensor2D): Tensor2D {
  let values = x;
  for (let i = 0; i < m; i++) {
    const [kernel, bias] = net.model.getLayer(net.layers[2 * i]!.name).getWeights() as [Tensor2D, never];
    values = tf.sigmoid(tf.add(tf.matMul(values, kernel), bias) as Tensor2D);
  }
  return values;
}
