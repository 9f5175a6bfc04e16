// VAT by mutual reachability: max(distance, core distances of both), against its definition in float64.
import { beforeAll, describe, expect, it } from 'vitest';
import { points } from '../../bench/data.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import type { Matrix, Metric } from '../../src/matrix.js';
import type { VatResult } from '../vat/result.js';
import {
  finishVatPoints,
  prepareVatPoints,
  runVatPointsWorker,
  vatFromPoints,
  vatPointsBytes,
  vatPointsPlan,
} from './index.js';
import { prepareChecked, type Way } from './job.js';
import { vatPointsReference } from './reference.js';
import { clustered, signs, whole } from './test-data.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

function byWay(x: Matrix, metric: Metric, way: Way, core: number): VatResult {
  const job = prepareChecked(kernels, x, metric, 1, way, undefined, core);
  while (runVatPointsWorker(kernels.exports, job, 0, 1000) === 0);
  return finishVatPoints(kernels, job);
}

describe('VAT by mutual reachability', () => {
  // Distances of integers are exact in any order, so that ties, of which there are very many, are ties.
  it.each<[string, Matrix, Metric]>([
    ['a grid, where most distances are equal', whole(560, 3, 6, 1), 'euclidean'],
    ['equal points', whole(600, 2, 9, 2), 'manhattan'],
    ['coordinates directly', whole(530, 12, 5, 3), 'euclidean'],
    ['records', whole(540, 60, 3, 4), 'euclidean'],
    ['records of L1', whole(520, 140, 2, 5), 'manhattan'],
    ['directions', signs(600, 64, 6), 'cosine'],
  ])('is that of the definition, ties included, by every way: %s', (_, x, metric) => {
    for (const core of [1, 5, 17, 100]) {
      const want = vatPointsReference(x, metric, core);
      for (const way of ['matrix', 'tree', 'plain'] as const) {
        const { order, weights, parent } = byWay(x, metric, way, core);
        const label = `core=${core} ${way}`;
        expect(order, label).toEqual(want.order);
        expect(parent, label).toEqual(want.parent);
        weights.forEach((weight, i) => {
          // float32 roots of exact squares.
          expect(Math.abs(weight - want.weights[i]!), label).toBeLessThanOrEqual(1e-7 * want.weights[i]!);
        });
      }
    }
  });

  it('is that of the definition for few points: every number of neighbours from 1 to n − 1', () => {
    for (const n of [2, 3, 16, 17]) {
      const x = whole(n, 2, 50, n);
      for (let core = 1; core < n; core++) {
        const { order, parent } = vatFromPoints(kernels, x, { metric: 'euclidean', core });
        const want = vatPointsReference(x, 'euclidean', core);
        expect({ order, parent }, `n=${n} core=${core}`).toEqual({ order: want.order, parent: want.parent });
      }
    }
  });

  it('gives the same bits by every way, with zero vectors and equal points among clusters', () => {
    const zeros = points(900, 60);
    zeros.data.fill(0, 60 * 7, 60 * 12);
    for (const [x, metric] of [
      [zeros, 'cosine'],
      [zeros, 'correlation'],
      [clustered(1500, 30, 1), 'euclidean'],
      [points(800, 84, 'duplicates'), 'euclidean'],
      [points(1500, 2), 'euclidean'],
    ] as const)
      for (const core of [5, 40]) {
        const matrix = byWay(x, metric, 'matrix', core);
        expect(byWay(x, metric, 'tree', core), `${metric} core=${core}`).toEqual(matrix);
        expect(byWay(x, metric, 'plain', core), `${metric} core=${core}`).toEqual(matrix);
      }
  });

  it('starts at the lowest index where a core distance is the largest distance of all', () => {
    // Point 3 is the only one far away: with n − 1 neighbours its core distance is the largest distance.
    const x: Matrix = { data: Float32Array.of(5, 4, 6, 90, 0, 3), shape: [6, 1] };
    for (const core of [1, 2, 5]) {
      const { order } = vatFromPoints(kernels, x, { metric: 'euclidean', core });
      expect(order[0], `core=${core}`).toBe(vatPointsReference(x, 'euclidean', core).order[0]);
    }
    expect(vatFromPoints(kernels, x, { metric: 'euclidean', core: 5 }).order[0]).toBe(0);
  });

  it('is VAT of the distances without core distances, and where these are those of nearest points', () => {
    const x = points(1600, 10);
    const plain = vatFromPoints(kernels, x, { metric: 'euclidean' });
    expect(vatFromPoints(kernels, x, { metric: 'euclidean', core: 0 })).toEqual(plain);
    expect(vatFromPoints(kernels, x, { metric: 'euclidean', core: 1 })).toEqual(plain);
    expect(vatFromPoints(kernels, x, { metric: 'euclidean', core: 2 })).not.toEqual(plain);
  });

  it('takes no more memory than is said', () => {
    for (const [n, d, core] of [
      [300, 10, 20],
      [3000, 10, 40],
      [3000, 60, 7],
    ] as const) {
      const job = prepareVatPoints(kernels, points(n, d), 'euclidean', 1, undefined, core);
      const end = prepareVatPoints(kernels, points(2, 1), 'euclidean');
      expect(Math.abs(end.pointer - job.pointer)).toBeLessThanOrEqual(vatPointsBytes(n, d, 1, core) + 64);
      for (const made of [job, end]) {
        while (runVatPointsWorker(kernels.exports, made, 0, 1000) === 0);
        finishVatPoints(kernels, made);
      }
    }
  });

  it('refuses neighbours that do not exist, and a plan', () => {
    const x = points(20, 3);
    for (const core of [20, 1.5, -1, Number.NaN, Number.POSITIVE_INFINITY])
      if (core)
        expect(() => vatFromPoints(kernels, x, { metric: 'euclidean', core })).toThrow(
          /core: expected an integer 1 … 19: each of 20 points has 19 neighbours/,
        );
    expect(() => prepareVatPoints(kernels, x, 'euclidean', 1, vatPointsPlan(x, 'euclidean'), 3)).toThrow(
      /core: not with a plan/,
    );
  });
});
