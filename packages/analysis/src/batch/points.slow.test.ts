import { METRICS } from '@epochscope/core-wasm';
import { afterAll, describe, it } from 'vitest';
import { blobs, engine, expectSame, oneHot, source, whole } from './conformance.js';

afterAll(() => engine.close());

describe('VAT of 20 000 points over tasks is that of one machine, to the last bit', () => {
  it.each(METRICS)(
    'by %s: blobs, an integer grid, duplicates',
    async (metric) => {
      await expectSame(source('blobs', blobs(20_000, 10, 1), 10), metric, 13);
      await expectSame(source('grid', whole(20_000, 6, 5, 2), 6), metric, 7);
      const copies = blobs(20_000, 10, 3);
      for (let i = 1; i < 20_000; i += 2)
        copies.copyWithin(10 * i, 10 * ((i * 7) % 4000), 10 * ((i * 7) % 4000) + 10);
      await expectSame(source('duplicates', copies, 10), metric, 7);
    },
    280_000,
  );

  it('of one-hot rows, all apart by the same distance', async () => {
    await expectSame(source('one-hot', oneHot(3000), 3000), 'euclidean', 3);
  }, 280_000);
});
