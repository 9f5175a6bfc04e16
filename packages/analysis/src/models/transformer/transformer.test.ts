import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modularAddition } from '../../datasets/index.js';
import { train } from '../../training/index.js';
import { prepareTf, type Tf } from '../backend.js';
import { buildModel } from '../index.js';
import { type Net, weightsOf } from '../net.js';

let tf: Tf;
let net: Net;
const P = 7;
const data = modularAddition(P);
beforeAll(async () => {
  tf = await prepareTf();
  net = buildModel(tf, { name: 'transformer', inputShape: [...data.shape], classes: P, seed: 3 });
});
afterAll(() => net.model.dispose());

type Matrix = number[][];
const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * b[k]![j]!, 0)));
const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((x, j) => x + b[i]![j]!));

/** Log-probabilities of a + b by the definition, in float64. */
function byDefinition(a: number, b: number, heads = 4): number[] {
  const weights = weightsOf(net);
  const matrix = (name: string): Matrix => {
    const { data: values, shape } = weights.get(name)!;
    const columns = shape.at(-1)!;
    return Array.from({ length: values.length / columns }, (_, i) =>
      Array.from(values.subarray(i * columns, (i + 1) * columns) as Float32Array),
    );
  };
  const embedding = matrix('E.kernel');
  const x = plus([embedding[a]!, embedding[b]!, embedding[P]!], matrix('P.table'));
  const last = [x[2]!];
  const [q, k, v] = [
    times(last, matrix('A.query'))[0]!,
    times(x, matrix('A.key')),
    times(x, matrix('A.value')),
  ];
  const size = q.length / heads;
  const read = Array.from(q, () => 0);
  for (let h = 0; h < heads; h++) {
    const scores = k.map((row) => {
      let sum = 0;
      for (let i = h * size; i < (h + 1) * size; i++) sum += q[i]! * row[i]!;
      return Math.exp(sum / Math.sqrt(size));
    });
    const all = scores.reduce((sum, score) => sum + score, 0);
    for (let i = h * size; i < (h + 1) * size; i++)
      read[i] = v.reduce((sum, row, t) => sum + (scores[t]! / all) * row[i]!, 0);
  }
  const x1 = plus(last, times([read], matrix('A.output')));
  const hidden = plus(times(x1, matrix('F1.kernel')), matrix('F1.bias')).map((row) =>
    row.map((value) => Math.max(0, value)),
  );
  const x2 = plus(x1, plus(times(hidden, matrix('F2.kernel')), matrix('F2.bias')));
  const [logits] = times(x2, matrix('U.kernel')) as [number[]];
  const log = Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0));
  return logits.map((value) => value - log);
}

describe('transformer', () => {
  it('is its definition, in float64', () => {
    const { images, labels, count } = data.test;
    const x = Float32Array.from(images, (byte) => byte / 255);
    const out = tf.tidy(() =>
      (net.model.predict(tf.tensor(x, [count, ...data.shape])) as ReturnType<Tf['tensor']>).dataSync(),
    );
    const size = 3 * (P + 1);
    for (let i = 0; i < 8; i++) {
      const a = images.indexOf(255, i * size) - i * size;
      const b = (labels[i]! - a + P) % P;
      byDefinition(a, b).forEach((value, c) => {
        // float32 against float64, of values up to about 3.
        expect(out[i * P + c], `${a} + ${b}, ${c}`).toBeCloseTo(value, 5);
      });
    }
  });

  it('learns its training pairs by heart, to the same bits again, with weights that decay', async () => {
    const options = {
      epochs: 60,
      batchSize: data.train.count,
      optimizer: 'adamw' as const,
      learningRate: 0.01,
      noise: 0,
      seed: 1,
      snapshots: { everySteps: 60 },
    };
    const trained = async (weightDecay: number) => {
      const one = buildModel(tf, { name: 'transformer', inputShape: [...data.shape], classes: P, seed: 3 });
      const losses: number[] = [];
      await train(tf, one, data, {
        ...options,
        weightDecay,
        onProgress: ({ loss }) => losses.push(loss),
      });
      const weights = weightsOf(one);
      one.model.dispose();
      return { losses, weights };
    };
    const first = await trained(1);
    expect(first.losses[0]).toBeGreaterThan(1.5);
    expect(first.losses.at(-1)).toBeLessThan(0.2);
    expect((await trained(1)).weights).toEqual(first.weights);
    const norm = ({ weights }: typeof first) =>
      Math.hypot(...[...weights.values()].flatMap(({ data: values }) => Array.from(values as Float32Array)));
    expect(norm(first)).toBeLessThan(0.9 * norm(await trained(0)));
  });

  it('decays apart from Adam: a first step takes rate · (decay · w + sign of the gradient)', async () => {
    const one = buildModel(tf, { name: 'transformer', inputShape: [...data.shape], classes: P, seed: 3 });
    const before = weightsOf(one).get('U.kernel')!.data as Float32Array;
    const [rate, decay] = [0.01, 2];
    await train(tf, one, data, {
      epochs: 1,
      batchSize: data.train.count,
      optimizer: 'adamw',
      learningRate: rate,
      weightDecay: decay,
      noise: 0,
      seed: 1,
      snapshots: { everySteps: 1 },
    });
    const after = weightsOf(one).get('U.kernel')!.data as Float32Array;
    for (let i = 0; i < before.length; i++) {
      const step = after[i]! - before[i]! * (1 - rate * decay);
      // Adam's first step is the rate, whatever the gradient's size, less epsilon's share.
      expect(Math.abs(step)).toBeCloseTo(rate, 3);
    }
    one.model.dispose();
  });

  it('refuses weight decay without adamw, and inputs that are no tokens', async () => {
    const options = {
      epochs: 1,
      batchSize: 9,
      learningRate: 0.1,
      noise: 0,
      seed: 1,
      snapshots: { everySteps: 1 },
    };
    await expect(train(tf, net, data, { ...options, optimizer: 'adam', weightDecay: 0.1 })).rejects.toThrow(
      'weight decay: expected optimizer adamw, got adam',
    );
    expect(() =>
      buildModel(tf, { name: 'transformer', inputShape: [32, 32, 3], classes: 10, seed: 1 }),
    ).toThrow('transformer: expected inputs of tokens × vocabulary × 1, got 32 × 32 × 3');
  });
});
