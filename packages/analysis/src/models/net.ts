import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type {
  LayersModel,
  SymbolicTensor,
  Tensor1D,
  Tensor4D,
  Tensor as TfTensor,
  layers as tfLayers,
} from '@tensorflow/tfjs';
import type { Tensor } from '../formats/types.js';
import { random } from '../random.js';
import type { LayerInfo } from '../run/types.js';
import type { Tf } from './backend.js';

type Layer = ReturnType<typeof tfLayers.dense>;

/** A built net: one tfjs layer per named layer, so that each can be captured. */
export interface Net {
  model: LayersModel;
  layers: LayerInfo[];
}

/** Steps of a net, added in order; `build` ends the chain. */
export interface Chain {
  conv2d(
    name: string,
    filters: number,
    kernelSize: number,
    padding?: 'valid' | 'same',
    strides?: number,
  ): Chain;
  dense(name: string, units: number): Chain;
  relu(name: string): Chain;
  sigmoid(name: string): Chain;
  maxPool(name: string, size?: number): Chain;
  logSoftmax(name: string): Chain;
  build(): Net;
}

/** Normal initial weights of our own numbers: tfjs draws its by Math.log, which differs between engines. */
function normal(tf: Tf, deviation: number, seed: number) {
  const source = random(seed);
  const apply = (shape: number[]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return tf.tensor(
      Float32Array.from({ length: size }, () => deviation * source.normal()),
      shape,
    );
  };
  return Object.assign(tf.initializers.zeros(), { apply });
}

/**
 * Starts a chain of named layers. Initialisers are seeded from `seed` and the layer's place: kernels Glorot uniform,
 * limit √(6/(fan in + fan out)), or normal with the standard deviation `deviation`; biases 0.
 */
export function chain(tf: Tf, inputShape: readonly number[], seed: number, deviation?: number): Chain {
  const input = tf.input({ shape: [...inputShape] });
  let last: SymbolicTensor = input;
  let place = 0;
  const layers: LayerInfo[] = [];
  const add = (kind: string, name: string, layer: Layer, parameters: string[] = []) => {
    last = layer.apply(last) as SymbolicTensor;
    layers.push({
      name,
      kind,
      shape: last.shape.slice(1) as number[],
      parameters: parameters.map((p) => `${name}.${p}`),
    });
    return builder;
  };
  const kernelInitializer = () => {
    const own = (Math.imul(seed, 7919) + ++place) | 0;
    return deviation === undefined
      ? tf.initializers.glorotUniform({ seed: own })
      : normal(tf, deviation, own);
  };
  const builder: Chain = {
    conv2d(name, filters, kernelSize, padding = 'valid', strides = 1) {
      const layer = tf.layers.conv2d({
        name,
        filters,
        kernelSize,
        padding,
        strides,
        kernelInitializer: kernelInitializer(),
      }) as never as Layer;
      if (last === input) leaveInputOut(tf, layer, padding, strides);
      return add('conv2d', name, layer, ['kernel', 'bias']);
    },
    dense(name, units) {
      if (last.shape.length > 2)
        last = tf.layers.flatten({ name: `${name}_flatten` }).apply(last) as SymbolicTensor;
      return add('dense', name, tf.layers.dense({ name, units, kernelInitializer: kernelInitializer() }), [
        'kernel',
        'bias',
      ]);
    },
    relu: (name) => add('relu', name, tf.layers.reLU({ name }) as never),
    sigmoid: (name) => add('sigmoid', name, tf.layers.activation({ name, activation: 'sigmoid' }) as never),
    maxPool: (name, size = 2) =>
      add('max-pool', name, tf.layers.maxPooling2d({ name, poolSize: size, strides: size }) as never),
    logSoftmax: (name) => add('log-softmax', name, new (logSoftmaxLayer(tf))({ name }) as never),
    build: () => ({ model: tf.model({ inputs: input, outputs: last }), layers }),
  };
  return builder;
}

