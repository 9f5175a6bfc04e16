import { beforeAll, describe, expect, it } from 'vitest';
import { type Kernels, loadKernels } from '../../src/load.js';
import type { Matrix } from '../../src/matrix.js';
import { vatFromPoints } from './index.js';
import { vatPointsReference } from './reference.js';
import { boundsOf, dimensionsOf } from './setup/bounds.js';
import { distinctPoints } from './setup/duplicates.js';
import { rowsOf } from './setup/rows.js';
import { clustered, signs, whole } from './test-data.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

const distinctOf = (x: Matrix, metric: 'euclidean' | 'cosine' | 'manhattan' = 'euclidean') => {
  const [n, d] = x.shape;
  const rows = rowsOf(x, metric);
  const bounds = boundsOf(kernels, rows, dimensionsOf(rows, n, d), n, metric === 'manhattan');
  return distinctPoints(rows, bounds, n, d);
};

/** Rows of x, in the order of `from`. */
function repeated(x: Matrix, from: number[]): Matrix {
  const d = x.shape[1];
  const data = new Float32Array(from.length * d);
  from.forEach((i, to) => {
    data.set(x.data.subarray(i * d, (i + 1) * d), to * d);
  });
  return { data, shape: [from.length, d] };
}

describe('equal points', () => {
  it('are found, whatever their coordinates, and only they', () => {
    for (const d of [1, 3, 9, 10, 50, 130])
      for (const x of [clustered(40, d, d), whole(40, d, 3, d), signs(40, d, d)]) {
        const n = 90;
        const y = repeated(
          x,
          Array.from({ length: n }, (_, i) => (i * 7) % 40),
        );
        const key = (i: number) => y.data.subarray(i * d, (i + 1) * d).join();
        const seen = new Map<string, number>();
        const first: number[] = [];
        const group = Array.from({ length: n }, (_, i) => {
          if (!seen.has(key(i))) {
            seen.set(key(i), first.length);
            first.push(i);
          }
          return seen.get(key(i))!;
        });
        const got = distinctOf(y);
        if (first.length < 2) expect(got).toBeNull();
        else {
          expect([...got!.first], `d=${d}`).toEqual(first);
          expect([...got!.group], `d=${d}`).toEqual(group);
        }
      }
  });

  it('count zeros of either sign as one, and multiples as equal to cosine', () => {
    const x: Matrix = { data: Float32Array.of(0, 1, -0, 1, 0, 2, 3, 4), shape: [4, 2] };
    expect([...distinctOf(x)!.first]).toEqual([0, 2, 3]);
    expect([...distinctOf(x, 'cosine')!.group]).toEqual([0, 0, 0, 1]);
  });

  it('are not looked for where others could be at distance 0, or where only one point is left', () => {
    const small: Matrix = { data: Float32Array.of(1, 1, 1e-36, 2e-36, 1e-36), shape: [5, 1] };
    expect(distinctOf(small)).toBeNull();
    // 1e-42 and 2e-42 are at distance 0 here, although they differ.
    const tiny: Matrix = { data: Float32Array.of(1, 2e-42, 1e-42, 2e-42, 1, 1e-42), shape: [6, 1] };
    const vat = vatFromPoints(kernels, tiny, { metric: 'euclidean' });
    expect([...vat.order]).toEqual([0, 4, 1, 2, 3, 5]);
    expect([...vat.parent]).toEqual([0, 0, 1, 1, 1]);
    expect(distinctOf({ data: new Float32Array(30).fill(2), shape: [10, 3] })).toBeNull();
    expect(distinctOf(clustered(50, 4, 1))).toBeNull();
  });

  it('follow the first of them, as in the reference', () => {
    for (const [n, d, levels] of [
      [60, 1, 4],
      [150, 2, 5],
      [90, 40, 2],
      [700, 3, 4],
      [560, 60, 2],
    ] as const)
      for (const metric of ['euclidean', 'manhattan'] as const) {
        const x = whole(n, d, levels, n);
        const y = repeated(
          x,
          Array.from({ length: n }, (_, i) => (i * i) % Math.ceil(n / 3)),
        );
        expect(vatFromPoints(kernels, y, { metric }), `${metric} n=${n} d=${d}`).toEqual(
          vatPointsReference(y, metric),
        );
      }
    // Zero vectors of cosine: at 1 from all others, at 0 from each other.
    const z = signs(600, 16, 5);
    for (let i = 3; i < 600; i += 4) z.data.fill(0, i * 16, (i + 1) * 16);
    expect(vatFromPoints(kernels, z, { metric: 'cosine' })).toEqual(vatPointsReference(z, 'cosine'));
  });

  it('are not looked for beyond reason where bounds tell nothing of points', () => {
    // One-hot rows: no projection on a few directions tells them apart.
    const n = 2000;
    const x: Matrix = { data: new Float32Array(n * n), shape: [n, n] };
    for (let i = 0; i < n; i++) x.data[i * n + i] = 1;
    expect(distinctOf(x)).toBeNull();
  });
});
