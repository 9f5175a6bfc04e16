import { beforeAll, describe, expect, it } from 'vitest';
import { golden, goldenSquare } from '../../../../tests/golden.js';
import { points, uniform } from '../../bench/data.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import type { Matrix } from '../../src/matrix.js';
import { pairwise } from '../pairwise/index.js';
import {
  copheneticDistances,
  cutByCount,
  cutByDiameter,
  cutByHeight,
  LINKAGE_METHODS,
  type Linkage,
  leafOrder,
  leafRanges,
  linkage,
  linkageBytes,
  linkageFromPoints,
  linkageFromPointsBytes,
  linkageFromPointsSteps,
  linkageMatrix,
} from './index.js';
import { areaBytes, LOGGED, labelled } from './merges.js';
import { between, labelMerges, linkageReference } from './reference.js';
import type { LinkageMethod } from './result.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

/** Symmetric, zero diagonal; `levels` > 0 draws from that many values so that ties abound. */
function random(n: number, seed: number, levels = 0): Matrix {
  const u = uniform(seed);
  const data = new Float32Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++)
      data[i * n + j] = data[j * n + i] = levels ? Math.floor(u() * levels) : u();
  return { data, shape: [n, n] };
}
const at = (m: Matrix) => (i: number, j: number) => m.data[i * m.shape[1] + j]!;
const condensed = ({ data, shape: [n] }: Matrix) => {
  const out: number[] = [];
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) out.push(data[i * n + j]!);
  return Float32Array.from(out);
};

/** Clusters as lists of samples, from the merges alone. */
function members(tree: Linkage): number[][] {
  const all: number[][] = Array.from({ length: tree.n }, (_, i) => [i]);
  for (let t = 0; t < tree.n - 1; t++) all.push([...all[tree.left[t]!]!, ...all[tree.right[t]!]!]);
  return all;
}

/**
 * Every merge joins two unmerged clusters, at their dissimilarity, and none are closer: the definition, with float32's
 * tolerance.
 */
function replay(tree: Linkage, distance: (i: number, j: number) => number, tolerance: number, where: string) {
  const all = members(tree);
  const alive = new Set(Array.from({ length: tree.n }, (_, i) => i));
  // Dissimilarities of unmerged clusters, kept exactly in float64 as sums, least or largest.
  const table = new Map<number, Map<number, number>>();
  const get = (a: number, b: number) => table.get(a)!.get(b)!;
  for (const a of alive)
    table.set(a, new Map([...alive].filter((b) => b !== a).map((b) => [b, distance(a, b)])));
  for (let t = 0; t < tree.n - 1; t++) {
    const a = tree.left[t]!;
    const b = tree.right[t]!;
    expect(alive.has(a) && alive.has(b) && a < b, `${where} merge ${t}`).toBe(true);
    let least = Infinity;
    for (const x of alive) for (const [y, h] of table.get(x)!) if (alive.has(y)) least = Math.min(least, h);
    expect(Math.abs(tree.heights[t]! - get(a, b)), `${where} height of merge ${t}`).toBeLessThanOrEqual(
      tolerance,
    );
    expect(get(a, b) - least, `${where} merge ${t} is not the least`).toBeLessThanOrEqual(2 * tolerance);
    if (t) expect(tree.heights[t]!).toBeGreaterThanOrEqual(tree.heights[t - 1]!);
    expect(tree.sizes[t]).toBe(all[tree.n + t]!.length);
    alive.delete(a);
    alive.delete(b);
    const sa = all[a]!.length;
    const sb = all[b]!.length;
    const row = new Map<number, number>();
    for (const c of alive) {
      const [p, q] = [get(a, c), get(b, c)];
      const h =
        tree.method === 'average'
          ? (sa * p + sb * q) / (sa + sb)
          : tree.method === 'single'
            ? Math.min(p, q)
            : Math.max(p, q);
      row.set(c, h);
      table.get(c)!.set(tree.n + t, h);
    }
    table.set(tree.n + t, row);
    alive.add(tree.n + t);
  }
}

