import { guard, type Matrix } from '@epochscope/core-wasm';
import { captureOutputs } from '../../capture/index.js';
import { elementCount, toFloat64 } from '../../formats/dtypes.js';
import { rowsEach, tensorToMatrix } from '../../formats/matrix.js';
import type { Tensor, TensorData } from '../../formats/types.js';
import { type UnitLayer, unitOutputs, unitTotal } from '../../methods/modules/index.js';
import { buildModel, loadWeights, type ModelSpec, prepareTf } from '../../models/index.js';
import { random } from '../../random.js';
import { findLayer } from '../../run/manifest.js';
import { outputTensorOf } from '../capture/parts.js';
import { trainingData } from '../training-data.js';
import type { PartContext } from '../types.js';
import type { ModulesTask } from './index.js';

/** Samples that pass through the net, or are read, at a time: one panel of the correlation kernel. */
const BLOCK = 255;

/** The samples drawn. */
export const drawn = (count: number, wanted: number, seed: number): Uint32Array =>
  random(seed, 4).subset(count, Math.min(count, wanted));

/** Outputs of each layer, then of the last, and inputs, of samples from … to of those drawn. */
type Read = (from: number, to: number) => Promise<{ layers: Matrix[]; x: Matrix }>;

/** Unit outputs beside inputs and outputs of the net, block by block. */
export async function blocksOf(
  task: ModulesTask,
  context: PartContext,
): Promise<{
  units: number;
  inputs: number;
  samples: number;
  blocks(): AsyncIterable<readonly [Matrix, Matrix]>;
}> {
  const { layers, units, inputs, outputs, samples } = task;
  const last = context.run.manifest.layers.at(-1)!;
  const read = await (task.data === null ? ofRun(task, context) : throughNet(task, context));
  const width = inputs + outputs;
  const exponential = last.kind === 'log-softmax' && task.outputsAs === 'probability';
  return {
    units: unitTotal(layers),
    inputs: width,
    samples,
    async *blocks() {
      for (let from = 0; from < samples; from += BLOCK) {
        const to = Math.min(samples, from + BLOCK);
        const { layers: parts, x } = await read(from, to);
        const end = parts.at(-1)!;
        const y = new Float32Array((to - from) * width);
        for (let s = 0; s < to - from; s++) {
          y.set(x.data.subarray(s * inputs, (s + 1) * inputs), s * width);
          for (let j = 0; j < outputs; j++) {
            const value = end.data[s * outputs + j]!;
            y[s * width + inputs + j] = exponential ? Math.exp(value) : value;
          }
        }
        yield [
          unitOutputs(layers as UnitLayer[], parts.slice(0, -1), units),
          { data: y, shape: [to - from, width] },
        ] as const;
      }
    },
  };
}

/** Training samples through the run's own net: nothing is written. */
async function throughNet(task: ModulesTask, context: PartContext): Promise<Read> {
  const { run, keep, reads } = context;
  const tf = await prepareTf();
  const data = await trainingData(run, task.data!, task.data, context.dataset);
  const net = await keep('net', run.store.name, () => {
    const built = buildModel(tf, run.manifest.model as unknown as ModelSpec);
    return { ...built, dispose: () => void built.model.dispose() };
  });
  const snapshot = task.snapshot.id;
  loadWeights(tf, net, await run.weights(snapshot, { reads }), `${run.store.name}, snapshot ${snapshot}`);
  const size = elementCount(data.shape);
  const indices = drawn(data.train.count, task.samples, task.seed);
  const last = net.layers.at(-1)!.name;
  const names = task.layers.map(({ name }) => name);
  return async (from, to) => {
    const bytes = new Uint8Array((to - from) * size);
    for (let s = from; s < to; s++)
      bytes.set(data.train.images.subarray(indices[s]! * size, (indices[s]! + 1) * size), (s - from) * size);
    const captured = await captureOutputs(
      tf,
      net,
      { data: bytes, shape: [to - from, ...data.shape], dtype: 'uint8' },
      { layers: [...new Set([...names, last])], batchSize: BLOCK },
    );
    return {
      layers: [...names, last].map((name) => tensorToMatrix(captured.get(name)!, name)),
      x: { data: new Float32Array(bytes).map((v) => v / 255), shape: [to - from, size] },
    };
  };
}

/** The run's own samples, and the outputs that it holds or that were captured. */
async function ofRun(task: ModulesTask, context: PartContext): Promise<Read> {
  const { run, reads } = context;
  const { each, embedding } = task;
  const indices = drawn(run.manifest.samples!.count * each, task.samples, task.seed);
  const inputs = embedding
    ? null
    : await context.keep(
        'inputs drawn',
        `${run.store.name} ${task.samples} ${task.seed} ${each}`,
        async () => {
          const inputs = (await run.inputTensor({ reads, rows: ofSamples(indices) }))!;
          return fromFirst(inputs, 'inputs', rowOf(inputs));
        },
      );
  const bases = new Map<string, Float64Array>();
  const last = run.manifest.layers.at(-1)!;
  const names = [...task.layers.map(({ name }) => name), task.last];
  /** Of rows that are tokens, which sample each is of. */
  function ofSamples(rows: Uint32Array): Uint32Array {
    return each === 1 ? rows : rows.map((row) => Math.floor(row / each));
  }
  return async (from, to) => {
    const chosen = indices.subarray(from, to);
    const layers: Matrix[] = [];
    for (const name of names) {
      const own = findLayer(run.manifest.layers, name, run.store.name);
      const rows = rowsEach(own.layer.shape, own.selection) === each ? chosen : ofSamples(chosen);
      const tensor = await outputTensorOf(context, task.snapshot.id, name, task.captures, rows);
      // Log-probabilities are exponentiated, not compared alone.
      const apart = name !== task.last || last.kind !== 'log-softmax';
      if (apart && !bases.has(name)) bases.set(name, rowOf(tensor));
      layers.push(apart ? fromFirst(tensor, name, bases.get(name)!) : tensorToMatrix(tensor, name));
    }
    if (inputs) return { layers, x: rowsBetween(inputs, from, to) };
    const looked = await outputTensorOf(context, task.snapshot.id, embedding!, task.captures, chosen);
    return { layers, x: tensorToMatrix(looked, embedding!) };
  };
}

const rowOf = ({ data, shape }: Tensor): Float64Array =>
  toFloat64(data.subarray(0, elementCount(shape.slice(1))) as TensorData);

/**
 * What is wider than float32 less its first row, in float64: correlations do not see it, and times, identifiers and coordinates keep their
 * digits.
 */
function fromFirst(tensor: Tensor, name: string, base: Float64Array): Matrix {
  const matrix = tensorToMatrix(tensor, name);
  const { data } = tensor;
  if (!(data instanceof Float64Array || data instanceof BigInt64Array || data instanceof BigUint64Array))
    return matrix;
  const values = toFloat64(data);
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i]! - base[i % base.length]!;
  return { data: out, shape: matrix.shape };
}

const rowsBetween = ({ data, shape: [, width] }: Matrix, from: number, to: number): Matrix => ({
  data: data.subarray(from * width, to * width),
  shape: [to - from, width],
});

/** Throws `missing` where a run holds no samples to correlate with. */
export function checkInputs(found: boolean, where: string): void {
  guard(found, 'missing', () => `${where} holds no samples/inputs.npy to correlate units with`, {
    path: where,
  });
}
