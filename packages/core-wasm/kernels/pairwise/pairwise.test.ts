import { beforeAll, describe, expect, it } from 'vitest';
import { golden } from '../../../../tests/golden.js';
import { points } from '../../bench/data.js';
import { detectFeatures, type Kernels, loadKernels } from '../../src/load.js';
import { type Matrix, METRICS } from '../../src/matrix.js';
import { vatFromMatrix } from '../vat/index.js';
import { vatFromPoints } from '../vat-points/index.js';
import {
  pairwise,
  pairwiseBytes,
  pairwiseCondensed,
  pairwiseInto,
  pairwiseResult,
  preparePairwise,
  releasePairwise,
  runPairwise,
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
    for (let j = 0; j < i; j++) {
      const expected = exact(i, j);
      const tolerance = metric === 'euclidean' || metric === 'manhattan' ? 1e-5 * expected : 1e-6;
      if (!(Math.abs(got.data[i * n + j]! - expected) <= tolerance))
        throw new Error(
          `${metric} n=${n} d=${x.shape[1]} (${i}, ${j}): expected ${expected}, got ${got.data[i * n + j]}`,
        );
      if (got.data[j * n + i] !== got.data[i * n + j])
        throw new Error(`${metric} n=${n} d=${x.shape[1]}: (${i}, ${j}) is not (${j}, ${i})`);
    }
    if (got.data[i * n + i] !== 0)
      throw new Error(`${metric} n=${n} d=${x.shape[1]}: (${i}, ${i}) is ${got.data[i * n + i]}, not 0`);
  }
}

describe('euclidean between integers', () => {
  it.each([1, 0.5, 1 / 256, 1024])('is exact in units of %f, so that ties are ties', (unit) => {
    for (const n of [2, 5, 16, 33, 129, 200])
      for (const d of [1, 3, 13, 64]) {
        const { data, shape } = points(n, d, 'uniform', n * 100 + d);
        // Far from the origin too, where a mean is no integer of units.
        const whole = data.map((value) => unit * (Math.floor(8 * Math.abs(value)) + 1000));
        const x: Matrix = { data: whole, shape };
        const exact = pointDistance(x, 'euclidean');
        const got = pairwise(kernels, x, { metric: 'euclidean' }).data;
        const wrong: string[] = [];
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++)
            if (got[i * n + j] !== Math.fround(exact(i, j)))
              wrong.push(`n=${n} d=${d} (${i}, ${j}): ${got[i * n + j]}, exactly ${exact(i, j)}`);
        expect(wrong).toEqual([]);
        const other: Matrix = { data: whole.slice(0, 2 * d), shape: [2, d] };
        expect([...pairwise(kernels, x, { metric: 'euclidean', other }).data]).toEqual(
          Array.from({ length: 2 * n }, (_, k) => got[Math.floor(k / 2) * n + (k % 2)]),
        );
        const ofPoints = vatFromPoints(kernels, x, { metric: 'euclidean' });
        expect(vatFromMatrix(kernels, { data: got, shape: [n, n] })).toEqual(ofPoints);
      }
  });
});

