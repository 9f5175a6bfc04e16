import { beforeAll, describe, expect, it } from 'vitest';
import { normal, uniform } from '../../bench/data.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import type { Matrix } from '../../src/matrix.js';
import {
  addCorrelationSteps,
  type Correlation,
  correlation,
  correlationBytes,
  correlationSteps,
  finishCorrelation,
  prepareCorrelation,
  releaseCorrelation,
} from './index.js';
import { correlationReference } from './reference.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

/** Columns with shared factors, so that correlations of every size occur; offset and scale by column. */
function columns(m: number, c: number, seed: number, offset = 0, scale = 1): Matrix {
  const g = normal(seed);
  const factors = normal(99);
  const f = Float64Array.from({ length: 3 * m }, () => factors());
  const data = new Float32Array(m * c);
  for (let k = 0; k < c; k++) {
    const w = [g(), g(), g()];
    for (let s = 0; s < m; s++)
      data[s * c + k] =
        offset + scale * (w[0]! * f[3 * s]! + w[1]! * f[3 * s + 1]! + w[2]! * f[3 * s + 2]! + 0.3 * g());
  }
  return { data, shape: [m, c] };
}
const worst = (got: Correlation, want: Float64Array) => {
  expect(got.r.data.length).toBe(want.length);
  return got.r.data.reduce((top, r, k) => Math.max(top, Math.abs(r - want[k]!)), 0);
};

