import { beforeAll, describe, expect, it } from 'vitest';
import { points } from '../../bench/data.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import type { Matrix, Metric } from '../../src/matrix.js';
import type { VatResult } from '../vat/result.js';
import {
  type LightEdges,
  lightEdgesOfVatPoints,
  prepareVatPoints,
  releaseVatPoints,
  runVatPointsWorker,
  vatFromPoints,
  vatPointsPlan,
  vatPointsWeight,
} from './index.js';
import { prepareChecked } from './job.js';
import { clustered, whole } from './test-data.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

// The Fano plane: seven blocks, seven tasks of three; every two blocks lie in exactly one task.
const TASKS = Array.from({ length: 7 }, (_, t) => [t, (t + 1) % 7, (t + 3) % 7]);

/** Light edges of the points of each task, in rows of x. */
function edgesOfTasks(x: Matrix, metric: Metric): LightEdges[] {
  const [n, d] = x.shape;
  const plan = vatPointsPlan(x, metric);
  return TASKS.map((blocks) => {
    const rows = Array.from({ length: n }, (_, i) => i).filter((i) => blocks.includes(i % 7));
    const data = new Float32Array(rows.length * d);
    rows.forEach((i, at) => {
      data.set(x.data.subarray(i * d, (i + 1) * d), at * d);
    });
    const job = prepareVatPoints(kernels, { data, shape: [rows.length, d] }, metric, 1, plan);
    while (runVatPointsWorker(kernels.exports, job, 0, 1e4) === 0);
    const edges = lightEdgesOfVatPoints(kernels, job)!;
    releaseVatPoints(kernels, job);
    const global = (indices: Uint32Array) => indices.map((i) => rows[i]!);
    return { ...edges, from: global(edges.from), to: global(edges.to), start: rows[edges.start]! };
  });
}

/** Prim on the edges of all tasks: the least key, of equals the lowest new point, of these the lowest visited one. */
function merged(tasks: LightEdges[], x: Matrix, metric: Metric): VatResult {
  const n = x.shape[0];
  const { unit } = vatPointsPlan(x, metric);
  // Equal points become one, the first of them.
  const root = Uint32Array.from({ length: n }, (_, i) => i);
  const find = (i: number): number => (root[i] === i ? i : find(root[i]!));
  for (const { from, to, keys } of tasks)
    keys.forEach((key, e) => {
      const [a, b] = [find(from[e]!), find(to[e]!)];
      if (key === 0) root[Math.max(a, b)] = Math.min(a, b);
    });
  const neighbours: [to: number, key: number][][] = Array.from({ length: n }, () => []);
  for (const { from, to, keys } of tasks)
    keys.forEach((key, e) => {
      const [a, b] = [find(from[e]!), find(to[e]!)];
      if (a === b) return;
      neighbours[a]!.push([b, key]);
      neighbours[b]!.push([a, key]);
    });
  const equal: number[][] = Array.from({ length: n }, () => []);
  for (let i = 0; i < n; i++) if (find(i) !== i) equal[find(i)]!.push(i);
  const largest = Math.max(...tasks.map((task) => task.largest));
  let v = Math.min(...tasks.filter((task) => task.largest === largest).map((task) => task.start));
  const key = new Float64Array(n).fill(Infinity);
  const parents = new Uint32Array(n);
  const visited = new Uint8Array(n);
  const vat = { order: [] as number[], weights: [] as number[], parent: [] as number[] };
  for (;;) {
    visited[v] = 1;
    vat.order.push(v);
    for (const i of equal[v]!) {
      visited[i] = 1;
      vat.order.push(i);
      vat.weights.push(0);
      vat.parent.push(v);
    }
    for (const [to, x] of neighbours[v]!)
      if (x < key[to]! || (x === key[to] && v < parents[to]!)) {
        key[to] = x;
        parents[to] = v;
      }
    let next = -1;
    for (let i = 0; i < n; i++)
      if (!visited[i] && find(i) === i && (next < 0 || key[i]! < key[next]!)) next = i;
    if (next < 0) break;
    vat.weights.push(vatPointsWeight(key[next]!, metric, unit));
    vat.parent.push(parents[next]!);
    v = next;
  }
  return {
    order: Uint32Array.from(vat.order),
    weights: Float32Array.from(vat.weights),
    parent: Uint32Array.from(vat.parent),
  };
}

describe('a plan', () => {
  it('makes light edges of blocks of points merge into VAT of all, to the last bit, ties and equal points too', () => {
    for (const [x, metric] of [
      [clustered(400, 9, 1), 'euclidean'],
      [clustered(700, 60, 2), 'manhattan'],
      [whole(900, 4, 5, 3), 'euclidean'],
      [points(600, 130, 'duplicates', 4), 'cosine'],
      // Tasks of some 1700 points: by way of a tree.
      [clustered(4000, 12, 5), 'euclidean'],
      [points(4000, 50, 'uniform', 6), 'correlation'],
      [points(4000, 20, 'duplicates', 7), 'euclidean'],
    ] as const) {
      const label = `${metric} ${x.shape}`;
      const got = merged(edgesOfTasks(x, metric), x, metric);
      const want = vatFromPoints(kernels, x, { metric });
      for (const key of ['order', 'weights', 'parent'] as const)
        expect(got[key].join() === want[key].join(), `${label}: ${key}`).toBe(true);
    }
  });

  it('is what a job makes itself', () => {
    const x = clustered(1500, 30, 8);
    for (const way of ['matrix', 'tree', 'plain'] as const) {
      const job = prepareChecked(kernels, x, 'euclidean', 1, way, vatPointsPlan(x, 'euclidean'));
      while (runVatPointsWorker(kernels.exports, job, 0, 1e4) === 0);
      const edges = lightEdgesOfVatPoints(kernels, job);
      if (way === 'plain') expect(edges).toBeNull();
      else {
        // A tree and no more, as the distances differ; by way of the tree some that the last round made heavy.
        expect(edges!.keys.length).toBeGreaterThanOrEqual(1499);
        expect(edges!.keys.length).toBeLessThan(way === 'matrix' ? 1500 : 1800);
      }
      releaseVatPoints(kernels, job);
    }
  });

  it('says what does not fit', () => {
    const x = clustered(20, 3, 9);
    const plan = vatPointsPlan(x, 'euclidean');
    const prepare = (change: object) => () =>
      prepareVatPoints(kernels, x, 'euclidean', 1, { ...plan, ...change });
    expect(prepare({ dimensions: Uint32Array.of(0, 1, 1) })).toThrow('each of 0 … 2 once');
    expect(prepare({ dimensions: Uint32Array.of(0, 1, 5) })).toThrow('each of 0 … 2 once');
    expect(prepare({ unit: 3 })).toThrow('power of two, got 3');
    expect(prepare({ unit: plan.unit / 4 })).toThrow('make it with the largest among them');
    expect(kernels.arena.used).toBe(0);
  });
});
