import { beforeAll, describe, expect, it } from 'vitest';
import { golden } from '../../../../tests/golden.js';
import { normal, uniform } from '../../bench/data.js';
import type { EpochscopeError } from '../../src/errors.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import type { Matrix } from '../../src/matrix.js';
import {
  type LinearOperator,
  type TruncatedSvdResult,
  truncatedSvd,
  truncatedSvdBytes,
  truncatedSvdOperator,
  truncatedSvdOperatorBytes,
} from './index.js';
import { svdReference } from './reference.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

function gaussian(m: number, n: number, seed = 1): Matrix {
  const g = normal(seed);
  return { data: Float32Array.from({ length: m * n }, () => g()), shape: [m, n] };
}

/** diag(values), m × n. */
function diagonal(m: number, n: number, values: number[]): Matrix {
  const data = new Float32Array(m * n);
  values.forEach((x, i) => {
    data[i * n + i] = x;
  });
  return { data, shape: [m, n] };
}

/** A as an operator: plain loops in float64, answered as float32. */
function operatorOf({ data, shape: [m, n] }: Matrix, later: boolean): LinearOperator & { calls: number } {
  const product = (
    block: Float32Array,
    count: number,
    from: number,
    to: number,
    at: (i: number, j: number) => number,
  ) => {
    const out = new Float32Array(count * to);
    for (let c = 0; c < count; c++)
      for (let i = 0; i < to; i++) {
        let sum = 0;
        for (let j = 0; j < from; j++) sum += at(i, j) * block[c * from + j]!;
        out[c * to + i] = sum;
      }
    operator.calls++;
    return later ? Promise.resolve(out) : out;
  };
  const operator: LinearOperator & { calls: number } = {
    shape: [m, n],
    calls: 0,
    forward: (block, count) => product(block, count, n, m, (i, j) => data[i * n + j]!),
    adjoint: (block, count) => product(block, count, m, n, (i, j) => data[j * n + i]!),
  };
  return operator;
}

/** The transposed map. */
function turned(a: Matrix): LinearOperator {
  const { shape, forward, adjoint } = operatorOf(a, false);
  return { shape: [shape[1], shape[0]], forward: adjoint, adjoint: forward };
}

/** Largest |x_i·x_j − δ_ij| over the rows. */
function skew({ data, shape: [rows, length] }: Matrix<Float64Array>): number {
  let worst = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let q = 0; q < length; q++) sum += data[i * length + q]! * data[j * length + q]!;
      worst = Math.max(worst, Math.abs(sum - Number(i === j)));
    }
  return worst;
}

/** Largest ‖Av − σu‖ and ‖Aᵀu − σv‖ over the triplets, by plain loops. */
function residual({ data, shape: [m, n] }: Matrix, { sigma, u, v, indices }: TruncatedSvdResult): number {
  let worst = 0;
  indices.forEach((index, t) => {
    let left = 0;
    for (let i = 0; i < m; i++) {
      let sum = -sigma[index]! * u.data[t * m + i]!;
      for (let j = 0; j < n; j++) sum += data[i * n + j]! * v.data[t * n + j]!;
      left += sum * sum;
    }
    let right = 0;
    for (let j = 0; j < n; j++) {
      let sum = -sigma[index]! * v.data[t * n + j]!;
      for (let i = 0; i < m; i++) sum += data[i * n + j]! * u.data[t * m + i]!;
      right += sum * sum;
    }
    worst = Math.max(worst, Math.sqrt(left), Math.sqrt(right));
  });
  return worst;
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i]!)), 0);

/**
 * σ, orthogonality and residuals against the plain reference. Float64 sums: what is left is the tolerance, 1e-8·σ₁.
 */
function expectRight(a: Matrix, result: TruncatedSvdResult, tolerance = 2e-8): void {
  const all = svdReference(a).sigma;
  const scale = all[0] || 1;
  expect(largestDifference(result.sigma, all)).toBeLessThanOrEqual(tolerance * scale);
  expect(skew(result.u)).toBeLessThan(1e-7);
  expect(skew(result.v)).toBeLessThan(1e-7);
  expect(residual(a, result)).toBeLessThanOrEqual(tolerance * scale);
  expect(Array.from(result.converged).every(Boolean)).toBe(true);
}

