import { EpochscopeError, METRICS, type Metric } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import { createInlineEngine } from '../engine/inline.js';
import type { DType, TensorData } from '../formats/types.js';
import { vatOf } from '../methods/tendency/space.js';
import { random } from '../random.js';
import { readPoints } from './points.js';
import { tensorRows } from './rows.js';

const engine = createInlineEngine();

/** Sorted weights of a least spanning tree, by Prim over float64 rows and the definition of each metric. */
function treeWeights(rows: number[][], metric: Metric): number[] {
  const units = rows.map((row) => {
    const mean = metric === 'correlation' ? row.reduce((a, b) => a + b, 0) / row.length : 0;
    let own = row.map((x) => x - mean);
    if (metric === 'correlation') {
      const left = own.reduce((a, b) => a + b, 0) / own.length;
      own = own.map((x) => x - left);
    }
    const largest = Math.max(...own.map(Math.abs)) || 1;
    own = own.map((x) => x / largest);
    const length = Math.hypot(...own);
    return length === 0 ? null : own.map((x) => x / length);
  });
  const distance = (i: number, j: number): number => {
    if (metric === 'euclidean') return Math.hypot(...rows[i]!.map((x, k) => x - rows[j]![k]!));
    if (metric === 'manhattan') return rows[i]!.reduce((sum, x, k) => sum + Math.abs(x - rows[j]![k]!), 0);
    const [a, b] = [units[i]!, units[j]!];
    if (!a || !b) return a === b ? 0 : 1;
    return a.reduce((sum, x, k) => sum + (x - b[k]!) ** 2, 0) / 2;
  };
  const near = rows.map((_, j) => distance(0, j));
  const inside = new Set([0]);
  const weights: number[] = [];
  while (inside.size < rows.length) {
    let next = -1;
    for (let j = 0; j < rows.length; j++)
      if (!inside.has(j) && (next < 0 || near[j]! < near[next]!)) next = j;
    weights.push(near[next]!);
    inside.add(next);
    for (let j = 0; j < rows.length; j++) near[j] = Math.min(near[j]!, distance(next, j));
  }
  return weights.sort((a, b) => a - b);
}

async function weightsOf(data: TensorData, shape: [number, number], dtype: DType, metric: Metric) {
  const source = tensorRows({ data, shape, dtype }, 'x.npy');
  const points = await readPoints(source, null, metric);
  const { weights, unit, notes } = await vatOf(
    engine,
    {
      ...points,
      snapshot: { id: 'x', epoch: null, step: null },
      layer: 'x',
      labels: null,
      predictions: null,
      logLikelihood: null,
    },
    metric,
    {},
  );
  return { weights: [...weights].sort((a, b) => a - b).map((w) => w * unit), notes, points };
}

/** 24 rows in two groups, none near another by chance. */
function groups(d: number, seed: number): number[][] {
  const r = random(0xd00e, seed);
  return Array.from({ length: 24 }, (_, i) => Array.from({ length: d }, () => r.normal() + (i % 2 ? 10 : 0)));
}

/** A number of so few binary digits. */
function shortened(x: number, digits: number): number {
  if (x === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) + 1 - digits);
  return Math.round(x / unit) * unit;
}

const TYPES: Partial<Record<DType, (values: number[]) => TensorData>> = {
  float64: (v) => Float64Array.from(v),
  float32: (v) => Float32Array.from(v),
  int64: (v) => BigInt64Array.from(v.map((x) => BigInt(Math.round(x)))),
  uint64: (v) => BigUint64Array.from(v.map((x) => BigInt(Math.abs(Math.round(x))))),
  int32: (v) => Int32Array.from(v.map(Math.round)),
  uint32: (v) => Uint32Array.from(v.map((x) => Math.abs(Math.round(x)))),
  int16: (v) => Int16Array.from(v.map(Math.round)),
  uint16: (v) => Uint16Array.from(v.map((x) => Math.abs(Math.round(x)))),
  uint8: (v) => Uint8Array.from(v.map((x) => Math.abs(Math.round(x)))),
  int8: (v) => Int8Array.from(v.map(Math.round)),
  bool: (v) => Uint8Array.from(v.map((x) => Number(x > 5))),
  // As they are read: numbers of 11 and of 8 bits.
  float16: (v) => Float32Array.from(v, (x) => shortened(x, 11)),
  bfloat16: (v) => Float32Array.from(v, (x) => shortened(x, 8)),
};
/** Largest value of each type that is tried, so that none wraps. */
const LARGEST: Partial<Record<DType, number>> = {
  float64: 1e307,
  float32: 1e30,
  int64: 9e15,
  uint64: 9e15,
  int32: 2e9,
  uint32: 4e9,
  int16: 3e4,
  uint16: 65_535,
  uint8: 255,
  int8: 127,
  bool: 1e307,
  float16: 65_504,
  bfloat16: 1e30,
};

