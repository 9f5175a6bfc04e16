import { EpochscopeError } from '@epochscope/core-wasm';
import type { LayersModel } from '@tensorflow/tfjs';
import type { Tensor } from '../../formats/types.js';
import { type Graph, type GraphNode, type GraphOp, INPUT, type Padding, type Sides } from './types.js';

type Layer = LayersModel['layers'][number];
type Config = Record<string, unknown>;
/** One node of a layer: what its name ends in where others follow, and which parts it reads; INPUT: what the layer reads. Default: the part before. */
type Step = GraphOp & { part?: string; of?: string[] };

/**
 * A tfjs (or Keras) layers model with one input and one output as a graph; weights are copied. Every layer keeps its
 * name; a layer with an activation of its own gives two nodes, "name.linear" and "name". Nodes run in the model's order.
 * Throws `unsupported`, naming the layer, for what a graph cannot say.
 */
export function graphOfModel(model: LayersModel): Graph {
  const weights = new Map<string, Tensor>();
  const nodes: GraphNode[] = [];
  if (model.inputs.length !== 1 || model.outputs.length !== 1)
    throw new EpochscopeError(
      'unsupported',
      `model ${model.name}: expected one input and one output, got ${model.inputs.length} and ${model.outputs.length}`,
    );
  const sourceOf = (tensor: unknown) => (tensor as { sourceLayer: Layer }).sourceLayer.name;
  const inputName = sourceOf(model.inputs[0]);
  let previous = INPUT;
  for (const layer of model.layers) {
    if (layer.getClassName() === 'InputLayer') continue;
    const inputs = sourcesOf(layer, inputName) ?? [previous];
    const steps = stepsOf(layer, (name, data, shape) => {
      const key = `${layer.name}.${name}`;
      weights.set(key, { data, shape, dtype: 'float32' });
      return key;
    });
    let from = inputs;
    steps.forEach(({ part = 'linear', of, ...op }, i) => {
      const name = i === steps.length - 1 ? layer.name : `${layer.name}.${part}`;
      const own = of?.flatMap((one) => (one === INPUT ? inputs : [`${layer.name}.${one}`]));
      nodes.push({ name, inputs: own ?? from, ...op } as GraphNode);
      from = [name];
    });
    previous = layer.name;
  }
  const output = sourceOf(model.outputs[0]);
  // Branches that end elsewhere come before; the net's output is the last node.
  const at = nodes.findIndex(({ name }) => name === output);
  return { inputShape: model.inputs[0]!.shape.slice(1) as number[], nodes: nodes.slice(0, at + 1), weights };
}

/** Names of the layers a layer reads; null for one that was never called by name (a sequential model's). */
function sourcesOf(layer: Layer, inputName: string): string[] | null {
  const nodes = (layer as unknown as { inboundNodes: { inboundLayers: Layer[] }[] }).inboundNodes;
  if (nodes.length > 1)
    throw new EpochscopeError('unsupported', `layer ${layer.name} is used ${nodes.length} times in one net`, {
      layer: layer.name,
    });
  const sources = nodes[0]?.inboundLayers;
  return sources?.length ? sources.map(({ name }) => (name === inputName ? INPUT : name)) : null;
}

const pair = (value: unknown): Sides =>
  (Array.isArray(value) ? [value[0], value[1] ?? value[0]] : [value, value]) as unknown as Sides;

/** Zeros that "same" adds at each side: as TensorFlow, the odd one at the end. */
export function samePadding(space: readonly number[], size: Sides, strides: Sides): Padding {
  return size.flatMap((window, i) => {
    const all = Math.max(0, (Math.ceil(space[i]! / strides[i]!) - 1) * strides[i]! + window - space[i]!);
    return [Math.floor(all / 2), Math.ceil(all / 2)];
  });
}

type Put = (name: string, data: Float32Array, shape: number[]) => string;

