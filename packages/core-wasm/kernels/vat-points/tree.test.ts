import { beforeAll, describe, expect, it } from 'vitest';
import { points, uniform } from '../../bench/data.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import type { Matrix, Metric } from '../../src/matrix.js';
import type { VatResult } from '../vat/result.js';
import { doneOfVatPoints, finishVatPoints, releaseVatPoints, runVatPointsWorker } from './index.js';
import { prepareChecked, type Way } from './job.js';
import { Job, Round, Sync, Tree, TreeWorker, Worker } from './memory.js';
import { vatPointsReference } from './reference.js';
import { roundsOf } from './setup/rounds.js';
import { clustered, signs, whole } from './test-data.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

interface Run {
  vat: VatResult;
  /** Edges left at the end; NaN where Prim's own steps were taken. */
  edges: number;
  /** Trees made before a round was done, as the edges were full. */
  full: number;
}

function run(x: Matrix, metric: Metric, way: Way): Run {
  const { arena } = kernels;
  const job = prepareChecked(kernels, x, metric, 1, way);
  const header = arena.u32(job.pointer, Job.size);
  const tree = header[Job.tree] ? arena.u32(header[Job.tree], Tree.size) : null;
  const own =
    tree && arena.u32(arena.u32(header[Job.workerHeaders]!, Worker.size)[Worker.tree]!, TreeWorker.size);
  let trees = 0;
  for (;;) {
    const before = own ? own[TreeWorker.count]! : 0;
    const end = runVatPointsWorker(kernels.exports, job, 0, 1);
    // New edges are emptied whenever a tree is made.
    if (own && own[TreeWorker.count]! < before) trees++;
    if (end === 1) break;
  }
  const edges = tree && !tree[Tree.overflow] ? tree[Tree.edges]! : Number.NaN;
  const rounds = roundsOf(x.shape[0])?.count ?? 0;
  return { vat: finishVatPoints(kernels, job), edges, full: trees - rounds };
}

/** Points of a few groups, a line of outliers among them that lie ever farther out, and some points twice. */
function mixed(n: number, d: number, seed: number): Matrix {
  const x = clustered(n, d, seed);
  const u = uniform(seed + 2);
  for (let i = 0; i < n; i += 37) for (let k = 0; k < d; k++) x.data[i * d + k] = (u() - 0.5) * (20 + i);
  for (let i = 5; i < n; i += 41) x.data.copyWithin(i * d, 0, d);
  return x;
}

