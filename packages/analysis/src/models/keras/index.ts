import { EpochscopeError } from '@epochscope/core-wasm';
import { variablesOf } from '../../formats/keras.js';
import type { Tensor } from '../../formats/types.js';
import { samePadding } from '../graph/from-model.js';
import { shapeOf, shapesOf } from '../graph/shapes.js';
import { type Graph, type GraphNode, type GraphOp, INPUT, type Padding, type Pair } from '../graph/types.js';
import { type KerasLayer, layersOfConfig } from './config.js';

/**
 * A Keras model (its to_json(), config.json or a tfjs modelTopology; Keras 1 to 3, sequential or functional, one input, one
 * output) as a graph. `weights` by "<layer>.<variable>": each layer's own. Layers keep their names; one with an activation
 * of its own gives two nodes, "name.linear" and "name"; a separable convolution "name.depthwise" before them. Throws `unsupported` naming the layer, `missing`, `shape`, `format`.
 */
export function graphOfKeras(config: unknown, weights: ReadonlyMap<string, Tensor>, file: string): Graph {
  const { layers, output } = layersOfConfig(config, file);
  const kept = new Map<string, Tensor>();
  const nodes: GraphNode[] = [];
  const graph: Graph = { inputShape: [], nodes, weights: kept };
  const shapes = new Map<string, number[]>();
  let inputName = '';
  for (const layer of layers) {
    if (layer.kind === 'InputLayer') {
      graph.inputShape = inputShapeOf(layer, file);
      inputName = layer.name;
      shapes.set(INPUT, graph.inputShape);
      continue;
    }
    if (!shapes.size) {
      // A sequential model may tell its input by its first layer.
      graph.inputShape = inputShapeOf(layer, file);
      shapes.set(INPUT, graph.inputShape);
    }
    const inputs = (layer.inputs ?? [nodes[nodes.length - 1]?.name ?? INPUT]).map((name) =>
      name === inputName ? INPUT : name,
    );
    const sizes = inputs.map(
      (name) => shapes.get(name) ?? refuse(layer, file, `its input ${name} does not come before it`),
    );
    const steps = stepsOf(layer, sizes, weights, kept, file);
    let from = inputs;
    steps.forEach(({ part = 'linear', ...step }, i) => {
      const name = i === steps.length - 1 ? layer.name : `${layer.name}.${part}`;
      const node = { name, inputs: from, ...step } as GraphNode;
      shapes.set(
        name,
        shapeOf(
          graph,
          node,
          from.map((source) => shapes.get(source)!),
        ),
      );
      nodes.push(node);
      from = [name];
    });
  }
  const at = output === null ? nodes.length - 1 : nodes.findIndex(({ name }) => name === output);
  const whole = { ...graph, nodes: nodes.slice(0, at + 1) };
  shapesOf(whole);
  return whole;
}

function refuse(
  layer: KerasLayer,
  file: string,
  message: string,
  code: 'unsupported' | 'missing' = 'unsupported',
): never {
  throw new EpochscopeError(code, `${file}: layer ${layer.name} (${layer.kind}): ${message}`, {
    file,
    layer: layer.name,
  });
}

/** An activation's name; newer Kerases may write it as an object of theirs. */
function wordOf(given: unknown): unknown {
  if (given === null || given === undefined) return 'linear';
  const {
    module,
    config,
    class_name: kind,
  } = given as { module?: unknown; config?: unknown; class_name?: unknown };
  return module === 'builtins' || kind === 'function' ? config : given;
}

function inputShapeOf(layer: KerasLayer, file: string): number[] {
  const shape = layer.config.batch_shape ?? layer.config.batch_input_shape ?? layer.config.batchInputShape;
  const sides = Array.isArray(shape) ? shape.slice(1) : [];
  if (!sides.length || sides.length > 3 || !sides.every((side) => Number.isSafeInteger(side) && side > 0))
    return refuse(
      layer,
      file,
      `expected the shape of one sample, got ${JSON.stringify(shape)?.slice(0, 60)}`,
    );
  return sides as number[];
}

/** One node of a layer, and what its name ends in where others follow. */
type Step = GraphOp & { part?: string };