/**
 * The nearest-neighbour chain with every column written at every merge, in the kernel's float32: [sample, sample,
 * height] in the chain's order.
 */
function plainChain(m: Matrix, method: LinkageMethod): [number, number, number][] {
  const n = m.shape[0];
  const d = m.data.slice();
  const size = new Float32Array(n).fill(1);
  const chain: number[] = [];
  const merges: [number, number, number][] = [];
  const f = Math.fround;
  while (merges.length < n - 1) {
    if (!chain.length) chain.push(size.findIndex((s) => s > 0));
    const x = chain.at(-1)!;
    const previous = chain.at(-2) ?? -1;
    let y = previous;
    for (let j = 0; j < n; j++) if (size[j] && j !== x && (y < 0 || d[x * n + j]! < d[x * n + y]!)) y = j;
    if (y !== previous) {
      chain.push(y);
      continue;
    }
    chain.length -= 2;
    const [low, high] = [Math.min(x, y), Math.max(x, y)];
    merges.push([low, high, d[x * n + y]!]);
    const share = f(size[low]! / f(size[low]! + size[high]!));
    for (let j = 0; j < n; j++) {
      const [a, b] = [d[high * n + j]!, d[low * n + j]!];
      const mean = Math.max(f(a + f(share * f(b - a))), Math.min(a, b));
      d[high * n + j] = d[j * n + high] =
        method === 'average' ? mean : method === 'single' ? Math.min(a, b) : Math.max(a, b);
    }
    size[high]! += size[low]!;
    size[low] = 0;
  }
  return merges;
}

/**
 * The kernels of one variant on a matrix `shift` bytes from a cache line, in a place whose surroundings must stay as
 * they are. The logged one goes in steps of seven merges.
 */
function inside(m: Matrix, variant: 'small' | 'logged', method: LinkageMethod, shift = 0): Linkage {
  const fn = kernels.exports as unknown as Record<string, (...x: number[]) => number>;
  const n = m.shape[0];
  const words = areaBytes(n) / 4;
  return kernels.arena.scope((alloc) => {
    const d = alloc(4 * n * n + 192) + 64 + shift;
    const area = alloc(4 * words + 128) + 64;
    kernels.arena.u32(d - 64, n * n + 32).fill(0xabcdef01);
    kernels.arena.u32(area - 64, words + 32).fill(0xabcdef01);
    kernels.arena.f32(d, n * n).set(m.data);
    const id = LINKAGE_METHODS.indexOf(method);
    if (variant === 'small') fn.linkageSmall!(d, n, area, id);
    else {
      fn.linkageStart!(n, area);
      for (let until = 0; until < n - 1; ) {
        until = Math.min(n - 1, until + 7);
        fn.linkageRun!(d, n, area, id, until);
      }
    }
    fn.linkageLabel!(n, area);
    for (const [p, k] of [
      [d, n * n],
      [area, words],
    ] as const) {
      const around = [...kernels.arena.u32(p - 64, 16), ...kernels.arena.u32(p + 4 * k, 16)];
      expect(around, `around, ${variant} n=${n} shift=${shift}`).toEqual(new Array(32).fill(0xabcdef01));
    }
    return labelled(kernels, area, n, method);
  });
}

const SIZES = [2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65, 100];

