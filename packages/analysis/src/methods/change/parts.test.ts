import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../formats/types.js';
import { random } from '../../random.js';
import type { LayerInfo, SnapshotInfo } from '../../run/types.js';
import {
  analyseChange,
  analyseTracks,
  changeByParts,
  choosePaths,
  layerFinder,
  type PartedTensor,
  tracksByParts,
} from './index.js';

const layers: LayerInfo[] = [
  { name: 'A', kind: 'dense', shape: [5], parameters: ['A.kernel', 'A.bias'] },
  { name: 'B', kind: 'scale', shape: [4], parameters: ['B.gain'] },
];
const shapes: Record<string, number[]> = { 'A.kernel': [7, 5], 'A.bias': [5], 'B.gain': [4] };
const ids = ['init', 'epoch-0001', 'epoch-0002', 'epoch-0003'];
const snapshots = ids.map((id, i): SnapshotInfo => ({ id, epoch: i, step: null, metrics: {} }));

/** Seeded weights that drift, with ties and zeros among the changes. */
function weightsOf(snapshot: number): Map<string, Tensor> {
  return new Map(
    Object.entries(shapes).map(([name, shape], t) => {
      const dice = random(3, t);
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => {
        const start = Math.round(dice.normal() * 8) / 4;
        return start + snapshot * (dice.below(4) - 1) * 0.25;
      });
      return [name, { data, shape, dtype: 'float32' as const }];
    }),
  );
}
const all = ids.map((_, i) => weightsOf(i));

/** In parts of `size` values, in the order of the columns where a tensor has two axes. */
const parted = (of: Map<string, Tensor>[], size: number): PartedTensor[] =>
  Object.entries(shapes).map(([name, shape]) => {
    const [rows, columns] = shape.length === 2 ? (shape as [number, number]) : [1, shape[0]!];
    const index = (k: number) => (k % rows) * columns + Math.floor(k / rows);
    const values = (s: number) => of[s]!.get(name)!.data as Float32Array;
    return {
      name,
      shape,
      size: rows * columns,
      at: async (s, indices) => Float32Array.from(indices, (i) => values(s)[i]!),
      async *parts() {
        for (let from = 0; from < rows * columns; from += size) {
          const count = Math.min(size, rows * columns - from);
          yield {
            index: (k: number) => index(from + k),
            values: async (s: number) =>
              Float32Array.from({ length: count }, (_, k) => values(s)[index(from + k)]!),
          };
        }
      },
    };
  });
const whole = analyseChange({
  from: { snapshot: snapshots[0]!, weights: all[0]! },
  to: { snapshot: snapshots[3]!, weights: all[3]! },
  layers,
  inputShape: null,
});

