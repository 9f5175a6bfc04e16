import { beforeAll, describe, expect, it } from 'vitest';
import { golden, goldenSquare } from '../../../../tests/golden.js';
import { uniform } from '../../bench/data.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import { vatFromMatrix } from '../vat/index.js';
import { vatReference } from '../vat/reference.js';
import { ivatCondensed, ivatImage, ivatLookup, ivatMatrix, ivatMatrixInto, ivatValue } from './index.js';
import { ivatImageReference, minimaxReference } from './reference.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

function randomWeights(n: number, seed: number, kind: 'random' | 'rising' | 'valley' | 'ties' = 'random') {
  const u = uniform(seed);
  return Float32Array.from({ length: Math.max(n - 1, 0) }, (_, k) => {
    if (kind === 'rising') return k + 1;
    if (kind === 'valley') return Math.abs(2 * k - n) + u();
    if (kind === 'ties') return Math.floor(u() * 3);
    return u();
  });
}
const shuffled = (n: number, seed: number) => {
  const u = uniform(seed);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(u() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
};

describe('iVAT values', () => {
  it('equal the golden path distances of iris and moons', () => {
    for (const name of ['iris_euc', 'iris_cos', 'moons200_euc']) {
      const { data, n } = goldenSquare(`${name}_cond`);
      const vat = vatFromMatrix(kernels, { data: Float32Array.from(data), shape: [n, n] });
      const want = golden(`${name}_pathdist_cond`).data;
      const got = ivatCondensed(vat);
      expect(got.length).toBe(want.length);
      // One rounding of a float64 edge to float32; comparison order is not changed by rounding (it is monotone).
      expect(got.findIndex((value, k) => !(Math.abs(value - want[k]!) <= 6e-8 * want[k]!))).toBe(-1);
    }
  });

  it('are minimax path distances of random dissimilarities', () => {
    for (const [n, seed] of [
      [2, 1],
      [3, 2],
      [9, 3],
      [24, 4],
      [40, 5],
    ] as const) {
      const u = uniform(seed);
      const d = new Float32Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = i + 1; j < n; j++) d[i * n + j] = d[j * n + i] = seed % 2 ? u() : Math.floor(6 * u());
      const vat = vatFromMatrix(kernels, { data: d, shape: [n, n] });
      const want = minimaxReference(n, (i, j) => d[i * n + j]!);
      expect(ivatMatrix(kernels, vat, { order: 'original' }).data, `n=${n} seed=${seed}`).toEqual(
        Float32Array.from(want),
      );
    }
  });

  it('do not depend on the numbering of the samples', () => {
    const n = 60;
    const u = uniform(11);
    const x = Array.from({ length: n }, () => [u(), u()] as const);
    const distance = (i: number, j: number) => Math.hypot(x[i]![0] - x[j]![0], x[i]![1] - x[j]![1]);
    const order = shuffled(n, 12);
    const a = ivatMatrix(kernels, vatReference(n, distance), { order: 'original' }).data;
    const b = ivatMatrix(
      kernels,
      vatReference(n, (i, j) => distance(order[i]!, order[j]!)),
      { order: 'original' },
    ).data;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) expect(b[i * n + j]).toBe(a[order[i]! * n + order[j]!]);
  });

  it('agree between value, lookup, matrix and condensed at lane edges', () => {
    for (const n of [1, 2, 3, 4, 5, 15, 16, 17, 18, 33, 49, 50, 65]) {
      const vat = { order: shuffled(n, n), weights: randomWeights(n, n + 1) };
      const lookup = ivatLookup(vat);
      const inVat = ivatMatrix(kernels, vat).data;
      const original = ivatMatrix(kernels, vat, { order: 'original' }).data;
      const condensed = ivatCondensed(vat);
      for (let a = 0; a < n; a++)
        for (let b = 0; b < n; b++) {
          const want = ivatValue(vat, a, b);
          const [i, j] = [vat.order[a]!, vat.order[b]!];
          const same = [lookup(a, b), inVat[a * n + b], original[i * n + j]];
          if (i < j) same.push(condensed[i * n - (i * (i + 1)) / 2 + j - i - 1]);
          if (!same.every((value) => value === want))
            expect.fail(`n=${n} (${a},${b}): expected ${want}, got ${same}`);
        }
    }
  });

  it('come in any band of rows, with nothing written around it', () => {
    const fn = kernels.exports as unknown as Record<string, (...x: number[]) => void>;
    const n = 53;
    const weights = randomWeights(n, 9);
    const full = ivatMatrix(kernels, { order: shuffled(n, 1), weights }).data;
    for (const [row0, row1] of [
      [0, 0],
      [0, 1],
      [0, 53],
      [17, 18],
      [16, 40],
      [52, 53],
    ] as const)
      kernels.arena.scope((alloc) => {
        const w = alloc(4 * n);
        kernels.arena.f32(w, n - 1).set(weights);
        const out = alloc(4 * n * 53 + 128) + 64;
        const size = (row1 - row0) * n;
        kernels.arena.f32(out - 64, size + 32).fill(-3);
        fn.ivatRows!(w, n, out, row0, row1);
        expect(kernels.arena.f32(out, size)).toEqual(full.slice(row0 * n, row1 * n));
        const around = [...kernels.arena.f32(out - 64, 16), ...kernels.arena.f32(out + 4 * size, 16)];
        expect(around).toEqual(new Array(32).fill(-3));
      });
  });

  it('are written where the caller says, in several bands', () => {
    const n = 1500;
    const vat = { order: shuffled(n, 3), weights: randomWeights(n, 4) };
    const pointer = kernels.arena.alloc(4 * n * n + 32);
    for (const order of ['vat', 'original'] as const) {
      kernels.arena.f32(pointer, n * n + 8).fill(-1);
      ivatMatrixInto(kernels, vat, pointer + 16, { order });
      const lookup = ivatLookup(vat);
      const got = kernels.arena.f32(pointer + 16, n * n);
      let wrong = 0;
      for (let a = 0; a < n; a += 7)
        for (let b = 0; b < n; b++) {
          const at = order === 'vat' ? a * n + b : vat.order[a]! * n + vat.order[b]!;
          if (got[at] !== lookup(a, b)) wrong++;
        }
      expect(wrong).toBe(0);
      expect([...kernels.arena.f32(pointer, 4), ...kernels.arena.f32(pointer + 16 + 4 * n * n, 4)]).toEqual(
        new Array(8).fill(-1),
      );
    }
    kernels.arena.dealloc(pointer);
    expect(() => ivatMatrixInto(kernels, vat, 2 ** 40)).toThrowError(/do not lie/);
  });

  it('are written into an array of the caller, of the right length only', () => {
    const vat = { order: shuffled(5, 3), weights: Float32Array.of(1, 4, 2, 3) };
    const into = new Float32Array(25).fill(9);
    expect(ivatMatrix(kernels, vat, { into }).data).toBe(into);
    expect(into).toEqual(ivatMatrix(kernels, vat).data);
    expect(() => ivatMatrix(kernels, vat, { into: new Float32Array(24) })).toThrow(
      'into: expected 25 values, got 24',
    );
  });

  it('are empty for no sample and refuse a VAT that does not fit', () => {
    const none = { order: new Uint32Array(0), weights: new Float32Array(0) };
    expect(ivatMatrix(kernels, none)).toEqual({ data: new Float32Array(0), shape: [0, 0] });
    expect(ivatCondensed(none).length).toBe(0);
    expect(() => ivatCondensed({ order: new Uint32Array(3), weights: new Float32Array(2) })).toThrowError(
      /permutation/,
    );
    expect(() =>
      ivatMatrix(kernels, { order: new Uint32Array(3), weights: new Float32Array(3) }),
    ).toThrowError(expect.objectContaining({ code: 'shape' }));
    expect(() => ivatValue({ weights: new Float32Array(2) }, 0, 3)).toThrowError(/0 to 2/);
    expect(() => ivatLookup({ weights: new Float32Array(2) })(-1, 0)).toThrowError(/0 to 2/);
  });
});