/**
 * Gives a first convolution a gradient for its parameters alone. tfjs's fused convolution also computes the one for its
 * input, which nobody asks of a net's samples and which takes LeNet-5 a fifth of a step. Bits stay as they were.
 */
function leaveInputOut(tf: Tf, layer: Layer, pad: 'valid' | 'same', strides: number): void {
  layer.call = (inputs) => {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;
    const [kernel, bias] = layer.weights.map((weight) => weight.read()) as [Tensor4D, Tensor1D];
    const convolve = tf.customGrad((filter, offsets, save) => {
      (save as (tensors: TfTensor[]) => void)([x]);
      const gradient = (dy: Tensor4D, saved: TfTensor[]) => [
        tf
          .engine()
          .runKernel(
            'Conv2DBackpropFilter',
            { x: saved[0]!, dy },
            { strides, pad, dataFormat: 'NHWC', filterShape: kernel.shape },
          ) as Tensor4D,
        tf.sum(dy, [0, 1, 2]),
      ];
      const value = tf.fused.conv2d({
        x,
        filter: filter as Tensor4D,
        bias: offsets as Tensor1D,
        strides,
        pad,
      });
      return { value, gradFunc: gradient as never };
    });
    return tf.tidy(() => convolve(kernel, bias));
  };
}

let LogSoftmax: (new (config: { name: string }) => unknown) | null = null;

/** tfjs has no log-softmax layer. */
export function logSoftmaxLayer(tf: Tf): new (config: { name: string }) => unknown {
  if (LogSoftmax) return LogSoftmax;
  class EpochscopeLogSoftmax extends tf.layers.Layer {
    static className = 'EpochscopeLogSoftmax';
    override computeOutputShape(shape: never) {
      return shape;
    }
    override call(inputs: never) {
      return tf.logSoftmax(Array.isArray(inputs) ? inputs[0] : inputs);
    }
  }
  tf.serialization.registerClass(EpochscopeLogSoftmax);
  LogSoftmax = EpochscopeLogSoftmax as never;
  return LogSoftmax!;
}

/** "C1.kernel" → float32 copy of every parameter, in layer order. */
export function weightsOf(net: Net): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const { name, parameters } of net.layers) {
    const weights = parameters.length ? net.model.getLayer(name).getWeights() : [];
    parameters.forEach((parameter, i) => {
      tensors.set(parameter, {
        data: Float32Array.from(weights[i]!.dataSync()),
        shape: [...weights[i]!.shape],
        dtype: 'float32',
      });
    });
  }
  return tensors;
}

/** Puts weights into a net. Throws `missing`, `shape` or `format`, naming the tensor; nothing is changed then. */
export function loadWeights(tf: Tf, net: Net, weights: ReadonlyMap<string, Tensor>, source: string): void {
  const planned: [string, { data: Float32Array; shape: number[] }[]][] = [];
  for (const { name, parameters } of net.layers) {
    if (!parameters.length) continue;
    const current = net.model.getLayer(name).getWeights();
    const values = parameters.map((parameter, i) => {
      const tensor = weights.get(parameter);
      guard(
        tensor,
        'missing',
        () => `${source}: expected a tensor ${parameter}; it has ${[...weights.keys()].join(', ')}`,
        { tensor: parameter },
      );
      const expected = current[i]!.shape;
      guard(
        tensor.shape.join() === expected.join(),
        'shape',
        () => `${source}: tensor ${parameter}: expected shape [${expected}], got [${tensor.shape}]`,
        { tensor: parameter },
      );
      if (!(tensor.data instanceof Float32Array))
        throw new EpochscopeError(
          'format',
          `${source}: tensor ${parameter}: expected float32, got ${tensor.dtype}`,
          { tensor: parameter },
        );
      return { data: tensor.data, shape: [...tensor.shape] };
    });
    planned.push([name, values]);
  }
  for (const [name, values] of planned) {
    tf.tidy(() =>
      net.model.getLayer(name).setWeights(values.map(({ data, shape }) => tf.tensor(data, shape))),
    );
  }
}
