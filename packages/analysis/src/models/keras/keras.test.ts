import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EpochscopeError } from '@epochscope/core-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { readKerasFile, readKerasWeights } from '../../formats/keras.js';
import { readNpz } from '../../formats/npz.js';
import { bytesSource } from '../../formats/source.js';
import type { Tensor } from '../../formats/types.js';
import { prepareTf, type Tf } from '../backend.js';
import { graphOfModel } from '../graph/from-model.js';
import { GraphRunner } from '../graph/runner.js';
import { graphOfKeras } from './index.js';

const folder = fileURLToPath(new URL('../../../../../tests/fixtures/formats/', import.meta.url));
const source = (name: string) => bytesSource(name, new Uint8Array(readFileSync(folder + name)));
const dotted = (tensors: Map<string, Tensor>) =>
  new Map([...tensors].map(([name, t]) => [name.replace('/', '.'), t]));
const json = (name: string) => JSON.parse(readFileSync(folder + name, 'utf8')) as unknown;

let tf: Tf;
beforeAll(async () => {
  tf = await prepareTf();
});

/** The net's outputs of four inputs are those that Keras gave, within 1e-4: sums in another order. */
function expectOutputs(
  runner: GraphRunner,
  expected: ReadonlyMap<string, Tensor>,
  layers: readonly string[],
): void {
  const got = runner.run(expected.get('inputs')!.data as Float32Array, 4, layers);
  for (const layer of layers) {
    const want = expected.get(`outputs/${layer}`)!;
    expect([4, ...runner.shapes.get(layer)!], layer).toEqual(want.shape);
    for (const [i, value] of (want.data as Float32Array).entries())
      expect(Math.abs(got.get(layer)![i]! - value), `${layer}, value ${i}`).toBeLessThan(1e-4);
  }
}