describe('linkage', () => {
  it('average: a cluster that takes in its samples one by one rounds each time, within the bound that is stated', () => {
    // Samples 0 … s − 1 join one after the other; the last is about 1 from all of them, a little more from each later
    // one.
    const s = 1500;
    const n = s + 1;
    for (const drift of [(i: number) => (i < s / 2 ? 0 : 0.5 / s), (i: number) => (0.1 * i) / s ** 2]) {
      const data = new Float32Array(n * n);
      let sum = 0;
      for (let j = 1; j < n; j++)
        for (let i = 0; i < j; i++) {
          const d = j < s ? 0.1 + (0.1 * j) / s : 1 + drift(i);
          data[i * n + j] = data[j * n + i] = d;
          if (j === s) sum += data[i * n + j]!;
        }
      const tree = linkage(kernels, { data, shape: [n, n] });
      expect(tree.sizes[n - 3]).toBe(s);
      const error = Math.abs(tree.heights[n - 2]! - sum / s);
      expect(error).toBeLessThan(3e-8 * n);
      for (const method of ['single', 'complete'] as const)
        expect(data).toContain(linkage(kernels, { data, shape: [n, n] }, { method }).heights[n - 2]);
    }
  });

  it('joins by definition, for every method, at lane edges and through several compactions', () => {
    for (const method of LINKAGE_METHODS)
      for (const n of [...SIZES, 130]) {
        const m = random(n, n);
        replay(
          linkage(kernels, m, { method }),
          at(m),
          method === 'average' ? 1e-6 : 0,
          `${method} n=${n} seed=${n}`,
        );
      }
  });

  it('is the plain chain to the last bit, through blocks of sixteen merges and compactions', () => {
    const sizes = [
      2, 15, 16, 17, 18, 31, 32, 33, 34, 48, 49, 64, 65, 66, 67, 127, 128, 129, 130, 131, 160, 255,
    ];
    for (const method of LINKAGE_METHODS)
      for (const n of [...sizes, 256, 257, 259, 300, 514, 531])
        for (const levels of [0, 3, 40]) {
          const m = random(n, 5 * n + levels, levels);
          const want = labelMerges(n, plainChain(m, method), method);
          const label = `${method} n=${n} levels=${levels} seed=${5 * n + levels}`;
          expect(linkage(kernels, m, { method }), label).toEqual(want);
          expect(inside(m, 'logged', method), `logged ${label}`).toEqual(want);
          if (n >= 4) expect(inside(m, 'small', method), `small ${label}`).toEqual(want);
        }
  });

  it('has one result on both sides of the side from where merges are logged, and a little beyond', () => {
    for (const n of [LOGGED - 1, LOGGED, LOGGED + 1]) {
      const m = random(n, n, n === LOGGED ? 50 : 0);
      const tree = linkage(kernels, m);
      expect(inside(m, 'small', 'average'), `small n=${n} seed=${n}`).toEqual(tree);
      expect(inside(m, 'logged', 'average'), `logged n=${n} seed=${n}`).toEqual(tree);
    }
  });

  it('writes nothing around its matrix and its work area, wherever they lie', () => {
    // Blocks of merges stand in whole cache lines, which a matrix anywhere has in other places.
    for (const n of [2, 3, 4, 5, 6, 7, 14, 15, 16, 17, 30, 31, 32, 33, 65, 131, 256, 300])
      for (const shift of [0, 4, 60])
        for (const variant of ['small', 'logged'] as const) {
          if (n < 4 && variant === 'small') continue;
          const m = random(n, n);
          expect(inside(m, variant, 'average', shift), `${variant} n=${n} shift=${shift}`).toEqual(
            linkage(kernels, m),
          );
        }
  });

  it('joins by definition where ties abound', () => {
    for (const method of LINKAGE_METHODS)
      for (const levels of [1, 2, 3, 10])
        for (const n of [3, 8, 70]) {
          const m = random(n, 3 * n + levels, levels);
          const tree = linkage(kernels, m, { method });
          replay(tree, at(m), 1e-5, `${method} n=${n} levels=${levels} seed=${3 * n + levels}`);
        }
  });

  it('equals the O(n⁴) reference, diameters included', () => {
    for (const method of LINKAGE_METHODS)
      for (const n of [2, 3, 4, 5, 6, 12, 24, 25, 26]) {
        const m = random(n, 100 + n);
        const tree = linkage(kernels, m, { method, diameters: true });
        const want = linkageReference(n, at(m), method);
        expect([...tree.left], `${method} n=${n}`).toEqual(want.left);
        expect([...tree.right]).toEqual(want.right);
        expect([...tree.sizes]).toEqual(want.sizes);
        expect([...tree.diameters!]).toEqual(want.diameters);
        for (const [t, h] of want.heights.entries())
          expect(Math.abs(tree.heights[t]! - h)).toBeLessThan(1e-6);
      }
  });

  it('has fastcluster’s merges on the goldens', () => {
    for (const [cond, z] of [
      ['moons200_euc_cond', 'moons200_euc_avg_Z'],
      ['iris_cos_cond', 'iris_cos_avg_Z'],
    ] as const) {
      const { data, n } = goldenSquare(cond);
      const tree = linkage(kernels, { data: Float32Array.from(data), shape: [n, n] });
      const want = golden(z).data;
      const top = Math.max(...want.filter((_, k) => k % 4 === 2));
      const got = linkageMatrix(tree);
      for (let t = 0; t < n - 1; t++)
        expect(Math.abs(got[4 * t + 2]! - want[4 * t + 2]!), `${z} height ${t}`).toBeLessThan(1e-6 * top);
      // Where heights are further apart than float32 rounds, the same clusters are joined: compare them as sets.
      const sets = (m: Float64Array) => {
        const all: string[][] = Array.from({ length: n }, (_, i) => [`${i}`]);
        const out: [string, number, number][] = [];
        for (let t = 0; t < n - 1; t++) {
          all.push([...all[m[4 * t]!]!, ...all[m[4 * t + 1]!]!]);
          out.push([[...all[n + t]!].sort().join(), m[4 * t + 2]!, t]);
        }
        return out;
      };
      const mine = new Map(sets(got).map(([key, h]) => [key, h]));
      const missing = sets(want).filter(([key, h]) => !mine.has(key) && h > 1e-5 * top);
      expect(missing.length, `${z}: clusters of fastcluster that are missing`).toBe(0);
    }
  });

  it('has every exact merge of the golden where no two distances tie', () => {
    const { data, n } = goldenSquare('moons200_euc_cond');
    const got = linkageMatrix(linkage(kernels, { data: Float32Array.from(data), shape: [n, n] }));
    const want = golden('moons200_euc_avg_Z').data;
    for (let t = 0; t < n - 1; t++)
      expect([got[4 * t], got[4 * t + 1], got[4 * t + 3]]).toEqual([
        want[4 * t],
        want[4 * t + 1],
        want[4 * t + 3],
      ]);
  });

  it('takes a condensed matrix, and gives the same as of the square one', () => {
    for (const n of [2, 3, 4, 5, 31, 32, 33, 34, 70, 100, 2051]) {
      const m = random(n, n);
      expect(linkage(kernels, condensed(m), { diameters: true })).toEqual(
        linkage(kernels, m, { diameters: true }),
      );
    }
  });

  it('has no merges for none and for one sample', () => {
    for (const n of [0, 1]) {
      const tree = linkage(kernels, { data: new Float32Array(n * n), shape: [n, n] }, { diameters: true });
      expect([tree.n, tree.left.length, tree.heights.length, tree.diameters!.length]).toEqual([n, 0, 0, 0]);
      expect(leafOrder(tree).length).toBe(n);
      expect(cutByHeight(tree, 1).count).toBe(n);
      expect(cutByDiameter(tree, 1).count).toBe(n);
      expect(copheneticDistances(tree).length).toBe(0);
    }
  });

  it('joins duplicates first, at exactly 0', () => {
    const x = points(40, 7, 'duplicates');
    const tree = linkageFromPoints(kernels, x, { metric: 'euclidean', diameters: true });
    expect([...tree.heights.subarray(0, 30)]).toEqual(new Array(30).fill(0));
    expect([...tree.diameters!.subarray(0, 30)]).toEqual(new Array(30).fill(0));
    expect(tree.heights[30]).toBeGreaterThan(0);
    expect(cutByHeight(tree, 0).labels).toEqual(Uint32Array.from({ length: 40 }, (_, i) => i >> 2));
  });

  it('reads the upper triangle alone of a square that is not symmetric, with 0 on the diagonal', () => {
    for (const n of [2, 5, 33, 70]) {
      const m = random(n, n);
      const want = linkage(kernels, m, { diameters: true });
      const u = uniform(9);
      for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) m.data[i * n + j] = u() - 0.5;
      expect(linkage(kernels, m, { diameters: true }), `n=${n}`).toEqual(want);
    }
  });

  it('takes −0 for 0', () => {
    for (const n of [3, 40, 140, 2050]) {
      const m = random(n, n, 3);
      const zeros: Matrix = { ...m, data: m.data.map((x) => (x === 0 ? -0 : x)) };
      const want = linkage(kernels, m);
      expect(linkage(kernels, zeros), `n=${n}`).toEqual(want);
      expect(linkage(kernels, condensed(zeros)), `n=${n} condensed`).toEqual(want);
    }
  });

  it('finds one bad value wherever it stands, square and condensed', () => {
    const places = [0, 1, 2, 3, 4, 29, 30, 31, 32, 33, 35, 36, 63, 64, 65, 66];
    for (const n of [4, 33, 67])
      for (const i of places)
        for (const j of places) {
          if (i >= j || j >= n) continue;
          const m = random(n, n);
          for (const [value, code] of [
            [Number.NaN, 'not-finite'],
            [Infinity, 'not-finite'],
            [-1, 'argument'],
          ] as const) {
            m.data[i * n + j] = m.data[j * n + i] = value;
            const label = `n=${n} (${i},${j}) ${value}`;
            const where = code === 'argument' ? { row: i } : { row: i, column: j };
            expect(() => linkage(kernels, m), label).toThrowError(
              expect.objectContaining({ code, fields: expect.objectContaining(where) }),
            );
            expect(() => linkage(kernels, condensed(m)), label).toThrowError(
              expect.objectContaining({
                code,
                fields: expect.objectContaining(
                  code === 'argument'
                    ? { row: i }
                    : { row: 0, column: i * n - (i * (i + 1)) / 2 + j - i - 1 },
                ),
              }),
            );
          }
          // Below the diagonal only what is not finite is refused.
          const lower = random(n, n);
          lower.data[j * n + i] = Number.NaN;
          expect(() => linkage(kernels, lower)).toThrowError(
            expect.objectContaining({
              code: 'not-finite',
              fields: expect.objectContaining({ row: j, column: i }),
            }),
          );
        }
  });

  it('refuses what is no dissimilarity', () => {
    const bad = (change: (x: Float32Array) => void) => {
      const m = random(20, 3);
      change(m.data);
      return () => linkage(kernels, m);
    };
    const used = kernels.arena.used;
    expect(bad((x) => (x[5] = Number.NaN))).toThrowError(
      expect.objectContaining({ code: 'not-finite', fields: expect.objectContaining({ row: 0, column: 5 }) }),
    );
    expect(bad((x) => (x[7 * 20 + 13] = Number.POSITIVE_INFINITY))).toThrowError(/row 7, column 13/);
    expect(bad((x) => (x[7 * 20 + 13] = -1))).toThrowError(
      expect.objectContaining({ code: 'argument', fields: { row: 7 } }),
    );
    expect(() => linkage(kernels, new Float32Array(4))).toThrowError(
      expect.objectContaining({ code: 'shape', fields: { got: 4, expected: 3 } }),
    );
    expect(() => linkage(kernels, { data: new Float32Array(6), shape: [2, 3] })).toThrowError(
      expect.objectContaining({ code: 'shape' }),
    );
    expect(() => linkage(kernels, random(3, 1), { method: 'ward' as never })).toThrowError(
      /average, single, complete/,
    );
    expect(kernels.arena.used).toBe(used);
  });

  it('reports progress, stops when asked, and gives its memory back', () => {
    const used = kernels.arena.used;
    const m = random(64, 1);
    const seen: number[] = [];
    linkage(kernels, m, { diameters: true, onProgress: (done, total) => seen.push(done / total) });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const stop = new AbortController();
    expect(() => linkage(kernels, m, { signal: stop.signal, onProgress: () => stop.abort() })).toThrowError(
      expect.objectContaining({ code: 'cancelled' }),
    );
    const steps = linkageFromPointsSteps(kernels, points(50, 3), { metric: 'cosine', diameters: true });
    for (let k = 0; k < 2; k++) steps.next();
    expect(kernels.arena.used).toBeGreaterThan(used);
    steps.return(undefined as never);
    expect(kernels.arena.used).toBe(used);
  });

  it('takes no more memory than estimated', async () => {
    for (const [n, d] of [
      [10, 3],
      [300, 20],
    ] as const) {
      const x = points(n, d);
      for (const [bytes, run] of [
        [linkageBytes(n), (k: Kernels) => linkage(k, random(n, 1), { diameters: true })],
        [
          linkageFromPointsBytes(n, d),
          (k: Kernels) => linkageFromPoints(k, x, { metric: 'cosine', diameters: true }),
        ],
      ] as const) {
        const fresh = await loadKernels();
        let most = 0;
        const alloc = fresh.arena.alloc.bind(fresh.arena);
        fresh.arena.alloc = (size) => {
          const pointer = alloc(size);
          most = Math.max(most, fresh.arena.used);
          return pointer;
        };
        run(fresh);
        expect(most).toBeLessThanOrEqual(bytes);
        // The figure is an upper bound, not a fright.
        expect(most).toBeGreaterThan(0.7 * bytes - 4096);
      }
    }
  });
});