describe('points of any number type', () => {
  it('have the weights of float64 to a hundred-thousandth, or the loss is said, over types × offsets × scales × metrics', async () => {
    let silent = 0;
    let told = 0;
    let wrongIfNarrowed = 0;
    for (const [dtype, make] of Object.entries(TYPES) as [DType, (v: number[]) => TensorData][])
      for (const [o, offset] of [0, 1, -273.15, 1e6, 3e7, 1.7e9, 1e15].entries())
        for (const scale of [1, 1e-9, 1e-200, 1e4, 1e200])
          for (const metric of METRICS) {
            const d = 3 + 5 * (o % 2);
            const base = groups(d, o);
            const rows = base.map((row) => row.map((x) => (x + offset) * scale));
            if (Math.max(...rows.flat().map(Math.abs)) > LARGEST[dtype]!) continue;
            // What the type holds is what counts.
            const data = make(rows.flat());
            const held = Array.from(data as ArrayLike<number | bigint>, Number);
            const kept = rows.map((_, i) => held.slice(d * i, d * i + d));
            const { weights, notes } = await weightsOf(data, [24, d], dtype, metric);
            const place = `${dtype} + ${offset} × ${scale}, ${metric}`;
            if (notes.some((note) => note.startsWith('float32 keeps'))) {
              told++;
              continue;
            }
            silent++;
            const exact = treeWeights(kept, metric);
            const narrow = treeWeights(
              kept.map((row) => row.map(Math.fround)),
              metric,
            );
            if (exact.some((w, k) => !(Math.abs(narrow[k]! - w) <= 1e-5 * w + 1e-15))) wrongIfNarrowed++;
            // Of a zero or nearly zero weight: as exact as float64 itself can say.
            const floor = metric === 'euclidean' || metric === 'manhattan' ? 0 : 1e-15;
            const wrong = exact.findIndex((w, k) => !(Math.abs(weights[k]! - w) <= 1e-5 * w + floor));
            expect(wrong, `${place}, weight ${wrong}: ${weights[wrong]} for ${exact[wrong]}`).toBe(-1);
          }
    // Most of what is tried is kept, not excused.
    expect(silent).toBeGreaterThan(3 * told);
    // Of numbers made float32 before anything is subtracted this test would fail.
    expect(wrongIfNarrowed).toBeGreaterThan(100);
  }, 120_000);

  it('of what float32 holds are the values themselves, whatever the type', async () => {
    const values = [0, 1, 1, 0, 5, 5, -3, 2, 16_777_216, 0.5, 0.25, 7];
    const float64 = await weightsOf(Float64Array.from(values), [6, 2], 'float64', 'euclidean');
    expect(float64.points.space).toBeUndefined();
    expect([...float64.points.outputs.data]).toEqual(values);
    const whole = values.map(Math.round);
    const int64 = await weightsOf(BigInt64Array.from(whole.map(BigInt)), [6, 2], 'int64', 'euclidean');
    expect([...int64.points.outputs.data]).toEqual(whole);
  });

  it('keeps the ties of integers beyond float32, and beyond float64', async () => {
    const base = [0, 1, 2, 3, 10, 11, 12, 20];
    for (const offset of [2n ** 31n, 10n ** 15n, 2n ** 62n, -(2n ** 63n)]) {
      const data = BigInt64Array.from(base.map((x) => BigInt(x) + offset));
      const { weights, notes } = await weightsOf(data, [8, 1], 'int64', 'manhattan');
      expect(weights).toEqual([1, 1, 1, 1, 1, 7, 8]);
      expect(notes).toEqual([]);
    }
    const unsigned = BigUint64Array.from(base.map((x) => BigInt(x) + 2n ** 64n - 100n));
    expect((await weightsOf(unsigned, [8, 1], 'uint64', 'euclidean')).weights).toEqual([1, 1, 1, 1, 1, 7, 8]);
  });

  it('says by how much float32 falls short, and not of equal rows', async () => {
    // Two far groups of times a second apart: half a century in float32 has steps of 64 s.
    const times = [0, 1, 1, 2, 1.6e9, 1.6e9 + 1, 1.6e9 + 2].map((t) => t + 0.125);
    const { notes } = await weightsOf(Float64Array.from(times), [7, 1], 'float64', 'euclidean');
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^float32 keeps distances to ±[\d.]+: \d of 6 weights/);
    const equal = await weightsOf(
      Float64Array.of(0.1, 0.1, 0.1, 5.3, 5.3, 9.7),
      [6, 1],
      'float64',
      'euclidean',
    );
    expect(equal.notes).toEqual([]);
    expect(equal.weights.filter((w) => w === 0)).toHaveLength(3);
  });

  it('says what float64 loses of 64-bit integers on its way, and not of equal ones', async () => {
    const top = 2n ** 63n - 1n;
    const of = (...values: bigint[]) =>
      weightsOf(BigInt64Array.from(values), [values.length, 1], 'int64', 'euclidean');
    const far = await of(top, -top, -top + 5n);
    expect(far.notes.join()).toMatch(/^float32 keeps distances to ±\d+: 1 of 2 weights/);
    expect((await of(top, -top, -top)).notes).toEqual([]);
  });

  it('of columns with one far outlier keep the digits of all others, or the loss is said', async () => {
    const rows = groups(3, 9);
    rows[0] = [1e30, 1e30, 1e30];
    const of = (list: number[][]) =>
      weightsOf(Float64Array.from(list.flat()), [list.length, 3], 'float64', 'euclidean');
    const { weights } = await of(rows);
    expect(weights.at(-1)).toBeGreaterThan(1.7e30);
    treeWeights(rows.slice(1), 'euclidean').forEach((weight, i) => {
      expect(Math.abs(weights[i]! - weight)).toBeLessThan(1e-5 * weight);
    });
    // The outlier on one side of all others, which lie at 1e15: float64 itself rounds what is taken from them.
    const far = await of(rows.map((row, i) => (i ? row.map((x) => x + 1e15) : row)));
    expect(far.notes.join()).toMatch(/float32 keeps distances to/);
  });

  it('says the unit of weights that float32 does not hold', async () => {
    const { weights, notes } = await weightsOf(
      Float64Array.of(0, 1e300, 3e300, -2e300),
      [4, 1],
      'float64',
      'manhattan',
    );
    expect(notes.join()).toContain('multiples of 2^');
    weights.forEach((w, k) => {
      expect(w / [1e300, 2e300, 2e300][k]!).toBeCloseTo(1, 6);
    });
  });

  it('says that rows of float32 whose directions the kernels cannot part are apart, and not of equal ones', async () => {
    // In steps of 7e-9 from 0.1; rows of length 1 have steps of 6e-8.
    const steps = [0, 0, 0, 1, 1, 1, 0, 0, -1, 0, 0, 0];
    const data = Float32Array.from(steps, (x) => 0.1 + x * 2 ** -27);
    const near = await weightsOf(data, [4, 3], 'float32', 'cosine');
    expect(near.weights).toEqual([0, 0, 0]);
    expect(near.notes.join()).toMatch(/^float32 keeps directions to .*: 1 of 3 weights/);
    const equal = await weightsOf(Float32Array.of(1, 2, 3, 6, 0.5, 1, 0, 5), [4, 2], 'float32', 'cosine');
    expect(equal.weights.slice(0, 2)).toEqual([0, 0]);
    expect(equal.notes).toEqual([]);
  });

  it('counts rows without a direction, and takes them as the kernels do', async () => {
    const rows = [0, 0, 0, 0, 0.1, 0.2, 0.7, 0.3, 0.3, 0.3];
    for (const [metric, flat] of [
      ['cosine', 2],
      ['correlation', 3],
    ] as const) {
      const { points, weights } = await weightsOf(Float64Array.from(rows), [5, 2], 'float64', metric);
      expect(points.notes[0]).toContain(`${flat} of 5 rows`);
      const exact = await weightsOf(Float32Array.from(rows), [5, 2], 'float32', metric);
      expect(exact.points.notes[0]).toContain(`${flat} of 5 rows`);
      weights.forEach((w, k) => {
        expect(w).toBeCloseTo(exact.weights[k]!, 6);
      });
    }
  });

  it('refuses what is not finite by row and column', async () => {
    for (const dtype of ['float64', 'float32'] as const)
      for (const metric of METRICS) {
        const data = TYPES[dtype]!([1.1, 2, 3, Number.NaN, 5, 6]);
        const error = await weightsOf(data, [3, 2], dtype, metric).catch((e) => e);
        expect(error).toBeInstanceOf(EpochscopeError);
        expect(error.message).toContain(
          'x.npy: expected finite numbers, got NaN at row 1, column 1 (from 0)',
        );
      }
  });
});
