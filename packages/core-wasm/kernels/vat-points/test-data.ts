import { expect } from 'vitest';
import { normal, uniform } from '../../bench/data.js';
import type { Kernels } from '../../src/load.js';
import type { Matrix, Metric } from '../../src/matrix.js';
import type { VatResult } from '../vat/result.js';
import { finishVatPoints, runVatPointsWorker, vatFromPoints } from './index.js';
import { prepareChecked, type Way } from './job.js';

/** Integers 0..levels−1: float32 sums of them are exact in any order, so that ties are ties. */
export function whole(n: number, d: number, levels: number, seed: number): Matrix {
  const u = uniform(seed);
  return { data: Float32Array.from({ length: n * d }, () => Math.floor(u() * levels)), shape: [n, d] };
}
/** Rows of ±1: with d a power of 4 all norms are powers of 2, so that cosine is exact. */
export function signs(n: number, d: number, seed: number): Matrix {
  const u = uniform(seed);
  return { data: Float32Array.from({ length: n * d }, () => (u() < 0.5 ? -1 : 1)), shape: [n, d] };
}
/** Gaussian blobs around few centres in a few directions: what the bounds are good at. */
export function clustered(n: number, d: number, seed: number): Matrix {
  const u = uniform(seed);
  const g = normal(seed + 1);
  const centres = Array.from({ length: 6 }, () => Array.from({ length: d }, () => 10 * u() - 5));
  const data = new Float32Array(n * d);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < d; k++) data[i * d + k] = centres[i % 6]![k]! + (g() * 3) / (1 + k);
  return { data, shape: [n, d] };
}

/** VAT of points by one of the ways. */
export function runWay(kernels: Kernels, x: Matrix, metric: Metric, way: Way): VatResult {
  const job = prepareChecked(kernels, x, metric, 1, way);
  while (runVatPointsWorker(kernels.exports, job, 0, 1e4) === 0);
  return finishVatPoints(kernels, job);
}
/** The result of `vatFromPoints`, after every way that points can go is seen to give the same bits. */
export function everyWay(kernels: Kernels, x: Matrix, metric: Metric): VatResult {
  const vat = vatFromPoints(kernels, x, { metric });
  const n = x.shape[0];
  for (const way of ['matrix', 'plain', 'tree'] as const)
    if (n >= (way === 'tree' ? 512 : 2)) expect(runWay(kernels, x, metric, way), way).toEqual(vat);
  return vat;
}
