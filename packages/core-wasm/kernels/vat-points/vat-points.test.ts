import { beforeAll, describe, expect, it } from 'vitest';
import { golden, goldenSquare } from '../../../../tests/golden.js';
import { points, uniform } from '../../bench/data.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import { type Matrix, METRICS, type Metric } from '../../src/matrix.js';
import { pointDistance } from '../pairwise/reference.js';
import type { VatResult } from '../vat/result.js';
import {
  finishVatPoints,
  prepareVatPoints,
  releaseVatPoints,
  runVatPointsWorker,
  vatFromPoints,
  vatPointsBytes,
} from './index.js';
import { vatPointsReference } from './reference.js';
import { clustered, everyWay, signs, whole } from './test-data.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

/**
 * Replays Prim on float64 distances: each step takes, up to `tolerance`, a nearest unvisited sample by an edge to its
 * parent.
 */
function expectPrim(x: Matrix, metric: Metric, vat: VatResult, relative: number, absolute: number) {
  const n = x.shape[0];
  const exact = pointDistance(x, metric);
  const distances = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) distances[i * n + j] = distances[j * n + i] = exact(i, j);
  const distance = (i: number, j: number) => distances[i * n + j]!;
  expect([...vat.order].sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
  const largest = distances.reduce((most, value) => Math.max(most, value), 0);
  const start = vat.order[0]!;
  let reach = 0;
  for (let j = 0; j < n; j++) reach = Math.max(reach, distance(start, j));
  expect(reach).toBeGreaterThanOrEqual(largest * (1 - relative) - absolute);
  const key = new Float64Array(n).fill(Infinity);
  const visited = new Uint8Array(n);
  for (let k = 0; k < n; k++) {
    const v = vat.order[k]!;
    if (k > 0) {
      let least = Infinity;
      for (let j = 0; j < n; j++) if (!visited[j]) least = Math.min(least, key[j]!);
      const tolerance = relative * least + absolute;
      expect(Math.abs(vat.weights[k - 1]! - least)).toBeLessThanOrEqual(tolerance);
      expect(visited[vat.parent[k - 1]!]).toBe(1);
      expect(Math.abs(distance(v, vat.parent[k - 1]!) - least)).toBeLessThanOrEqual(tolerance);
    }
    visited[v] = 1;
    for (let j = 0; j < n; j++) if (!visited[j]) key[j] = Math.min(key[j]!, distance(v, j));
  }
}