describe('linkageFromPoints', () => {
  it('counts the triangle kept for diameters', () => {
    expect(linkageFromPointsBytes(1000, 10, true) - linkageFromPointsBytes(1000, 10)).toBe(2 * 1000 * 999);
  });

  it('is linkage of the pairwise matrix', () => {
    const x = points(150, 12);
    for (const metric of ['cosine', 'euclidean'] as const)
      for (const method of LINKAGE_METHODS) {
        const d = pairwise(kernels, x, { metric });
        const { rows, ...tree } = linkageFromPoints(kernels, x, {
          metric,
          method,
          diameters: true,
          rows: Uint32Array.of(149, 0, 7),
        });
        expect(tree).toEqual(linkage(kernels, d, { method, diameters: true }));
        expect(rows.shape).toEqual([3, 150]);
        for (const [k, row] of [149, 0, 7].entries())
          expect(rows.data.subarray(150 * k, 150 * (k + 1))).toEqual(
            d.data.subarray(150 * row, 150 * (row + 1)),
          );
      }
  });

  it('refuses a row that is no point', () => {
    expect(() =>
      linkageFromPoints(kernels, points(3, 3), { metric: 'cosine', rows: Uint32Array.of(3) }),
    ).toThrowError(/rows: expected points 0 … 2, got 3/);
  });

  it('takes zero, one and two points', () => {
    for (const n of [0, 1, 2]) {
      const tree = linkageFromPoints(kernels, points(n, 3), { metric: 'cosine', diameters: true });
      expect(tree.heights.length).toBe(Math.max(0, n - 1));
    }
  });
});

