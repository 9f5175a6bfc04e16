import { type Matrix, METRICS } from '@epochscope/core-wasm';
import { expect, it } from 'vitest';
import { random } from '../random.js';
import { dissimilarity, vatImageOfRows } from './vat-image.js';

const matrix = (n: number, d: number): Matrix => {
  const draw = random(n + d);
  return { data: Float32Array.from({ length: n * d }, () => draw.below(1000) / 7), shape: [n, d] };
};

it('holds the mean of all pairs of each pixel, bit for bit, where these are at most four', () => {
  // Pairs come in fours: rows of fewer, of as many, of some more; one pair a pixel, two and four.
  for (const metric of [...METRICS, 'matrix'] as const)
    for (const [n, side] of [
      [0, 3],
      [1, 3],
      [2, 3],
      [5, 9],
      [8, 8],
      [9, 9],
      [13, 7],
      [16, 8],
    ] as const)
      for (const [unit, halfSquare] of [
        [1, false],
        [3, true],
      ] as const) {
        const x = metric === 'matrix' ? matrix(n, n) : matrix(n, 5);
        const order = random(1).permutation(n);
        const image = vatImageOfRows(x, order, { metric, side, seed: 1, unit, halfSquare });
        const between = dissimilarity(x, metric);
        const pixels = Math.min(n, side);
        expect(image).toMatchObject({ side: pixels, pairsPerPixel: 'all' });
        const start = (p: number) => Math.floor((p * n) / pixels);
        for (let p = 0; p < pixels; p++)
          for (let q = p; q < pixels; q++) {
            let sum = 0;
            let count = 0;
            for (let a = start(p); a < start(p + 1); a++)
              for (let b = start(q); b < start(q + 1); b++, count++) {
                const value = between(order[a]!, order[b]!) * unit;
                sum += halfSquare ? 0.5 * value * value : value;
              }
            const expected = Math.fround(sum / count);
            expect([image.data[p * pixels + q], image.data[q * pixels + p]]).toEqual([expected, expected]);
          }
      }
});
