import { beforeAll, describe, expect, it } from 'vitest';
import { normal, uniform } from '../../../bench/data.js';
import { type Kernels, loadKernels } from '../../../src/load.js';
import type { Matrix } from '../../../src/matrix.js';
import { type TruncatedSvdOptions, truncatedSvd, truncatedSvdBytes } from '../index.js';
import { svdReference } from '../reference.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

type Call = (...args: number[]) => number;
const call = (name: string) => kernels.exports[name] as unknown as Call;

function gaussian(m: number, n: number, seed = 1, column: (j: number) => number = () => 1): Matrix {
  const g = normal(seed);
  return { data: Float32Array.from({ length: m * n }, (_, i) => g() * column(i % n)), shape: [m, n] };
}

/** Copies of a block along the diagonal: every σ of the block as often as there are copies. */
function copies(block: Matrix, count: number): Matrix {
  const [m, n] = block.shape;
  const data = new Float32Array(m * n * count * count);
  for (let c = 0; c < count; c++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) data[(c * m + i) * n * count + c * n + j] = block.data[i * n + j]!;
  return { data, shape: [m * count, n * count] };
}

const product = (x: ArrayLike<number>, i: number, y: ArrayLike<number>, j: number, length: number) => {
  let sum = 0;
  for (let q = 0; q < length; q++) sum += x[i * length + q]! * y[j * length + q]!;
  return sum;
};

/** Largest |x_i·x_j − δ_ij|. */
function skew(x: ArrayLike<number>, rows: number, length: number): number {
  let worst = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j <= i; j++)
      worst = Math.max(worst, Math.abs(product(x, i, x, j, length) - Number(i === j)));
  return worst;
}

/** Orthogonality, both residuals by plain loops, flags, and σ against `want` (descending): `digits` of σ₁. */
function expectTriplets(
  a: Matrix,
  k: number,
  want: ArrayLike<number>,
  label: string,
  options: Partial<TruncatedSvdOptions> = {},
): void {
  const [m, n] = a.shape;
  const { sigma, u, v, converged, residuals } = truncatedSvd(kernels, a, { k, ...options });
  const scale = want[0] || 1;
  for (let i = 0; i < k; i++)
    expect(Math.abs(sigma[i]! - want[i]!) / scale, `${label}: σ${i}`).toBeLessThan(1e-12);
  expect(skew(u.data, k, m), `${label}: U`).toBeLessThan(1e-9);
  expect(skew(v.data, k, n), `${label}: V`).toBeLessThan(1e-9);
  expect(Array.from(converged).every(Boolean), label).toBe(true);
  for (let t = 0; t < k; t++) {
    let left = 0;
    for (let i = 0; i < m; i++) {
      let sum = -sigma[t]! * u.data[t * m + i]!;
      for (let j = 0; j < n; j++) sum += a.data[i * n + j]! * v.data[t * n + j]!;
      left += (sum / scale) ** 2;
    }
    const right = new Float64Array(n);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) right[j]! += a.data[i * n + j]! * u.data[t * m + i]!;
    const down = right.reduce((sum, x, j) => sum + ((x - sigma[t]! * v.data[t * n + j]!) / scale) ** 2, 0);
    // One is rounding by construction, the other what was told.
    const [exact, told] = m < n ? [down, left] : [left, down];
    expect(Math.sqrt(exact), `${label}: exact residual of ${t}`).toBeLessThan(1e-12);
    expect(Math.sqrt(told), `${label}: told residual of ${t}`).toBeLessThan(residuals[t]! + 1e-11);
  }
}

