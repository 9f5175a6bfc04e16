import { beforeAll, describe, expect, it } from 'vitest';
import { buildModel, type ModelSpec, prepareTf, type Tf, weightsOf } from '../index.js';

let tf: Tf;
beforeAll(async () => {
  tf = await prepareTf();
});
const build = (more: Partial<ModelSpec> = {}) =>
  buildModel(tf, { name: 'mlp', inputShape: [28, 28, 1], classes: 10, seed: 1, ...more });

describe('mlp', () => {
  it('has ReLU between its layers, or logistic units', () => {
    expect(build().layers.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'F1 dense',
      'R1 relu',
      'F2 dense',
      'R2 relu',
      'F3 dense',
      'S3 log-softmax',
    ]);
    const net = build({ activation: 'sigmoid', hidden: [4] });
    expect(net.layers[1]).toMatchObject({ name: 'R1', kind: 'sigmoid', shape: [4] });
  });

  it('begins with Glorot’s weights, or normal ones of a given deviation', () => {
    const spread = (net: ReturnType<typeof build>) => {
      const data = weightsOf(net).get('F1.kernel')!.data as Float32Array;
      return Math.sqrt(data.reduce((sum, w) => sum + w * w, 0) / data.length);
    };
    // Uniform within √(6 / 884): that over √3. 78 400 weights: 1 % is four standard errors.
    const glorot = Math.sqrt(6 / 884 / 3);
    expect(Math.abs(spread(build()) / glorot - 1)).toBeLessThan(0.01);
    expect(Math.abs(spread(build({ deviation: 0.01 })) / 0.01 - 1)).toBeLessThan(0.015);
  });

  it('refuses what it does not know', () => {
    expect(() => build({ activation: 'swish' as 'relu' })).toThrow('expected relu or sigmoid, got swish');
    expect(() => build({ deviation: 0 })).toThrow('expected a number > 0, got 0');
    expect(() => build({ hidden: [3, 0] })).toThrow('expected whole numbers > 0');
  });
});