describe('Keras models', () => {
  it.each(['branches.keras', 'branches.h5', 'branches.json'])(
    '%s: every layer gives what Keras gave',
    async (name) => {
      const expected = await readNpz(source('branches.expected.npz'));
      const config = name.endsWith('json') ? json(name) : (await readKerasFile(source(name))).config;
      const weights = dotted(
        await readKerasWeights(source(name.endsWith('json') ? 'branches.weights.h5' : name)),
      );
      const runner = new GraphRunner(tf, graphOfKeras(config, weights, name));
      const layers = [...expected.keys()]
        .filter((key) => key.startsWith('outputs/'))
        .map((key) => key.slice(8));
      expect(layers.length).toBe(14);
      expectOutputs(runner, expected, layers);
      runner.dispose();
    },
  );

  it.each(['modern.keras', 'modern.h5', 'modern.weights.h5'])(
    '%s: newer layers and activations give what Keras gave',
    async (name) => {
      const expected = await readNpz(source('modern.expected.npz'));
      const weights = dotted(await readKerasWeights(source(name)));
      const { config } = await readKerasFile(source(name === 'modern.weights.h5' ? 'modern.keras' : name));
      const runner = new GraphRunner(tf, graphOfKeras(config, weights, name));
      const layers = [...expected.keys()].flatMap((key) =>
        key.startsWith('outputs/') ? [key.slice(8)] : [],
      );
      expect(layers.length).toBe(26);
      expectOutputs(runner, expected, layers);
      runner.dispose();
      // Weights alone number the variables of a normalisation that lacks one; the configuration names them.
      const named = name !== 'modern.weights.h5';
      expect(weights.has('norm.moving_mean')).toBe(named);
      expect(weights.has('norm.vars.1')).toBe(!named);
    },
  );

  it.each(['bfloat16.keras', 'bfloat16.h5'])('%s: weights are widened', async (name) => {
    const expected = await readNpz(source('bfloat16.expected.npz'));
    const weights = await readKerasWeights(source(name));
    for (const [key, want] of expected) {
      expect(weights.get(key)!.dtype).toBe('bfloat16');
      expect(weights.get(key)!.data, key).toEqual(want.data);
    }
  });

  it('hard_sigmoid is another one before Keras 3', () => {
    const made = (keras_version: string) =>
      graphOfKeras(
        { keras_version, ...sequential(input, layer('Activation', { activation: 'hard_sigmoid' })) },
        new Map(),
        'f',
      ).nodes[0];
    expect(made('2.15.0')).toMatchObject({ kind: 'hard-sigmoid', alpha: 0.2 });
    expect(made('3.15.1')).toMatchObject({ kind: 'hard-sigmoid', alpha: 1 / 6 });
  });

  it('a tfjs topology gives the graph of the model itself', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({
          name: 'c',
          inputShape: [6, 5, 2],
          filters: 3,
          kernelSize: 2,
          strides: 2,
          padding: 'same',
          activation: 'relu',
        }),
        tf.layers.batchNormalization({ name: 'n' }),
        tf.layers.zeroPadding2d({ name: 'z', padding: [1, 2] }),
        tf.layers.maxPooling2d({ name: 'p', poolSize: 2 }),
        tf.layers.flatten({ name: 'f' }),
        tf.layers.dense({ name: 'd', units: 2, useBias: false, activation: 'sigmoid' }),
        tf.layers.reshape({ name: 'r', targetShape: [1, -1] }),
      ],
    });
    const weights = new Map<string, Tensor>();
    for (const layer of model.layers)
      for (const [i, variable] of layer.weights.entries())
        weights.set(`${layer.name}.${variable.originalName.split('/').pop()}`, {
          data: Float32Array.from(layer.getWeights()[i]!.dataSync()),
          shape: [...layer.getWeights()[i]!.shape],
          dtype: 'float32',
        });
    const topology = JSON.parse(JSON.stringify(model.toJSON(null, false)));
    const ours = graphOfKeras(topology, weights, 'model.json');
    const theirs = graphOfModel(model);
    expect(ours.nodes).toEqual(theirs.nodes);
    expect(ours.inputShape).toEqual(theirs.inputShape);
    for (const [name, { data }] of theirs.weights) expect(ours.weights.get(name)!.data, name).toEqual(data);
  });

  const input = { class_name: 'InputLayer', config: { name: 'x', batch_shape: [null, 4] } };
  const layer = (kind: string, config: object = {}) => ({
    class_name: kind,
    config: { name: 'l', ...config },
  });
  const sequential = (...layers: unknown[]) => ({ class_name: 'Sequential', config: { layers } });
  const functional = (layers: unknown[], more: object = {}) => ({
    class_name: 'Functional',
    config: { layers, ...more },
  });
  it.each<[string, unknown, string]>([
    ['nothing', null, 'expected a Keras architecture'],
    [
      'a class of its own',
      { class_name: 'MyModel', config: {} },
      'expected a sequential or functional Keras model, got MyModel',
    ],
    ['no layers', { class_name: 'Sequential', config: {} }, 'expected a list of at most 10000 layers'],
    ['a layer of nothing', sequential(null), 'layer 0: expected class_name and config'],
    [
      'a name with a slash',
      sequential({ class_name: 'Dense', config: { name: 'a/b' } }),
      'expected a plain name',
    ],
    ['two of a name', sequential(input, input), 'two layers are named x'],
    ['a model inside', sequential(input, layer('Sequential')), 'is a model of its own'],
    ['no input shape', sequential(layer('ReLU')), 'expected the shape of one sample'],
    [
      'an unknown layer',
      sequential(input, layer('Bidirectional')),
      'layer l (Bidirectional): this kind of layer is not known',
    ],
    [
      'an unknown activation',
      sequential(input, layer('Activation', { activation: 'sparsemax' })),
      'activation "sparsemax" is not known',
    ],
    [
      'an inherited activation',
      sequential(input, layer('Activation', { activation: 'constructor' })),
      'is not known',
    ],
    ['missing weights', sequential(input, layer('Dense')), 'expected its kernel among the weights'],
    [
      'channels first',
      sequential(input, layer('Flatten', { data_format: 'channels_first' })),
      'expected channels last',
    ],
    ['another axis', sequential(input, layer('Softmax', { axis: 0 })), 'expected the last axis, got axis 0'],
    [
      'a ReLU with a limit and a slope',
      sequential(input, layer('ReLU', { max_value: 6, negative_slope: 0.1 })),
      'max_value with negative_slope, are not known',
    ],
    ['a pool of values', sequential(input, layer('MaxPooling2D', { pool_size: 2 })), 'expected an image'],
    [
      'a pool of 0',
      sequential(input, layer('MaxPooling2D', { pool_size: 0 })),
      'expected one or two whole numbers > 0',
    ],
    [
      'a layer used twice',
      functional([input, { ...layer('ReLU'), inbound_nodes: [[['x', 0, 0, {}]], [['x', 0, 0, {}]]] }]),
      'layer l is used 2 times',
    ],
    [
      'an input that comes later',
      functional([input, { ...layer('ReLU'), inbound_nodes: [[['y', 0, 0, {}]]] }]),
      'its input y does not come before it',
    ],
    [
      'two outputs',
      functional([input], {
        output_layers: [
          ['x', 0, 0],
          ['x', 0, 0],
        ],
      }),
      'expected one of output_layers, got 2',
    ],
    ['an output from nowhere', functional([input], { output_layers: [['y', 0, 0]] }), 'there is no layer y'],
    ['an input alone', sequential(input), 'the graph has no nodes'],
    [
      "TensorFlow's nodes",
      {
        modelTopology: {
          node: [
            { name: 'c', op: 'Const' },
            { name: 'a/b', op: 'Conv2D' },
          ],
        },
      },
      'a graph of 2 TensorFlow operators (node "a/b", operator "Conv2D", …), which is not run; convert what it was made from: python -m tf2onnx',
    ],
  ])('refuses %s', (_, config, message) => {
    expect(() => graphOfKeras(config, new Map(), 'f')).toThrow(message);
    expect(() => graphOfKeras(config, new Map(), 'f')).toThrow(EpochscopeError);
  });

  it.each<[string, object, Record<string, number[]>, string]>([
    [
      'BatchNormalization without its gamma',
      {},
      { beta: [0, 0, 0, 0] },
      'expected its gamma among the weights',
    ],
    [
      'BatchNormalization with a gamma too short',
      {},
      { gamma: [1], beta: [0, 0, 0, 0] },
      'expected a gamma of 4 values, got [1]',
    ],
    ['BatchNormalization without its beta', { scale: false }, {}, 'expected its beta among the weights'],
  ])('refuses %s', (_, config, given, message) => {
    const weights = new Map<string, Tensor>(
      Object.entries({ moving_mean: [1, 2, 3, 4], moving_variance: [1, 1, 1, 1], ...given }).map(
        ([name, values]) => [
          `l.${name}`,
          { data: Float32Array.from(values), shape: [values.length], dtype: 'float32' },
        ],
      ),
    );
    const model = sequential(input, layer('BatchNormalization', config));
    expect(() => graphOfKeras(model, weights, 'f')).toThrow(message);
  });
});
