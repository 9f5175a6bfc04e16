import { expect, it } from 'vitest';
import { bundledMnist } from '../datasets/mnist.js';
import { buildModel, prepareTf } from '../models/index.js';
import { train } from './index.js';

it('with a snapshot every step, the test samples are used at whole epochs and now and then between', async () => {
  const tf = await prepareTf();
  const whole = await bundledMnist();
  const part = (split: typeof whole.train, count: number) => ({
    images: split.images.subarray(0, count * 784),
    labels: split.labels.subarray(0, count),
    count,
  });
  const data = { ...whole, train: part(whole.train, 200), test: part(whole.test, 15) };
  const net = buildModel(tf, { name: 'mlp', inputShape: [28, 28, 1], classes: 10, seed: 1, hidden: [4] });
  const tested: number[] = [];
  const steps: number[] = [];
  await train(tf, net, data, {
    epochs: 2,
    batchSize: 20,
    optimizer: 'sgd',
    learningRate: 0.1,
    noise: 0,
    seed: 1,
    snapshots: { init: true, everySteps: 1 },
    onSnapshot: ({ step, metrics }) => {
      steps.push(step!);
      if (metrics.testAccuracy !== undefined) tested.push(step!);
      expect('loss' in metrics).toBe(step !== 0);
    },
  });
  expect(steps).toEqual(Array.from({ length: 21 }, (_, i) => i));
  // 15 test samples: 75 samples, so four steps of 20, lie between two tests, which whole epochs (10 and 20) have anyway.
  expect(tested).toEqual([0, 4, 8, 10, 14, 18, 20]);
});