describe.each(METRICS)('%s', (metric) => {
  it('equals float64 at every edge of lanes, tiles, panels and blocks of columns', () => {
    for (const n of [1, 2, 3, 4, 5, 13, 15, 16, 17, 33])
      for (const d of [1, 2, 3, 4, 5, 13, 63, 64, 65, 300])
        expectRight(
          pairwise(kernels, points(n, d, 'uniform', n * 1000 + d), { metric }),
          points(n, d, 'uniform', n * 1000 + d),
          metric,
        );
  });

  it('equals float64 at every edge of squares, and in the relaxed build where there is one', async () => {
    const relaxed = detectFeatures().relaxedSimd ? await loadKernels({ relaxed: true }) : null;
    for (const n of [127, 128, 129, 256, 261, 387])
      for (const build of relaxed ? [kernels, relaxed] : [kernels]) {
        const x = points(n, 5, n % 2 ? 'blobs' : 'duplicates', n);
        expectRight(pairwise(build, x, { metric }), x, metric);
      }
  });

  it('keeps its accuracy where all roundings go the same way: long rows of nearly equal values', () => {
    for (const d of [511, 512, 513, 1030, 3082]) {
      const x: Matrix = { data: new Float32Array(6 * d), shape: [6, d] };
      for (let i = 0; i < 6; i++)
        for (let k = 0; k < d; k++) x.data[i * d + k] = 0.1 + (k < 10 * i ? 0.07 : 0) + 1e-4 * ((k * i) % 7);
      expectRight(pairwise(kernels, x, { metric }), x, metric);
    }
  });

  it('takes no rows, one row and no columns', () => {
    for (const n of [0, 1, 3])
      for (const d of [0, 2])
        expect(
          [
            ...pairwise(kernels, { data: new Float32Array(n * d).fill(2), shape: [n, d] }, { metric }).data,
          ].every((v) => v === 0),
        ).toBe(true);
  });

  it('gives exact duplicates exactly 0 and scales without overflow', () => {
    const x = matrix([
      [1e30, 2e30, -1e30],
      [1e30, 2e30, -1e30],
      [3e30, 0, 1e30],
    ]);
    expectRight(pairwise(kernels, x, { metric }), x, metric);
    expect(pairwise(kernels, x, { metric }).data[1]).toBe(0);
    const tiny = { data: x.data.map((v) => v * 1e-60), shape: x.shape };
    expect(pairwise(kernels, tiny, { metric }).data[1]).toBe(0);
    const copies = points(140, 11, 'duplicates', 4);
    const within = pairwise(kernels, copies, { metric }).data;
    const between = pairwise(kernels, copies, { metric, other: copies }).data;
    for (let i = 0; i < 140; i++)
      for (let j = i & ~3; j < i; j++) {
        expect(within[i * 140 + j], `${i}, ${j}`).toBe(0);
        expect(between[i * 140 + j], `${i}, ${j}`).toBe(0);
      }
    expect(between).toEqual(within);
  });

  it('between two sets equals the block of the joined set', () => {
    for (const [n, m] of [
      [5, 6],
      [130, 9],
      [3, 259],
      [0, 4],
      [4, 0],
    ] as const) {
      const all = points(n + m, 6, 'uniform', 5);
      const x = { data: all.data.slice(0, 6 * n), shape: [n, 6] as const };
      const other = { data: all.data.slice(6 * n), shape: [m, 6] as const };
      const whole = pairwise(kernels, all, { metric });
      const part = pairwise(kernels, x, { metric, other });
      expect(part.shape).toEqual([n, m]);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < m; j++) expect(part.data[i * m + j]).toBe(whole.data[i * (n + m) + n + j]);
    }
  });

  it('permuted rows give the permuted matrix', () => {
    const n = 150;
    const x = points(n, 7, 'blobs', 8);
    const to = Array.from({ length: n }, (_, i) => (i * 47) % n);
    const moved: Matrix = { data: new Float32Array(n * 7), shape: x.shape };
    for (let i = 0; i < n; i++) moved.data.set(x.data.subarray(7 * i, 7 * i + 7), 7 * to[i]!);
    const a = pairwise(kernels, x, { metric }).data;
    const b = pairwise(kernels, moved, { metric }).data;
    // The centre of Euclidean distances is summed in another order: float32 rounding of the result.
    let worst = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const apart = Math.abs(b[to[i]! * n + to[j]!]! - a[i * n + j]!);
        if (apart !== 0) worst = Math.max(worst, apart / a[i * n + j]!);
      }
    expect(worst).toBeLessThanOrEqual(2e-6);
  });

  it('in parts, in any order, equals the whole to the last bit, and writes nothing beside it', () => {
    for (const condensed of [false, true]) {
      const n = 300;
      const x = points(n, 37, 'blobs', 3);
      const whole = condensed
        ? pairwiseCondensed(kernels, x, { metric })
        : pairwise(kernels, x, { metric }).data;
      const size = 4 * whole.length;
      const out = kernels.arena.alloc(size + 128) + 64;
      kernels.arena.u8(out - 64, size + 128).fill(0xa5);
      const job = preparePairwise(kernels, x, metric, { out, condensed });
      expect(job.squares).toBe(6);
      for (const [from, to] of [
        [4, 6],
        [1, 4],
        [0, 1],
      ] as const)
        runPairwise(kernels.exports, job, 0, from, to);
      expect(pairwiseResult(kernels, job).slice()).toEqual(whole);
      releasePairwise(kernels, job);
      for (const at of [out - 64, out + size])
        expect([...kernels.arena.u8(at, 64)].every((byte) => byte === 0xa5)).toBe(true);
      kernels.arena.dealloc(out - 64);
    }
  });

  it('condensed is the upper triangle, without an n×n', () => {
    for (const n of [0, 1, 2, 5, 128, 129, 260]) {
      const x = points(n, 3, 'uniform', n);
      const full = pairwise(kernels, x, { metric }).data;
      const expected: number[] = [];
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) expected.push(full[i * n + j]!);
      expect([...pairwiseCondensed(kernels, x, { metric })]).toEqual(expected);
    }
    expect(pairwiseBytes(20_000, 84, { condensed: true })).toBeLessThan(0.6 * pairwiseBytes(20_000, 84));
  });

  it('takes the memory it estimates', () => {
    for (const [n, d, m, condensed] of [
      [100, 7, undefined, false],
      [100, 7, undefined, true],
      [33, 5, 21, false],
    ] as const) {
      const before = kernels.arena.used;
      const job = preparePairwise(kernels, points(n, d), metric, {
        condensed,
        other: m === undefined ? undefined : points(m, d),
      });
      expect(kernels.arena.used - before).toBe(pairwiseBytes(n, d, { m, condensed }));
      releasePairwise(kernels, job);
    }
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
    const x = points(3, 2);
    expect(() => preparePairwise(kernels, x, metric, { other: x, condensed: true })).toThrow('condensed');
    expect(() => preparePairwise(kernels, x, metric, { workers: 2 })).toThrow('shared');
    expect(() => pairwiseInto(kernels, x, 4 * 2 ** 30, { metric })).toThrow('do not lie in the memory');
    const stopped = AbortSignal.abort();
    expect(() => pairwise(kernels, x, { metric, signal: stopped })).toThrow('cancelled');
    expect(kernels.arena.used).toBe(before);
  });
});