describe('the kernels of the Lanczos steps', () => {
  const GUARD = 12345.678;
  /** A float64 array in kernel memory with a guard on either side. */
  const guarded = (alloc: (bytes: number) => number, values: ArrayLike<number>) => {
    const start = alloc(8 * (values.length + 2));
    const all = kernels.arena.f64(start, values.length + 2).fill(GUARD);
    all.set(Array.from(values), 1);
    return {
      pointer: start + 8,
      read: () => {
        const now = kernels.arena.f64(start, values.length + 2);
        expect([now[0], now[now.length - 1]]).toEqual([GUARD, GUARD]);
        return now.slice(1, -1);
      },
    };
  };

  it('Aᵀ(A·x) equals plain loops at lane and tile edges, from float32 and float64, with guards', () => {
    for (const rows of [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33])
      for (const length of [1, 2, 3, 7, 8, 9, 16, 17, 2100])
        for (const count of [1, 2, 3, 4]) {
          if (length === 2100 && (rows % 16 !== 1 || count > 2)) continue;
          const a = gaussian(rows, length, rows + length);
          const x = gaussian(count, length, count).data;
          const y = Float64Array.from({ length: count * rows }, (_, i) =>
            product(a.data, i % rows, x, Math.floor(i / rows), length),
          );
          const want = Float64Array.from({ length: count * length }, (_, i) => {
            const [c, j] = [Math.floor(i / length), i % length];
            let sum = 0;
            for (let r = 0; r < rows; r++) sum += y[c * rows + r]! * a.data[r * length + j]!;
            return sum;
          });
          kernels.arena.scope((alloc) => {
            const at32 = alloc(4 * rows * length);
            const at64 = alloc(8 * rows * length);
            const scratch = alloc(256);
            const from = guarded(alloc, x);
            const to = guarded(alloc, new Float64Array(count * length).fill(7));
            kernels.arena.f32(at32, rows * length).set(a.data);
            kernels.arena.f64(at64, rows * length).set(a.data);
            for (const [name, at] of [
              ['svdNormal32', at32],
              ['svdNormal64', at64],
            ] as const) {
              const kept = guarded(alloc, new Float64Array(count * rows));
              for (const [place, stride] of [
                [scratch, 0],
                [kept.pointer, rows],
              ] as const) {
                call(name)(at, rows, length, from.pointer, count, to.pointer, place, stride);
                from.read();
                const bound = 1e-11 * Math.sqrt(rows * length + 1);
                const wrong = to.read().findIndex((value, i) => !(Math.abs(value - want[i]!) < bound));
                expect(wrong, `${name} ${rows}×${length} × ${count}: ${wrong}`).toBe(-1);
              }
              expect(kept.read().findIndex((value, i) => !(Math.abs(value - y[i]!) < 5e-10))).toBe(-1);
            }
          });
        }
  });

  it('projection leaves what is orthogonal and tells the parts it took', () => {
    for (const rows of [1, 3, 4, 5, 16, 17, 21])
      for (const count of [1, 2, 3]) {
        const length = 23;
        // Orthonormal rows by the reference.
        const { v } = svdReference(gaussian(length, length, rows));
        const basis = Float64Array.from(
          { length: rows * length },
          (_, i) => v[Math.floor(i / length)]![i % length]!,
        );
        const x = Float64Array.from(gaussian(count, length, 5 + count).data);
        kernels.arena.scope((alloc) => {
          const at = guarded(alloc, basis);
          const inout = guarded(alloc, x);
          const h = guarded(alloc, new Float64Array(count * rows));
          call('svdProject')(at.pointer, rows, length, inout.pointer, count, h.pointer, rows, alloc(256));
          expect(at.read()).toEqual(basis);
          const [left, parts] = [inout.read(), h.read()];
          for (let c = 0; c < count; c++) {
            for (let r = 0; r < rows; r++) {
              expect(Math.abs(product(left, c, basis, r, length))).toBeLessThan(1e-13);
              expect(parts[c * rows + r]).toBeCloseTo(product(x, c, basis, r, length), 12);
            }
            for (let j = 0; j < length; j++) {
              let sum = left[c * length + j]!;
              for (let r = 0; r < rows; r++) sum += parts[c * rows + r]! * basis[r * length + j]!;
              expect(sum).toBeCloseTo(x[c * length + j]!, 12);
            }
          }
        });
      }
  });

  /** Band matrices as entry functions (i ≥ j), all with largest entry about 1. */
  const bands = (n: number, w: number, seed: number): [string, (i: number, j: number) => number][] => {
    const u = uniform(seed);
    const noise = Float64Array.from({ length: n * (w + 1) }, () => 2 * u() - 1);
    return [
      ['random', (i, j) => noise[i * (w + 1) + i - j]!],
      ['zero', () => 0],
      ['identity', (i, j) => Number(i === j)],
      [
        'cut in two',
        (i, j) => (i >= n >> 1 && j < n >> 1 ? 0 : noise[(i % (n >> 1 || 1)) * (w + 1) + i - j]!),
      ],
      // Wilkinson's: pairs of eigenvalues equal to rounding, vectors apart.
      ['Wilkinson', (i, j) => (i === j ? Math.abs(i - (n - 1) / 2) / n : i - j === 1 ? 1 / n : 0)],
      ['fading', (i, j) => 0.4 ** (i + j) * (i === j ? 1 : 0.3)],
    ];
  };

  it('eigenvalues and vectors of bands: residuals, orthogonality, trace, and the dense routine', () => {
    for (const w of [1, 2, 3, 4])
      for (const n of [1, 2, 3, 5, 8, 21, 60])
        for (const [name, entry] of bands(n, w, 10 * w + n)) {
          const label = `${name} n=${n} w=${w}`;
          const full = (i: number, j: number) =>
            Math.abs(i - j) > w ? 0 : entry(Math.max(i, j), Math.min(i, j));
          kernels.arena.scope((alloc) => {
            const rows = (stride: number) => {
              const t = new Float64Array(n * stride);
              for (let i = 0; i < n; i++)
                for (let q = 0; q <= Math.min(i, w); q++) t[i * stride + q] = entry(i, i - q);
              return t;
            };
            const r = Math.min(w, n);
            const z = new Float64Array(n * r);
            for (let c = 0; c < r; c++) z[(n - r + c) * r + c] = 1;
            const band = guarded(alloc, rows(w + 2));
            const [d, e] = [guarded(alloc, new Float64Array(n)), guarded(alloc, new Float64Array(n))];
            const last = guarded(alloc, z);
            expect(
              call('svdBandEigen')(band.pointer, n, w, d.pointer, e.pointer, last.pointer, r),
              label,
            ).toBe(0);
            for (const { read } of [band, e]) read();
            const raw = d.read();
            const values = raw.slice().sort().reverse();

            const dense = guarded(
              alloc,
              Float64Array.from({ length: n * n }, (_, i) => full(Math.floor(i / n), i % n)),
            );
            const [d2, e2] = [guarded(alloc, new Float64Array(n)), guarded(alloc, new Float64Array(n))];
            call('svdSymmetricEigen')(dense.pointer, n, d2.pointer, e2.pointer, alloc(8), 0, alloc(16 * n));
            const other = d2.read().sort().reverse();
            values.forEach((x, i) => {
              expect(Math.abs(x - other[i]!), `${label}: value ${i}`).toBeLessThan(1e-13 * (n + 1));
            });

            const t = guarded(alloc, rows(w + 1));
            const wanted = guarded(alloc, values);
            const y = guarded(alloc, new Float64Array(n * n));
            const work = alloc(8 * n * (4 * w + 3));
            const settled = call('svdBandVectors')(t.pointer, n, w, wanted.pointer, n, y.pointer, work);
            expect(settled, label).toBe(n);
            expect(t.read()).toEqual(rows(w + 1));
            const vectors = y.read();
            expect(skew(vectors, n, n), label).toBeLessThan(1e-10);
            for (let v = 0; v < n; v++) {
              let worst = 0;
              for (let i = 0; i < n; i++) {
                let sum = -values[v]! * vectors[v * n + i]!;
                for (let j = Math.max(0, i - w); j <= Math.min(n - 1, i + w); j++)
                  sum += full(i, j) * vectors[v * n + j]!;
                worst = Math.max(worst, Math.abs(sum));
              }
              expect(worst, `${label}: vector ${v}`).toBeLessThan(2e-13);
            }
            // Last components, as QL carried them, of values that stand alone.
            const components = last.read();
            raw.forEach((x, i) => {
              const place = values.indexOf(x);
              if (Array.from(values).some((value, j) => j !== place && Math.abs(value - x) < 1e-2)) return;
              for (let c = 0; c < r; c++)
                expect(Math.abs(components[i * r + c]!), label).toBeCloseTo(
                  Math.abs(vectors[place * n + n - r + c]!),
                  9,
                );
            });
          });
        }
  });
});

