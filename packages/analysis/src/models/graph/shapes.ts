import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { ELEMENTWISE } from './elementwise.js';
import { type Graph, type GraphNode, INPUT, type Padding, type Pair } from './types.js';

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Output side of a window moved over a padded image; a last window that does not fit is left out. */
export const windowed = (side: number, before: number, after: number, size: number, stride: number) =>
  Math.floor((side + before + after - size) / stride) + 1;

/**
 * Checks a graph and answers the shape of each node's output for one sample, 'input' included. Throws `format`, `shape`,
 * `missing` or `unsupported`, naming the node.
 */
export function shapesOf(graph: Graph): Map<string, number[]> {
  const shapes = new Map<string, number[]>([[INPUT, [...graph.inputShape]]]);
  guard(graph.nodes.length > 0, 'format', 'the graph has no nodes');
  for (const node of graph.nodes) {
    const { name } = node;
    guard(!shapes.has(name), 'format', () => `node ${name}: expected a name of its own, but it is taken`, {
      node: name,
    });
    const inputs = node.inputs.map((from) => {
      const shape = shapes.get(from);
      guard(
        shape,
        'missing',
        () => `node ${name}: expected its input ${from} before it, but there is no such node`,
        { node: name, input: from },
      );
      return shape;
    });
    const many = node.kind === 'concat' || node.kind === 'add';
    const count = node.kind === 'multiply' ? 2 : 1;
    guard(
      many ? inputs.length >= 1 : inputs.length === count,
      'format',
      () =>
        `node ${name} (${node.kind}): expected ${many ? 'inputs' : count === 2 ? 'two inputs' : 'one input'}, got ${inputs.length}`,
      { node: name },
    );
    const shape = shapeOf(graph, node, inputs);
    guard(
      shape.every((side) => Number.isSafeInteger(side) && side > 0),
      'shape',
      () =>
        `node ${name} (${node.kind}): an input of shape [${inputs[0]}] gives an output of shape [${shape}]`,
      { node: name },
    );
    shapes.set(name, shape);
  }
  return shapes;
}

/** Whether `shape` is one number for each channel of an image. */
export const isChannels = (shape: readonly number[], image: readonly number[]): boolean =>
  image.length === 3 && shape.length === 3 && shape[0] === 1 && shape[1] === 1 && shape[2] === image[2];

/** Shape of one node's output from those of its inputs, its weights checked. */
export function shapeOf(graph: Graph, node: GraphNode, inputs: number[][]): number[] {
  const [input] = inputs as [number[]];
  const fail = (expected: string): never => {
    throw new EpochscopeError(
      'shape',
      `node ${node.name} (${node.kind}): expected ${expected}, got ${inputs.map((s) => `[${s}]`).join(', ')}`,
      { node: node.name },
    );
  };
  const tensor = (name: string, expected: (number | null)[]): number[] => {
    const found = graph.weights.get(name);
    guard(found, 'missing', () => `node ${node.name}: the net holds no tensor ${name}`, { tensor: name });
    guard(
      found.data instanceof Float32Array,
      'format',
      () => `node ${node.name}: tensor ${name}: expected float32, got ${found.dtype}`,
      { tensor: name },
    );
    guard(
      found.shape.length === expected.length && expected.every((s, i) => s === null || s === found.shape[i]),
      'shape',
      () =>
        `node ${node.name}: tensor ${name}: expected shape [${expected.map((s) => s ?? 'any')}], got [${found.shape}]`,
      { tensor: name },
    );
    return [...found.shape];
  };
  const last = input[input.length - 1]!;
  const image = (): [number, number, number] =>
    input.length === 3 ? (input as [number, number, number]) : fail('an image [height, width, channels]');
  const window = (
    { size, strides, padding }: { size: Pair; strides: Pair; padding: Padding },
    channels: number,
  ): number[] => {
    const [height, width] = image();
    guard(
      [...size, ...strides].every((s) => Number.isInteger(s) && s > 0) &&
        padding.every((p) => Number.isInteger(p) && p >= 0),
      'format',
      () =>
        `node ${node.name}: window [${size}], strides [${strides}] or padding [${padding}] is not possible`,
      { node: node.name },
    );
    return [
      windowed(height, padding[0], padding[1], size[0], strides[0]),
      windowed(width, padding[2], padding[3], size[1], strides[1]),
      channels,
    ];
  };
  switch (node.kind) {
    case 'dense': {
      const [, units] = tensor(node.kernel, [last, null]) as [number, number];
      if (node.bias) tensor(node.bias, [units]);
      return [...input.slice(0, -1), units];
    }
    case 'conv2d': {
      const { groups } = node;
      const channels = image()[2];
      guard(
        Number.isInteger(groups) && groups > 0 && channels % groups === 0,
        'format',
        () => `node ${node.name}: ${channels} channels cannot be parted into ${groups} groups`,
        { node: node.name },
      );
      const [h, w, , out] = tensor(node.kernel, [null, null, channels / groups, null]) as number[];
      guard(
        out! % groups === 0,
        'format',
        () => `node ${node.name}: ${out} filters cannot be parted into ${groups} groups`,
        { node: node.name },
      );
      if (node.bias) tensor(node.bias, [out!]);
      const size = [(h! - 1) * node.dilations[0] + 1, (w! - 1) * node.dilations[1] + 1] as const;
      return window({ ...node, size }, out!);
    }
    case 'max-pool':
    case 'average-pool': {
      const { size, padding } = node;
      guard(
        Math.max(padding[0], padding[1]) < size[0] && Math.max(padding[2], padding[3]) < size[1],
        'format',
        () => `node ${node.name}: a window of [${size}] can lie wholly in its padding of [${padding}]`,
        { node: node.name },
      );
      return window(node, image()[2]);
    }
    case 'global-average-pool':
      return [image()[2]];
    case 'batch-norm':
    case 'layer-norm':
      tensor(node.scale, [last]);
      tensor(node.offset, [last]);
      return input;
    case 'local-response-norm':
      guard(
        Number.isInteger(node.size) && node.size % 2 === 1 && node.bias > 0 && node.alpha >= 0,
        'format',
        () => `node ${node.name}: expected an odd size, bias > 0 and alpha ≥ 0`,
        { node: node.name },
      );
      return image();
    case 'pad': {
      const [height, width, channels] = image();
      const [top, bottom, left, right] = node.padding;
      return [height + top + bottom, width + left + right, channels];
    }
    case 'flatten':
      return [product(input)];
    case 'flatten-channels-first':
      return [product(image())];
    case 'reshape':
      return product(node.shape) === product(input) ? [...node.shape] : fail(`${product(node.shape)} values`);
    case 'concat': {
      const lead = input.slice(0, -1).join();
      if (inputs.some((s) => s.slice(0, -1).join() !== lead))
        fail('shapes that differ in the last side only');
      return [...input.slice(0, -1), inputs.reduce((sum, s) => sum + s[s.length - 1]!, 0)];
    }
    case 'add':
      if (inputs.some((s) => s.join() !== input.join())) fail('equal shapes');
      return input;
    case 'multiply': {
      const [a, b] = inputs as [number[], number[]];
      if (a.join() === b.join() || isChannels(b, a)) return a;
      return isChannels(a, b) ? b : fail('equal shapes, or an image and one number a channel');
    }
    case 'identity':
    case 'softmax':
    case 'log-softmax':
      return input;
    default:
      if (ELEMENTWISE.has(node.kind)) return input;
      throw new EpochscopeError(
        'unsupported',
        `node ${(node as GraphNode).name}: ${String((node as GraphNode).kind)} is not known`,
        { node: (node as GraphNode).name },
      );
  }
}