describe('where the result goes', () => {
  const x = points(40, 3, 'blobs', 6);
  it('into an array of the caller, and into the memory for the next kernel', () => {
    const expected = pairwise(kernels, x, { metric: 'euclidean' });
    const into = new Float32Array(1600);
    expect(pairwise(kernels, x, { metric: 'euclidean', into }).data).toBe(into);
    expect(into).toEqual(expected.data);
    const pointer = kernels.arena.alloc(4 * 1600);
    pairwiseInto(kernels, x, pointer, { metric: 'euclidean' });
    expect(vatFromMatrix(kernels, { pointer, n: 40 })).toEqual(vatFromMatrix(kernels, expected));
    kernels.arena.dealloc(pointer);
  });
  it('refuses an array of another length', () => {
    expect(() => pairwise(kernels, x, { metric: 'euclidean', into: new Float32Array(1599) })).toThrow(
      'into: expected 1600 values, got 1599',
    );
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

  it('zero vectors anywhere, within a set and between two', () => {
    for (const metric of ['cosine', 'correlation'] as const) {
      const x = points(70, 9, 'uniform', 21);
      const none = (i: number) => i % 13 === 4;
      for (let i = 0; i < 70; i++) if (none(i)) x.data.fill(metric === 'cosine' ? 0 : i, 9 * i, 9 * (i + 1));
      for (const { data } of [pairwise(kernels, x, { metric }), pairwise(kernels, x, { metric, other: x })])
        for (let i = 0; i < 70; i++)
          for (let j = 0; j < 70; j++)
            if (none(i) || none(j)) expect(data[70 * i + j], `${i}, ${j}`).toBe(none(i) && none(j) ? 0 : 1);
      expectRight(pairwise(kernels, x, { metric }), x, metric);
    }
  });

  it('near-duplicates far from the origin keep five digits', () => {
    const x = matrix([
      [10000, 20000, 30000],
      [10000.001, 20000, 30000],
      [10000, 20000.002, 30000],
    ]);
    expectRight(pairwise(kernels, x, { metric: 'euclidean' }), x, 'euclidean');
    // Tight clusters in many dimensions: pairs within one come from the differences, pairs between two from the
    // products.
    const tight = points(60, 200, 'blobs', 9);
    for (const spread of [1, 0.1, 1e-3]) {
      const y = {
        data: tight.data.map((v, i) => (i % 4000 < 2000 ? 5 : 900) + spread * v),
        shape: tight.shape,
      };
      expectRight(pairwise(kernels, y, { metric: 'euclidean' }), y, 'euclidean');
    }
  });
});

describe('rows against the order of the sums', () => {
  // One column in each `step` holds nearly all of a row; the products of what follows are some half a unit in its
  // last place, and all roundings go one way. With sums of 64 products in float32 cosine was off by 2.8e-6 here and
  // euclidean by 2.4e-5.
  it.each(['euclidean', 'cosine', 'correlation'] as const)('%s keeps its error', (metric) => {
    for (const d of [32, 64, 784, 1028])
      for (const step of [16, 32, 64])
        for (let seed = 1; seed <= 10; seed++) {
          const n = 24;
          const small = 2 ** (-11 - seed / 4);
          const { data: noise } = points(n, d + 1, 'uniform', 1000 * seed + d);
          const data = Float32Array.from({ length: n * d }, (_, p) => {
            const i = Math.floor(p / d);
            const column = p % d;
            const own = noise[i * (d + 1) + d]!;
            // Opposite rows in turn: the mean, which euclidean takes away, is 0 or small.
            const sign = i % 2 ? -1 : 1;
            if (column % step === 0) return sign * (1 + own * (metric === 'euclidean' ? 1 : noise[p]! / 4));
            if (metric === 'correlation' && column % step === 1) return -sign;
            return (metric === 'correlation' && column % 2 ? -1 : 1) * sign * small * (1 + noise[p]! / 10);
          });
          const x: Matrix = { data, shape: [n, d] };
          expectRight(pairwise(kernels, x, { metric }), x, metric);
        }
  });

  it.each([1e10, 1e19, 1e25, 1e36])('euclidean keeps its digits beside a row of %d', (outlier) => {
    // Scaled to it, squares of the others' differences underflow.
    for (const d of [4, 16, 37, 100])
      for (const scale of [1, 1e-3]) {
        const x = points(40, d, 'blobs', d);
        for (let p = 0; p < x.data.length; p++) x.data[p]! *= scale;
        x.data.set(x.data.subarray(3 * d, 4 * d), 5 * d);
        for (const value of [outlier, -outlier])
          x.data.fill(value, (value > 0 ? 7 : 20) * d, (value > 0 ? 8 : 21) * d);
        expectRight(pairwise(kernels, x, { metric: 'euclidean' }), x, 'euclidean');
      }
  });

  it('gives the same bits in any cut of the work', () => {
    // The panels of a pair of rows decide how it is summed, not the squares, the workers or what is wanted of them.
    const n = 300;
    const d = 100;
    const { data } = points(n, d, 'uniform', 5);
    for (let i = 130; i < 140; i++) for (let k = 0; k < d; k++) data[i * d + k]! *= k % 32 ? 2 ** -12 : 1;
    const x: Matrix = { data, shape: [n, d] };
    for (const metric of ['euclidean', 'cosine'] as const) {
      const whole = pairwise(kernels, x, { metric });
      expectRight(whole, x, metric);
      const both = pairwise(kernels, x, { metric, other: x });
      if (metric === 'cosine') expect(both.data).toEqual(whole.data);
      const condensed = pairwiseCondensed(kernels, x, { metric });
      let p = 0;
      for (let i = 0; i < n; i++)
        for (let j = i + 1; j < n; j++)
          if (condensed[p++] !== whole.data[i * n + j]) expect([i, j]).toBe('same');
    }
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
    // The points themselves are rounded to float32, 3e-7 of coordinates up to 8, and distances up to 7 are float32.
    const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i]!)), 0);
    expect(worst).toBeLessThan(2e-6);
  });
});
