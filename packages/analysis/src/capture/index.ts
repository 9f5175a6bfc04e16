import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { JobOptions } from '../engine/types.js';
import type { Tensor } from '../formats/types.js';
import type { Tf } from '../models/backend.js';
import type { Net } from '../models/net.js';

export { readPredictions } from './predictions.js';

export interface CaptureOptions extends JobOptions {
  /** Names of layers to capture; default all. */
  layers?: readonly string[];
  batchSize?: number;
  /** Number of the first sample, for messages, where these are some of many. */
  first?: number;
}

/**
 * Outputs of layers on `inputs` (float32 or uint8, n × shape; bytes are divided by 255), all in one pass: layer → float32
 * tensor n × (layer shape). Throws `not-finite` naming layer and sample, `missing`, `cancelled`.
 */
export async function captureOutputs(
  tf: Tf,
  net: Net,
  inputs: Tensor,
  options: CaptureOptions = {},
): Promise<Map<string, Tensor<Float32Array>>> {
  const names = options.layers ?? net.layers.map(({ name }) => name);
  const infos = names.map((name) => {
    const info = net.layers.find((layer) => layer.name === name);
    guard(
      info,
      'missing',
      () => `the net has no layer ${name}; it has ${net.layers.map((layer) => layer.name).join(', ')}`,
      { layer: name },
    );
    return info;
  });
  const [n, ...shape] = inputs.shape as [number, ...number[]];
  const size = shape.reduce((a, b) => a * b, 1);
  const { first = 0 } = options;
  const batchSize = options.batchSize ?? 250;
  const outputs = new Map(
    infos.map((info) => [
      info.name,
      {
        data: new Float32Array(n * info.shape.reduce((a, b) => a * b, 1)),
        shape: [n, ...info.shape],
        dtype: 'float32' as const,
      },
    ]),
  );
  if (!infos.length) return outputs;
  const probe = tf.model({
    inputs: net.model.inputs,
    outputs: infos.map(({ name }) => net.model.getLayer(name).output as never),
  });
  const scale = inputs.data instanceof Uint8Array ? 255 : 1;
  for (let from = 0; from < n; from += batchSize) {
    if (options.signal?.aborted)
      throw new EpochscopeError('cancelled', `capturing was cancelled at sample ${from} of ${n}`, {
        sample: from,
      });
    const count = Math.min(batchSize, n - from);
    const batch = new Float32Array(count * size);
    for (let i = 0; i < batch.length; i++) batch[i] = Number(inputs.data[from * size + i]) / scale;
    tf.tidy(() => {
      const out = probe.predictOnBatch(tf.tensor(batch, [count, ...shape])) as TfTensor | TfTensor[];
      (Array.isArray(out) ? out : [out]).forEach((tensor, l) => {
        const values = tensor.dataSync<'float32'>();
        const at = values.findIndex((x) => !Number.isFinite(x));
        const width = values.length / count;
        guard(
          at < 0,
          'not-finite',
          () =>
            `layer ${infos[l]!.name}: expected finite outputs, got ${values[at]} for sample ${first + from + Math.floor(at / width)}`,
          { layer: infos[l]!.name, sample: first + from + Math.floor(at / width) },
        );
        outputs.get(infos[l]!.name)!.data.set(values, from * width);
      });
    });
    options.onProgress?.(from + count, n);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return outputs;
}
