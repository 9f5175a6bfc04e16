import type { LayersModel, Tensor as TfTensor } from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Tensor } from '../../formats/types.js';
import { random } from '../../random.js';
import { buildModel, prepareTf, type Tf } from '../index.js';
import { type Graph, type GraphNode, GraphRunner, graphOfModel, INPUT, shapesOf } from './index.js';
import { referenceRun } from './reference.js';

let tf: Tf;
let tensors: number;
beforeAll(async () => {
  tf = await prepareTf();
});
beforeEach(() => {
  tensors = tf.memory().numTensors;
});
const open: { dispose(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.dispose();
  expect(tf.memory().numTensors, 'tensors leaked').toBe(tensors);
});
const keep = <T extends { dispose(): void }>(each: T): T => {
  open.push(each);
  return each;
};

const source = random(31);
const normal = (size: number, sd = 1) => Float32Array.from({ length: size }, () => sd * source.normal());
const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const weight = (...shape: number[]): Tensor => ({
  data: normal(product(shape), 0.5),
  shape,
  dtype: 'float32',
});
const none = [0, 0, 0, 0] as const;

/** Every kind of node, branches, groups, strides, dilations and uneven padding. */
function everything(): Graph {
  const weights = new Map<string, Tensor>([
    ['c1', weight(3, 2, 2, 6)],
    ['c1b', weight(6)],
    ['c2', weight(3, 3, 2, 6)],
    ['c3', weight(2, 3, 6, 4)],
    ['c3b', weight(4)],
    ['s', weight(6)],
    ['o', weight(6)],
    ['d1', weight(24, 8)],
    ['d1b', weight(8)],
    ['d2', weight(8, 5)],
    ['side', weight(14, 5)],
  ]);
  const nodes: GraphNode[] = [
    {
      name: 'conv',
      inputs: [INPUT],
      kind: 'conv2d',
      kernel: 'c1',
      bias: 'c1b',
      strides: [1, 2],
      padding: [1, 0, 2, 1],
      dilations: [2, 1],
      groups: 1,
    },
    { name: 'norm', inputs: ['conv'], kind: 'batch-norm', scale: 's', offset: 'o' },
    { name: 'leaky', inputs: ['norm'], kind: 'leaky-relu', slope: 0.1 },
    {
      name: 'grouped',
      inputs: ['leaky'],
      kind: 'conv2d',
      kernel: 'c2',
      strides: [1, 1],
      padding: [1, 1, 1, 1],
      dilations: [1, 1],
      groups: 3,
    },
    { name: 'sum', inputs: ['leaky', 'grouped'], kind: 'add' },
    {
      name: 'lrn',
      inputs: ['sum'],
      kind: 'local-response-norm',
      size: 3,
      alpha: 0.7,
      beta: 0.75,
      bias: 1.5,
    },
    { name: 'tanh', inputs: ['lrn'], kind: 'tanh' },
    { name: 'max', inputs: ['tanh'], kind: 'max-pool', size: [3, 2], strides: [2, 1], padding: [1, 1, 0, 1] },
    {
      name: 'mean',
      inputs: ['max'],
      kind: 'average-pool',
      size: [2, 2],
      strides: [1, 2],
      padding: [1, 0, 0, 0],
      countPadding: false,
    },
    {
      name: 'mean0',
      inputs: ['max'],
      kind: 'average-pool',
      size: [2, 2],
      strides: [1, 2],
      padding: [1, 0, 0, 0],
      countPadding: true,
    },
    { name: 'both', inputs: ['mean', 'mean0'], kind: 'add' },
    {
      name: 'conv3',
      inputs: ['both'],
      kind: 'conv2d',
      kernel: 'c3',
      bias: 'c3b',
      strides: [1, 1],
      padding: [1, 1, 1, 1],
      dilations: [1, 1],
      groups: 1,
    },
    { name: 'relu', inputs: ['conv3'], kind: 'relu' },
    { name: 'padded', inputs: ['relu'], kind: 'pad', padding: [0, 1, 1, 0] },
    { name: 'global', inputs: ['padded'], kind: 'global-average-pool' },
    { name: 'flat', inputs: ['relu'], kind: 'flatten-channels-first' },
    { name: 'dense', inputs: ['flat'], kind: 'dense', kernel: 'd1', bias: 'd1b' },
    { name: 'logistic', inputs: ['dense'], kind: 'sigmoid' },
    { name: 'same', inputs: ['logistic'], kind: 'identity' },
    { name: 'classes', inputs: ['same'], kind: 'dense', kernel: 'd2' },
    { name: 'softmax', inputs: ['classes'], kind: 'softmax' },
    { name: 'tall', inputs: ['global'], kind: 'reshape', shape: [2, 2] },
    { name: 'wide', inputs: ['tall'], kind: 'flatten' },
    { name: 'joined', inputs: ['wide', 'softmax', 'softmax'], kind: 'concat' },
    { name: 'side', inputs: ['joined'], kind: 'dense', kernel: 'side' },
    { name: 'log', inputs: ['side'], kind: 'log-softmax' },
  ];
  return { inputShape: [7, 6, 2], nodes, weights };
}

