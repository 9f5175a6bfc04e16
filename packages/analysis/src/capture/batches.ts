import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { firstNotFinite } from '@epochscope/core-wasm/jobs';
import type { LayersModel, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { JobOptions } from '../engine/types.js';
import { elementCount } from '../formats/dtypes.js';
import type { Tensor } from '../formats/types.js';
import type { Tf } from '../models/backend.js';
import type { GraphRunner } from '../models/graph/runner.js';
import type { Net } from '../models/net.js';

/** Samples that pass through a net at once, where their activations are small. */
const BATCH = 250;
/** Fewer pass where all activations of a batch would take more than this. */
const BATCH_BYTES = 64e6;

/** Samples a batch of a net with so many values a sample, inputs and all layers: decided by the net alone, so that every way gives the same bits. */
export const batchSizeOf = (values: number): number =>
  Math.max(1, Math.min(BATCH, Math.floor(BATCH_BYTES / (4 * values))));

/** A net made ready to give some layers' outputs, a batch at a time. */
export interface Probe {
  /** Name and shape (of one sample) of each layer asked for. */
  readonly layers: readonly { name: string; shape: readonly number[] }[];
  readonly inputShape: readonly number[];
  readonly batchSize: number;
  /** Layer → outputs of `count` samples, float32 count × its shape, in an array of their own. `x`: count × input shape. */
  run(x: Float32Array, count: number): Map<string, Float32Array>;
}

/** Layers (default all) of a net of ours. Throws `missing`. */
export function probeOfNet(tf: Tf, net: Net, names?: readonly string[]): Probe {
  const layers = (names ?? net.layers.map(({ name }) => name)).map((name) => {
    const info = net.layers.find((layer) => layer.name === name);
    guard(
      info,
      'missing',
      () => `the net has no layer ${name}; it has ${net.layers.map((layer) => layer.name).join(', ')}`,
      { layer: name },
    );
    return info;
  });
  const inputShape = (net.model.inputs[0]!.shape as number[]).slice(1);
  const values = net.layers.reduce((sum, { shape }) => sum + elementCount(shape), elementCount(inputShape));
  // Without layers it is never run.
  const model =
    layers.length > 0 &&
    tf.model({
      inputs: net.model.inputs,
      outputs: layers.map(({ name }) => net.model.getLayer(name).output as never),
    });
  return {
    layers,
    inputShape,
    batchSize: batchSizeOf(values),
    run(x, count) {
      const outputs = new Map<string, Float32Array>();
      tf.tidy(() => {
        const out = (model as LayersModel).predictOnBatch(tf.tensor(x, [count, ...inputShape])) as
          | TfTensor
          | TfTensor[];
        (Array.isArray(out) ? out : [out]).forEach((tensor, l) => {
          outputs.set(layers[l]!.name, tensor.dataSync<'float32'>());
        });
      });
      return outputs;
    },
  };
}

/** Nodes (default all) of a graph. Throws `missing`. */
export function probeOfGraph(runner: GraphRunner, names?: readonly string[]): Probe {
  const all = names ?? runner.graph.nodes.map(({ name }) => name);
  const values = [...runner.shapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
  for (const name of all) runner.sizeOf(name);
  return {
    layers: all.map((name) => ({ name, shape: runner.shapes.get(name)! })),
    inputShape: runner.graph.inputShape,
    batchSize: batchSizeOf(values),
    run: (x, count) => runner.run(x, count, all),
  };
}

/** Samples as a net takes them, read when they are wanted. */
export interface SampleSource {
  count: number;
  /** Samples from … to, float32. */
  read(from: number, to: number): Float32Array | Promise<Float32Array>;
}

export interface CaptureOptions extends JobOptions {
  /** Names of layers to capture; default all. */
  layers?: readonly string[];
  /** Default: 250, or as many as have 64 MB of activations. */
  batchSize?: number;
}

/** Outputs of samples from … from + count − 1. */
export interface CapturedBatch {
  from: number;
  count: number;
  outputs: Map<string, Float32Array>;
}

/**
 * Layer outputs batch by batch: no more than a batch is in memory, however many samples there are. Throws `shape`, `not-finite` naming
 * layer and sample, `cancelled`.
 */
export async function* captureBatches(
  probe: Probe,
  samples: SampleSource,
  { signal, onProgress, batchSize = probe.batchSize }: Omit<CaptureOptions, 'layers'> = {},
): AsyncGenerator<CapturedBatch> {
  const n = samples.count;
  const size = elementCount(probe.inputShape);
  for (let from = 0; from < n && probe.layers.length; from += batchSize) {
    if (signal?.aborted)
      throw new EpochscopeError('cancelled', `capturing was cancelled at sample ${from} of ${n}`, {
        sample: from,
      });
    const count = Math.min(batchSize, n - from);
    const x = await samples.read(from, from + count);
    guard(
      x.length === count * size,
      'shape',
      () => `the net takes samples of shape [${probe.inputShape}] (${size} values), got ${x.length / count}`,
      { expected: size, got: x.length / count },
    );
    const outputs = probe.run(x, count);
    for (const [name, values] of outputs) {
      const at = firstNotFinite(values);
      const sample = from + Math.floor((at * count) / values.length);
      guard(
        at < 0,
        'not-finite',
        () => `layer ${name}: expected finite outputs, got ${values[at]} for sample ${sample}`,
        { layer: name, sample },
      );
    }
    yield { from, count, outputs };
    onProgress?.(from + count, n);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** The same, all in memory: layer → float32 tensor n × its shape. */
export async function captureAll(
  probe: Probe,
  samples: SampleSource,
  options: Omit<CaptureOptions, 'layers'> = {},
): Promise<Map<string, Tensor<Float32Array>>> {
  const all = new Map(
    probe.layers.map(({ name, shape }) => [
      name,
      {
        data: new Float32Array(samples.count * elementCount(shape)),
        shape: [samples.count, ...shape],
        dtype: 'float32' as const,
      },
    ]),
  );
  for await (const { from, count, outputs } of captureBatches(probe, samples, options))
    for (const [name, values] of outputs) all.get(name)!.data.set(values, (from * values.length) / count);
  return all;
}