describe('correlation', () => {
  it('equals two passes of float64 at every strip edge and panel edge', () => {
    for (const units of [1, 2, 3, 15, 16, 17, 33])
      for (const inputs of [1, 7, 15, 16, 17, 130])
        for (const m of [2, 3, 17, 300]) {
          const x = columns(m, units, 1);
          const y = columns(m, inputs, 2);
          // float32 sums of at most 300 products of unit size.
          expect(
            worst(correlation(kernels, x, y), correlationReference(x, y)),
            `${units}×${inputs}, m=${m}`,
          ).toBeLessThan(1e-6);
        }
    for (const m of [254, 255, 256, 510, 511]) {
      const x = columns(m, 5, 3);
      const y = columns(m, 9, 4);
      expect(worst(correlation(kernels, x, y), correlationReference(x, y)), `m=${m}`).toBeLessThan(1e-6);
    }
  });

  it('keeps its digits for columns that are constant but for a few samples, as units that seldom fire', () => {
    for (const m of [100, 255, 500, 2500, 10000])
      for (const fire of [1, 3, 10]) {
        const next = uniform(m + fire);
        const c = 24;
        const data = new Float32Array(m * c);
        for (let k = 0; k < c; k++) {
          // Near the front, where all others come after the large products, near the end, and anywhere; a dense one
          // between.
          const [from, share] = [
            [0, 0.02],
            [0.98, 0.02],
            [0, 1],
          ][k % 3]!;
          for (let f = 0; f < fire; f++)
            data[Math.min(m - 1, Math.floor((from! + share! * next()) * m)) * c + k] = 0.3 + next();
          if (k % 8 === 7) for (let s = 0; s < m; s++) data[s * c + k] = next();
        }
        const x: Matrix = { data, shape: [m, c] };
        const got = correlation(kernels, x, x);
        expect(worst(got, correlationReference(x, x)), `m=${m}, ${fire} of them`).toBeLessThan(2e-6);
      }
  });

  it('does not let thousands of panels be absorbed by the first, or round all the same way', () => {
    const m = 255 * 1000;
    const g = normal(21);
    const panel = Float64Array.from({ length: 255 }, () => g());
    const data = new Float32Array(3 * m);
    for (let s = 0; s < m; s++) {
      data[3 * s] = s === 0 ? 1 : (s % 2 ? 1 : -1) * 1.5e-5;
      data[3 * s + 1] = panel[s % 255]!;
      // One sample of all: every panel adds the square of a tiny mean.
      data[3 * s + 2] = s === 7 ? 1 : 0;
    }
    const x: Matrix = { data, shape: [m, 3] };
    expect(worst(correlation(kernels, x, x), correlationReference(x, x))).toBeLessThan(1e-6);
    // One sample that outweighs all others of its block of rows.
    for (let s = 0; s < m; s++) data[3 * s] = s % 255 === 0 ? 1.0226 : (s % 2 ? 1 : -1) * 6.743e-5;
    expect(worst(correlation(kernels, x, x), correlationReference(x, x))).toBeLessThan(2e-6);
  });

  it('stays right far from the origin, for tiny and huge scales, over many samples and when the scale jumps', () => {
    for (const [offset, scale] of [
      [1e4, 1],
      [-1e6, 100],
      [0, 1e-30],
      [0, 1e30],
      [3e-40, 1e-40],
    ] as const) {
      const x = columns(600, 6, 5, offset, scale);
      const y = columns(600, 10, 6);
      expect(
        worst(correlation(kernels, x, y), correlationReference(x, y)),
        `${offset} ± ${scale}`,
      ).toBeLessThan(2e-6);
    }
    const x = columns(20_000, 2, 7, 50);
    const y = columns(20_000, 3, 8, -3);
    expect(worst(correlation(kernels, x, y), correlationReference(x, y))).toBeLessThan(2e-6);
    const jump = columns(700, 19, 9);
    for (let k = 19 * 350; k < jump.data.length; k++) jump.data[k]! *= 1e25;
    const other = columns(700, 21, 10);
    for (let k = 21 * 350; k < other.data.length; k++) other.data[k]! *= 1e20;
    expect(worst(correlation(kernels, jump, other), correlationReference(jump, other))).toBeLessThan(2e-6);
    // A drift: all the variance lies between the panels.
    const drift = columns(1000, 3, 11);
    for (let s = 0; s < 1000; s++) drift.data[3 * s] = Math.floor(s / 255) * 1000 + drift.data[3 * s]! * 1e-3;
    expect(worst(correlation(kernels, drift, drift), correlationReference(drift, drift))).toBeLessThan(2e-6);
  });

  it('gives 1 for a column with itself and −1 for its negative', () => {
    const x = columns(1000, 3, 12);
    const minus = { data: x.data.map((v) => -2 * v + 5), shape: x.shape };
    const same = correlation(kernels, x, x).r.data;
    const against = correlation(kernels, x, minus).r.data;
    for (let k = 0; k < 9; k += 4) {
      expect(same[k]).toBeGreaterThan(1 - 1e-6);
      expect(same[k]).toBeLessThanOrEqual(1);
      expect(against[k]).toBeLessThan(-1 + 1e-6);
    }
  });

  it('names columns of zero variance, whatever their value, and gives them 0', () => {
    for (const m of [100, 700]) {
      const x = columns(m, 6, 13);
      const y = columns(m, 9, 14);
      for (let s = 0; s < m; s++) {
        x.data[s * 6 + 2] = 0.1;
        x.data[s * 6 + 5] = 1e30;
        y.data[s * 9] = 0;
        y.data[s * 9 + 8] = -1 / 3;
      }
      const got = correlation(kernels, x, y);
      expect([...got.constantUnits]).toEqual([2, 5]);
      expect([...got.constantInputs]).toEqual([0, 8]);
      expect(worst(got, correlationReference(x, y))).toBeLessThan(1e-6);
      expect(got.unitDeviations[2]).toBe(0);
      expect(got.unitMeans[2]).toBe(Math.fround(0.1));
      // The least change in one sample is a variance.
      x.data[6 * (m - 1) + 2] = 0.10000001;
      expect([...correlation(kernels, x, y).constantUnits]).toEqual([5]);
    }
  });

  it('has means and deviations of float64', () => {
    const x = columns(1000, 3, 15, 1000);
    const { unitMeans, unitDeviations } = correlation(kernels, x, x);
    for (let c = 0; c < 3; c++) {
      const values = Array.from({ length: 1000 }, (_, s) => x.data[3 * s + c]!);
      const mean = values.reduce((a, b) => a + b) / 1000;
      const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 1000);
      expect(unitMeans[c]).toBeCloseTo(mean, 10);
      expect(unitDeviations[c]).toBeCloseTo(deviation, 10);
    }
  });

  it('gives the same of any blocks of samples, but for rounding', () => {
    const u = uniform(3);
    const x = columns(900, 7, 16, 20);
    const y = columns(900, 12, 17);
    const want = correlationReference(x, y);
    for (let round = 0; round < 5; round++) {
      const job = prepareCorrelation(kernels, 7, 12);
      for (let from = 0; from < 900; ) {
        const to = Math.min(900, from + Math.floor(u() * 400));
        const rows = (m: Matrix): Matrix => ({
          data: m.data.subarray(from * m.shape[1], to * m.shape[1]),
          shape: [to - from, m.shape[1]],
        });
        for (const _ of addCorrelationSteps(kernels, job, rows(x), rows(y)));
        from = to;
      }
      const got = finishCorrelation(kernels, job);
      releaseCorrelation(kernels, job);
      expect(got.samples).toBe(900);
      expect(worst(got, want), `round ${round}`).toBeLessThan(1e-6);
    }
  });

  it('takes no samples, one sample and no columns', () => {
    for (const m of [0, 1]) {
      const got = correlation(kernels, columns(m, 2, 1), columns(m, 3, 2));
      expect([...got.r.data]).toEqual(new Array(6).fill(0));
      expect([...got.constantUnits]).toEqual([0, 1]);
      expect(got.samples).toBe(m);
    }
    expect(correlation(kernels, columns(5, 0, 1), columns(5, 3, 2)).r.data.length).toBe(0);
    expect(correlation(kernels, columns(5, 3, 1), columns(5, 0, 2)).r.shape).toEqual([3, 0]);
  });

  it('refuses NaN, lengths that differ and wrong columns, and gives its memory back', () => {
    const used = kernels.arena.used;
    const x = columns(10, 3, 1);
    const y = columns(10, 4, 2);
    const bad = columns(10, 4, 2);
    bad.data[4 * 7 + 1] = Number.NaN;
    expect(() => correlation(kernels, x, bad)).toThrowError(/y: .*NaN at row 7, column 1/);
    expect(() => correlation(kernels, x, columns(9, 4, 2))).toThrowError(
      expect.objectContaining({ code: 'shape', fields: { expected: 10, got: 9 } }),
    );
    const job = prepareCorrelation(kernels, 3, 4);
    expect(() => addCorrelationSteps(kernels, job, y, y).next()).toThrowError(/x: expected 3 columns, got 4/);
    releaseCorrelation(kernels, job);
    expect(() => prepareCorrelation(kernels, -1, 2)).toThrowError(/units/);
    expect(kernels.arena.used).toBe(used);
  });

  it('stops when asked and gives its memory back; takes no more than estimated', async () => {
    const fresh = await loadKernels();
    const stop = new AbortController();
    const x = columns(600, 40, 1);
    expect(() =>
      correlation(fresh, x, x, { signal: stop.signal, onProgress: () => stop.abort() }),
    ).toThrowError(expect.objectContaining({ code: 'cancelled' }));
    const steps = correlationSteps(fresh, x, x);
    steps.next();
    expect(fresh.arena.used).toBeLessThanOrEqual(correlationBytes(40, 40));
    expect(fresh.arena.used).toBeGreaterThan(0.9 * correlationBytes(40, 40));
    steps.return(undefined as never);
    expect(fresh.arena.used).toBe(0);
  });
});