describe('change by parts', () => {
  it.each([1, 3, 100])('gives the figures of the whole (parts of %i)', async (size) => {
    const got = await changeByParts(
      parted([all[0]!, all[3]!], size),
      layerFinder(layers),
      ['init', 'epoch-0003'],
      { sampled: 100, seed: 1 },
    );
    expect(got.scale).toBe(whole.scale);
    expect(got.tensors.map(({ name, sample }) => [name, sample])).toEqual(
      whole.tensors.map(({ name }) => [name, undefined]),
    );
    got.tensors.forEach(({ before, delta }, i) => {
      expect([before, delta]).toEqual([whole.tensors[i]!.before, whole.tensors[i]!.delta]);
    });
    for (const [i, { layer, kind, statistics }] of got.layers.entries()) {
      expect([layer, kind]).toEqual([whole.layers[i]!.layer, whole.layers[i]!.kind]);
      for (const [key, figure] of Object.entries(statistics)) {
        const expected = whole.layers[i]!.statistics[key as 'pearson'];
        if (typeof figure === 'number') expect(figure).toBe(expected);
        // Sums in another order: float64 roundings.
        else if (expected.value !== null) expect(figure.value).toBeCloseTo(expected.value, 12);
        else expect(figure).toEqual(expected);
      }
    }
  });

  it('keeps a seeded sample, and counts of all by powers of two', async () => {
    const options = { sampled: 4, seed: 5 };
    const run = () => changeByParts(parted([all[0]!, all[3]!], 3), layerFinder(layers), ['a', 'b'], options);
    const { tensors } = await run();
    const { sample, before, delta, statistics } = tensors[0]!;
    expect(sample!.indices).toHaveLength(4);
    expect([...sample!.indices].sort((a, b) => a - b)).toEqual([...sample!.indices]);
    sample!.indices.forEach((index, k) => {
      expect([before[k], delta[k]]).toEqual([
        whole.tensors[0]!.before[index],
        whole.tensors[0]!.delta[index],
      ]);
    });
    expect(tensors[2]!.sample).toBeUndefined();
    expect(statistics.count).toBe(35);
    for (const [counts, values] of [
      [sample!.before, whole.tensors[0]!.before],
      [sample!.delta, whole.tensors[0]!.delta],
    ] as const) {
      expect(counts.zero).toBe(values.filter((x) => x === 0).length);
      for (const [sign, list] of [
        [1, counts.positive],
        [-1, counts.negative],
      ] as const)
        list.forEach((count, i) => {
          const low = 2 ** (counts.first + i);
          expect(count).toBe(values.filter((x) => sign * x >= low && sign * x < 2 * low).length);
        });
    }
    expect((await run()).tensors[0]!.sample!.indices).toEqual(sample!.indices);
  });

  it('refuses NaN, naming where it stands in the tensor', async () => {
    const bad = weightsOf(1);
    (bad.get('A.kernel')!.data as Float32Array)[13] = Number.NaN;
    await expect(
      changeByParts(parted([all[0]!, bad], 4), layerFinder(layers), ['a', 'b'], {
        sampled: 9,
        seed: 1,
      }),
    ).rejects.toThrow('snapshot b, tensor A.kernel: expected finite numbers, got NaN at index 13');
  });
});

describe('tracks by parts', () => {
  it.each([1, 4, 100])('are those of the whole (parts of %i)', async (size) => {
    const chosen = [
      { tensor: 'A.kernel', index: 34 },
      { tensor: 'B.gain', index: 0 },
      { tensor: 'A.kernel', index: 2 },
    ];
    const expected = await analyseTracks(
      snapshots.map((snapshot, i) => ({ snapshot, weights: all[i]! })),
      layers,
      chosen,
    );
    const got = await tracksByParts(parted(all, size), layerFinder(layers), ids, chosen);
    expect(got.paths.map(({ values }) => values)).toEqual(expected.paths.map(({ values }) => values));
    expect(got.updates.map(({ layer }) => layer)).toEqual(expected.updates.map(({ layer }) => layer));
    got.updates.forEach(({ norm, relative }, i) => {
      norm.forEach((value, s) => {
        expect(value).toBeCloseTo(expected.updates[i]!.norm[s]!, 12);
        expect(relative[s]).toBeCloseTo(expected.updates[i]!.relative[s]!, 12);
      });
    });
  });

  it.each([
    [1, [0, 1, 2, 3]],
    [4, [0, 1, 2, 3]],
    [100, [1, 2]],
  ])('follow those that change most between two of them, or others (parts of %i)', async (size, over) => {
    // The snapshots that tracks run over come first; the two that decide may be none of them.
    const order = [...over, ...[0, 3].filter((s) => !over.includes(s))];
    const { paths } = await tracksByParts(
      parted(
        order.map((s) => all[s]!),
        size,
      ),
      layerFinder(layers),
      over.map((s) => ids[s]!),
      { k: 6, from: order.indexOf(0), to: order.indexOf(3) },
    );
    const expected = choosePaths(whole.tensors, { rule: 'largest', k: 6 });
    expect(paths.map(({ tensor, index }) => ({ tensor, index }))).toEqual(expected);
    for (const { tensor, index, values } of paths)
      expect([...values]).toEqual(over.map((s) => all[s]!.get(tensor)!.data[index]));
  });

  it('refuses an index that is not there', async () => {
    await expect(
      tracksByParts(parted(all, 9), layerFinder(layers), ids, [{ tensor: 'B.gain', index: 4 }]),
    ).rejects.toThrow('tensor B.gain has 4 values, got index 4');
  });
});
