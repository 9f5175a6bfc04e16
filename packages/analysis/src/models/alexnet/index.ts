import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { toFloat32 } from '../../formats/dtypes.js';
import type { Tensor } from '../../formats/types.js';
import { random } from '../../random.js';
import type { Graph, GraphNode } from '../graph/index.js';

/** [height, width, in / groups, out], groups, padding. */
const CONVOLUTIONS = {
  conv1: { shape: [11, 11, 3, 96], groups: 1, stride: 4, padding: 0 },
  conv2: { shape: [5, 5, 48, 256], groups: 2, stride: 1, padding: 2 },
  conv3: { shape: [3, 3, 256, 384], groups: 1, stride: 1, padding: 1 },
  conv4: { shape: [3, 3, 192, 384], groups: 2, stride: 1, padding: 1 },
  conv5: { shape: [3, 3, 192, 256], groups: 2, stride: 1, padding: 1 },
} as const;
const DENSE = { fc6: [9216, 4096], fc7: [4096, 4096], fc8: [4096, null] } as const;

/** Where the layer's two tensors may stand in a file; ".weight" and blobs 0, 1 are [out, in, …]. */
const NAMES: [kernel: string, bias: string][] = [
  ['.weight', '.bias'],
  ['.kernel', '.bias'],
  ['/kernel', '/bias'],
  ['/weights', '/biases'],
  ['_W', '_b'],
  ['.W', '.b'],
  ['_0', '_1'],
  ['/0', '/1'],
];

/**
 * AlexNet as Caffe trains it, which DeCAF took its features from (Krizhevsky et al. 2012; Donahue et al. 2014): 227×227×3,
 * five convolutions (the second, fourth and fifth in two groups) with ReLU, response normalisation after the first two,
 * max pooling 3 stride 2, dense 4096 twice with ReLU. Layers conv1 relu1 norm1 pool1 … pool5 fc6 relu6 fc7 relu7, and
 * fc8 prob where the weights have an fc8. Inputs are what the net takes: BGR less the mean, about −120 … 150.
 * @param weights Tensors named as Caffe, PyTorch, Keras or TensorFlow ports do ("conv1.weight", "conv1/kernel",
 * "conv1_W", "conv1_0"); kernels as [height, width, in, out] or [out, in, height, width], told apart by shape. With
 * the latter, fc6 reads channels first.
 * @throws `missing`, `shape`, naming tensors.
 */
export function alexnet(weights: ReadonlyMap<string, Tensor>, source: string): Graph {
  const tensors = new Map<string, Tensor>();
  const layouts = new Set<boolean>();
  for (const [layer, { shape }] of Object.entries(CONVOLUTIONS)) {
    const { kernel, bias } = find(weights, layer, source);
    const [h, w, inner, out] = shape;
    const turned = kernel.shape.join() === [out, inner, h, w].join();
    guard(
      turned || kernel.shape.join() === shape.join(),
      'shape',
      () =>
        `${source}: the kernel of ${layer}: expected shape [${shape}] or [${[out, inner, h, w]}], got [${kernel.shape}]`,
      { layer },
    );
    layouts.add(turned);
    tensors.set(`${layer}.kernel`, turned ? imagesLast(kernel) : float(kernel));
    tensors.set(`${layer}.bias`, flat(bias, out, layer, source));
  }
  guard(
    layouts.size === 1,
    'shape',
    () => `${source}: expected the kernels of all convolutions in one layout, got two`,
  );
  const channelsFirst = layouts.has(true);
  const layers = Object.entries(DENSE).filter(
    ([layer]) => layer !== 'fc8' || NAMES.some(([kernel]) => weights.has(layer + kernel)),
  );
  for (const [layer, [inner, units]] of layers) {
    const { kernel, bias } = find(weights, layer, source);
    // Caffe's blobs keep axes of length 1.
    const sides = kernel.shape.filter((side, i) => side !== 1 || i >= kernel.shape.length - 2);
    const [rows, columns] = sides as [number, number];
    // A square kernel has the layout that the convolutions have.
    const turned = channelsFirst && columns === inner;
    const out = turned ? rows : columns;
    guard(
      sides.length === 2 && (turned || rows === inner) && (units === null || out === units),
      'shape',
      () =>
        `${source}: the kernel of ${layer}: expected ${inner} inputs${units ? ` and ${units} units` : ''}, got shape [${kernel.shape}]`,
      { layer },
    );
    tensors.set(
      `${layer}.kernel`,
      turned ? transposed(kernel, rows, columns) : { ...float(kernel), shape: sides },
    );
    tensors.set(`${layer}.bias`, flat(bias, out, layer, source));
  }
  return graphOf(tensors, channelsFirst, layers.length === 3);
}

