import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Tensor } from '../formats/types.js';
import type { GraphRunner } from '../models/graph/runner.js';
import type { CaptureOptions } from './index.js';

/**
 * Outputs of a graph's nodes on `inputs` (n × input shape, float32, scaled as the net takes them), in one pass: node →
 * float32 tensor n × shape. Throws `not-finite` naming node and sample, `missing`, `shape`, `cancelled`.
 */
export async function captureGraph(
  runner: GraphRunner,
  inputs: Tensor<Float32Array>,
  options: CaptureOptions = {},
): Promise<Map<string, Tensor<Float32Array>>> {
  const names = options.layers ?? runner.graph.nodes.map(({ name }) => name);
  const n = inputs.shape[0]!;
  const size = runner.sizeOf('input');
  guard(
    inputs.data.length === n * size,
    'shape',
    () => `the net takes samples of shape [${runner.graph.inputShape}], got [${inputs.shape.slice(1)}]`,
    { expected: size, got: n ? inputs.data.length / n : 0 },
  );
  const outputs = new Map(
    names.map((name) => [
      name,
      {
        data: new Float32Array(n * runner.sizeOf(name)),
        shape: [n, ...runner.shapes.get(name)!],
        dtype: 'float32' as const,
      },
    ]),
  );
  const { first = 0 } = options;
  const batch = options.batchSize ?? 250;
  for (let from = 0; from < n && names.length; from += batch) {
    if (options.signal?.aborted)
      throw new EpochscopeError('cancelled', `capturing was cancelled at sample ${from} of ${n}`, {
        sample: from,
      });
    const count = Math.min(batch, n - from);
    const got = runner.run(inputs.data.subarray(from * size, (from + count) * size), count, names);
    for (const [name, values] of got) {
      const at = values.findIndex((x) => !Number.isFinite(x));
      const width = values.length / count;
      guard(
        at < 0,
        'not-finite',
        () =>
          `layer ${name}: expected finite outputs, got ${values[at]} for sample ${first + from + Math.floor(at / width)}`,
        { layer: name, sample: first + from + Math.floor(at / width) },
      );
      outputs.get(name)!.data.set(values, from * width);
    }
    options.onProgress?.(from + count, n);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return outputs;
}
