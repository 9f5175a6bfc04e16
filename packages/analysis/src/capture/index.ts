import { guard } from '@epochscope/core-wasm';
import { elementCount } from '../formats/dtypes.js';
import type { Tensor } from '../formats/types.js';
import type { Tf } from '../models/backend.js';
import type { GraphRunner } from '../models/graph/runner.js';
import type { Net } from '../models/net.js';
import { type CaptureOptions, captureAll, probeOfGraph, probeOfNet, type SampleSource } from './batches.js';

export type { CaptureOptions } from './batches.js';
export { readPredictions } from './predictions.js';

/**
 * Outputs of layers on `inputs` (float32 or uint8, n × shape; bytes are divided by 255), all in one pass: layer → float32
 * tensor n × (layer shape). Throws `not-finite` naming layer and sample, `missing`, `cancelled`.
 */
export async function captureOutputs(
  tf: Tf,
  net: Net,
  inputs: Tensor,
  { layers, ...options }: CaptureOptions = {},
): Promise<Map<string, Tensor<Float32Array>>> {
  return captureAll(probeOfNet(tf, net, layers), samplesOf(inputs), options);
}

/**
 * Outputs of a graph's nodes on `inputs` (n × input shape, float32, scaled as the net takes them), in one pass: node →
 * float32 tensor n × shape. Throws `not-finite` naming node and sample, `missing`, `shape`, `cancelled`.
 */
export async function captureGraph(
  runner: GraphRunner,
  inputs: Tensor<Float32Array>,
  { layers, ...options }: CaptureOptions = {},
): Promise<Map<string, Tensor<Float32Array>>> {
  const n = inputs.shape[0]!;
  const size = runner.sizeOf('input');
  guard(
    inputs.data.length === n * size,
    'shape',
    () => `the net takes samples of shape [${runner.graph.inputShape}], got [${inputs.shape.slice(1)}]`,
    { expected: size, got: n ? inputs.data.length / n : 0 },
  );
  return captureAll(probeOfGraph(runner, layers), samplesOf(inputs), options);
}

function samplesOf({ data, shape }: Tensor): SampleSource {
  const size = elementCount(shape.slice(1));
  const scale = data instanceof Uint8Array ? 255 : 1;
  return {
    count: shape[0]!,
    read: (from, to) => {
      const out = new Float32Array((to - from) * size);
      for (let i = 0; i < out.length; i++) out[i] = Number(data[from * size + i]) / scale;
      return out;
    },
  };
}
