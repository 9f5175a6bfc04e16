import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../formats/types.js';
import type { LayerInfo, SnapshotInfo } from '../../run/types.js';
import { analyseChange, analyseTracks, changeStatistics } from './index.js';

const tensor = (values: number[], shape: number[]): Tensor => ({
  data: Float32Array.from(values),
  shape,
  dtype: 'float32',
});
const snapshot = (id: string, step = 0): SnapshotInfo => ({ id, epoch: null, step, metrics: {} });
const layers: LayerInfo[] = [
  { name: 'F1', kind: 'dense', shape: [2], parameters: ['F1.kernel', 'F1.bias'] },
  { name: 'R1', kind: 'relu', shape: [2], parameters: [] },
];
const weights = (kernel: number[], bias = [0, 0]) =>
  new Map([
    ['F1.kernel', tensor(kernel, [2, 2])],
    ['F1.bias', tensor(bias, [2])],
  ]);
const change = (a: Map<string, Tensor>, b: Map<string, Tensor>, only?: string[]) =>
  analyseChange({
    from: { snapshot: snapshot('init'), weights: a },
    to: { snapshot: snapshot('epoch-0001'), weights: b },
    layers,
    inputShape: [2],
    only,
  });

describe('analyseChange', () => {
  it('subtracts, shares one symmetric scale and leaves the inputs alone', () => {
    const a = weights([1, -2, 3, -4]);
    const result = change(a, weights([1.5, -2, 2, -8], [0.25, 0]));
    expect([...result.tensors[0]!.delta]).toEqual([0.5, 0, -1, -4]);
    expect([...result.tensors[1]!.delta]).toEqual([0.25, 0]);
    expect(result.scale).toBe(4);
    expect(result.layers.map((layer) => layer.layer)).toEqual(['F1']);
    expect([...(a.get('F1.kernel')!.data as Float32Array)]).toEqual([1, -2, 3, -4]);
  });

  it('agrees with textbook formulas for r and slope', () => {
    const before = Float32Array.from([1, 2, 3, 4, 5]);
    const delta = Float32Array.from([2, 1, 4, 3, 5]);
    const statistics = changeStatistics([{ before, delta }]);
    // Σ(x−3)(y−3) = 8, Σ(x−3)² = Σ(y−3)² = 10.
    expect(statistics.pearson.value).toBeCloseTo(0.8, 12);
    expect(statistics.slope.value).toBeCloseTo(0.8, 12);
    expect(statistics.meanChange.value).toBeCloseTo(3, 12);
    expect(statistics.rmsChange.value).toBeCloseTo(Math.sqrt(11), 12);
    expect(statistics.relativeChange.value).toBeCloseTo(1, 12);
  });

  it('counts signs without zeros', () => {
    const statistics = changeStatistics([
      { before: Float32Array.from([1, 1, -1, -1, 0, 2]), delta: Float32Array.from([1, -1, -1, -2, 5, 0]) },
    ]);
    expect(statistics.equalSigns.value).toBe(3 / 4);
    expect(statistics.positiveGrew.value).toBe(1 / 2);
    expect(statistics.negativeShrank.value).toBe(1);
  });

  it('gives null with a reason where a figure is undefined', () => {
    const same = changeStatistics([{ before: Float32Array.from([2, 2]), delta: Float32Array.from([1, 0]) }]);
    expect(same.pearson).toEqual({ value: null, reason: 'all values before are equal' });
    const still = changeStatistics([
      { before: Float32Array.from([1, -2]), delta: Float32Array.from([0, 0]) },
    ]);
    expect(still.equalSigns.value).toBeNull();
    expect(still.pearson.value).toBeNull();
    expect(still.slope.value).toBe(0);
    expect(changeStatistics([]).rmsChange).toEqual({ value: null, reason: 'no parameters' });
  });

  it('names the tensor that differs', () => {
    expect(() =>
      change(
        weights([1, 2, 3, 4]),
        new Map([
          ['F1.kernel', tensor([1, 2, 3, 4], [4, 1])],
          ['F1.bias', tensor([0, 0], [2])],
        ]),
      ),
    ).toThrow('tensor F1.kernel is [2,2] in snapshot init and [4,1] in epoch-0001');
    expect(() =>
      change(weights([1, 2, 3, 4]), new Map([['F1.kernel', tensor([1, 2, 3, 4], [2, 2])]])),
    ).toThrow('only in init: F1.bias');
  });

  it('refuses NaN, naming where', () => {
    expect(() => change(weights([1, 2, 3, 4]), weights([1, Number.NaN, 3, 4]))).toThrow(
      'snapshot epoch-0001, tensor F1.kernel: expected finite numbers, got NaN at index 1',
    );
  });

  it('says that a layer has no parameters, or does not exist', () => {
    const a = weights([1, 2, 3, 4]);
    expect(() => change(a, a, ['R1'])).toThrow('layer R1 has no parameters; layers with parameters: F1');
    expect(() => change(a, a, ['X9'])).toThrow('layer X9 does not exist');
  });
});

describe('analyseTracks', () => {
  it('follows parameters and update sizes over snapshots', async () => {
    const run = [weights([3, 0, 0, 4]), weights([3, 0, 0, 5]), weights([0, 0, 0, 5], [4, 0])].map((w, i) => ({
      snapshot: snapshot(`step-${i}`, i),
      weights: w,
    }));
    const tracks = await analyseTracks(run, layers, [{ tensor: 'F1.kernel', index: 3 }]);
    expect([...tracks.paths[0]!.values]).toEqual([4, 5, 5]);
    expect(tracks.paths[0]!.position).toEqual([1, 1]);
    expect([...tracks.updates[0]!.norm]).toEqual([1, 5]);
    expect(tracks.updates[0]!.relative[0]).toBeCloseTo(0.2, 12);
    expect(tracks.snapshots.map((s) => s.step)).toEqual([0, 1, 2]);
  });

  it('refuses an index or tensor that is not there', async () => {
    const run = [{ snapshot: snapshot('a'), weights: weights([1, 2, 3, 4]) }];
    await expect(analyseTracks(run, layers, [{ tensor: 'F1.kernel', index: 4 }])).rejects.toThrow(
      'tensor F1.kernel has 4 values, got index 4',
    );
    await expect(analyseTracks(run, layers, [{ tensor: 'F9.kernel', index: 0 }])).rejects.toThrow(
      'snapshot a has no tensor F9.kernel',
    );
  });

  it('gives empty tracks for no snapshot and for one', async () => {
    expect((await analyseTracks([], layers, [])).updates).toEqual([]);
    const one = await analyseTracks(
      [{ snapshot: snapshot('a'), weights: weights([1, 2, 3, 4]) }],
      layers,
      [],
    );
    expect(one.snapshots.length).toBe(1);
    expect(one.updates).toEqual([]);
  });
});
