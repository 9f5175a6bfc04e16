import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Tensor as TfTensor, Variable } from '@tensorflow/tfjs';
import type { Dataset } from '../datasets/types.js';
import type { Tf } from '../models/backend.js';
import type { Net } from '../models/net.js';
import { random } from '../random.js';
import { yieldToEventLoop } from '../yield.js';

export interface GradientOptions {
  /** Training samples to average over, drawn without replacement. */
  samples: number;
  seed: number;
  batchSize?: number;
  signal?: AbortSignal;
}

/**
 * ∂L/∂w of one weight tensor, L the mean negative log-likelihood over training samples (no noise). float32, the
 * tensor's own row-major shape; summed in float64. Throws `missing`, `argument`, `cancelled`.
 */
export async function lossGradient(
  tf: Tf,
  net: Net,
  data: Dataset,
  tensor: string,
  { samples, seed, batchSize = 500, signal }: GradientOptions,
): Promise<Float32Array> {
  const layer = net.layers.find(({ parameters }) => parameters.includes(tensor));
  guard(layer, 'missing', () => `the net has no tensor ${tensor}`, { tensor });
  guard(
    Number.isInteger(samples) && samples > 0 && data.train.count > 0,
    'argument',
    () => `samples for the gradient: expected a whole number > 0, got ${samples} of ${data.train.count}`,
  );
  const variable = net.model
    .getLayer(layer.name)
    .weights[layer.parameters.indexOf(tensor)]!.read() as Variable;
  const chosen = random(seed).permutation(data.train.count).subarray(0, samples);
  const size = data.shape.reduce((a, b) => a * b, 1);
  const sum = new Float64Array(variable.size);
  for (let from = 0; from < chosen.length; from += batchSize) {
    if (signal?.aborted) throw new EpochscopeError('cancelled', 'the gradient of the loss was cancelled');
    const indices = chosen.subarray(from, from + batchSize);
    const batch = new Float32Array(indices.length * size);
    indices.forEach((sample, i) => {
      for (let k = 0; k < size; k++) batch[i * size + k] = data.train.images[sample * size + k]! / 255;
    });
    const part = tf.tidy(() => {
      const { grads } = tf.variableGrads(() => {
        const out = net.model.apply(tf.tensor(batch, [indices.length, ...data.shape]), {
          training: true,
        }) as TfTensor;
        const labels = tf.tensor1d(
          Int32Array.from(indices, (i) => data.train.labels[i]!),
          'int32',
        );
        return tf.neg(tf.sum(tf.mul(tf.oneHot(labels, out.shape[1]!), out))) as never;
      }, [variable]);
      return grads[variable.name]!.dataSync<'float32'>();
    });
    for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!;
    await yieldToEventLoop();
  }
  return Float32Array.from(sum, (x) => x / chosen.length);
}