describe('the order by way of a tree', () => {
  it('is that of Prim’s own steps, to the last bit', () => {
    let checked = 0;
    let full = 0;
    let turn = 0;
    for (const [make, name] of [
      [clustered, 'clustered'],
      [mixed, 'mixed'],
      [(n: number, d: number, seed: number) => points(n, d, 'uniform', seed), 'uniform'],
      [(n: number, d: number, seed: number) => points(n, d, 'constant-columns', seed), 'constant columns'],
      [(n: number, d: number, seed: number) => whole(n, d, 12, seed), 'integers'],
    ] as const)
      for (const [n, d] of [
        [512, 2],
        [513, 9],
        [640, 10],
        [777, 47],
        [529, 48],
        [900, 84],
        [1030, 129],
        [515, 300],
      ] as const) {
        // Two metrics for each, all four by turns: each way takes every metric and every size.
        turn++;
        for (const metric of (turn + Math.floor(turn / 8)) % 2
          ? (['euclidean', 'correlation'] as const)
          : (['cosine', 'manhattan'] as const)) {
          const x = make(n, d, n + d);
          const tree = run(x, metric, 'tree');
          const { vat } = run(x, metric, 'plain');
          expect(tree.vat, `${name} ${metric} n=${n} d=${d}`).toEqual(vat);
          expect(run(x, metric, 'matrix').vat, `matrix, ${name} ${metric} n=${n} d=${d}`).toEqual(vat);
          if (!Number.isNaN(tree.edges)) checked++;
          if (tree.full > 0) full++;
        }
      }
    // Most of them did go by the tree, and in some the edges were full meanwhile.
    expect(checked).toBeGreaterThan(65);
    expect(full).toBeGreaterThan(4);
  });

  it('is that of Prim’s own steps where sixteen blocks are passed over at once', () => {
    const metrics = ['euclidean', 'cosine', 'manhattan'] as const;
    for (const [turn, [n, d]] of [
      [4096, 2],
      [4500, 3],
      [4301, 12],
      [4100, 50],
    ].entries() as Iterable<[number, [number, number]]>)
      for (const [kind, x] of [points(n, d, 'uniform', n), mixed(n, d, n), whole(n, d, 500, n)].entries()) {
        const metric = metrics[(turn + kind) % 3]!;
        const tree = run(x, metric, 'tree');
        expect(tree.vat, `${metric} n=${n} d=${d}`).toEqual(run(x, metric, 'plain').vat);
      }
  });

  it('is the reference where float32 sums are exact, ties and all', () => {
    for (const [n, d, levels] of [
      [520, 3, 40],
      [600, 20, 3],
      [515, 64, 2],
      [530, 130, 2],
    ] as const)
      for (const metric of ['euclidean', 'manhattan'] as const) {
        const x = whole(n, d, levels, n);
        const { vat, edges } = run(x, metric, 'tree');
        expect(vat, `${metric} n=${n} d=${d}`).toEqual(vatPointsReference(x, metric));
        expect(edges, `${metric} n=${n} d=${d}`).toBeGreaterThanOrEqual(n - 1);
      }
    const x = signs(520, 64, 3);
    expect(run(x, 'cosine', 'tree').vat).toEqual(vatPointsReference(x, 'cosine'));
  });

  it.each([10, 50])('begins at the lowest of several farthest points among %i coordinates', (d) => {
    // Pairs equally far apart, with points beyond the radius of integers and in blocks of their own; found in
    // whatever round they fall into.
    for (const [side, way, swap] of [
      [1, 1, 0],
      [-1, -1, 1],
    ] as const) {
      const n = 530;
      const x = whole(n, d, 3, 11);
      for (let i = 0; i < n; i++) x.data.fill(0, i * d, i * d + 2);
      const [a, b, c, e] = swap ? [510, 520, 3, 240] : [3, 240, 510, 520];
      for (const [i, first, second] of [
        [a, -20 * way, 50 * side],
        [b, -20 * way, -50 * side],
        [c, 1000 * way, -50],
        [e, 1000 * way, 50],
      ] as const) {
        x.data.fill(0, i * d, (i + 1) * d);
        x.data.set([first, second], i * d);
      }
      const { vat, edges } = run(x, 'euclidean', 'tree');
      expect(edges).toBeGreaterThanOrEqual(n - 1);
      expect(vat.order[0]).toBe(3);
      expect(vat).toEqual(vatPointsReference(x, 'euclidean'));
    }
    // Zero vectors are at 1 from all others, and nothing is farther apart.
    const near = whole(600, d, 3, 5);
    for (let i = 0; i < near.data.length; i++) near.data[i]! += 2;
    near.data.fill(0, 77 * d, 78 * d);
    near.data.fill(0, 500 * d, 501 * d);
    for (const metric of ['cosine', 'correlation'] as const) {
      const tree = run(near, metric, 'tree');
      expect(tree.edges).toBeGreaterThanOrEqual(598);
      expect(tree.vat).toEqual(run(near, metric, 'plain').vat);
      if (metric === 'cosine') expect(tree.vat.order[0]).toBe(0);
    }
  });

  it('leaves few edges: hardly more than a tree has', () => {
    for (const d of [5, 30, 100]) {
      const { edges } = run(points(3000, d, 'uniform', d), 'euclidean', 'tree');
      expect(edges).toBeGreaterThanOrEqual(2999);
      expect(edges, `d=${d}`).toBeLessThan(1.1 * 3000);
    }
  });

  it('gives way to Prim’s own steps where too many edges are equal', () => {
    const n = 560;
    for (const d of [4, 60]) {
      const same: Matrix = { data: new Float32Array(n * d).fill(3), shape: [n, d] };
      const { vat, edges } = run(same, 'euclidean', 'tree');
      expect(edges).toBeNaN();
      expect(vat).toEqual(vatPointsReference(same, 'euclidean'));
    }
    const apart: Matrix = { data: new Float32Array(n * n), shape: [n, n] };
    for (let i = 0; i < n; i++) apart.data[i * n + i] = 1;
    for (const metric of ['euclidean', 'manhattan'] as const) {
      const { vat, edges } = run(apart, metric, 'tree');
      expect(edges).toBeNaN();
      expect([...vat.order]).toEqual([...Array(n).keys()]);
      expect(new Set(vat.weights).size).toBe(1);
      expect(new Set(vat.parent)).toEqual(new Set([0]));
    }
  });

  it('tells what is done truly, also where it gives way', () => {
    for (const [x, gives] of [
      [points(1500, 20, 'uniform', 1), false],
      [
        {
          data: Float32Array.from({ length: 600 * 600 }, (_, i) => Number(i % 601 === 0)),
          shape: [600, 600],
        },
        true,
      ],
    ] as const) {
      const job = prepareChecked(kernels, x, 'euclidean', 1, 'tree');
      expect(doneOfVatPoints(kernels, job)).toBe(0);
      const seen: number[] = [];
      while (runVatPointsWorker(kernels.exports, job, 0, 1) === 0) seen.push(doneOfVatPoints(kernels, job));
      const tree = kernels.arena.u32(job.pointer, Job.size)[Job.tree]!;
      expect(kernels.arena.u32(tree, Tree.size)[Tree.overflow]! !== 0).toBe(gives);
      expect(doneOfVatPoints(kernels, job)).toBe(1);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      // Neither stands at its end while there is much to do.
      expect(seen[Math.floor(seen.length / 2)]).toBeLessThan(0.9);
      expect(new Set(seen).size).toBeGreaterThan(gives ? 600 : 150);
      releaseVatPoints(kernels, job);
    }
  });

  it('is cancelled between rows, and all memory is given back', async () => {
    const shared = await loadKernels({ shared: true });
    const job = prepareChecked(shared, points(2000, 20), 'euclidean', 1);
    runVatPointsWorker(shared.exports, job, 0, 200);
    const sync = shared.arena.u32(job.pointer, Job.size)[Job.sync]!;
    shared.arena.u32(sync, Sync.size)[Sync.cancel] = 1;
    expect(runVatPointsWorker(shared.exports, job, 0, 1e6)).toBe(2);
    shared.arena.dealloc(job.pointer);
    expect(shared.arena.used).toBe(0);
  });
});