describe('truncatedSvd', () => {
  it.each(['krylov', 'power'] as const)(
    '%s equals SciPy on tall, wide, repeated and zero spectra',
    (method) => {
      for (const [name, k] of [
        ['tall_flat', 10],
        ['wide_decaying', 12],
        ['repeated_zero', 20],
      ] as const) {
        const { data, shape } = golden(`svd_${name}`);
        const a: Matrix = { data: Float32Array.from(data), shape: [shape[0]!, shape[1]!] };
        const result = truncatedSvd(kernels, a, { k, method, maxIterations: 20_000 });
        const sigma = golden(`svd_${name}_sigma`).data;
        // Both in float64 of the same float32 matrix.
        expect(largestDifference(result.sigma, sigma.subarray(0, k)), name).toBeLessThan(1e-7 * sigma[0]!);
        expect(residual(a, result), name).toBeLessThan(5e-8 * sigma[0]!);
        if (name === 'repeated_zero') continue;
        // Distinct values have one vector each; the sign is ours and SciPy's by the same rule.
        const [vt, ut] = [golden(`svd_${name}_vt`), golden(`svd_${name}_ut`)];
        expect(largestDifference(result.v.data, vt.data), name).toBeLessThan(1e-6);
        expect(largestDifference(result.u.data, ut.data), name).toBeLessThan(1e-6);
      }
    },
  );

  it('is right at every small shape and k, with guards around', () => {
    for (const m of [1, 2, 3, 4, 5, 9, 13])
      for (const n of [1, 2, 3, 4, 5, 9, 13]) {
        const a = gaussian(m, n, 100 * m + n);
        const before = a.data.slice();
        for (const k of new Set([1, Math.ceil(Math.min(m, n) / 2), Math.min(m, n)])) {
          expectRight(a, truncatedSvd(kernels, a, { k }));
          expectRight(a, truncatedSvd(kernels, a, { k, method: 'power', maxIterations: 20_000 }));
        }
        expect(a.data).toEqual(before);
      }
    expect(kernels.arena.used).toBe(0);
  });

  it('finds every copy of values repeated more often than the block is wide', () => {
    const values = [...Array(20).fill(5), ...Array(3).fill(4), 3, 3, 2, ...Array(30).fill(1)];
    for (const seed of [1, 2, 3]) {
      const result = truncatedSvd(kernels, diagonal(120, 90, values), { k: 26, block: 2, seed });
      expect(largestDifference(result.sigma, values.slice(0, 26)), `seed ${seed}`).toBeLessThan(1e-7);
      expect(skew(result.v)).toBeLessThan(1e-9);
    }
  });

  it('finds the largest of values that lie nearer to each other than a residual shows', () => {
    const u = uniform(5);
    for (const [spread, where] of [
      [4e-7, 'two'],
      [1e-6, 'even'],
      [1e-5, 'edge'],
    ] as const) {
      const values = Array.from({ length: 300 }, (_, i) =>
        Math.fround(1 - spread * (where === 'two' ? i % 2 : where === 'even' ? u() : u() ** 4)),
      );
      const want = values.toSorted((a, b) => b - a);
      for (const k of [2, 20, 50]) {
        const { sigma, converged } = truncatedSvd(kernels, diagonal(300, 300, values), { k, vectors: 0 });
        expect(largestDifference(sigma, want.slice(0, k)), `${where} ${spread}, k = ${k}`).toBeLessThan(1e-7);
        expect(converged).not.toContain(0);
      }
    }
  });

  it('misses no copy for a loose tolerance', async () => {
    for (const [spread, count, rest, tolerance] of [
      [1e-5, 12, 0.9, 1e-3],
      [3e-6, 12, 0.9, 1e-4],
      [1e-7, 40, 0.5, 1e-3],
    ] as const) {
      const values = Array.from({ length: 150 }, (_, i) =>
        i < count ? 1 - spread * i : rest * 0.99 ** (i - count),
      );
      const a = diagonal(150, 150, values);
      for (const k of [count + 2, count + 8]) {
        const where = `${spread} × ${count}, k = ${k}`;
        const known = truncatedSvd(kernels, a, { k, tolerance, vectors: 0 });
        expect(largestDifference(known.sigma, values.slice(0, k)), where).toBeLessThan(tolerance);
        const products = await truncatedSvdOperator(kernels, operatorOf(a, false), { k, tolerance });
        expect(largestDifference(products.sigma, values.slice(0, k)), where).toBeLessThan(tolerance);
      }
    }
  });

  it('tells residuals of small values as they are, by either method', () => {
    const values = Array.from({ length: 60 }, (_, i) => 10 ** -i);
    const g = normal(4);
    // Dense: rotations of the two sides mix all entries.
    const a = diagonal(60, 60, values);
    const { data } = a;
    for (let round = 0; round < 400; round++) {
      const [i, j] = [round % 60, (round * 7 + 1 + (round % 58)) % 60];
      if (i === j) continue;
      const [c, s] = [Math.cos(g()), Math.sin(g())];
      const length = Math.hypot(c, s);
      for (let q = 0; q < 60; q++) {
        const [x, y] = [data[i * 60 + q]!, data[j * 60 + q]!];
        data[i * 60 + q] = (c * x + s * y) / length;
        data[j * 60 + q] = (c * y - s * x) / length;
      }
      for (let q = 0; q < 60; q++) {
        const [x, y] = [data[q * 60 + i]!, data[q * 60 + j]!];
        data[q * 60 + i] = (c * x + s * y) / length;
        data[q * 60 + j] = (c * y - s * x) / length;
      }
    }
    for (const method of ['krylov', 'power'] as const) {
      const result = truncatedSvd(kernels, a, { k: 20, method });
      const told = Math.max(...result.residuals) * result.sigma[0]!;
      expect(residual(a, result), method).toBeLessThan(told + 1e-12);
      expect(result.converged, method).not.toContain(0);
      expect(largestDifference(result.sigma, svdReference(a).sigma.slice(0, 20)), method).toBeLessThan(1e-8);
    }
  });

  it('tells progress that never falls, also where a wider block begins again', async () => {
    const a = diagonal(120, 90, [...Array(20).fill(5), ...Array(3).fill(4), 3, 3, 2, ...Array(30).fill(1)]);
    const told: number[] = [];
    const onProgress = (done: number, total: number) => {
      expect(total).toBe(52);
      told.push(done);
    };
    truncatedSvd(kernels, a, { k: 26, onProgress });
    expect(told.length).toBeGreaterThan(10);
    expect(told).toEqual(told.toSorted((x, y) => x - y));
    told.length = 0;
    await truncatedSvdOperator(kernels, operatorOf(a, false), { k: 26, block: 2, onProgress });
    expect(told.length).toBeGreaterThan(10);
    expect(told).toEqual(told.toSorted((x, y) => x - y));
  });

  it('keeps small values: σ from 1 down to 1e-12, each to 1e-6 of itself', () => {
    const values = Array.from({ length: 13 }, (_, i) => 10 ** -i);
    const { sigma } = truncatedSvd(kernels, diagonal(40, 30, values), { k: 13 });
    values.forEach((x, i) => {
      expect(Math.abs(sigma[i]! / Math.fround(x) - 1)).toBeLessThan(1e-6);
    });
  });

  it('answers orthonormal vectors and σ = 0 for zero and low-rank matrices', () => {
    const zero = truncatedSvd(kernels, diagonal(7, 5, []), { k: 5 });
    expect(Array.from(zero.sigma)).toEqual([0, 0, 0, 0, 0]);
    const one = gaussian(30, 1);
    const two = gaussian(1, 20, 2);
    const data = Float32Array.from(
      { length: 600 },
      (_, i) => one.data[Math.floor(i / 20)]! * two.data[i % 20]!,
    );
    const rank1 = truncatedSvd(kernels, { data, shape: [30, 20] }, { k: 20 });
    // Rounding of the products to float32 leaves 1e-7 of σ₁.
    expect(rank1.sigma[1]).toBeLessThan(1e-6 * rank1.sigma[0]!);
    for (const result of [zero, rank1]) {
      expect(skew(result.u)).toBeLessThan(1e-9);
      expect(skew(result.v)).toBeLessThan(1e-9);
    }
  });

  it('settles on matrices whose rank fades into rounding', () => {
    // Gram matrices of such rows once sent the QL iteration round in circles.
    for (let trial = 0; trial < 6; trial++) {
      const a = gaussian(200, 120, trial);
      for (let i = 0; i < a.data.length; i++) a.data[i]! *= [0.7, 0.5, 0.3][trial % 3]! ** (i % 120);
      const result = truncatedSvd(kernels, a, { k: 100, seed: trial });
      expect(skew(result.v), `seed ${trial}`).toBeLessThan(1e-9);
      expect(residual(a, result), `seed ${trial}`).toBeLessThan(1e-7 * result.sigma[0]!);
    }
  });

  it('has the properties of an SVD on random shapes and spectra', () => {
    const u = uniform(11);
    for (let trial = 0; trial < 25; trial++) {
      const m = 1 + Math.floor(80 * u());
      const n = 1 + Math.floor(80 * u());
      const a = gaussian(m, n, trial);
      const fade = u() < 0.5 ? 1 : 0.8;
      for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) a.data[i * n + j]! *= fade ** j;
      const k = 1 + Math.floor(Math.min(m, n) * u());
      const block = 1 + Math.floor(6 * u());
      expectRight(a, truncatedSvd(kernels, a, { k, block, seed: trial }));
    }
  });

  it('restarts within a small basis and comes to the same values', () => {
    const a = gaussian(300, 200);
    const wide = truncatedSvd(kernels, a, { k: 10 });
    const narrow = truncatedSvd(kernels, a, { k: 10, basis: 40, block: 4 });
    expect(narrow.products).toBeGreaterThan(40);
    expect(Array.from(narrow.converged)).toEqual(Array(10).fill(1));
    expect(largestDifference(narrow.sigma, wide.sigma)).toBeLessThan(1e-7 * wide.sigma[0]!);
    expect(residual(a, narrow)).toBeLessThan(5e-8 * wide.sigma[0]!);
  });

  it('nearly all and all of a few hundred values', () => {
    const a = gaussian(260, 250);
    const part = truncatedSvd(kernels, a, { k: 240 });
    expect(skew(part.v)).toBeLessThan(1e-9);
    expect(residual(a, part)).toBeLessThan(1e-7 * part.sigma[0]!);
    // Σσ² = ‖A‖²: nothing is missing.
    const b = gaussian(150, 210, 3);
    const whole = truncatedSvd(kernels, b, { k: 150, vectors: 0 });
    const squares = whole.sigma.reduce((sum, s) => sum + s * s, 0);
    expect(squares / b.data.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 9);
    expect(whole.u.shape).toEqual([0, 150]);
  });

  it('gives the same bits for the same seed, and chosen vectors only', () => {
    const a = gaussian(50, 40);
    const first = truncatedSvd(kernels, a, { k: 8, seed: 5 });
    expect(truncatedSvd(kernels, a, { k: 8, seed: 5 })).toEqual(first);
    expect(truncatedSvd(kernels, a, { k: 8, seed: 6 }).v.data).not.toEqual(first.v.data);
    const chosen = truncatedSvd(kernels, a, { k: 8, seed: 5, vectors: [0, 7] });
    expect(Array.from(chosen.indices)).toEqual([0, 7]);
    expect(largestDifference(chosen.v.data.subarray(40), first.v.data.subarray(280))).toBeLessThan(1e-12);
  });

  it('says which triplets are not converged when it must stop early', () => {
    const a = gaussian(400, 400);
    const result = truncatedSvd(kernels, a, { k: 20, maxIterations: 6, block: 8 });
    expect(result.iterations).toBe(6);
    expect(Array.from(result.converged)).toContain(0);
    expect(result.residuals[19]).toBeGreaterThan(1e-8);
    // What it says is what is left: the worst true residual and the worst one told are the same figure.
    const told = Math.max(...result.residuals) * result.sigma[0]!;
    expect(residual(a, result) / told).toBeCloseTo(1, 3);
  });

  it('refuses NaN, wrong k, wrong options, and what does not fit', () => {
    const a = gaussian(5, 4);
    const code = (run: () => unknown) => {
      try {
        run();
      } catch (error) {
        return (error as EpochscopeError).code;
      }
      return 'none';
    };
    expect(code(() => truncatedSvd(kernels, a, { k: 5 }))).toBe('argument');
    expect(code(() => truncatedSvd(kernels, a, { k: 1.5 }))).toBe('argument');
    expect(code(() => truncatedSvd(kernels, a, { k: 1, tolerance: 0 }))).toBe('argument');
    expect(code(() => truncatedSvd(kernels, a, { k: 1, vectors: [1] }))).toBe('argument');
    expect(code(() => truncatedSvd(kernels, { data: a.data, shape: [5, 5] }, { k: 1 }))).toBe('shape');
    const abort = new AbortController();
    abort.abort();
    expect(code(() => truncatedSvd(kernels, a, { k: 1, signal: abort.signal }))).toBe('cancelled');
    for (const bad of [Number.NaN, Infinity]) {
      a.data[6] = bad;
      expect(() => truncatedSvd(kernels, a, { k: 1 })).toThrow(/row 1, column 2/);
    }
    expect(truncatedSvdBytes(40_000, 40_000, 100)).toBeGreaterThan(2 ** 32);
    for (const shape of [
      [0, 3],
      [3, 0],
      [0, 0],
    ] as [number, number][]) {
      const empty = truncatedSvd(kernels, { data: new Float32Array(0), shape }, { k: 0 });
      expect(empty.sigma.length).toBe(0);
      expect(empty.v.shape).toEqual([0, shape[1]]);
    }
    expect(kernels.arena.used).toBe(0);
  });
});