function stepsOf(layer: Layer, put: Put): Step[] {
  const kind = layer.getClassName();
  const config = layer.getConfig() as Config;
  const unsupported = (what: string): never => {
    throw new EpochscopeError('unsupported', `layer ${layer.name} (${kind}): ${what}`, { layer: layer.name });
  };
  const input = inputShape(layer);
  const parameters = new Map(
    layer.weights.map((variable, i) => [variable.originalName.split('/').pop()!, layer.getWeights()[i]!]),
  );
  const tensor = (name: string): string => {
    const value = parameters.get(name) ?? unsupported(`it has no ${name}`);
    return put(name, Float32Array.from(value.dataSync()), [...value.shape]);
  };
  if (config.dataFormat === 'channelsFirst') unsupported('expected channels last');
  const windowed = (size: Sides, strides: Sides): Padding =>
    config.padding === 'same' ? samePadding(input, size, strides) : [0, 0, 0, 0];
  const activated = (op: GraphOp): GraphOp[] => {
    const name = String(config.activation ?? 'linear');
    return name === 'linear' ? [op] : [op, activation(name)];
  };
  const activation = (name: string): GraphOp => {
    const known: Record<string, GraphOp> = {
      linear: { kind: 'identity' },
      relu: { kind: 'relu' },
      sigmoid: { kind: 'sigmoid' },
      tanh: { kind: 'tanh' },
      softmax: { kind: 'softmax' },
      logSoftmax: { kind: 'log-softmax' },
      log_softmax: { kind: 'log-softmax' },
    };
    return known[name] ?? unsupported(`activation ${name} is not known`);
  };
  switch (kind) {
    case 'Dense':
      return activated({
        kind: 'dense',
        kernel: tensor('kernel'),
        ...(config.useBias === false ? {} : { bias: tensor('bias') }),
      });
    case 'Conv2D': {
      const [size, strides, dilations] = [
        pair(config.kernelSize),
        pair(config.strides),
        pair(config.dilationRate ?? 1),
      ];
      const whole: Sides = [(size[0]! - 1) * dilations[0]! + 1, (size[1]! - 1) * dilations[1]! + 1];
      return activated({
        kind: 'conv2d',
        kernel: tensor('kernel'),
        ...(config.useBias === false ? {} : { bias: tensor('bias') }),
        strides,
        padding: windowed(whole, strides),
        dilations,
        groups: 1,
      });
    }
    case 'MaxPooling2D': {
      const [size, strides] = [pair(config.poolSize), pair(config.strides ?? config.poolSize)];
      return [{ kind: 'max-pool', size, strides, padding: windowed(size, strides) }];
    }
    case 'AveragePooling2D': {
      const [size, strides] = [pair(config.poolSize), pair(config.strides ?? config.poolSize)];
      return [{ kind: 'average-pool', size, strides, padding: windowed(size, strides), countPadding: false }];
    }
    case 'GlobalAveragePooling2D':
      return [{ kind: 'global-average-pool' }];
    case 'BatchNormalization': {
      if (Number(config.axis ?? -1) !== -1 && Number(config.axis) !== input.length)
        unsupported(`expected the last axis, got axis ${String(config.axis)}`);
      const values = (name: string) => parameters.get(name)?.dataSync<'float32'>();
      const mean = values('moving_mean') ?? unsupported('it has no moving_mean');
      const variance = values('moving_variance') ?? unsupported('it has no moving_variance');
      const gamma = values('gamma');
      const beta = values('beta');
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
      if (config.maxValue !== undefined && config.maxValue !== null)
        unsupported('a largest value is not known');
      return [{ kind: 'relu' }];
    }
    case 'LeakyReLU':
      return [{ kind: 'leaky-relu', slope: Number(config.alpha ?? 0.3) }];
    case 'Activation':
      return [activation(String(config.activation))];
    case 'Softmax':
      return [{ kind: 'softmax' }];
    case 'EpochscopeLogSoftmax':
      return [{ kind: 'log-softmax' }];
    case 'EpochscopePosition':
      return [
        { part: 'positions', of: [], kind: 'constant', value: tensor('table') },
        { of: [INPUT, 'positions'], kind: 'add' },
      ];
    case 'EpochscopeLast':
      return [lastToken(input), { kind: 'reshape', shape: [input[1]!] }];
    case 'EpochscopeAttention':
      return attention(input, Number(config.heads), {
        query: parameters.get('query')!.dataSync<'float32'>(),
        tensor,
        put,
      });
    case 'Flatten':
      return [{ kind: 'flatten' }];
    case 'Reshape': {
      // tfjs leaves a side of -1 open.
      const sides = (layer.outputShape as (number | null)[]).slice(1);
      const known = sides.reduce<number>((a, b) => a * (b ?? 1), 1);
      const size = input.reduce((a, b) => a * b, 1);
      return [{ kind: 'reshape', shape: sides.map((side) => side ?? size / known) }];
    }
    case 'ZeroPadding2D': {
      const p = config.padding as number | [number, number] | [[number, number], [number, number]];
      const [rows, columns] = Array.isArray(p) ? p : [p, p];
      const both = (side: number | [number, number]): [number, number] =>
        Array.isArray(side) ? side : [side, side];
      return [{ kind: 'pad', padding: [...both(rows), ...both(columns)] }];
    }
    case 'Add':
      return [{ kind: 'add' }];
    case 'Concatenate': {
      const axis = Number(config.axis ?? -1);
      if (axis !== -1 && axis !== input.length) unsupported(`expected the last axis, got axis ${axis}`);
      return [{ kind: 'concat' }];
    }
    case 'Dropout':
    case 'SpatialDropout2D':
    case 'GaussianNoise':
      return [{ kind: 'identity' }];
    default:
      return unsupported('this kind of layer is not known');
  }
}

const lastToken = ([tokens, width]: number[]): Step => ({
  part: 'last',
  kind: 'slice',
  begin: [tokens! - 1, 0],
  size: [1, width!],
});

/** What the last token reads: a head's columns lie beside each other, and the scale is in the queries' kernel. */
function attention(
  [tokens, width]: number[],
  heads: number,
  { query, tensor, put }: { query: Float32Array; tensor: (name: string) => string; put: Put },
): Step[] {
  const size = width! / heads;
  const split = (name: string, rows: number): Step[] => [
    { part: `${name}-heads`, kind: 'reshape', shape: [rows, heads, size] },
    { part: `${name}s`, kind: 'transpose', axes: [1, 0, 2] },
  ];
  const scaled = put(
    'query',
    Float32Array.from(query, (value) => value / Math.sqrt(size)),
    [width!, width!],
  );
  return [
    lastToken([tokens!, width!]),
    { part: 'query', kind: 'dense', kernel: scaled },
    ...split('query', 1),
    { part: 'key', of: [INPUT], kind: 'dense', kernel: tensor('key') },
    ...split('key', tokens!),
    { part: 'value', of: [INPUT], kind: 'dense', kernel: tensor('value') },
    ...split('value', tokens!),
    { part: 'scores', of: ['querys', 'keys'], kind: 'matmul', transposeB: true },
    { part: 'shares', kind: 'softmax' },
    { part: 'read', of: ['shares', 'values'], kind: 'matmul' },
    { part: 'joined', kind: 'reshape', shape: [width!] },
    { kind: 'dense', kernel: tensor('output') },
  ];
}

function inputShape(layer: Layer): number[] {
  const shape = (layer.input as { shape?: (number | null)[] } | { shape: number[] }[]) ?? null;
  const first = Array.isArray(shape) ? shape[0] : shape;
  return ((first?.shape ?? []) as number[]).slice(1);
}
