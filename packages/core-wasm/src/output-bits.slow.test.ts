import { beforeAll, describe, expect, it } from 'vitest';
import { DATA, fills, hash } from '../bench/bits.js';
import { type Kernels, loadKernels, vatFromPoints } from './index.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

describe('output bits', () => {
  it('of VAT of some thousand points', () => {
    const bits: Record<string, string> = {};
    for (const [n, d, metric, some] of [
      [1500, 784, 'euclidean', ['blobs', 'rectified']],
      [1500, 784, 'cosine', ['rectified', 'uniform']],
      [2000, 84, 'euclidean', fills],
      [2000, 10, 'euclidean', fills],
      [2048, 128, 'manhattan', ['blobs', 'integers']],
      [2500, 20, 'correlation', fills],
      [5000, 12, 'euclidean', ['uniform', 'blobs', 'outliers', 'integers']],
      [5000, 3, 'manhattan', ['uniform', 'integers']],
      [1800, 1800, 'euclidean', ['one-hot']],
    ] as const)
      for (const fill of some)
        bits[`${metric} ${fill} ${n}×${d}`] = hash(vatFromPoints(kernels, DATA[fill]!(n, d, n), { metric }));
    expect(bits).toMatchSnapshot();
  }, 180_000);
});
