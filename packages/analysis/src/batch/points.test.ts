import type { Engine } from '@epochscope/analysis';
import { METRICS } from '@epochscope/core-wasm';
import { afterAll, describe, expect, it } from 'vitest';
import { random } from '../random.js';
import { blobs, engine, expectSame, MEMORY, oneHot, source, whole } from './conformance.js';
import { computePoints, planPoints } from './points.js';

afterAll(() => engine.close());

describe('VAT of points over tasks is that of one machine, to the last bit', () => {
  it.each(METRICS)('by %s: blobs, integer grids, duplicates, zero rows, few points', async (metric) => {
    for (const tasks of [1, 3, 7, 13]) await expectSame(source('blobs', blobs(1500, 9, 1), 9), metric, tasks);
    await expectSame(source('records', blobs(900, 130, 2), 130), metric, 7);
    await expectSame(source('grid', whole(1200, 3, 5, 3), 3), metric, 13);
    await expectSame(source('grid of bits', whole(700, 12, 2, 4), 12), metric, 7);
    const copies = blobs(1000, 6, 5);
    for (let i = 0; i < 500; i++)
      copies.copyWithin(6 * (2 * i + 1), 6 * ((i * 7) % 200), 6 * ((i * 7) % 200) + 6);
    copies.fill(0, 60, 66);
    copies.fill(0, 5400, 5406);
    await expectSame(source('duplicates', copies, 6), metric, 7);
    for (const n of [1, 2, 3, 5, 8, 40]) await expectSame(source('few', blobs(n, 4, n), 4), metric, 7);
    await expectSame(source('all alike', new Float32Array(300).fill(3), 3), metric, 7);
    await expectSame(
      source(
        'sizes',
        blobs(600, 5, 6).map((x, i) => x * (i % 50 ? 1 : 1e18)),
        5,
      ),
      metric,
      7,
    );
  });

  it('of numbers that are no float32, and of chosen rows', async () => {
    const draw = random(7);
    const large = Float64Array.from({ length: 6000 }, (_, i) => 1e6 + draw.normal() * (1 + (i % 5)));
    for (const metric of METRICS) {
      await expectSame(source('far from 0', large, 10, 'float64'), metric, 7);
      const zeros = large.slice();
      zeros.fill(0, 100, 110);
      zeros.fill(0, 5000, 5010);
      await expectSame(source('zero rows', zeros, 10, 'float64'), metric, 7);
    }
    const wide = BigInt64Array.from({ length: 3000 }, () => 2n ** 60n + BigInt(draw.below(1e9)));
    await expectSame(source('wide', wide, 5, 'int64'), 'euclidean', 7);
    await expectSame(source('bytes', Uint8Array.from(whole(900, 8, 256, 8)), 8, 'uint8'), 'manhattan', 7);
    await expectSame(source('chosen', blobs(2000, 7, 9), 7), 'euclidean', 7, {
      chosen: random(10).permutation(2000).subarray(0, 1100),
    });
  });

  it('of edges that do not fit: rows apart by the same distance, in tasks of more than a matrix', async () => {
    await expectSame(source('one-hot', oneHot(900), 900), 'euclidean', 1);
    let none = 0;
    const by: Pick<Engine, 'lightEdges'> = {
      lightEdges: async (x, options) => {
        // As where a task of any size does not fit.
        const found = x.shape[0] > 1400 ? null : await engine.lightEdges(x, options);
        if (!found) none++;
        return found;
      },
    };
    await expectSame(source('grid', whole(3000, 5, 4, 11), 5), 'manhattan', 3, { by });
    await expectSame(source('blobs', blobs(2400, 8, 12), 8), 'cosine', 3, { by });
    expect(none).toBe(6);
  }, 180_000);

  it('of 20 000 points in 13 tasks, and of a grid', async () => {
    await expectSame(source('blobs', blobs(20_000, 12, 13), 12), 'euclidean', 13);
    await expectSame(source('grid', whole(3000, 8, 5, 14), 8), 'euclidean', 7);
  }, 180_000);

  it('refuses rows that have changed since the plan, and ties that take more than the memory', async () => {
    const data = blobs(600, 4, 15);
    const rows = source('x', data, 4);
    const plan = await planPoints(rows, null, 'euclidean', { memory: MEMORY, tasks: 7 });
    // The last block is one of the first task.
    data[data.length - 1]! += 1;
    await expect(computePoints(engine, rows, null, plan, 0, { memory: MEMORY })).rejects.toMatchObject({
      code: 'format',
      fields: { retry: false },
    });
    await expect(
      planPoints(source('nan', Float32Array.of(1, 2, 3, Number.NaN), 2), null, 'euclidean', {
        memory: MEMORY,
      }),
    ).rejects.toThrow('nan: expected finite numbers, got NaN at row 1, column 1');
    // Corners of a cube: neighbours, all equally far apart, have no neighbour in common.
    const bits = source('bits', whole(5000, 14, 2, 16), 14);
    const some = await planPoints(bits, null, 'manhattan', { memory: MEMORY, tasks: 1 });
    await expect(computePoints(engine, bits, null, some, 0, { memory: 100_000 })).rejects.toMatchObject({
      code: 'memory',
    });
  });
});
