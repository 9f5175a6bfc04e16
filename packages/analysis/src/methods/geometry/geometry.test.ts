import { createInlineEngine } from '@epochscope/analysis';
import { svdReference } from '@epochscope/core-wasm/reference';
import { describe, expect, it } from 'vitest';
import { random } from '../../random.js';
import {
  classTree,
  dimensionsOf,
  effectiveRank,
  geometryOfInput,
  hierarchyDistances,
  hierarchyTest,
  isExplicit,
  jacobianOf,
  type LinearMap,
  participationRatio,
  principalCosines,
  spectrumOf,
  summariseAlignment,
  summarisePerturbation,
  summariseSpectrum,
  TANGENTS,
  tangentVectors,
} from './index.js';
import { PERTURBATION_NAMES } from './perturbation.js';

const engine = createInlineEngine();

/** A matrix as a map, in float64 answered as float32. */
function mapOf(rows: number, columns: number, at: (i: number, j: number) => number): LinearMap {
  const product = (block: Float32Array, count: number, forward: boolean) => {
    const [from, to] = forward ? [columns, rows] : [rows, columns];
    return Float32Array.from({ length: count * to }, (_, n) => {
      const [c, i] = [Math.floor(n / to), n % to];
      let sum = 0;
      for (let j = 0; j < from; j++) sum += (forward ? at(i, j) : at(j, i)) * block[c * from + j]!;
      return sum;
    });
  };
  return {
    rows,
    columns,
    jvp: (block, count) => product(block, count, true),
    vjp: async (block, count) => product(block, count, false),
  };
}