describe('truncatedSvdOperator', () => {
  it.each([false, true])('equals the matrix it stands for (answers later: %s)', async (later) => {
    for (const [m, n, k] of [
      [30, 80, 12],
      [80, 30, 30],
      [1, 9, 1],
    ] as const) {
      const a = gaussian(m, n);
      for (const method of ['krylov', 'power'] as const) {
        const result = await truncatedSvdOperator(kernels, operatorOf(a, later), {
          k,
          method,
          maxIterations: 5000,
          tolerance: 1e-6,
        });
        // Float32 products.
        expectRight(a, result, 3e-6);
        expect(result.products).toBeGreaterThanOrEqual(k);
      }
    }
    expect(kernels.arena.used).toBe(0);
  });

  it('finds the same whatever the scale of the map, whose squares may be no float32', async () => {
    const a = gaussian(40, 25, 8);
    const all = svdReference(a).sigma;
    for (const exponent of [-110, -75, 0, 75, 110]) {
      const scaled: Matrix = { data: a.data.map((x) => x * 2 ** exponent), shape: a.shape };
      for (const method of ['krylov', 'power'] as const)
        for (const map of [operatorOf(scaled, false), turned(scaled)]) {
          const { sigma, converged } = await truncatedSvdOperator(kernels, map, {
            k: 6,
            method,
            maxIterations: 5000,
          });
          expect(converged, `2^${exponent}`).not.toContain(0);
          sigma.forEach((x, i) => {
            expect(Math.abs(x * 2 ** -exponent - all[i]!), `2^${exponent}`).toBeLessThan(1e-6 * all[0]!);
          });
        }
    }
  });

  it('takes no more memory than estimated, also where small values are refined', async () => {
    const fresh = await loadKernels();
    const { arena } = fresh;
    let most = 0;
    const alloc = arena.alloc.bind(arena);
    arena.alloc = (bytes) => {
      const pointer = alloc(bytes);
      most = Math.max(most, arena.used);
      return pointer;
    };
    for (const [m, n, k] of [
      [700, 30, 20],
      [30, 700, 20],
      [1, 40, 1],
      [60, 60, 8],
    ] as const)
      for (const method of ['krylov', 'power'] as const)
        for (const values of [[], [1], Array.from({ length: Math.min(m, n) }, (_, i) => 10 ** -i)]) {
          const a = diagonal(m, n, values);
          most = 0;
          truncatedSvd(fresh, a, { k, method, maxIterations: 50 });
          expect(most, `${m}×${n} ${method}`).toBeLessThanOrEqual(truncatedSvdBytes(m, n, k, { method }));
          most = 0;
          await truncatedSvdOperator(fresh, operatorOf(a, false), { k, method, maxIterations: 50 });
          expect(most, `${m}×${n} ${method}, products`).toBeLessThanOrEqual(
            truncatedSvdOperatorBytes(m, n, k, { method }),
          );
        }
  });

  it('never hands more than a block over, and takes rank-deficient maps', async () => {
    const a = diagonal(60, 50, [4, 3, 2, 1]);
    const operator = operatorOf(a, true);
    let widest = 0;
    const result = await truncatedSvdOperator(
      kernels,
      {
        ...operator,
        forward: (block, count) => {
          widest = Math.max(widest, count);
          return operator.forward(block, count);
        },
      },
      { k: 10, block: 3 },
    );
    expect(widest).toBe(3);
    expect(largestDifference(result.sigma, [4, 3, 2, 1, 0, 0, 0, 0, 0, 0])).toBeLessThan(1e-6);
    expect(skew(result.u)).toBeLessThan(1e-7);
  });

  it('refuses products of a wrong length or with NaN, naming the side, and gives its memory back', async () => {
    const a = gaussian(60, 50);
    const good = operatorOf(a, false);
    await expect(
      truncatedSvdOperator(kernels, { ...good, adjoint: () => new Float32Array(3) }, { k: 2 }),
    ).rejects.toMatchObject({ code: 'shape', message: expect.stringContaining('adjoint') });
    await expect(
      truncatedSvdOperator(
        kernels,
        { ...good, forward: (_, count) => new Float32Array(count * 60).fill(Number.NaN) },
        { k: 2 },
      ),
    ).rejects.toMatchObject({ code: 'not-finite', message: expect.stringContaining('forward') });
    expect(kernels.arena.used).toBe(0);
  });
});