describe('cuts and distances of a tree', () => {
  const tree = (n: number, seed: number, levels = 0) => {
    const m = random(n, seed, levels);
    return { m, tree: linkage(kernels, m, { diameters: true }) };
  };

  it('has as cophenetic distance the height of the first cluster two samples share', () => {
    const { tree: t } = tree(40, 5);
    const all = members(t);
    const want: number[] = [];
    for (let i = 0; i < 40; i++)
      for (let j = i + 1; j < 40; j++)
        want.push(t.heights[all.findIndex((c) => c.includes(i) && c.includes(j)) - 40]!);
    expect([...copheneticDistances(t)]).toEqual(want);
  });

  it('has every cluster as a range of the leaves’ order', () => {
    const { tree: t } = tree(40, 6);
    const order = leafOrder(t);
    const { start, size } = leafRanges(t);
    for (const [node, samples] of members(t).entries())
      expect([...order.subarray(start[node]!, start[node]! + size[node]!)].sort((a, b) => a - b)).toEqual(
        [...samples].sort((a, b) => a - b),
      );
  });

  it('cuts by height and by count into the clusters of that level', () => {
    const { tree: t } = tree(60, 7);
    for (const count of [1, 2, 7, 59, 60]) {
      const cut = cutByCount(t, count);
      expect(cut.count).toBe(count);
      expect(new Set(cut.labels).size).toBe(count);
      const height = count === 60 ? -1 : t.heights[59 - count]!;
      expect(cutByHeight(t, height)).toEqual(cut);
    }
    expect(() => cutByCount(t, 0)).toThrowError(/1 … 60/);
    expect(() => cutByCount(t, 61)).toThrowError(/1 … 60/);
    expect(() => cutByHeight(t, Number.NaN)).toThrowError(/NaN/);
  });

  it('keeps a merge at the limit itself, also one that float32 rounds up: as SciPy in float64', () => {
    // SciPy 1.17: fcluster(linkage([0.1, 0.3, 0.3], 'single'), t, 'distance') for t = 0.1, 0.3 gives 2 and 1 clusters.
    const t = linkage(kernels, Float32Array.of(0.1, 0.3, 0.3), { method: 'single', diameters: true });
    expect(t.heights[0]).toBeGreaterThan(0.1);
    for (const [limit, count] of [
      [0.0999, 3],
      [0.1, 2],
      [0.2999, 2],
      [0.3, 1],
    ] as const) {
      expect(cutByHeight(t, limit).count, `${limit}`).toBe(count);
      expect(cutByDiameter(t, limit).count, `${limit}`).toBe(count);
      expect(cutByDiameter(t, limit, 'branch').count, `${limit}`).toBe(count);
    }
    expect(cutByHeight(t, Infinity).count).toBe(1);
  });

  it('cuts by diameter: level is the coarsest admissible level, branch each branch’s coarsest admissible cluster', () => {
    for (const seed of [1, 2, 3])
      for (const theta of [0, 0.3, 0.6, 0.83, 0.95, 2]) {
        const { m, tree: t } = tree(50, seed);
        const diameter = (samples: number[]) => between(samples, samples, at(m), 'complete');
        const groups = (labels: Uint32Array) => {
          const out: number[][] = [];
          for (const [i, l] of labels.entries()) (out[l] ??= []).push(i);
          return out;
        };
        const admissible = (labels: Uint32Array) => groups(labels).every((g) => diameter(g) <= theta);
        const level = cutByDiameter(t, theta);
        expect(admissible(level.labels), `seed=${seed} theta=${theta}`).toBe(true);
        let coarsest = 50;
        while (coarsest > 1 && admissible(cutByCount(t, coarsest - 1).labels)) coarsest--;
        expect(level).toEqual(cutByCount(t, coarsest));
        const branch = cutByDiameter(t, theta, 'branch');
        expect(branch.count).toBeLessThanOrEqual(level.count);
        const maximal = members(t).filter(
          (c, node, all) =>
            diameter(c) <= theta &&
            !all.some((o, k) => k > node && o.includes(c[0]!) && diameter(o) <= theta),
        );
        const sorted = (g: number[][]) => g.map((c) => [...c].sort((a, b) => a - b).join()).sort();
        expect(sorted(groups(branch.labels))).toEqual(sorted(maximal));
      }
  });

  it('numbers clusters by their lowest sample and names the cluster of the tree', () => {
    const { tree: t } = tree(30, 9);
    const { labels, nodes, count } = cutByCount(t, 5);
    const first = Array.from({ length: count }, (_, c) => labels.indexOf(c));
    expect(first).toEqual([...first].sort((a, b) => a - b));
    const all = members(t);
    for (let c = 0; c < count; c++)
      expect([...all[nodes[c]!]!].sort((a, b) => a - b)).toEqual(
        [...labels.keys()].filter((i) => labels[i] === c),
      );
  });

  it('wants diameters for a cut by diameter, but for complete linkage', () => {
    const m = random(10, 1);
    expect(() => cutByDiameter(linkage(kernels, m), 0.5)).toThrowError(/diameters/);
    const complete = linkage(kernels, m, { method: 'complete' });
    expect(cutByDiameter(complete, 0.5)).toEqual(cutByHeight(complete, 0.5));
    expect(() => cutByDiameter(complete, 0.5, 'leaf' as never)).toThrowError(/level or branch/);
  });
});
