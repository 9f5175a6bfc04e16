import type { Tensor2D } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundledMnist } from '../datasets/mnist.js';
import type { Dataset } from '../datasets/types.js';
import { buildModel, type ModelSpec, prepareTf, type Tf, weightsOf } from '../models/index.js';
import { random } from '../random.js';
import { pretrain } from './index.js';
import { Rbm } from './rbm.js';

let tf: Tf;
let data: Dataset;
beforeAll(async () => {
  tf = await prepareTf();
  const whole = await bundledMnist();
  data = {
    ...whole,
    train: {
      images: whole.train.images.subarray(0, 500 * 784),
      labels: whole.train.labels.subarray(0, 500),
      count: 500,
    },
  };
});
const spec: ModelSpec = { name: 'dbn', inputShape: [28, 28, 1], classes: 10, seed: 2, hidden: [40, 20] };
const options = { epochs: 3, batchSize: 50, learningRate: 0.1, seed: 4 };

describe('a restricted Boltzmann machine', () => {
  it('takes the steps of CD-1 with momentum, as plain loops in float64 do', () => {
    const [batch, m, n, rate, momentum] = [7, 9, 5, 0.3, 0.9];
    const source = random(11);
    const rbm = new Rbm(tf, m, n, random(12));
    const w = Float64Array.from(rbm.weights.dataSync());
    const a = new Float64Array(m);
    const b = new Float64Array(n);
    const speed = { w: new Float64Array(m * n), a: new Float64Array(m), b: new Float64Array(n) };
    const logistic = (x: number) => 1 / (1 + Math.exp(-x));
    const up = (v: number[][]) =>
      v.map((row) =>
        Array.from({ length: n }, (_, j) =>
          logistic(row.reduce((sum, x, i) => sum + x * w[i * n + j]!, b[j]!)),
        ),
      );
    for (let step = 0; step < 3; step++) {
      const v0 = Array.from({ length: batch }, () => Array.from({ length: m }, () => source.uniform()));
      const h0 = up(v0);
      const draws = random(13, step);
      const s = h0.map((row) => row.map((p) => (draws.uniform() < p ? 1 : 0)));
      const v1 = s.map((row) =>
        Array.from({ length: m }, (_, i) =>
          logistic(row.reduce<number>((sum, x, j) => sum + x * w[i * n + j]!, a[i]!)),
        ),
      );
      const h1 = up(v1);
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let g = 0;
          for (let k = 0; k < batch; k++) g += v0[k]![i]! * h0[k]![j]! - v1[k]![i]! * h1[k]![j]!;
          speed.w[i * n + j] = momentum * speed.w[i * n + j]! + rate * (g / batch - 0.0002 * w[i * n + j]!);
        }
      for (let i = 0; i < m; i++)
        speed.a[i] =
          momentum * speed.a[i]! + (rate / batch) * v0.reduce((sum, row, k) => sum + row[i]! - v1[k]![i]!, 0);
      for (let j = 0; j < n; j++)
        speed.b[j] =
          momentum * speed.b[j]! + (rate / batch) * h0.reduce((sum, row, k) => sum + row[j]! - h1[k]![j]!, 0);
      for (const [value, change] of [
        [w, speed.w],
        [a, speed.a],
        [b, speed.b],
      ] as const)
        for (const [i, by] of change.entries()) value[i]! += by;
      const error = rbm.descend(tf.tensor2d(v0.flat(), [batch, m]) as Tensor2D, random(13, step), {
        learningRate: rate,
        momentum,
      });
      const expected = v0.flatMap((row, k) => row.map((x, i) => (x - v1[k]![i]!) ** 2));
      expect(error).toBeCloseTo(expected.reduce((x, y) => x + y) / expected.length, 6);
      for (const [variable, value] of [
        [rbm.weights, w],
        [rbm.visibleBias, a],
        [rbm.hiddenBias, b],
      ] as const)
        for (const [i, x] of variable.dataSync().entries()) expect(x).toBeCloseTo(value[i]!, 5);
    }
    rbm.dispose();
  });
});

describe('pretrain', () => {
  it('lowers the reconstruction error, leaves the top alone, repeats bit by bit and leaks no tensor', async () => {
    const once = async () => {
      const net = buildModel(tf, spec);
      const initial = weightsOf(net);
      const tensors = tf.memory().numTensors;
      const errors: number[] = [];
      const snapshots: { id: string; step: number | null }[] = [];
      const { steps } = await pretrain(tf, net, data, {
        ...options,
        onProgress: ({ layer, reconstructionError }) => layer === 'F1' && errors.push(reconstructionError),
        onSnapshot: ({ id, step }) => void snapshots.push({ id, step }),
      });
      expect(tf.memory().numTensors).toBe(tensors);
      return { initial, weights: weightsOf(net), errors, snapshots, steps };
    };
    const a = await once();
    expect(a.errors[a.errors.length - 1]).toBeLessThan(0.6 * a.errors[0]!);
    expect(a.snapshots).toEqual([
      { id: 'rbm-1', step: 30 },
      { id: 'rbm-2', step: 60 },
    ]);
    expect(a.steps).toBe(60);
    expect(a.weights.get('F3.kernel')!.data).toEqual(a.initial.get('F3.kernel')!.data);
    for (const name of ['F1.kernel', 'F1.bias', 'F2.kernel'])
      expect(a.weights.get(name)!.data).not.toEqual(a.initial.get(name)!.data);
    const b = await once();
    for (const [name, tensor] of a.weights) expect(b.weights.get(name)!.data, name).toEqual(tensor.data);
  });

  it('refuses a net that is no stack of logistic layers, and bad figures', async () => {
    await expect(pretrain(tf, buildModel(tf, { ...spec, name: 'mlp' }), data, options)).rejects.toThrow(
      'expected dense and logistic layers in turn, got dense, relu',
    );
    const net = buildModel(tf, spec);
    for (const [wrong, message] of [
      [{ epochs: 0 }, 'pre-training epochs'],
      [{ batchSize: 0.5 }, 'batch size'],
      [{ learningRate: Number.NaN }, 'pre-training rate'],
    ] as const)
      await expect(pretrain(tf, net, data, { ...options, ...wrong })).rejects.toThrow(message);
  });

  it('stops when cancelled, and when weights stop being numbers', async () => {
    const net = buildModel(tf, spec);
    const controller = new AbortController();
    await expect(
      pretrain(tf, net, data, {
        ...options,
        signal: controller.signal,
        onProgress: ({ step }) => step === 3 && controller.abort(),
      }),
    ).rejects.toMatchObject({ code: 'cancelled', fields: { layer: 'F1', step: 3 } });
    await expect(pretrain(tf, net, data, { ...options, learningRate: 1e39 })).rejects.toMatchObject({
      code: 'not-finite',
    });
  });
});