/** The kinds of newer nets: gates, smooth activations, layer normalisation. */
function gated(): Graph {
  const weights = new Map<string, Tensor>([
    ['k', weight(1, 1, 2, 2)],
    ['g', weight(2)],
    ['b', weight(2)],
    ['d', weight(24, 5)],
    ['dg', weight(5)],
    ['db', weight(5)],
  ]);
  const plain = ['gelu', 'gelu-tanh', 'silu', 'hard-swish', 'mish', 'softplus', 'erf'] as const;
  const nodes: GraphNode[] = [
    { name: 'norm', inputs: [INPUT], kind: 'layer-norm', scale: 'g', offset: 'b', epsilon: 1e-3 },
    {
      name: 'squeeze',
      inputs: ['norm'],
      kind: 'average-pool',
      size: [3, 4],
      strides: [1, 1],
      padding: none,
      countPadding: false,
    },
    {
      name: 'excite',
      inputs: ['squeeze'],
      kind: 'conv2d',
      kernel: 'k',
      strides: [1, 1],
      padding: none,
      dilations: [1, 1],
      groups: 1,
    },
    { name: 'gate', inputs: ['excite'], kind: 'hard-sigmoid', alpha: 0.4, beta: 0.5 },
    { name: 'gated', inputs: ['gate', INPUT], kind: 'multiply' },
    { name: 'squared', inputs: ['gated', 'norm'], kind: 'multiply' },
    { name: 'flat', inputs: ['squared'], kind: 'flatten' },
    { name: 'dense', inputs: ['flat'], kind: 'dense', kernel: 'd' },
    { name: 'normed', inputs: ['dense'], kind: 'layer-norm', scale: 'dg', offset: 'db', epsilon: 1e-5 },
    ...plain.map((kind): GraphNode => ({ name: kind, inputs: ['dense'], kind })),
    { name: 'clip', inputs: ['dense'], kind: 'clip', min: -0.5, max: 0.75 },
    { name: 'elu', inputs: ['dense'], kind: 'elu', alpha: 1.3, factor: 0.9 },
    { name: 'joined', inputs: [...plain, 'clip', 'elu', 'normed'], kind: 'concat' },
  ];
  return { inputShape: [3, 4, 2], nodes, weights };
}

