import { beforeAll, describe, expect, it } from 'vitest';
import { golden, goldenSquare } from '../../../../tests/golden.js';
import { uniform } from '../../bench/data.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import type { Matrix } from '../../src/matrix.js';
import { vatFromMatrix } from './index.js';
import { vatReference } from './reference.js';

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
const bytes = (x: Uint32Array | Float32Array) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
const at = (m: Matrix) => (i: number, j: number) => m.data[i * m.shape[1] + j]!;

const SIZES = [
  0, 1, 2, 3, 4, 5, 7, 8, 13, 15, 16, 17, 31, 33, 49, 255, 256, 257, 300, 511, 513, 1023, 1024, 1041,
];

describe('vatFromMatrix', () => {
  it('is Prim’s order of the reference at every lane and block edge', () => {
    for (const n of SIZES) {
      const m = random(n, n + 1);
      expect(vatFromMatrix(kernels, m), `n=${n} seed=${n + 1}`).toEqual(vatReference(n, at(m)));
    }
  });

  it('breaks ties towards the lowest index, for samples and parents', () => {
    for (const n of SIZES)
      for (const levels of [1, 2, 3, 10]) {
        const m = random(n, 7 * n + levels, levels);
        expect(vatFromMatrix(kernels, m), `n=${n} levels=${levels}`).toEqual(vatReference(n, at(m)));
      }
  });

  it('is the same where rows are fetched before they are worked on', () => {
    for (const [n, levels] of [
      [2559, 0],
      [2561, 0],
      [2575, 50],
    ] as const) {
      const m = random(n, n, levels);
      const got = vatFromMatrix(kernels, m);
      const want = vatReference(n, at(m));
      for (const part of ['order', 'weights', 'parent'] as const)
        expect(Buffer.compare(bytes(got[part]), bytes(want[part])), `${part}, n=${n} seed=${n}`).toBe(0);
    }
  });

  it('starts at the lower sample of the farthest pair, wherever it stands', () => {
    for (const n of [2, 3, 5, 6, 16, 17, 18, 19, 23])
      for (let i = 0; i < n; i++)
        for (let j = i + 1; j < n; j++) {
          const m = random(n, n, 3);
          m.data[i * n + j] = m.data[j * n + i] = 4;
          expect(vatFromMatrix(kernels, m).order[0], `n=${n} (${i},${j}) seed=${n}`).toBe(i);
          // A second pair as far apart: the first in row order counts.
          m.data[(n - 2) * n + n - 1] = m.data[(n - 1) * n + n - 2] = 4;
          expect(vatFromMatrix(kernels, m).order[0]).toBe(i);
        }
  });

  it('takes −0 for 0', () => {
    for (const n of [4, 21, 70]) {
      const m = random(n, n, 3);
      const zeros = { ...m, data: m.data.map((x) => (x === 0 ? -0 : x)) };
      const { weights, ...rest } = vatFromMatrix(kernels, zeros);
      expect({ ...rest, weights: weights.map((w) => w + 0) }).toEqual(vatReference(n, at(m)));
    }
  });

  it('gives R’s order from the lower start on moons', () => {
    const { data, n } = goldenSquare('moons200_euc_cond');
    const vat = vatFromMatrix(kernels, { data: Float32Array.from(data), shape: [n, n] });
    expect([...vat.order]).toEqual([...golden('moons200_euc_vat_lowstart').data]);
  });

  it('has the total weight of the golden minimum spanning tree on iris, where ties leave the order open', () => {
    for (const metric of ['euc', 'cos']) {
      const { data, n } = goldenSquare(`iris_${metric}_cond`);
      const vat = vatFromMatrix(kernels, { data: Float32Array.from(data), shape: [n, n] });
      const sorted = (x: Iterable<number>) => [...x].sort((a, b) => a - b);
      const want = sorted(vatReference(n, (i, j) => data[i * n + j]!).weights);
      // Both are float32 roundings of the same float64 edges.
      expect(sorted(vat.weights)).toEqual(want);
      expect(vat.order[0]).toBe(golden(`iris_${metric}_vat_lowstart`).data[0]);
    }
  });

  it('writes nothing outside its outputs and works where a borrowed matrix lies', () => {
    for (const n of [1, 2, 4, 5, 17, 257]) {
      const m = random(n, n);
      const pointer = kernels.arena.alloc(4 * n * n + 128);
      kernels.arena.f32(pointer, n * n + 32).fill(-7);
      kernels.arena.f32(pointer + 64, n * n).set(m.data);
      const want = vatReference(n, at(m));
      expect(vatFromMatrix(kernels, { pointer: pointer + 64, n })).toEqual(want);
      const view: Matrix = { data: kernels.arena.f32(pointer + 64, n * n), shape: [n, n] };
      expect(vatFromMatrix(kernels, view)).toEqual(want);
      const after = kernels.arena.f32(pointer, n * n + 32);
      expect([...after.subarray(0, 16), ...after.subarray(16 + n * n)].every((x) => x === -7)).toBe(true);
      expect(after.slice(16, 16 + n * n)).toEqual(m.data);
      kernels.arena.dealloc(pointer);
    }
  });

  it('keeps guard words around kernel outputs', () => {
    const fn = kernels.exports as unknown as Record<string, (...x: number[]) => void>;
    for (const n of [1, 2, 5, 16, 17, 256, 259]) {
      const m = random(n, n);
      const words = (k: number) => {
        const p = kernels.arena.alloc(4 * k + 32);
        kernels.arena.u32(p, k + 8).fill(0xabcdef01);
        return p + 16;
      };
      const d = kernels.arena.alloc(4 * n * n);
      const [key, order, weights, parent] = [words(n), words(n), words(n - 1), words(n - 1)];
      kernels.arena.f32(d, n * n).set(m.data);
      kernels.arena.f32(key!, n).fill(Infinity);
      const want = vatReference(n, at(m));
      kernels.arena.u32(order!, n)[0] = want.order[0]!;
      fn.vatSteps!(d, n, key!, order!, weights!, parent!, 1, n + 1);
      expect(kernels.arena.u32(order!, n)).toEqual(want.order);
      expect(kernels.arena.f32(weights!, n - 1)).toEqual(want.weights);
      for (const [p, k] of [
        [key, n],
        [order, n],
        [weights, n - 1],
        [parent, n - 1],
      ] as const) {
        const around = [...kernels.arena.u32(p! - 16, 4), ...kernels.arena.u32(p! + 4 * k, 4)];
        expect(around, `n=${n}`).toEqual(new Array(8).fill(0xabcdef01));
        kernels.arena.dealloc(p! - 16);
      }
      kernels.arena.dealloc(d);
    }
  });

  it('refuses what is not a dissimilarity matrix', () => {
    const bad = (change: (x: Float32Array) => void, n = 20) => {
      const m = random(n, 3);
      change(m.data);
      return () => vatFromMatrix(kernels, m);
    };
    expect(bad((x) => (x[5] = Number.NaN))).toThrowError(
      expect.objectContaining({ code: 'not-finite', fields: expect.objectContaining({ row: 0, column: 5 }) }),
    );
    expect(bad((x) => (x[7 * 20 + 3] = Number.POSITIVE_INFINITY))).toThrowError(/row 7, column 3/);
    expect(bad((x) => (x[7 * 20 + 3] = 9))).toThrowError(/row 3 .*symmetric/);
    expect(bad((x) => (x[21] = 1))).toThrowError(/row 1 .*diagonal/);
    expect(bad((x) => (x[18 * 20 + 19] = x[19 * 20 + 18] = -1))).toThrowError(/row 18 /);
    expect(() => vatFromMatrix(kernels, { data: new Float32Array(6), shape: [2, 3] })).toThrowError(
      expect.objectContaining({ code: 'shape' }),
    );
    expect(() => vatFromMatrix(kernels, { pointer: 2 ** 31, n: 4 })).toThrowError(
      expect.objectContaining({ code: 'argument' }),
    );
  });

  it('finds one odd value wherever it stands', () => {
    // Squares of 4 in strips of 32 rows: their inner places, corners, edges and what is left over.
    const places = [0, 1, 2, 3, 4, 5, 6, 7, 31, 32, 35, 62, 63, 64, 66, 127, 128, 129, 131, 134];
    for (const n of [2, 3, 4, 5, 6, 7, 8, 66, 130, 135]) {
      const m = random(n, n);
      for (const i of places)
        for (const j of places) {
          if (i >= n || j >= n) continue;
          const was = m.data[i * n + j]!;
          const label = `n=${n} (${i},${j})`;
          const refused = (value: number, code: string, fields: object) => {
            m.data[i * n + j] = value;
            expect(() => vatFromMatrix(kernels, m), `${label} ${value}`).toThrowError(
              expect.objectContaining({ code, fields: expect.objectContaining(fields) }),
            );
            m.data[i * n + j] = was;
          };
          refused(was + 1, 'argument', { row: Math.min(i, j) });
          refused(Number.NaN, 'not-finite', { row: i, column: j });
          if (i === j) continue;
          const other = m.data[j * n + i]!;
          m.data[j * n + i] = -1;
          refused(-1, 'argument', { row: Math.min(i, j) });
          m.data[j * n + i] = Infinity;
          refused(Infinity, 'not-finite', { row: Math.min(i, j), column: Math.max(i, j) });
          m.data[j * n + i] = other;
        }
    }
  });

  it('finds it in the tall strips of a large matrix too', () => {
    const fn = kernels.exports as unknown as Record<string, (...x: number[]) => number>;
    const n = 2066;
    const data = new Float32Array(n * n).fill(2);
    for (let i = 0; i < n; i++) data[i * n + i] = 0;
    const pointer = kernels.arena.alloc(4 * n * n);
    kernels.arena.f32(pointer, n * n).set(data);
    const d = kernels.arena.f32(pointer, n * n);
    expect(fn.vatCheck!(pointer, n, 0, n)).toBe(n);
    for (const [i, j] of [
      [0, 127],
      [3, 128],
      [127, 1000],
      [128, 2065],
      [300, 2064],
      [2047, 2048],
      [2050, 2065],
    ] as const)
      for (const [row, column] of [
        [i, j],
        [j, i],
      ] as const) {
        d[row * n + column] = 3;
        expect(fn.vatCheck!(pointer, n, 0, n), `(${row},${column})`).toBe(i);
        d[row * n + column] = 2;
      }
    kernels.arena.dealloc(pointer);
  });

  it('looks at the rows asked for and at no others', () => {
    const fn = kernels.exports as unknown as Record<string, (...x: number[]) => number>;
    for (const n of [1, 3, 5, 9, 37, 70]) {
      const pointer = kernels.arena.alloc(4 * n * n);
      try {
        for (let i = 0; i < n; i++) {
          const values = kernels.arena.f32(pointer, n * n);
          values.set(random(n, n).data);
          values[i * n + n - 1] = -1;
          for (let from = 0; from < n; from++)
            for (const to of [from, from + 1, from + 2, from + 5, n])
              if (to <= n)
                expect(fn.vatCheck!(pointer, n, from, to), `n=${n} row ${i}, [${from}, ${to})`).toBe(
                  i >= from && i < to ? i : n,
                );
        }
      } finally {
        kernels.arena.dealloc(pointer);
      }
    }
  });

  it('refuses NaN and infinity in a borrowed matrix', () => {
    for (const [value, where] of [
      [Number.NaN, 3],
      [Number.NaN, 39],
      [Number.POSITIVE_INFINITY, 17],
    ] as const) {
      const n = 40;
      const m = random(n, 4);
      m.data[where] = m.data[where * n] = value;
      kernels.arena.scope((alloc) => {
        const pointer = alloc(4 * n * n);
        kernels.arena.f32(pointer, n * n).set(m.data);
        expect(() => vatFromMatrix(kernels, { pointer, n })).toThrowError(
          expect.objectContaining({ code: 'not-finite' }),
        );
      });
    }
  });

  it('reports progress, stops when asked, and gives its memory back', () => {
    const used = kernels.arena.used;
    const m = random(64, 1);
    const seen: number[] = [];
    vatFromMatrix(kernels, m, { onProgress: (done, total) => seen.push(done / total) });
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const stop = new AbortController();
    expect(() =>
      vatFromMatrix(kernels, m, { signal: stop.signal, onProgress: () => stop.abort() }),
    ).toThrowError(expect.objectContaining({ code: 'cancelled' }));
    expect(kernels.arena.used).toBe(used);
  });
});
