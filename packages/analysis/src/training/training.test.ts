import { beforeAll, describe, expect, it } from 'vitest';
import { captureOutputs, readPredictions } from '../capture/index.js';
import { bundledMnist } from '../datasets/mnist.js';
import type { Dataset } from '../datasets/types.js';
import { buildModel, loadWeights, type ModelSpec, prepareTf, type Tf, weightsOf } from '../models/index.js';
import { evaluate, snapshotPlan, type TrainOptions, train } from './index.js';

let tf: Tf;
let data: Dataset;
beforeAll(async () => {
  tf = await prepareTf();
  const whole = await bundledMnist();
  const part = (split: Dataset['train'], count: number) => ({
    images: split.images.subarray(0, count * 784),
    labels: split.labels.subarray(0, count),
    count,
  });
  data = { ...whole, train: part(whole.train, 600), test: part(whole.test, 200) };
});

const spec: ModelSpec = { name: 'lenet5', inputShape: [28, 28, 1], classes: 10, seed: 3 };
const options: TrainOptions = {
  epochs: 2,
  batchSize: 50,
  optimizer: 'adam',
  learningRate: 0.002,
  seed: 5,
  noise: 0.1,
  snapshots: { init: true, epochs: [1] },
};

describe('bundled digits', () => {
  it('are 10 000, every class in both parts, the same each time', async () => {
    const a = await bundledMnist();
    expect(a.train.count + a.test.count).toBe(10_000);
    for (const split of [a.train, a.test])
      for (let digit = 0; digit < 10; digit++)
        expect(split.labels.filter((l) => l === digit).length).toBeGreaterThan(0.08 * split.count);
    expect((await bundledMnist()).test.images).toEqual(a.test.images);
  });
});

describe('train', () => {
  it('learns, gives the same bits for the same seed, and leaks no tensor', async () => {
    const once = async () => {
      const net = buildModel(tf, spec);
      const ids: string[] = [];
      const before = tf.memory().numTensors;
      const summary = await train(tf, net, data, { ...options, onSnapshot: ({ id }) => void ids.push(id) });
      expect(tf.memory().numTensors).toBe(before);
      return { ids, summary, weights: weightsOf(net) };
    };
    const a = await once();
    const b = await once();
    expect(a.ids).toEqual(['init', 'epoch-0001', 'epoch-0002']);
    expect(a.summary.testAccuracy).toBeGreaterThan(0.6);
    for (const [name, tensor] of a.weights) expect(b.weights.get(name)!.data, name).toEqual(tensor.data);
  });

  it('holds masked weights at exactly 0', async () => {
    const net = buildModel(tf, { ...spec, name: 'mlp', hidden: [8] });
    const mask = Uint8Array.from({ length: 784 * 8 }, (_, i) => i % 3 && 1);
    await train(tf, net, data, { ...options, epochs: 1, masks: new Map([['F1.kernel', mask]]) });
    const kernel = weightsOf(net).get('F1.kernel')!.data as Float32Array;
    expect(kernel.every((w, i) => (mask[i] ? true : w === 0))).toBe(true);
    expect(kernel.filter((w, i) => mask[i] && w !== 0).length).toBeGreaterThan(1000);
  });

  it('says where the loss stopped being a number', async () => {
    const net = buildModel(tf, spec);
    await expect(
      train(tf, net, data, { ...options, optimizer: 'sgd', learningRate: 1e30 }),
    ).rejects.toMatchObject({
      code: 'not-finite',
      message: expect.stringMatching(/in epoch 1, step \d+; try a smaller learning rate/),
    });
  });

  it('stops when cancelled', async () => {
    const net = buildModel(tf, spec);
    const controller = new AbortController();
    const job = train(tf, net, data, {
      ...options,
      signal: controller.signal,
      onProgress: ({ step }) => step === 3 && controller.abort(),
    });
    await expect(job).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('capture', () => {
  it('gives every layer its shape, and the last layer what evaluation uses', async () => {
    const net = buildModel(tf, spec);
    const inputs = { data: data.test.images, shape: [200, 28, 28, 1], dtype: 'uint8' as const };
    const outputs = await captureOutputs(tf, net, inputs, { batchSize: 64 });
    for (const layer of net.layers) expect(outputs.get(layer.name)!.shape).toEqual([200, ...layer.shape]);
    expect(net.layers.map(({ name }) => name)).toEqual([
      'C1',
      'R1',
      'P1',
      'C2',
      'R2',
      'P2',
      'F3',
      'R3',
      'F4',
      'R4',
      'F5',
      'S5',
    ]);
    expect(net.layers.find(({ name }) => name === 'P2')!.shape).toEqual([4, 4, 16]);
    const c1 = outputs.get('C1')!.data;
    expect(outputs.get('R1')!.data).toEqual(c1.map((x) => Math.max(0, x)));
    const { predictions } = readPredictions(outputs.get('S5')!, data.test.labels);
    const right = predictions.filter((p, i) => p === data.test.labels[i]).length;
    expect(right / 200).toBe(evaluate(tf, net, data.test, data.shape).accuracy);
  });

  it('refuses an unknown layer', async () => {
    const net = buildModel(tf, spec);
    await expect(
      captureOutputs(
        tf,
        net,
        { data: new Uint8Array(784), shape: [1, 28, 28, 1], dtype: 'uint8' },
        { layers: ['X1'] },
      ),
    ).rejects.toThrow('the net has no layer X1; it has C1, R1');
  });

  it('names layer and sample of outputs that are not finite', async () => {
    const net = buildModel(tf, spec);
    const inputs = new Float32Array(2 * 784);
    inputs[784 + 300] = Number.NaN;
    await expect(
      captureOutputs(tf, net, { data: inputs, shape: [2, 28, 28, 1], dtype: 'float32' }, { layers: ['C1'] }),
    ).rejects.toThrow(/layer C1: .* for sample 1/);
  });
});

describe('loadWeights', () => {
  it('restores what weightsOf gave, and changes nothing when a tensor does not fit', () => {
    const a = buildModel(tf, spec);
    const b = buildModel(tf, { ...spec, seed: 4 });
    const weights = weightsOf(a);
    expect(weightsOf(b).get('C1.kernel')!.data).not.toEqual(weights.get('C1.kernel')!.data);
    const broken = new Map(weights);
    broken.set('F5.bias', { data: new Float32Array(3), shape: [3], dtype: 'float32' });
    const before = weightsOf(b).get('C1.kernel')!.data;
    expect(() => loadWeights(tf, b, broken, 'test')).toThrow(
      'test: tensor F5.bias: expected shape [10], got [3]',
    );
    expect(weightsOf(b).get('C1.kernel')!.data).toEqual(before);
    loadWeights(tf, b, weights, 'test');
    for (const [name, tensor] of weights) expect(weightsOf(b).get(name)!.data, name).toEqual(tensor.data);
  });
});

describe('snapshotPlan', () => {
  it('gives steps for epochs, every k, and by equal factors', () => {
    expect([...snapshotPlan({ epochs: [1, 3] }, 4, 10)].sort((a, b) => a - b)).toEqual([10, 30, 40]);
    expect([...snapshotPlan({ init: true, everySteps: 15 }, 4, 10)].sort((a, b) => a - b)).toEqual([
      0, 15, 30, 40,
    ]);
    const log = [...snapshotPlan({ logSpaced: 5 }, 10, 1000)].sort((a, b) => a - b);
    expect(log).toEqual([1, 10, 100, 1000, 10000]);
    expect(() => snapshotPlan({ epochs: [9] }, 4, 10)).toThrow('expected a whole number 0 … 4, got 9');
  });
});