describe('ivatImage', () => {
  it('is the mean or maximum of each block, pair by pair, for any size, range and magnification', () => {
    for (const kind of ['random', 'rising', 'valley', 'ties'] as const)
      for (const [n, side, from, to] of [
        [1, 1, 0, 1],
        [1, 3, 0, 1],
        [2, 1, 0, 2],
        [2, 2, 0, 2],
        [3, 2, 0, 3],
        [5, 16, 0, 5],
        [7, 7, 0, 7],
        [50, 7, 0, 50],
        [50, 1, 0, 50],
        [50, 33, 0, 50],
        [50, 8, 11, 39],
        [50, 16, 20, 24],
        [97, 10, 1, 96],
      ] as const)
        for (const reduce of ['mean', 'max'] as const) {
          const weights = randomWeights(n, n + side, kind);
          const full = ivatMatrix(kernels, { order: shuffled(n, 2), weights }).data;
          const want = ivatImageReference(full, n, side, from, to, reduce);
          const got = ivatImage({ weights }, { side, from, to, reduce });
          const label = `${kind} n=${n} side=${side} [${from},${to}) ${reduce}`;
          expect(got.length).toBe(side * side);
          // Float64 sums of at most 2500 terms, then one rounding to float32.
          for (let k = 0; k < want.length; k++)
            expect(Math.abs(got[k]! - want[k]!), label).toBeLessThanOrEqual(1e-7 * want[k]!);
        }
  });

  it('refuses sides and ranges out of bounds', () => {
    const vat = { weights: new Float32Array(9) };
    for (const options of [
      { side: 0 },
      { side: 1.5 },
      { side: 20_000 },
      { side: 4, from: 3, to: 3 },
      { side: 4, to: 11 },
      { side: 4, from: -1 },
    ])
      expect(() => ivatImage(vat, options)).toThrowError(expect.objectContaining({ code: 'argument' }));
  });
});