describe.each([
  [
    'a graph',
    everything,
    [
      [INPUT, 'log'],
      [INPUT, 'flat'],
      ['leaky', 'joined'],
      ['sum', 'lrn'],
      ['max', 'both'],
      ['relu', 'global'],
      ['dense', 'log'],
    ],
  ],
  [
    'a graph with gates',
    gated,
    [
      [INPUT, 'joined'],
      [INPUT, 'norm'],
      ['norm', 'squared'],
      ['gate', 'gated'],
      ['dense', 'joined'],
    ],
  ],
] as const)('%s', (_, made, pairs) => {
  it('gives every node the value that plain float64 loops give', () => {
    const graph = made();
    const runner = keep(new GraphRunner(tf, graph));
    const n = 3;
    const side = product(graph.inputShape);
    const x = normal(n * side);
    const names = graph.nodes.map(({ name }) => name);
    const got = runner.run(x, n, names);
    for (let i = 0; i < n; i++) {
      const expected = referenceRun(graph, Float64Array.from(x.subarray(i * side, (i + 1) * side)));
      for (const name of names) {
        const size = runner.sizeOf(name);
        const values = got.get(name)!.subarray(i * size, (i + 1) * size);
        expected.get(name)!.forEach((value, p) => {
          expect(values[p], `${name}[${p}]`).toBeCloseTo(value, 4);
        });
      }
    }
  });

  it('has the Jacobian that differences of the float64 net have, between any two nodes', () => {
    const graph = made();
    const runner = keep(new GraphRunner(tf, graph));
    const x = normal(product(graph.inputShape));
    const at = keep(runner.at(x));
    const h = 1e-6;
    for (const [from, to] of pairs) {
      const [m, n] = [runner.sizeOf(from), runner.sizeOf(to)];
      const identity = Float32Array.from({ length: m * m }, (_, i) => (i % (m + 1) ? 0 : 1));
      const jacobian = at.jvp(identity, m, from, to);
      const base = Float64Array.from(at.outputs.get(from)!);
      for (let j = 0; j < m; j++) {
        const moved = (by: number) => {
          const values = base.slice();
          values[j]! += by;
          return referenceRun(graph, Float64Array.from(x), new Map([[from, values]])).get(to)!;
        };
        const [plus, minus] = [moved(h), moved(-h)];
        for (let i = 0; i < n; i++) {
          const slope = (plus[i]! - minus[i]!) / (2 * h);
          expect(Math.abs(jacobian[j * n + i]! - slope), `d ${to}[${i}] / d ${from}[${j}]`).toBeLessThan(
            2e-5 * Math.max(1, Math.abs(slope)),
          );
        }
      }
    }
  });

  it('has transposed products that are adjoint to 1e-6', () => {
    const graph = made();
    const runner = keep(new GraphRunner(tf, graph));
    const at = keep(runner.at(normal(product(graph.inputShape))));
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    for (const [from, to] of pairs) {
      const v = normal(runner.sizeOf(from));
      const u = normal(runner.sizeOf(to));
      const jv = at.jvp(v, 1, from, to);
      const left = dot(u, jv);
      const right = dot(at.vjp(u, 1, from, to), v);
      const scale = Math.sqrt(dot(u, u) * dot(jv, jv));
      expect(Math.abs(left - right) / scale, `${from} → ${to}`).toBeLessThan(1e-6);
    }
  });

  it('has at several samples, with a vector for each, the products of each', () => {
    const graph = made();
    const runner = keep(new GraphRunner(tf, graph));
    const n = 3;
    const side = product(graph.inputShape);
    const x = normal(n * side);
    const all = keep(runner.at(x, n));
    const each = Array.from({ length: n }, (_, i) => keep(runner.at(x.slice(i * side, (i + 1) * side))));
    const { last } = runner;
    const from = [...new Set(pairs.map(([name]) => name))].filter((name) => name !== last);
    const u = normal(n * runner.sizeOf(last));
    const seen = new Map<string, Float32Array>();
    all.gradients(u, n, from, last, (name, gradient) => {
      seen.set(name, gradient.dataSync<'float32'>().slice());
    });
    for (const name of from) {
      const [rows, columns] = [runner.sizeOf(last), runner.sizeOf(name)];
      const v = normal(n * columns);
      const forward = all.jvp(v, n, name, last);
      each.forEach((at, i) => {
        const back = at.vjp(u.slice(i * rows, (i + 1) * rows), 1, name, last);
        const own = seen.get(name) ?? new Float32Array(n * columns);
        close(own.subarray(i * columns, (i + 1) * columns), back, `${name}, sample ${i}`);
        const jv = at.jvp(v.slice(i * columns, (i + 1) * columns), 1, name, last);
        close(forward.subarray(i * rows, (i + 1) * rows), jv, `J·v of ${name}, sample ${i}`);
      });
    }
    expect(() => all.vjp(normal(2 * runner.sizeOf(last)), 2, from[0]!, last)).toThrow(
      'expected 3 vectors, one a sample, got 2',
    );
  });
});