function stepsOf(
  layer: KerasLayer,
  inputs: number[][],
  weights: ReadonlyMap<string, Tensor>,
  kept: Map<string, Tensor>,
  file: string,
): Step[] {
  const { config, kind, name } = layer;
  const [input] = inputs as [number[]];
  const fail = (message: string): never => refuse(layer, file, message);
  const floats = (variable: string): { data: Float32Array; shape: readonly number[] } | null => {
    // Weights alone number the variables of a layer that has fewer than usual.
    const place = variablesOf(kind, config).indexOf(variable);
    const tensor = weights.get(`${name}.${variable}`) ?? weights.get(`${name}.vars.${place}`);
    return tensor ? { data: Float32Array.from(tensor.data as ArrayLike<number>), shape: tensor.shape } : null;
  };
  const put = (variable: string, data: Float32Array, shape: readonly number[]): string => {
    kept.set(`${name}.${variable}`, { data, shape, dtype: 'float32' });
    return `${name}.${variable}`;
  };
  const need = (variable: string) =>
    floats(variable) ?? refuse(layer, file, `expected its ${variable} among the weights`, 'missing');
  const bias = () => {
    if (config.use_bias === false) return {};
    const { data, shape } = need('bias');
    return { bias: put('bias', data, shape) };
  };
  const pair = (value: unknown, otherwise?: Pair): Pair => {
    if ((value === undefined || value === null) && otherwise) return otherwise;
    const both = Array.isArray(value) ? value : [value, value];
    return both.length === 2 && both.every((n) => Number.isSafeInteger(n) && n > 0)
      ? (both as unknown as Pair)
      : fail(`expected one or two whole numbers > 0, got ${JSON.stringify(value)?.slice(0, 60)}`);
  };
  const image = () => (input.length === 3 ? input : fail(`expected an image, got shape [${input}]`));
  const windowed = (size: Pair, strides: Pair): Padding =>
    config.padding === 'same' ? samePadding(image(), size, strides) : [0, 0, 0, 0];
  const activation = (given: unknown): GraphOp | null => {
    const known: Record<string, GraphOp | null> = {
      linear: null,
      relu: { kind: 'relu' },
      relu6: { kind: 'clip', min: 0, max: 6 },
      leaky_relu: { kind: 'leaky-relu', slope: 0.2 },
      elu: { kind: 'elu', alpha: 1, factor: 1 },
      selu: { kind: 'elu', alpha: 1.6732632423543772, factor: 1.0507009873554805 },
      gelu: { kind: 'gelu' },
      silu: { kind: 'silu' },
      swish: { kind: 'silu' },
      mish: { kind: 'mish' },
      softplus: { kind: 'softplus' },
      sigmoid: { kind: 'sigmoid' },
      // Keras 3's; Keras 2 has 0.2 x + 0.5 under the same name.
      hard_sigmoid: { kind: 'hard-sigmoid', alpha: layer.keras2 ? 0.2 : 1 / 6, beta: 0.5 },
      hard_silu: { kind: 'hard-swish' },
      hard_swish: { kind: 'hard-swish' },
      tanh: { kind: 'tanh' },
      softmax: { kind: 'softmax' },
      log_softmax: { kind: 'log-softmax' },
    };
    const word = wordOf(given);
    return typeof word === 'string' && Object.hasOwn(known, word)
      ? known[word]!
      : fail(`activation ${JSON.stringify(word)?.slice(0, 60)} is not known`);
  };
  const activated = (op: GraphOp): Step[] => {
    const after = activation(config.activation);
    return after ? [op, after] : [op];
  };
  const lastAxis = (axis: unknown, otherwise: number) => {
    const value = Array.isArray(axis) && axis.length === 1 ? axis[0] : (axis ?? otherwise);
    if (value !== -1 && value !== input.length)
      fail(`expected the last axis, got axis ${JSON.stringify(value)?.slice(0, 20)}`);
  };
  if (config.data_format === 'channels_first') fail('expected channels last');
  const convolution = (groups: number, kernel: { data: Float32Array; shape: readonly number[] }): Step[] => {
    const [strides, dilations] = [pair(config.strides, [1, 1]), pair(config.dilation_rate, [1, 1])];
    const [h, w] = kernel.shape as [number, number];
    return activated({
      kind: 'conv2d',
      kernel: put('kernel', kernel.data, kernel.shape),
      ...bias(),
      strides,
      padding: windowed([(h - 1) * dilations[0] + 1, (w - 1) * dilations[1] + 1], strides),
      dilations,
      groups,
    });
  };
  switch (kind) {
    case 'Dense': {
      const { data, shape } = need('kernel');
      return activated({ kind: 'dense', kernel: put('kernel', data, shape), ...bias() });
    }
    case 'Conv2D':
      return convolution(Number(config.groups ?? 1), need('kernel'));
    case 'DepthwiseConv2D': {
      // [h, w, in, multiplier] is one group a channel: [h, w, 1, in · multiplier]. Keras 2 calls it depthwise_kernel.
      const { data, shape } = floats('kernel') ?? need('depthwise_kernel');
      if (shape.length !== 4) fail(`expected a kernel of four axes, got shape [${shape}]`);
      const [h, w, channels, multiplier] = shape as [number, number, number, number];
      return convolution(channels, { data, shape: [h, w, 1, channels * multiplier] });
    }
    case 'SeparableConv2D': {
      const { data, shape } = need('depthwise_kernel');
      const point = need('pointwise_kernel');
      if (shape.length !== 4) fail(`expected a kernel of four axes, got shape [${shape}]`);
      const [h, w, channels, multiplier] = shape as [number, number, number, number];
      const [strides, dilations] = [pair(config.strides, [1, 1]), pair(config.dilation_rate, [1, 1])];
      return [
        {
          kind: 'conv2d',
          part: 'depthwise',
          kernel: put('depthwise_kernel', data, [h, w, 1, channels * multiplier]),
          strides,
          padding: windowed([(h - 1) * dilations[0] + 1, (w - 1) * dilations[1] + 1], strides),
          dilations,
          groups: channels,
        },
        ...activated({
          kind: 'conv2d',
          kernel: put('pointwise_kernel', point.data, point.shape),
          ...bias(),
          strides: [1, 1],
          padding: [0, 0, 0, 0],
          dilations: [1, 1],
          groups: 1,
        }),
      ];
    }
    case 'MaxPooling2D':
    case 'AveragePooling2D': {
      const size = pair(config.pool_size, [2, 2]);
      const strides = pair(config.strides, size);
      const padding = windowed(size, strides);
      return kind === 'MaxPooling2D'
        ? [{ kind: 'max-pool', size, strides, padding }]
        : [{ kind: 'average-pool', size, strides, padding, countPadding: false }];
    }
    case 'GlobalAveragePooling2D': {
      const channels = image()[2]!;
      return config.keepdims
        ? [
            { kind: 'global-average-pool', part: 'mean' },
            { kind: 'reshape', shape: [1, 1, channels] },
          ]
        : [{ kind: 'global-average-pool' }];
    }
    case 'GlobalMaxPooling2D': {
      const [height, width, channels] = image() as [number, number, number];
      const whole = { size: [height, width], strides: [1, 1], padding: [0, 0, 0, 0] } as const;
      return [
        { kind: 'max-pool', ...whole, ...(config.keepdims ? {} : { part: 'max' }) },
        ...(config.keepdims ? [] : [{ kind: 'reshape' as const, shape: [channels] }]),
      ];
    }
    case 'LayerNormalization': {
      lastAxis(config.axis, -1);
      if (config.rms_scaling) fail('rms_scaling is not known');
      const channels = input[input.length - 1]!;
      const own = (variable: string, otherwise: number) =>
        put(variable, floats(variable)?.data ?? new Float32Array(channels).fill(otherwise), [channels]);
      if (config.scale !== false) need('gamma');
      if (config.center !== false) need('beta');
      return [
        {
          kind: 'layer-norm',
          scale: own('gamma', 1),
          offset: own('beta', 0),
          epsilon: Number(config.epsilon ?? 1e-3),
        },
      ];
    }
    case 'Rescaling':
    case 'Normalization': {
      const channels = input[input.length - 1]!;
      const spread = (value: unknown, otherwise: number): Float32Array => {
        const list = (Array.isArray(value) ? value.flat(8) : [value ?? otherwise]) as unknown[];
        if (![1, channels].includes(list.length) || !list.every((x) => typeof x === 'number'))
          return fail(`expected one number, or one for each of ${channels} channels`);
        return Float32Array.from({ length: channels }, (_, c) => Number(list[list.length === 1 ? 0 : c]));
      };
      let [scale, offset] = [spread(config.scale, 1), spread(config.offset, 0)];
      if (kind === 'Normalization') {
        lastAxis(config.axis, -1);
        if (config.invert) fail('invert is not known');
        // What adapt() found is among the weights; what was given is in the configuration.
        const [mean, variance] = ['mean', 'variance'].map(
          (part, i) => floats(part)?.data ?? spread(config[part] ?? fail(`it has no ${part}`), i),
        ) as [Float32Array, Float32Array];
        scale = variance.map((v) => 1 / Math.max(Math.sqrt(v), 1e-7));
        offset = mean.map((m, c) => -m * scale[c]!);
      }
      return [
        {
          kind: 'batch-norm',
          scale: put('scale', scale, [channels]),
          offset: put('offset', offset, [channels]),
        },
      ];
    }
    case 'BatchNormalization': {
      lastAxis(config.axis, -1);
      const [mean, variance] = [need('moving_mean').data, need('moving_variance').data];
      const [gamma, beta] = [floats('gamma')?.data, floats('beta')?.data];
      const epsilon = Number(config.epsilon ?? 1e-3);
      const scale = Float32Array.from(variance, (v, i) => (gamma?.[i] ?? 1) / Math.sqrt(v + epsilon));
      const offset = Float32Array.from(scale, (s, i) => (beta?.[i] ?? 0) - mean[i]! * s);
      return [
        {
          kind: 'batch-norm',
          scale: put('scale', scale, [scale.length]),
          offset: put('offset', offset, [offset.length]),
        },
      ];
    }
    case 'ReLU': {
      const slope = Number(config.negative_slope ?? 0);
      const max = config.max_value ?? null;
      if ((max !== null && slope !== 0) || Number(config.threshold ?? 0) !== 0)
        fail('threshold, or max_value with negative_slope, are not known');
      if (max !== null) return [{ kind: 'clip', min: 0, max: Number(max) }];
      return [slope ? { kind: 'leaky-relu', slope } : { kind: 'relu' }];
    }
    case 'LeakyReLU':
      return [{ kind: 'leaky-relu', slope: Number(config.negative_slope ?? config.alpha ?? 0.3) }];
    case 'ELU':
      return [{ kind: 'elu', alpha: Number(config.alpha ?? 1), factor: 1 }];
    case 'Activation':
      return [activation(config.activation) ?? { kind: 'identity' }];
    case 'Softmax':
      lastAxis(config.axis, -1);
      return [{ kind: 'softmax' }];
    case 'EpochscopeLogSoftmax':
      return [{ kind: 'log-softmax' }];
    case 'Flatten':
      return [{ kind: 'flatten' }];
    case 'Reshape': {
      // An open side is -1 in Keras, null in tfjs.
      const target: unknown = Array.isArray(config.target_shape)
        ? config.target_shape.map((side) => side ?? -1)
        : null;
      if (!Array.isArray(target) || target.length > 3 || !target.every((side) => Number.isSafeInteger(side)))
        return fail('expected target_shape');
      const sides = target as number[];
      const size = input.reduce((a, b) => a * b, 1);
      const known = sides.reduce((a, b) => (b === -1 ? a : a * b), 1);
      return [{ kind: 'reshape', shape: sides.map((side) => (side === -1 ? size / known : side)) }];
    }
    case 'ZeroPadding2D': {
      const given = config.padding;
      const [rows, columns]: unknown[] = Array.isArray(given) ? given : [given, given];
      const both = (side: unknown): unknown[] => (Array.isArray(side) ? side : [side, side]);
      const padding = [...both(rows), ...both(columns)] as number[];
      if (padding.length !== 4 || !padding.every((n) => Number.isSafeInteger(n) && n >= 0))
        return fail('expected padding');
      return [{ kind: 'pad', padding: padding as unknown as Padding }];
    }
    case 'Add':
      return [{ kind: 'add' }];
    case 'Multiply':
      if (inputs.length !== 2) fail(`expected two inputs, got ${inputs.length}`);
      return [{ kind: 'multiply' }];
    case 'Concatenate':
      lastAxis(config.axis, -1);
      return [{ kind: 'concat' }];
    case 'Dropout':
    case 'SpatialDropout2D':
    case 'GaussianNoise':
    case 'GaussianDropout':
    case 'ActivityRegularization':
    case 'AlphaDropout':
    case 'RandomFlip':
    case 'RandomRotation':
    case 'RandomZoom':
    case 'RandomTranslation':
    case 'RandomContrast':
    case 'RandomBrightness':
      // They change nothing but while training.
      return [{ kind: 'identity' }];
    default:
      return fail('this kind of layer is not known');
  }
}