describe('vatFromPoints', () => {
  it('is the reference, ties and all, where float32 sums are exact', () => {
    for (const metric of ['euclidean', 'manhattan'] as const)
      for (const n of [0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 49, 130])
        for (const [d, levels] of [
          [1, 4],
          [3, 3],
          [4, 50],
          [17, 2],
          [30, 3],
          [33, 200],
        ] as const) {
          const x = whole(n, d, levels, n + d);
          expect(everyWay(kernels, x, metric), `${metric} n=${n} d=${d}`).toEqual(
            vatPointsReference(x, metric),
          );
        }
    for (const n of [2, 17, 64, 150])
      for (const d of [16, 64]) {
        const x = signs(n, d, n + d);
        expect(everyWay(kernels, x, 'cosine'), `cosine n=${n} d=${d}`).toEqual(
          vatPointsReference(x, 'cosine'),
        );
      }
  });

  it('is the reference, ties and all, from 48 coordinates on', () => {
    for (const metric of ['euclidean', 'manhattan'] as const)
      for (const [n, d, levels, groups] of [
        [1, 128, 3, 1],
        [17, 128, 2, 1],
        [70, 200, 2, 1],
        [140, 130, 2, 5],
        [170, 128, 3, 7],
        [1, 48, 3, 1],
        [70, 47, 2, 1],
        [140, 84, 2, 5],
        [333, 127, 3, 7],
      ] as const) {
        const x = whole(n, d, levels, n + d);
        // Groups one after the other and mixed, some far away.
        for (let i = 0; i < n; i++) {
          const group = i < n / 2 ? i % groups : Math.floor((i * groups) / n);
          for (let k = 0; k < d; k++)
            x.data[i * d + k]! += (k % groups === group ? 9 : 0) * (1 + (group & 1));
        }
        expect(everyWay(kernels, x, metric), `${metric} n=${n} d=${d}`).toEqual(
          vatPointsReference(x, metric),
        );
      }
    // A long line walked from its start, and groups beside it that are nearest to points visited long before.
    const line = 96;
    for (const d of [128, 60]) {
      const x: Matrix = { data: new Float32Array((line + 4 * 20) * d), shape: [line + 4 * 20, d] };
      for (let i = 0; i < line; i++) x.data[i * d] = i;
      for (let i = 0; i < 80; i++) {
        const group = Math.floor(i / 20);
        x.data.set([12 + 17 * group, ...Array(group + 1).fill(0), 20 + (i % 20)], (line + i) * d);
      }
      for (const metric of ['euclidean', 'manhattan'] as const) {
        const vat = everyWay(kernels, x, metric);
        expect(vat).toEqual(vatPointsReference(x, metric));
        const into = [...vat.parent].filter((u, k) => u < line && vat.order[k + 1]! >= line);
        if (metric === 'euclidean') expect(into).toEqual([12, 29, 46, 63]);
      }
    }
    for (const d of [256, 64]) {
      const unit = signs(90, d, 5);
      unit.data.fill(0, 0, d);
      unit.data.fill(0, d * 40, d * 41);
      expect(everyWay(kernels, unit, 'cosine')).toEqual(vatPointsReference(unit, 'cosine'));
    }
  });

  it('is the reference of quantised coordinates, with every padding', () => {
    for (const d of [48, 49, 50, 51, 55, 56, 84, 127, 128, 129, 130, 131, 135, 136, 144, 257])
      for (const [n, levels] of [
        [2, 3],
        [33, 2],
        [150, 60],
      ] as const) {
        const x = whole(n, d, levels, n + d);
        expect(everyWay(kernels, x, 'euclidean'), `n=${n} d=${d}`).toEqual(
          vatPointsReference(x, 'euclidean'),
        );
      }
  });

  it.each([
    [50, 64],
    [160, 256],
  ])('is the reference for far, opposite, coarse and equal points of %i coordinates', (d, signed) => {
    // Two points many times farther out than all others: beyond the radius that points are quantised in. And one a
    // little beyond it.
    for (const far of [[], [7], [0, 149], [7, 8]]) {
      const x = whole(150, d, 9, far.length);
      for (const i of far)
        for (let k = 0; k < d; k++) x.data[i * d + k] = x.data[i * d + k]! * 20 + 120 * (i & 1);
      x.data.fill(22, 30 * d, 31 * d);
      expect(everyWay(kernels, x, 'euclidean'), `far ${far} d=${d}`).toEqual(
        vatPointsReference(x, 'euclidean'),
      );
    }
    // Opposite points have the largest products and distances that 32 bits must hold; a single large coordinate the
    // largest 16-bit number.
    const opposite = signs(60, signed, 3);
    for (let i = 0; i < 30; i++)
      for (let k = 0; k < signed; k++) opposite.data[(i + 30) * signed + k] = -opposite.data[i * signed + k]!;
    const spikes: Matrix = { data: new Float32Array(40 * d), shape: [40, d] };
    for (let i = 0; i < 40; i++) spikes.data[i * d + 3] = (i & 1 ? -1 : 1) * (1000 + i);
    for (const x of [opposite, spikes])
      expect(everyWay(kernels, x, 'euclidean')).toEqual(vatPointsReference(x, 'euclidean'));
    expect(everyWay(kernels, opposite, 'cosine')).toEqual(vatPointsReference(opposite, 'cosine'));
    // Two far groups: the steps are then coarser than the differences within one.
    const coarse = whole(160, d, 3, 6);
    for (let i = 0; i < 160; i += 2) for (let k = 0; k < 8; k++) coarse.data[i * d + k]! += 700;
    expect(everyWay(kernels, coarse, 'euclidean')).toEqual(vatPointsReference(coarse, 'euclidean'));
    // The farthest pair twice, both with a point beyond the radius; the lower index starts, whichever is found first.
    for (const [side, way] of [
      [1, 1],
      [-1, 1],
      [1, -1],
      [-1, -1],
    ] as const) {
      const tie = whole(200, d, 2, 11);
      for (let i = 0; i < 200; i++) tie.data.fill(0, i * d, i * d + 2);
      tie.data.set([1000 * way, 50], 150 * d);
      tie.data.set([1000 * way, -50], 160 * d);
      tie.data.fill(0, 3 * d, 4 * d);
      tie.data.fill(0, 40 * d, 41 * d);
      for (const i of [150, 160]) tie.data.fill(0, i * d + 2, (i + 1) * d);
      // On the other side of all others: in another block.
      tie.data.set([-20 * way, 50 * side], 3 * d);
      tie.data.set([-20 * way, -50 * side], 40 * d);
      const vat = everyWay(kernels, tie, 'euclidean');
      expect(vat.order[0]).toBe(3);
      expect(vat).toEqual(vatPointsReference(tie, 'euclidean'));
    }
    // The same, or all but one the same: no spread to make steps from, or only that of one point.
    const same: Matrix = { data: new Float32Array(40 * d).fill(1e-30), shape: [40, d] };
    expect(everyWay(kernels, same, 'euclidean')).toEqual(vatPointsReference(same, 'euclidean'));
    const one = whole(60, d, 1, 1);
    one.data.fill(3, 20 * d, 21 * d);
    expect(everyWay(kernels, one, 'euclidean')).toEqual(vatPointsReference(one, 'euclidean'));
  });

  it.each([200, 70])(
    'keeps near-duplicates apart among %i coordinates, far from the origin and beside far points',
    (d) => {
      const u = uniform(18);
      const base = Float32Array.from({ length: d }, () => 100 + u());
      const data = new Float32Array(60 * d);
      for (let i = 0; i < 60; i++)
        for (let k = 0; k < d; k++) data[i * d + k] = base[k]! + (i >> 1) * 1e-3 * (k === i ? 1 : 0.1);
      data.fill(-5000, 17 * d, 18 * d);
      const x: Matrix = { data, shape: [60, d] };
      expectPrim(x, 'euclidean', everyWay(kernels, x, 'euclidean'), 1e-5, 0);
    },
  );

  it.each([1e18, 1e25, 1e30])('keeps its digits beside a point of %d', (outlier) => {
    // Scaled to it alone, squares of the others' differences would underflow to 0.
    for (const x of [clustered(90, 4, 1), clustered(600, 12, 2), clustered(530, 60, 3)]) {
      const d = x.shape[1];
      x.data.fill(outlier, 7 * d, 8 * d);
      x.data.fill(-outlier / 3, 9 * d, 10 * d);
      expectPrim(x, 'euclidean', everyWay(kernels, x, 'euclidean'), 1e-5, 0);
    }
  });

  it('is Prim’s order on clustered, uniform and constant-column data for every metric', () => {
    // float32 sums of up to 200 terms; cosine's unit vectors are rounded once more, an absolute 1e-7.
    for (const metric of METRICS)
      for (const x of [
        clustered(150, 40, 1),
        clustered(90, 5, 2),
        clustered(70, 200, 3),
        clustered(260, 130, 7),
        clustered(190, 60, 8),
        points(120, 84, 'uniform', 9),
        points(100, 30, 'uniform', 4),
        points(80, 28, 'constant-columns', 5),
        points(80, 28, 'duplicates', 6),
      ])
        expectPrim(
          x,
          metric,
          everyWay(kernels, x, metric),
          1e-5,
          metric === 'cosine' || metric === 'correlation' ? 1e-7 : 0,
        );
  });

  it('gives R’s order from the lower start on moons and the golden tree on iris', () => {
    const float = ({ data, shape }: ReturnType<typeof golden>): Matrix => ({
      data: Float32Array.from(data),
      shape: [shape[0]!, shape[1]!],
    });
    const moons = everyWay(kernels, float(golden('moons200')), 'euclidean');
    expect([...moons.order]).toEqual([...golden('moons200_euc_vat_lowstart').data]);
    for (const [metric, name] of [
      ['euclidean', 'euc'],
      ['cosine', 'cos'],
    ] as const) {
      const vat = everyWay(kernels, float(golden('iris')), metric);
      const { data, n } = goldenSquare(`iris_${name}_cond`);
      // Brute-force minimum spanning tree weight of the golden distances.
      const tree = vatPointsTree(data, n);
      const total = vat.weights.reduce((s, w) => s + w, 0);
      expect(Math.abs(total - tree)).toBeLessThanOrEqual(2e-6 * tree + 149 * 1e-7 * (name === 'cos' ? 1 : 0));
      expect(vat.order[0]).toBe(golden(`iris_${name}_vat_lowstart`).data[0]);
    }
  });

  it('keeps near-duplicates apart to a relative 1e-5 far from the origin, and gives exact duplicates weight 0', () => {
    const d = 64;
    const u = uniform(8);
    const base = Float32Array.from({ length: d }, () => 100 + u());
    const data = new Float32Array(40 * d);
    for (let i = 0; i < 40; i++)
      for (let k = 0; k < d; k++) data[i * d + k] = base[k]! + (i >> 1) * 1e-3 * (k === i ? 1 : 0.1);
    const x: Matrix = { data, shape: [40, d] };
    expectPrim(x, 'euclidean', everyWay(kernels, x, 'euclidean'), 1e-5, 0);
    const same: Matrix = { data: new Float32Array(50 * d).fill(1e-30), shape: [50, d] };
    for (const metric of METRICS) {
      const vat = everyWay(kernels, same, metric);
      expect(vat.weights).toEqual(new Float32Array(49));
      expect([...vat.order]).toEqual([...Array(50).keys()]);
      expect([...vat.parent]).toEqual(new Array(49).fill(0));
    }
  });

  it('scales with the data, from 1e-30 to 1e30', () => {
    const x = clustered(60, 30, 9);
    for (const metric of ['euclidean', 'manhattan'] as const) {
      const want = everyWay(kernels, x, metric);
      for (const factor of [2 ** -100, 2 ** 100]) {
        const scaled: Matrix = { data: x.data.map((v) => v * factor), shape: x.shape };
        const got = everyWay(kernels, scaled, metric);
        expect(got.order).toEqual(want.order);
        expect(got.weights).toEqual(want.weights.map((w) => w * factor));
      }
    }
  });

  it('puts zero vectors at exactly 1 from others and at 0 from each other', () => {
    for (const metric of ['cosine', 'correlation'] as const)
      for (const d of [6, 40]) {
        const x = clustered(37, d, 10);
        for (const i of [3, 20, 21]) x.data.fill(metric === 'cosine' ? 0 : 0.1, i * d, (i + 1) * d);
        const vat = everyWay(kernels, x, metric);
        expectPrim(x, metric, vat, 1e-5, 1e-7);
        for (let k = 1; k < 37; k++) {
          const [a, b] = [vat.order[k]!, vat.parent[k - 1]!].map((i) => [3, 20, 21].includes(i));
          if (a || b) expect(vat.weights[k - 1]).toBe(a && b ? 0 : 1);
        }
      }
  });

  it('takes points without coordinates and refuses bad input', () => {
    const none: Matrix = { data: new Float32Array(0), shape: [3, 0] };
    for (const metric of METRICS)
      expect(vatFromPoints(kernels, none, { metric }).weights).toEqual(new Float32Array(2));
    const x = points(20, 3);
    x.data[4] = Number.NaN;
    expect(() => vatFromPoints(kernels, x, { metric: 'cosine' })).toThrowError(
      expect.objectContaining({ code: 'not-finite', fields: expect.objectContaining({ row: 1, column: 1 }) }),
    );
    const huge: Matrix = { data: new Float32Array([3e38, -3e38, 0, 1]), shape: [2, 2] };
    expect(() => vatFromPoints(kernels, huge, { metric: 'euclidean' })).toThrowError(/scale them/);
    expect(vatFromPoints(kernels, huge, { metric: 'cosine' }).weights.length).toBe(1);
    expect(() => vatFromPoints(kernels, points(4, 2), { metric: 'chebyshev' as Metric })).toThrowError(
      /metric/,
    );
    expect(() => prepareVatPoints(kernels, points(40, 2), 'cosine', 2)).toThrowError(
      expect.objectContaining({ code: 'unsupported' }),
    );
  });

  it('reports progress, stops when asked, and gives its memory back', () => {
    const used = kernels.arena.used;
    const x = points(3000, 40);
    const seen: number[] = [];
    vatFromPoints(kernels, x, { metric: 'euclidean', onProgress: (done, total) => seen.push(done / total) });
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(3);
    const stop = new AbortController();
    expect(() =>
      vatFromPoints(kernels, x, {
        metric: 'euclidean',
        signal: stop.signal,
        onProgress: (done) => done > 0 && stop.abort(),
      }),
    ).toThrowError(expect.objectContaining({ code: 'cancelled' }));
    expect(kernels.arena.used).toBe(used);
  });

  it('writes nothing outside the memory of its job', async () => {
    for (const n of [2, 15, 16, 17, 49, 200])
      for (const d of [1, 9, 10, 30, 170]) {
        const fresh = await loadKernels();
        const before = fresh.arena.alloc(256);
        fresh.arena.u32(before, 64).fill(0xabcdef01);
        const job = prepareVatPoints(fresh, points(n, d), 'euclidean');
        // First fit: in a fresh memory blocks follow each other.
        const after = fresh.arena.alloc(256);
        expect(before).toBeLessThan(job.pointer);
        expect(job.pointer).toBeLessThan(after);
        fresh.arena.u32(after, 64).fill(0xabcdef01);
        while (runVatPointsWorker(fresh.exports, job, 0, 13) === 0);
        const words = [...fresh.arena.u32(before, 64), ...fresh.arena.u32(after, 64)];
        expect(
          words.every((w) => w === 0xabcdef01),
          `n=${n} d=${d}`,
        ).toBe(true);
        finishVatPoints(fresh, job);
      }
  });

  it('takes no more memory, also while it prepares, than it says', async () => {
    for (const [n, d] of [
      [2, 3],
      [2, 500],
      [300, 9],
      [600, 12],
      [1300, 7],
      [2000, 10],
      [700, 64],
      [20, 784],
    ] as const) {
      const fresh = await loadKernels();
      const { arena } = fresh;
      const alloc = arena.alloc.bind(arena);
      let most = 0;
      arena.alloc = (bytes) => {
        const at = alloc(bytes);
        most = Math.max(most, arena.used);
        return at;
      };
      for (const metric of METRICS) {
        vatFromPoints(fresh, points(n, d), { metric });
        expect(arena.used).toBe(0);
      }
      expect(most, `n=${n} d=${d}`).toBeLessThanOrEqual(vatPointsBytes(n, d));
    }
  });

  it('takes points that lie in the kernels’ own memory, which grows under them', async () => {
    const fresh = await loadKernels();
    const x = points(3000, 50);
    const at = fresh.arena.alloc(x.data.byteLength);
    const own = fresh.arena.f32(at, x.data.length);
    own.set(x.data);
    expect(vatFromPoints(fresh, { data: own, shape: x.shape }, { metric: 'euclidean' })).toEqual(
      vatFromPoints(kernels, x, { metric: 'euclidean' }),
    );
  });

  it('says beforehand how much memory it needs', () => {
    for (const [n, d, metric] of [
      [100, 5, 'cosine'],
      [500, 84, 'euclidean'],
      [333, 200, 'manhattan'],
    ] as const) {
      const before = kernels.arena.used;
      const job = prepareVatPoints(kernels, points(n, d), metric);
      const taken = kernels.arena.used - before;
      releaseVatPoints(kernels, job);
      expect(taken).toBeLessThanOrEqual(vatPointsBytes(n, d));
      // Past 1 GB of points there are no records.
      expect(vatPointsBytes(500_000, 784)).toBeLessThan(4 * 500_000 * (784 + 140));
      // Few points: the matrix. Of many there is a tree and, from 48 coordinates on, records too.
      expect(vatPointsBytes(n, d)).toBeLessThanOrEqual(4 * n * (n + d + 24) + 60_000);
      expect(vatPointsBytes(1000 * n, d)).toBeLessThanOrEqual(4000 * n * ((d + 40) * (d < 48 ? 1 : 2) + 100));
    }
  });
});

/** Weight of a minimum spanning tree, by Prim on a full matrix. */
function vatPointsTree(distance: Float64Array, n: number): number {
  const key = new Float64Array(n).fill(Infinity);
  const done = new Uint8Array(n);
  let total = 0;
  let v = 0;
  for (let k = 0; k < n; k++) {
    done[v] = 1;
    let next = -1;
    for (let j = 0; j < n; j++) {
      if (done[j]) continue;
      key[j] = Math.min(key[j]!, distance[v * n + j]!);
      if (next < 0 || key[j]! < key[next]!) next = j;
    }
    if (next >= 0) total += key[next]!;
    v = next;
  }
  return total;
}