/** Products in another order of sums: 1e-5 of the largest. */
function close(got: Float32Array, expected: Float32Array, what: string): void {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  expected.forEach((value, i) => {
    expect(Math.abs(got[i]! - value), `${what} [${i}]`).toBeLessThan(1e-5 * scale);
  });
}

describe('a graph of tfjs', () => {
  it('agrees with tfjs: its gradients, and their gradients again, where tfjs has both', () => {
    const { layers } = tf;
    const model = tf.sequential({
      layers: [
        layers.conv2d({
          filters: 4,
          kernelSize: 3,
          strides: 2,
          padding: 'same',
          inputShape: [8, 7, 2],
          activation: 'tanh',
          name: 'conv',
        }),
        layers.conv2d({ filters: 3, kernelSize: 2, activation: 'relu', name: 'conv2' }),
        layers.flatten({ name: 'flat' }),
        layers.dense({ units: 6, activation: 'sigmoid', name: 'dense' }),
        layers.dense({ units: 4, activation: 'softmax', name: 'out' }),
      ],
    });
    const runner = keep(new GraphRunner(tf, graphOfModel(model)));
    const x = normal(8 * 7 * 2);
    const v = normal(x.length);
    const u = normal(4);
    const at = keep(runner.at(x));
    const [back, forward] = tf.tidy(() => {
      const [xs, vs] = [x, v].map((values) => tf.tensor4d(values, [1, 8, 7, 2]));
      const pulled = (w: TfTensor) =>
        tf.grad((input) => tf.sum(tf.mul(model.apply(input) as TfTensor, w)))(xs!);
      const us = tf.tensor2d(u, [1, 4]);
      // Jᵀu is linear in u: its gradient by u along v is J·v.
      const pushed = tf.grad((w) => tf.sum(tf.mul(pulled(w), vs!)))(us);
      return [pulled(us).dataSync<'float32'>().slice(), pushed.dataSync<'float32'>().slice()];
    });
    const compare = (got: Float32Array, expected: Float32Array) => {
      const largest = Math.max(...expected.map(Math.abs));
      expect(largest).toBeGreaterThan(1e-4);
      for (const [i, value] of expected.entries())
        expect(Math.abs(got[i]! - value)).toBeLessThan(1e-5 * largest);
    };
    compare(at.vjp(u, 1, INPUT, 'out'), back!);
    compare(at.jvp(v, 1, INPUT, 'out'), forward!);
    model.dispose();
  });

  it('takes vectors in blocks as it takes them alone', () => {
    const runner = keep(new GraphRunner(tf, everything()));
    const at = keep(runner.at(normal(84)));
    const v = normal(5 * 84);
    const block = at.jvp(v, 5, INPUT, 'log');
    for (let i = 0; i < 5; i++) {
      const one = at.jvp(v.slice(i * 84, (i + 1) * 84), 1, INPUT, 'log');
      one.forEach((value, p) => {
        expect(block[i * 5 + p]).toBeCloseTo(value, 6);
      });
    }
    const u = normal(5 * 5);
    const back = at.vjp(u, 5, INPUT, 'log');
    at.vjp(u.slice(10, 15), 1, INPUT, 'log').forEach((value, p) => {
      expect(back[2 * 84 + p]).toBeCloseTo(value, 6);
    });
  });

  it('answers the identity from a node to itself, and 0 between nodes that do not depend on each other', () => {
    const runner = keep(new GraphRunner(tf, everything()));
    const at = keep(runner.at(normal(84)));
    const v = normal(runner.sizeOf('relu'));
    expect(at.jvp(v, 1, 'relu', 'relu')).toEqual(v);
    expect(at.vjp(v, 1, 'relu', 'relu')).toEqual(v);
    const u = normal(runner.sizeOf('mean'));
    expect(at.jvp(u, 1, 'mean', 'mean0').every((value) => value === 0)).toBe(true);
    expect(at.vjp(normal(runner.sizeOf('mean0')), 1, 'mean', 'mean0').every((value) => value === 0)).toBe(
      true,
    );
  });

  it('takes the first of equal maxima, and slope 0 of ReLU at 0', () => {
    const runner = keep(
      new GraphRunner(tf, {
        inputShape: [2, 2, 1],
        nodes: [
          { name: 'relu', inputs: [INPUT], kind: 'relu' },
          { name: 'max', inputs: ['relu'], kind: 'max-pool', size: [2, 2], strides: [2, 2], padding: none },
        ],
        weights: new Map(),
      }),
    );
    const at = keep(runner.at(Float32Array.of(0, 3, 3, -1)));
    expect([...at.vjp(Float32Array.of(1), 1, 'relu', 'max')]).toEqual([0, 1, 0, 0]);
    expect([...at.jvp(Float32Array.of(1, 1, 1, 1), 1, INPUT, 'relu')]).toEqual([0, 1, 1, 0]);
  });

  it.each<[string, Partial<GraphNode> & Record<string, unknown>, string]>([
    ['an unknown kind', { kind: 'lrn' as never }, 'node a: "lrn" is not known'],
    ['an input that is not there', { kind: 'relu', inputs: ['b'] }, 'node a: expected its input b before it'],
    ['no tensor', { kind: 'dense', kernel: 'x' }, 'node a: the net holds no tensor x'],
    ['a kernel that does not fit', { kind: 'dense', kernel: 'w' }, 'expected shape [4,any], got [3,2]'],
    ['an image that is none', { kind: 'global-average-pool', inputs: ['flat'] }, 'expected an image'],
    [
      'a window larger than its image',
      { kind: 'max-pool', size: [9, 9], strides: [1, 1], padding: none },
      'gives an output of shape [-3,-3,4]',
    ],
    [
      'a stride of 0',
      { kind: 'max-pool', size: [1, 1], strides: [0, 1], padding: none },
      'strides [0,1] or padding [0,0,0,0] is not possible',
    ],
    [
      'padding that is a window of its own',
      { kind: 'average-pool', size: [2, 2], strides: [1, 1], padding: [2, 0, 0, 0], countPadding: false },
      'can lie wholly in its padding',
    ],
    ['a reshape that loses values', { kind: 'reshape', shape: [7] }, 'expected 7 values, got [5,5,4]'],
    [
      'unequal sums',
      { kind: 'add', inputs: [INPUT, 'flat'] },
      'expected equal shapes, or shapes that broadcast, got [5,5,4], [100]',
    ],
    ['a name twice', { kind: 'relu', name: 'flat' }, 'node flat: expected a name of its own'],
  ])('refuses %s', (_, node, message) => {
    const graph: Graph = {
      inputShape: [5, 5, 4],
      nodes: [
        { name: 'flat', inputs: [INPUT], kind: 'flatten' },
        { name: 'a', inputs: [INPUT], ...node } as GraphNode,
      ],
      weights: new Map([['w', weight(3, 2)]]),
    };
    expect(() => shapesOf(graph)).toThrow(message);
  });
});

