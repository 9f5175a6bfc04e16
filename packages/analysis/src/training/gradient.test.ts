import { beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../datasets/types.js';
import { buildModel, loadWeights, prepareTf, type Tf, weightsOf } from '../models/index.js';
import { random } from '../random.js';
import { lossGradient } from './gradient.js';
import { evaluate } from './index.js';

let tf: Tf;
let data: Dataset;
beforeAll(async () => {
  tf = await prepareTf();
  const source = random(9);
  const images = Uint8Array.from({ length: 40 * 16 }, () => source.below(256));
  const labels = Uint8Array.from({ length: 40 }, () => source.below(3));
  const split = { images, labels, count: 40 };
  data = {
    name: 'noise',
    source: 'test',
    shape: [4, 4, 1],
    classes: ['a', 'b', 'c'],
    train: split,
    test: split,
  };
});

describe('lossGradient', () => {
  it.each(['sigmoid', 'relu'] as const)(
    'is the slope of the mean loss along each weight, %s',
    async (activation) => {
      const net = buildModel(tf, {
        name: 'mlp',
        inputShape: [4, 4, 1],
        classes: 3,
        seed: 2,
        hidden: [5, 4],
        activation,
      });
      const gradient = await lossGradient(tf, net, data, 'F1.kernel', { samples: 40, seed: 1, batchSize: 7 });
      expect(gradient.length).toBe(80);
      const weights = weightsOf(net);
      const kernel = weights.get('F1.kernel')!;
      const lossWith = (i: number, step: number) => {
        const moved = Float32Array.from(kernel.data as Float32Array);
        moved[i]! += step;
        loadWeights(tf, net, new Map(weights).set('F1.kernel', { ...kernel, data: moved }), 'test');
        return evaluate(tf, net, data.test, data.shape).loss;
      };
      for (const i of [0, 7, 33, 79]) {
        const slope = (lossWith(i, 0.01) - lossWith(i, -0.01)) / 0.02;
        // float32 losses near 1 over a step of 0.02: 1e-7 / 0.02, and the curvature's step².
        expect(gradient[i]).toBeCloseTo(slope, 3);
      }
    },
  );

  it('averages over the samples asked for, the same for the same seed, and leaks no tensor', async () => {
    const net = buildModel(tf, { name: 'mlp', inputShape: [4, 4, 1], classes: 3, seed: 2, hidden: [5] });
    const before = tf.memory().numTensors;
    const of = (samples: number, seed: number, batchSize = 500) =>
      lossGradient(tf, net, data, 'F1.kernel', { samples, seed, batchSize });
    const a = await of(10, 1);
    expect(await of(10, 1)).toEqual(a);
    expect(await of(10, 2)).not.toEqual(a);
    const [whole, parts] = [await of(40, 1), await of(40, 3, 11)];
    whole.forEach((g, i) => {
      expect(parts[i]).toBeCloseTo(g, 6);
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses an unknown tensor and no samples, and can be cancelled', async () => {
    const net = buildModel(tf, { name: 'mlp', inputShape: [4, 4, 1], classes: 3, seed: 2, hidden: [5] });
    await expect(lossGradient(tf, net, data, 'X.kernel', { samples: 1, seed: 1 })).rejects.toThrow(
      'no tensor X.kernel',
    );
    await expect(lossGradient(tf, net, data, 'F1.kernel', { samples: 0, seed: 1 })).rejects.toThrow(
      '> 0, got 0',
    );
    const signal = AbortSignal.abort();
    await expect(
      lossGradient(tf, net, data, 'F1.kernel', { samples: 1, seed: 1, signal }),
    ).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});
