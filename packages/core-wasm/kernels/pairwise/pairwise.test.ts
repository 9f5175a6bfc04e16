import { beforeAll, describe, expect, it } from 'vitest';
import { golden } from '../../../../tests/golden.js';
import { points } from '../../bench/data.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import { type Matrix, METRICS } from '../../src/matrix.js';
import {
  finishPairwise,
  pairwise,
  pairwiseCondensed,
  preparePairwise,
  releasePairwise,
  runPairwiseMirror,
  runPairwiseRows,
} from './index.js';
import { pointDistance } from './reference.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});
const matrix = (rows: number[][]): Matrix => ({
  data: Float32Array.from(rows.flat()),
  shape: [rows.length, rows[0]?.length ?? 0],
});

/** Relative for distances, absolute for angles: what the docstring promises. */
function expectRight(got: Matrix, x: Matrix, metric: (typeof METRICS)[number]): void {
  const exact = pointDistance(x, metric);
  const n = x.shape[0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const expected = exact(i, j);
      const tolerance = metric === 'euclidean' || metric === 'manhattan' ? 1e-5 * expected : 1e-6;
      if (!(Math.abs(got.data[i * n + j]! - expected) <= tolerance))
        throw new Error(
          `${metric} n=${n} d=${x.shape[1]} (${i}, ${j}): expected ${expected}, got ${got.data[i * n + j]}`,
        );
      expect(got.data[j * n + i]).toBe(got.data[i * n + j]);
    }
    expect(got.data[i * n + i]).toBe(0);
  }
}

describe.each(METRICS)('%s', (metric) => {
  it('equals float64 at every edge of lanes and tiles', () => {
    for (const n of [1, 2, 3, 4, 5, 7, 8, 13])
      for (const d of [1, 2, 3, 4, 5, 13, 511, 512, 513, 1030])
        expectRight(
          pairwise(kernels, points(n, d, 'uniform', n * 1000 + d), { metric }),
          points(n, d, 'uniform', n * 1000 + d),
          metric,
        );
  });

  it('takes no rows, one row and no columns', () => {
    for (const n of [0, 1, 3])
      for (const d of [0, 2])
        expect(
          [
            ...pairwise(kernels, { data: new Float32Array(n * d).fill(2), shape: [n, d] }, { metric }).data,
          ].every((v) => v <= (metric === 'cosine' ? 1e-6 : 0)),
        ).toBe(true);
  });

  it('gives exact duplicates exactly 0 and scales without overflow', () => {
    const x = matrix([
      [1e30, 2e30, -1e30],
      [1e30, 2e30, -1e30],
      [3e30, 0, 1e30],
    ]);
    expectRight(pairwise(kernels, x, { metric }), x, metric);
    expect(pairwise(kernels, x, { metric }).data[1]).toBeLessThanOrEqual(
      metric === 'euclidean' || metric === 'manhattan' ? 0 : 1e-6,
    );
  });

  it('between two sets equals the block of the joined set', () => {
    const all = points(11, 6, 'uniform', 5);
    const x = { data: all.data.slice(0, 30), shape: [5, 6] as const };
    const other = { data: all.data.slice(30), shape: [6, 6] as const };
    const whole = pairwise(kernels, all, { metric });
    const part = pairwise(kernels, x, { metric, other });
    expect(part.shape).toEqual([5, 6]);
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < 6; j++) expect(part.data[i * 6 + j]).toBe(whole.data[i * 11 + 5 + j]);
  });

  it('in parts, in any order, equals the whole to the last bit, and writes nothing beside it', () => {
    const x = points(23, 37, 'blobs', 3);
    const whole = pairwise(kernels, x, { metric });
    const job = preparePairwise(kernels, x, metric);
    const guards = [job.out - 4, job.out + 4 * 23 * 23].map((at) => kernels.arena.u32(at, 1)[0]);
    for (const [from, to] of [
      [16, 23],
      [4, 16],
      [0, 4],
    ] as const)
      runPairwiseRows(kernels.exports, job, from, to);
    for (const [from, to] of [
      [12, 23],
      [0, 12],
    ] as const)
      runPairwiseMirror(kernels.exports, job, from, to);
    finishPairwise(kernels, job);
    expect(kernels.arena.f32(job.out, 23 * 23).slice()).toEqual(whole.data);
    expect([job.out - 4, job.out + 4 * 23 * 23].map((at) => kernels.arena.u32(at, 1)[0])).toEqual(guards);
    releasePairwise(kernels, job);
  });

  it('gives its memory back, also when it refuses', () => {
    const before = kernels.arena.used;
    pairwise(kernels, points(9, 5), { metric });
    expect(() =>
      pairwise(
        kernels,
        matrix([
          [1, 2],
          [3, Number.NaN],
        ]),
        { metric },
      ),
    ).toThrow('x: expected finite numbers, got NaN at row 1, column 1');
    expect(() => pairwise(kernels, matrix([[1, 2]]), { metric, other: matrix([[1]]) })).toThrow(
      'other: expected 2 columns as x has, got 1',
    );
    expect(kernels.arena.used).toBe(before);
  });
});

describe('policies', () => {
  it('zero vectors are at 1 from others and 0 from each other', () => {
    const d = pairwise(
      kernels,
      matrix([
        [0, 0],
        [1, 2],
        [0, 0],
      ]),
      { metric: 'cosine' },
    );
    expect([...d.data]).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0]);
    const r = pairwise(
      kernels,
      matrix([
        [5, 5],
        [1, 2],
        [7, 7],
      ]),
      { metric: 'correlation' },
    );
    expect([...r.data]).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0]);
  });

  it('near-duplicates far from the origin keep five digits', () => {
    const x = matrix([
      [10000, 20000, 30000],
      [10000.001, 20000, 30000],
      [10000, 20000.002, 30000],
    ]);
    expectRight(pairwise(kernels, x, { metric: 'euclidean' }), x, 'euclidean');
  });
});

describe('goldens from SciPy', () => {
  it.each([
    ['iris', 'euc', 'euclidean'],
    ['iris', 'cos', 'cosine'],
    ['moons200', 'euc', 'euclidean'],
  ] as const)('%s %s', (name, short, metric) => {
    const x = golden(name);
    const expected = golden(`${name}_${short}_cond`);
    const got = pairwiseCondensed(
      kernels,
      { data: Float32Array.from(x.data), shape: [x.shape[0]!, x.shape[1]!] },
      { metric },
    );
    expect(got.length).toBe(expected.data.length);
    // The points themselves are rounded to float32: 3e-7 of coordinates up to 8.
    const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i]!)), 0);
    expect(worst).toBeLessThan(1e-6);
  });
});