describe('graphOfModel', () => {
  /** Outputs of every layer by tfjs itself. */
  const outputsOf = (model: LayersModel, x: Float32Array): Map<string, Float32Array> => {
    const layers = model.layers.filter((layer) => layer.getClassName() !== 'InputLayer');
    const values = tf.tidy(() => {
      const probe = tf.model({ inputs: model.inputs, outputs: layers.map((layer) => layer.output as never) });
      const out = probe.predictOnBatch(
        tf.tensor(x, [1, ...(model.inputs[0]!.shape.slice(1) as number[])]),
      ) as TfTensor[];
      return out.map((tensor) => tensor.dataSync<'float32'>().slice());
    });
    return new Map(layers.map((layer, i) => [layer.name, values[i]!]));
  };
  const compare = (model: LayersModel) => {
    const graph = graphOfModel(model);
    const runner = keep(new GraphRunner(tf, graph));
    const x = normal(product(graph.inputShape));
    for (const [name, expected] of outputsOf(model, x)) {
      const got = runner.run(x, 1, [name]).get(name)!;
      expect(got.length, name).toBe(expected.length);
      expected.forEach((value, i) => {
        expect(got[i], `${name}[${i}]`).toBeCloseTo(value, 5);
      });
    }
  };

  it.each(['lenet5', 'mlp', 'dbn', 'cifar-cnn', 'transformer'] as const)(
    'turns our %s into a graph of equal outputs',
    (name) => {
      const { model } = buildModel(tf, {
        name,
        inputShape: name === 'cifar-cnn' ? [32, 32, 3] : [28, 28, 1],
        classes: 10,
        seed: 1,
        ...(name === 'dbn' || name === 'mlp' ? { hidden: [12, 7] } : {}),
      });
      compare(model);
      model.dispose();
    },
  );

  it('turns a functional Keras-like model into one: branches, strides, normalisation, activations', () => {
    const { layers } = tf;
    const input = tf.input({ shape: [9, 8, 3] });
    const conv = layers
      .conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh', name: 'conv' })
      .apply(input) as never;
    const norm = layers.batchNormalization({ name: 'norm' }).apply(conv) as never;
    const padded = layers
      .zeroPadding2d({
        padding: [
          [1, 0],
          [0, 2],
        ],
        name: 'pad',
      })
      .apply(norm) as never;
    const other = layers
      .conv2d({ filters: 4, kernelSize: [2, 3], useBias: false, name: 'other' })
      .apply(padded) as never;
    const sum = layers.add({ name: 'sum' }).apply([norm, other]) as never;
    const leaky = layers.leakyReLU({ alpha: 0.2, name: 'leaky' }).apply(sum) as never;
    const means = layers
      .averagePooling2d({ poolSize: 3, strides: 2, padding: 'same', name: 'means' })
      .apply(leaky) as never;
    const global = layers.globalAveragePooling2d({ name: 'global' } as never).apply(leaky) as never;
    const flat = layers.flatten({ name: 'flat' }).apply(means) as never;
    const joined = layers.concatenate({ name: 'joined' }).apply([flat, global]) as never;
    const drop = layers.dropout({ rate: 0.5, name: 'drop' }).apply(joined) as never;
    const out = layers.dense({ units: 3, activation: 'softmax', name: 'out' }).apply(drop) as never;
    const model = tf.model({ inputs: input, outputs: out });
    tf.tidy(() => model.getLayer('norm').setWeights([0.5, 0.1, 0.2, 1.5].map((v) => tf.fill([4], v))));
    compare(model);
    expect(graphOfModel(model).nodes.map(({ name }) => name)).toContain('conv.linear');
    model.dispose();
  });

  it('turns a sequential model into one, and names what it cannot', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 4, inputShape: [6], activation: 'relu', name: 'a' }),
        tf.layers.dense({ units: 2, activation: 'elu', name: 'b' }),
      ],
    });
    expect(() => graphOfModel(model)).toThrow('layer b (Dense): activation elu is not known');
    model.dispose();
    const fine = tf.sequential({
      layers: [
        tf.layers.dense({ units: 4, inputShape: [6], activation: 'relu', name: 'a' }),
        tf.layers.dense({ units: 2, name: 'b' }),
      ],
    });
    compare(fine);
    fine.dispose();
  });
});