describe('spectra', () => {
  it('are the same written out and matrix-free, and equal the float64 SVD', async () => {
    const source = random(5);
    const data = Float32Array.from({ length: 40 * 70 }, () => source.normal());
    const map = mapOf(40, 70, (i, j) => data[i * 70 + j]!);
    const want = svdReference({ data, shape: [40, 70] }).sigma;
    for (const explicitLimit of [1e6, 0]) {
      const found = await spectrumOf(engine, map, { k: 12, seed: 1, explicitLimit, block: 8 });
      expect(found.explicit).toBe(explicitLimit > 0);
      for (let i = 0; i < 12; i++) expect(Math.abs(found.sigma[i]! / want[i]! - 1)).toBeLessThan(1e-5);
    }
    // k is cut to what there is.
    expect((await spectrumOf(engine, map, { k: 99, seed: 1 })).sigma.length).toBe(40);
    for (const [rows, columns] of [
      [3, 5],
      [5, 3],
    ] as const)
      expect(
        Array.from(
          (
            await jacobianOf(
              mapOf(rows, columns, (i, j) => 10 * i + j),
              2,
            )
          ).data,
        ),
      ).toEqual(Array.from({ length: 15 }, (_, n) => 10 * Math.floor(n / columns) + (n % columns)));
  });

  it('are written out only where that is small and no dearer', () => {
    expect(isExplicit(10, 784, 10)).toBe(true);
    expect(isExplicit(4096, 154_587, 500)).toBe(false);
    expect(isExplicit(2000, 2000, 5)).toBe(false);
  });

  it('refuse k = 0, wrong products and NaN; cancel', async () => {
    const map = mapOf(4, 6, () => 1);
    await expect(spectrumOf(engine, map, { k: 0, seed: 1 })).rejects.toMatchObject({ code: 'argument' });
    await expect(
      spectrumOf(engine, { ...map, vjp: () => new Float32Array(1) }, { k: 1, seed: 1 }),
    ).rejects.toMatchObject({ code: 'shape' });
    await expect(
      spectrumOf(
        engine,
        mapOf(4, 6, () => Number.NaN),
        { k: 1, seed: 1 },
      ),
    ).rejects.toMatchObject({ code: 'not-finite' });
    await expect(
      spectrumOf(engine, map, { k: 1, seed: 1, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('dimensions', () => {
  it('are n for n equal values, 1 for one, 0 for none', () => {
    for (const n of [1, 2, 7]) {
      const sigma = [...Array(n).fill(3), 0, 0];
      expect(effectiveRank(sigma)).toBeCloseTo(n, 12);
      expect(participationRatio(sigma)).toBeCloseTo(n, 12);
    }
    expect(effectiveRank([0, 0])).toBe(0);
    expect(participationRatio([])).toBe(0);
    // (1 + 4)² / (1 + 16).
    expect(participationRatio([2, 1])).toBeCloseTo(25 / 17, 12);
    expect(participationRatio([1e-200, 1e-200])).toBeCloseTo(2, 12);
  });

  it('carry their spread over inputs; one input has none', () => {
    const two = dimensionsOf(Float64Array.from([2, 1, 0.5, 0.9, 0.5, 0]), 2, 3).atLeastOne;
    expect(Array.from(two.values)).toEqual([2, 0]);
    expect(two.mean).toBe(1);
    expect(two.sd.value).toBeCloseTo(Math.SQRT2, 12);
    expect(dimensionsOf(Float64Array.from([2]), 1, 1).atLeastOne.sd.value).toBeNull();
  });
});

describe('tangent vectors', () => {
  it('of a translation are half the difference of shifted pictures', () => {
    const x = Float32Array.from({ length: 35 }, (_, i) => (i * 37) % 11);
    const t = tangentVectors(x, [5, 7, 1]);
    const at = (row: number, column: number) =>
      row < 0 || column < 0 || row >= 5 || column >= 7 ? 0 : x[row * 7 + column]!;
    for (let row = 0; row < 5; row++)
      for (let column = 0; column < 7; column++) {
        // Half a pixel each way: the mean of neighbours, differenced.
        expect(t.get('translation x')![row * 7 + column]).toBeCloseTo(
          (at(row, column - 1) - at(row, column + 1)) / 4,
          10,
        );
        expect(t.get('translation y')![row * 7 + column]).toBeCloseTo(
          (at(row - 1, column) - at(row + 1, column)) / 4,
          10,
        );
      }
  });

  it('vanish for what a transformation leaves alone', () => {
    // A disc far from the rim does not change under rotation nearly as much as it does under translation.
    const disc = Float32Array.from({ length: 31 * 31 }, (_, i) =>
      Math.exp(-(((i % 31) - 15) ** 2 + (Math.floor(i / 31) - 15) ** 2) / 30),
    );
    const t = tangentVectors(disc, [31, 31, 1]);
    const size = (x: Float64Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
    expect(size(t.get('rotation')!)).toBeLessThan(0.05 * size(t.get('translation x')!));
    for (const x of tangentVectors(new Float32Array(12), [2, 2, 3]).values())
      expect(x.every((v) => v === 0)).toBe(true);
    expect(Array.from(t.keys())).toEqual([...TANGENTS]);
    // A flat picture in the middle: thickness is zero.
    expect(
      tangentVectors(new Float32Array(9).fill(1), [3, 3, 1])
        .get('thickness')!
        .every((v) => v === 0),
    ).toBe(true);
    expect(() => tangentVectors(new Float32Array(8), [3, 3, 1])).toThrow(/needs 9 values/);
  });

  it('turn the way they say: a step along one is the transformed picture to first order', () => {
    const blob = (cx: number, cy: number) =>
      Float32Array.from({ length: 400 }, (_, i) =>
        Math.exp(-(((i % 20) - cx) ** 2 + (Math.floor(i / 20) - cy) ** 2) / 12),
      );
    const x = blob(9.5, 9.5);
    const t = tangentVectors(x, [20, 20, 1]).get('translation x')!;
    const moved = blob(10, 9.5);
    let [left, error] = [0, 0];
    for (let i = 0; i < 400; i++) {
      left += (moved[i]! - x[i]!) ** 2;
      error += (moved[i]! - x[i]! - t[i]!) ** 2;
    }
    expect(Math.sqrt(error / left)).toBeLessThan(0.2);
  });
});

describe('alignment', () => {
  it('principal angles: 1 inside, 0 across, the angle between', () => {
    const right = new Float64Array(2 * 5);
    right[0] = 1;
    right[5 + 1] = 1;
    const e = (...values: number[]) => Float64Array.from([...values, ...Array(5 - values.length).fill(0)]);
    expect(Array.from(principalCosines([e(0, 3)], right, 2, 5)).slice(0, 2)).toEqual([1, -1]);
    expect(principalCosines([e(0, 0, 2)], right, 2, 5)[0]).toBe(0);
    expect(principalCosines([e(1, 0, 1)], right, 2, 5)[0]).toBeCloseTo(Math.SQRT1_2, 12);
    // A repeated direction adds no angle; two of three lie inside.
    const angles = principalCosines([e(1), e(2), e(0, 1), e(0, 0, 1)], right, 2, 5);
    expect(Array.from(angles)).toEqual([1, 1, 0, -1, -1, -1]);
  });

  it('keeps the first vectors and the smallest that is no rounding', async () => {
    const source = random(4);
    const rows = Array.from({ length: 7 }, () => Array.from({ length: 30 }, () => source.normal()));
    const kept = async (rank: number, pictures: number, k = 20) => {
      // Rank 7 at most: rows repeat.
      const found = await geometryOfInput(
        engine,
        mapOf(20, 30, (i, j) => rows[i % rank]![j]!),
        {
          k,
          seed: 1,
          input: 0,
          pictures,
        },
      );
      expect(found.right.length).toBe(30 * found.triplets.length);
      return Array.from(found.triplets);
    };
    expect(await kept(7, 3)).toEqual([0, 1, 2, 6]);
    expect(await kept(7, 3, 5)).toEqual([0, 1, 2, 4]);
    expect(await kept(7, 7)).toEqual([0, 1, 2, 3, 4, 5, 6, 19]);
    expect(await kept(2, 3)).toEqual([0, 1, 2, 19]);
    expect(await kept(7, 0)).toEqual([]);
  });

  it('finds a map made of tangents and nothing else; steps along it move the output, across do not', async () => {
    const source = random(2);
    const shape = [8, 8, 1] as const;
    const x = Float32Array.from({ length: 64 }, () => source.uniform());
    const tangents = tangentVectors(x, shape);
    const names = ['rotation', 'translation x', 'shear'] as const;
    const map = mapOf(3, 64, (i, j) => tangents.get(names[i]!)![j]!);
    const inputs = [];
    for (const input of [0, 1])
      inputs.push(
        await geometryOfInput(engine, map, {
          k: 3,
          seed: 1,
          input,
          pictures: 2,
          picture: { x, shape },
          evaluate: (block, count) => map.jvp(block, count),
        }),
      );
    const spectrum = summariseSpectrum(
      {
        snapshot: { id: 'a', epoch: 1, step: 1 },
        kind: 'depth',
        from: 'input',
        to: 'L',
        rows: 3,
        columns: 64,
        rowShape: [3],
        columnShape: [8, 8, 1],
      },
      inputs,
      1,
    );
    expect(spectrum.whole).toBe(true);
    expect(spectrum.vectors.length).toBe(1);
    expect(Array.from(spectrum.vectors[0]!.triplets)).toEqual([0, 1, 2]);
    expect(spectrum.vectors[0]!.right.length).toBe(3 * 64);
    const alignment = summariseAlignment(
      spectrum.snapshot,
      'L',
      Uint32Array.from([1, 2, 3]),
      inputs.map((i) => i.alignment!),
    );
    const cosine = (name: string) => alignment.cosine[alignment.names.indexOf(name) * 3 + 2]!;
    for (const name of names) expect(cosine(name)).toBeCloseTo(1, 5);
    // A random direction of 64: about √(3/64).
    expect(cosine('random')).toBeGreaterThan(0.1);
    expect(cosine('random')).toBeLessThan(0.35);
    expect(Array.from(alignment.principal.subarray(0, 3)).every((c) => c > 0.9999)).toBe(true);
    const curves = summarisePerturbation(
      spectrum.snapshot,
      'L',
      3,
      [0.05, 0.1, 0.2, 0.5, 1, 2, 4],
      inputs.map((i) => i.moved!),
    );
    const moved = (name: string, l: number) => curves.moved[curves.names.indexOf(name) * 7 + l]!;
    expect(moved('tangent', 4)).toBeGreaterThan(100 * moved('normal', 4));
    // Linear map: twice the step, twice the way.
    expect(moved('rotation', 5) / moved('rotation', 4)).toBeCloseTo(2, 3);
  });

  it('holds nothing against vectors of σ = 0, which any seed draws otherwise: they are no tangents', async () => {
    const source = random(7);
    const x = Float32Array.from({ length: 36 }, () => source.uniform());
    const shape = [6, 6, 1] as const;
    const of = async (rank: number, seed: number) => {
      const map = mapOf(5, 36, (i, j) => (i < rank ? Number(i === j) : 0));
      return geometryOfInput(engine, map, {
        k: 5,
        seed,
        input: 0,
        pictures: 0,
        picture: { x, shape },
        evaluate: (block, count) => map.jvp(block, count),
      });
    };
    const tangents = tangentVectors(x, shape);
    for (const seed of [1, 2]) {
      const { alignment, moved } = await of(2, seed);
      const shift = tangents.get('translation x')!;
      const inside = Math.hypot(shift[0]!, shift[1]!) / Math.hypot(...shift);
      // ks 1, 2, 3, 5: the third and later vectors add nothing.
      for (const s of [1, 2, 3]) expect(alignment!.cosine[4 + s]).toBeCloseTo(inside, 6);
      expect(Array.from(alignment!.principal.subarray(2))).toEqual([0, 0, 0, 0]);
      // Steps of 1: along, the identity on two coordinates; across, nothing.
      expect(moved![4]).toBeCloseTo(1, 5);
      expect(moved![7 + 4]).toBeCloseTo(0, 5);
      const none = await of(0, seed);
      expect(none.alignment!.cosine.every((c) => c === 0)).toBe(true);
      expect(Array.from(none.alignment!.principal)).toEqual(Array(6).fill(0));
      expect(none.moved![0]).toBe(-1);
      expect(none.moved![7]).toBe(0);
    }
  });

  it('counts inputs whose tangent vanished and leaves them out', async () => {
    const map = mapOf(2, 12, (i, j) => Number(i === j));
    const blank = await geometryOfInput(engine, map, {
      k: 2,
      seed: 1,
      input: 0,
      pictures: 1,
      picture: { x: new Float32Array(12), shape: [2, 2, 3] },
      evaluate: (block, count) => map.jvp(block, count),
    });
    const full = await geometryOfInput(engine, map, {
      k: 2,
      seed: 1,
      input: 1,
      pictures: 1,
      picture: { x: Float32Array.from({ length: 12 }, (_, i) => i), shape: [2, 2, 3] },
    });
    const summary = summariseAlignment({ id: 'a', epoch: null, step: null }, 'L', Uint32Array.from([1, 2]), [
      blank.alignment!,
      full.alignment!,
    ]);
    expect(summary.vanished).toEqual(Object.fromEntries([...TANGENTS, 'shuffled'].map((name) => [name, 1])));
    expect(summary.cosine.every((c) => c >= 0 && c <= 1)).toBe(true);
    const curves = summarisePerturbation(
      { id: 'a', epoch: null, step: null },
      'L',
      2,
      [0.05, 0.1, 0.2, 0.5, 1, 2, 4],
      [blank.moved!],
    );
    expect(curves.names).toEqual(PERTURBATION_NAMES.slice(0, 3));
  });
});

describe('class trees', () => {
  const classes = ['cat', 'dog', 'car', 'truck'];
  /** Two inputs a class: animals steep, vehicles flat. */
  const sigma = Float64Array.from([
    ...[1, 0.1, 0.01, 1, 0.11, 0.01],
    ...[1, 0.12, 0.02, 1, 0.12, 0.02],
    ...[1, 0.9, 0.8, 1, 0.9, 0.8],
    ...[1, 0.95, 0.8, 1, 0.95, 0.85],
  ]);
  const labels = [0, 0, 1, 1, 2, 2, 3, 3];
  const spectrum = { snapshot: { id: 'a', epoch: 1, step: 1 }, to: 'L', sigma, k: 3 };

  it('join classes of alike spectra first and agree with the hierarchy that says so', async () => {
    const tree = (await classTree(engine, spectrum, labels, classes, [
      ['cat', 'dog'],
      ['car', 'truck'],
    ]))!;
    expect(Array.from(tree.left.subarray(0, 2)).sort()).toEqual([0, 2]);
    expect(tree.agreement.value).toBeGreaterThan(0.95);
    const wrong = (await classTree(engine, spectrum, labels, classes, [
      ['cat', 'car'],
      ['dog', 'truck'],
    ]))!;
    expect(wrong.agreement.value).toBeLessThan(0.1);
    expect((await classTree(engine, spectrum, labels, classes, null))!.agreement.value).toBeNull();
    expect(await classTree(engine, spectrum, Array(8).fill(2), classes, null)).toBeNull();
    expect(tree.logSpectra[0]).toBeCloseTo(0, 12);
  });

  it('stay finite with σ = 0, and an all-equal tree has no agreement', async () => {
    const tree = (await classTree(engine, { ...spectrum, sigma: new Float64Array(24) }, labels, classes, [
      ['cat', 'dog'],
      ['car', 'truck'],
    ]))!;
    expect(tree.agreement).toMatchObject({ value: null });
    expect(tree.logSpectra.every(Number.isFinite)).toBe(true);
  });

  it('a hierarchy without groups has none either, of however many classes', async () => {
    for (let n = 3; n <= 12; n++) {
      const source = random(n);
      const tree = (await classTree(
        engine,
        { ...spectrum, sigma: Float64Array.from({ length: 3 * n }, () => source.uniform()) },
        Array.from({ length: n }, (_, i) => i),
        null,
        Array.from({ length: n }, (_, i) => i),
      ))!;
      expect(tree.agreement, `${n} classes`).toEqual({
        value: null,
        reason: 'all distances are equal in the hierarchy',
      });
    }
  });

  it('read a hierarchy as heights of common groups, and refuse one that is no hierarchy of the classes', () => {
    expect(
      Array.from(
        hierarchyDistances(
          [
            [0, 1],
            [2, [3]],
          ],
          [0, 1, 2, 3],
          null,
        ),
      ),
    ).toEqual([1, 3, 3, 3, 3, 2]);
    const code = (hierarchy: never) => () => hierarchyDistances(hierarchy, [0, 1, 2, 3], classes);
    expect(code([['cat', 'dog'], ['car']] as never)).toThrow(/leaves out truck/);
    expect(
      code([
        ['cat', 'dog'],
        ['car', 'cat', 'truck'],
      ] as never),
    ).toThrow(/stands twice/);
    expect(code([['cat', 'cow']] as never)).toThrow(/got "cow"/);
  });
});

describe('hierarchyTest', () => {
  // Four classes: 0 with 1 and 2 with 3, in SciPy's numbering.
  const tree = {
    classes: Uint32Array.of(0, 1, 2, 3),
    left: Uint32Array.of(0, 2, 4),
    right: Uint32Array.of(1, 3, 5),
    heights: Float32Array.of(1, 1, 3),
  };
  const names = ['a', 'b', 'c', 'd'];
  it('gives the tree the share of shuffles that fit as well: of three pairings one', () => {
    const { correlation, p } = hierarchyTest(
      tree,
      names,
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      { permutations: 3000 },
    );
    expect(correlation.value).toBeCloseTo(1, 12);
    expect(p.value).toBeCloseTo(1 / 3, 1);
  });
  it('gives a wrong one nothing, the same for the same seed', () => {
    const wrong = [
      ['a', 'c'],
      ['b', 'd'],
    ];
    const { correlation, p } = hierarchyTest(tree, names, wrong, { permutations: 500 });
    expect(correlation.value).toBeCloseTo(-0.5, 12);
    expect(p.value).toBe(1);
    expect(hierarchyTest(tree, names, wrong, { permutations: 500 })).toEqual({
      correlation,
      p,
      permutations: 500,
    });
  });
  it('is undefined with the reason where there are no groups, and refuses classes left out', () => {
    expect(hierarchyTest(tree, names, ['a', 'b', 'c', 'd']).p).toEqual({
      value: null,
      reason: 'all distances are equal in the hierarchy',
    });
    expect(() => hierarchyTest(tree, names, [['a', 'b'], 'c'])).toThrow('it leaves out d');
  });
});