describe('block Lanczos on matrices', () => {
  it('finds all copies of repeated values with the default block: 2, 3, 5 and 9 of each', () => {
    for (const count of [2, 3, 5, 9]) {
      const block = gaussian(30, 24, count);
      const one = svdReference(block).sigma;
      const want = Float64Array.from({ length: 24 * count }, (_, i) => one[Math.floor(i / count)]!);
      for (const seed of [1, 2])
        expectTriplets(copies(block, count), 2 * count + 1, want, `${count} copies, seed ${seed}`, { seed });
    }
  });

  it('has the properties of an SVD on duplicates, constants, low rank, thin and fading matrices', () => {
    const u = uniform(77);
    for (let trial = 0; trial < 12; trial++) {
      const m = 1 + Math.floor(90 * u());
      const n = 1 + Math.floor(90 * u());
      const a = gaussian(m, n, trial);
      const kind = ['plain', 'duplicate rows', 'constant columns', 'zero columns', 'one value', 'fading'][
        trial % 6
      ]!;
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          const at = i * n + j;
          if (kind === 'duplicate rows') a.data[at] = a.data[(i >> 2) * 4 * n + j]!;
          if (kind === 'constant columns' && j % 2) a.data[at] = 3;
          if (kind === 'zero columns' && j % 3) a.data[at] = 0;
          if (kind === 'one value') a.data[at] = 1;
          if (kind === 'fading') a.data[at]! *= 0.6 ** j;
        }
      const k = 1 + Math.floor(Math.min(m, n) * u());
      expectTriplets(a, k, svdReference(a).sigma, `${kind} ${m}×${n} k=${k} seed ${trial}`, { seed: trial });
    }
    for (const [m, n] of [
      [1, 900],
      [900, 1],
      [3, 700],
      [700, 3],
    ] as const) {
      const a = gaussian(m, n, m + n);
      expectTriplets(a, Math.min(m, n), svdReference(a).sigma, `${m}×${n}`);
    }
    expect(kernels.arena.used).toBe(0);
  });

  it('is the same at scales 1e-30 and 1e30, and gives zeros for zeros', () => {
    const a = gaussian(70, 50);
    const want = svdReference(a).sigma;
    for (const factor of [1e-30, 1e30]) {
      const scaled: Matrix = { data: a.data.map((x) => x * factor), shape: a.shape };
      const { sigma, v, converged } = truncatedSvd(kernels, scaled, { k: 12 });
      // Entries are rounded to float32 anew.
      sigma.forEach((x, i) => {
        expect(Math.abs(x / factor / want[i]! - 1), `${factor}`).toBeLessThan(1e-6);
      });
      expect(skew(v.data, 12, 50)).toBeLessThan(1e-12);
      expect(Array.from(converged).every(Boolean)).toBe(true);
    }
    expectTriplets({ data: new Float32Array(60 * 40), shape: [60, 40] }, 9, new Float64Array(9), 'zero');
  });

  it('keeps the digits of small σ that squares would lose: 1e-6 of themselves down to 1e-10·σ₁', () => {
    for (const seed of [1, 2, 3]) {
      const a = gaussian(160, 120, seed, (j) => 0.6 ** j);
      const want = svdReference(a).sigma;
      const { sigma, converged } = truncatedSvd(kernels, a, { k: 40, seed });
      expect(want[39]! / want[0]!).toBeLessThan(1e-8);
      sigma.forEach((x, i) => {
        if (want[i]! > 1e-10 * want[0]!)
          expect(Math.abs(x / want[i]! - 1), `seed ${seed}: σ${i}`).toBeLessThan(1e-6);
      });
      expect(Array.from(converged).every(Boolean)).toBe(true);
    }
  });

  it('restarts within a basis too small, also on repeated values, and finds the same', () => {
    const plain = gaussian(130, 90);
    expectTriplets(plain, 8, svdReference(plain).sigma, 'plain', { basis: 30 });
    const block = gaussian(60, 45, 4);
    const one = svdReference(block).sigma;
    const want = Float64Array.from({ length: 8 }, (_, i) => one[Math.floor(i / 3)]!);
    expectTriplets(copies(block, 3), 8, want, 'copies', { basis: 40 });
  });

  it('falls back to the dense eigenvectors where inverse iteration does not settle', () => {
    const a = gaussian(90, 60);
    const stuck: Kernels = { ...kernels, exports: { ...kernels.exports, svdBandVectors: () => 0 } };
    const [dense, band] = [truncatedSvd(stuck, a, { k: 10 }), truncatedSvd(kernels, a, { k: 10 })];
    dense.sigma.forEach((x, i) => {
      expect(x).toBeCloseTo(band.sigma[i]!, 12);
    });
    dense.v.data.forEach((x, i) => {
      expect(x).toBeCloseTo(band.v.data[i]!, 7);
    });
  });

  it('takes chosen vectors in any order, tells progress, stops when told, and needs no more memory than estimated', async () => {
    const a = gaussian(120, 100);
    const all = truncatedSvd(kernels, a, { k: 9 });
    const some = truncatedSvd(kernels, a, { k: 9, vectors: [7, 0, 7] });
    expect(Array.from(some.indices)).toEqual([7, 0, 7]);
    for (const [row, index] of [7, 0, 7].entries())
      for (let j = 0; j < 100; j++)
        expect(some.v.data[row * 100 + j]).toBeCloseTo(all.v.data[index * 100 + j]!, 10);
    expect(some.sigma).toEqual(expect.objectContaining({ length: 9 }));

    const seen: number[] = [];
    const abort = new AbortController();
    expect(() =>
      truncatedSvd(kernels, a, {
        k: 9,
        signal: abort.signal,
        onProgress: (done, total) => {
          seen.push(done);
          expect(total).toBe(18);
          if (seen.length === 3) abort.abort();
        },
      }),
    ).toThrow('cancelled');
    expect(seen.length).toBe(3);
    expect(seen).toEqual(seen.slice().sort((x, y) => x - y));
    expect(kernels.arena.used).toBe(0);

    // Fading (images of the whole basis), repeated (wider blocks), restarts, and the plain way.
    for (const [matrix, k, options] of [
      [gaussian(300, 200, 1, (j) => 0.5 ** j), 60, {}],
      [copies(gaussian(30, 25), 6), 30, {}],
      [gaussian(300, 200), 10, { basis: 30 }],
      [gaussian(200, 300), 60, {}],
      [gaussian(150, 120), 120, {}],
    ] as const) {
      const fresh = await loadKernels();
      truncatedSvd(fresh, matrix, { k, ...options });
      const [m, n] = matrix.shape;
      expect(fresh.memory.buffer.byteLength, `${m}×${n} k=${k}`).toBeLessThanOrEqual(
        truncatedSvdBytes(m, n, k, options) + 4 * 65536,
      );
    }
  });
});