/** The same net with seeded random weights: normal, sd √(2 / fan in) (He et al. 2015); biases 0. */
export function randomAlexnet(seed: number): Graph {
  const tensors = new Map<string, Tensor>();
  const shapes: [string, readonly number[]][] = [
    ...Object.entries(CONVOLUTIONS).map(([name, { shape }]): [string, readonly number[]] => [name, shape]),
    ['fc6', DENSE.fc6],
    ['fc7', DENSE.fc7],
  ];
  shapes.forEach(([layer, shape], i) => {
    const out = shape[shape.length - 1]!;
    const size = shape.reduce((a, b) => a * b, 1);
    const source = random(seed, i);
    const sd = Math.sqrt((2 * out) / size);
    const data = new Float32Array(size);
    for (let p = 0; p < size; p++) data[p] = sd * source.normal();
    tensors.set(`${layer}.kernel`, { data, shape: [...shape], dtype: 'float32' });
    tensors.set(`${layer}.bias`, { data: new Float32Array(out), shape: [out], dtype: 'float32' });
  });
  return graphOf(tensors, false, false);
}

function graphOf(weights: Map<string, Tensor>, channelsFirst: boolean, classes: boolean): Graph {
  const nodes: GraphNode[] = [];
  let last = 'input';
  const add = (name: string, op: Record<string, unknown>) => {
    nodes.push({ name, inputs: [last], ...op } as GraphNode);
    last = name;
  };
  Object.entries(CONVOLUTIONS).forEach(([layer, { groups, stride, padding }], i) => {
    const number = i + 1;
    add(layer, {
      kind: 'conv2d',
      kernel: `${layer}.kernel`,
      bias: `${layer}.bias`,
      strides: [stride, stride],
      padding: [padding, padding, padding, padding],
      dilations: [1, 1],
      groups,
    });
    add(`relu${number}`, { kind: 'relu' });
    if (number <= 2)
      add(`norm${number}`, { kind: 'local-response-norm', size: 5, alpha: 1e-4, beta: 0.75, bias: 1 });
    if (number <= 2 || number === 5)
      add(`pool${number}`, { kind: 'max-pool', size: [3, 3], strides: [2, 2], padding: [0, 0, 0, 0] });
  });
  add('flat', { kind: channelsFirst ? 'flatten-channels-first' : 'flatten' });
  for (const layer of ['fc6', 'fc7', ...(classes ? ['fc8'] : [])]) {
    add(layer, { kind: 'dense', kernel: `${layer}.kernel`, bias: `${layer}.bias` });
    if (layer !== 'fc8') add(`relu${layer[2]}`, { kind: 'relu' });
    else add('prob', { kind: 'softmax' });
  }
  return { inputShape: [227, 227, 3], nodes, weights };
}

function find(
  weights: ReadonlyMap<string, Tensor>,
  layer: string,
  source: string,
): { kernel: Tensor; bias: Tensor } {
  for (const [kernelName, biasName] of NAMES) {
    const kernel = weights.get(layer + kernelName);
    const bias = weights.get(layer + biasName);
    if (kernel && bias) return { kernel, bias };
  }
  throw new EpochscopeError(
    'missing',
    `${source}: expected kernel and bias of ${layer} (${NAMES.map(([k, b]) => `${layer}${k} and ${layer}${b}`).join(', or ')}); it has ${[...weights.keys()].slice(0, 40).join(', ')}`,
    { layer },
  );
}

function float({ data, shape }: Tensor): Tensor<Float32Array> {
  return {
    data: toFloat32(data),
    shape: [...shape],
    dtype: 'float32',
  };
}

function flat(bias: Tensor, size: number, layer: string, source: string): Tensor {
  guard(
    bias.data.length === size,
    'shape',
    () => `${source}: the bias of ${layer}: expected ${size} values, got shape [${bias.shape}]`,
    { layer },
  );
  return { ...float(bias), shape: [size] };
}

/** [out, in, height, width] → [height, width, in, out]. */
function imagesLast(kernel: Tensor): Tensor {
  const { data, shape } = float(kernel);
  const [out, inner, h, w] = shape as unknown as [number, number, number, number];
  const to = new Float32Array(data.length);
  for (let o = 0, from = 0; o < out; o++)
    for (let c = 0; c < inner; c++)
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++) to[((y * w + x) * inner + c) * out + o] = data[from++]!;
  return { data: to, shape: [h, w, inner, out], dtype: 'float32' };
}

function transposed(kernel: Tensor, rows: number, columns: number): Tensor {
  const { data } = float(kernel);
  const to = new Float32Array(data.length);
  for (let i0 = 0; i0 < rows; i0 += 32)
    for (let j0 = 0; j0 < columns; j0 += 32)
      for (let i = i0; i < Math.min(rows, i0 + 32); i++)
        for (let j = j0; j < Math.min(columns, j0 + 32); j++) to[j * rows + i] = data[i * columns + j]!;
  return { data: to, shape: [columns, rows], dtype: 'float32' };
}