describe('the rounds', () => {
  it('go through every pair of points once', () => {
    for (const n of [512, 600, 1000, 2100]) {
      const total = Math.ceil(n / 16);
      const { count, classes, table } = roundsOf(n)!;
      const lanes = new Uint32Array(total * total);
      const twice: number[][] = [];
      for (let r = 0; r < count; r++) {
        const [from, to, others, next, self] = table.subarray(
          Round.size * r,
          Round.size * (r + 1),
        ) as unknown as number[];
        for (let g = 0; g < total; g++)
          for (let b = g; b < total; b++) {
            // As assembly/round.ts has it.
            const kind = (b + Math.imul(g, 0x9e3779b1)) & (classes - 1);
            const which = b === g ? self! : b === g + 1 ? next! : 0;
            const also = b > g + 1 && kind >= from! && kind < to! ? others! : 0;
            if (lanes[g * total + b]! & (which | also)) twice.push([g, b]);
            lanes[g * total + b] = lanes[g * total + b]! | which | also;
          }
      }
      expect(twice, `n=${n}`).toEqual([]);
      const missing: number[][] = [];
      for (let g = 0; g < total; g++)
        for (let b = g; b < total; b++) if (lanes[g * total + b] !== 0xffff) missing.push([g, b]);
      expect(missing, `n=${n}`).toEqual([]);
    }
  });
});
