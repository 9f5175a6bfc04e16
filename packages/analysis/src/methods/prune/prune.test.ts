import { labelRegionsReference } from '@epochscope/core-wasm/reference';
import { describe, expect, it } from 'vitest';
import {
  accuracyAtRemoval,
  applyMask,
  chooseRegions,
  equalAccuracy,
  findRegions,
  magnitudeMask,
  PAPER_OPTIONS,
  type PictureLayout,
  type PruneRound,
  type PruneTarget,
  pictureLayout,
  pruneRounds,
  regionsLeft,
  removalShares,
  removeRegions,
} from './index.js';

/** Flood fill in place of the kernel. */
const engine = {
  labelRegions: async (
    masks: Uint8Array,
    shape: readonly [number, number, number],
    { neighbours }: { neighbours: 4 | 8 },
  ) => labelRegionsReference(masks, shape, neighbours),
};
const layout = (
  inputShape: [number, number, number],
  units: number,
  more: Partial<PictureLayout> = {},
): PictureLayout => ({
  layer: 'F1',
  tensor: 'F1.kernel',
  kind: 'dense',
  inputShape,
  units,
  apart: false,
  ...more,
});
const FOUR = { neighbours: 4 } as const;
const EIGHT = { neighbours: 8 } as const;

/** Two 2×3 pictures as [inputs, units]. */
const two = (a: number[], b: number[]) => Float32Array.from(a.flatMap((x, i) => [x, b[i]!]));
const A = [9, 8, 0, 0, 0, 1];
const B = [2, 0, 3, 0, 0, 4];
const weights = two(A, B);
const mask = Uint8Array.from(weights, (w) => (w ? 1 : 0));

describe('magnitudeMask', () => {
  it('removes exactly the rate, smallest first, ties by lower index', () => {
    expect([...magnitudeMask(Float32Array.from([3, -1, 2, -5]), 0.5)]).toEqual([1, 0, 0, 1]);
    expect([...magnitudeMask(Float32Array.from([1, -1, 1, 1]), 0.5)]).toEqual([0, 0, 1, 1]);
    for (const rate of [0, 0.1, 0.33, 0.5, 0.99, 1]) {
      const w = Float32Array.from({ length: 101 }, (_, i) => Math.sin(i * 7.3));
      expect(magnitudeMask(w, rate).filter((kept) => !kept).length).toBe(Math.round(rate * 101));
    }
    expect(magnitudeMask(new Float32Array(0), 0.5).length).toBe(0);
  });
  it('refuses rates outside 0 … 1 and NaN', () => {
    expect(() => magnitudeMask(weights, 1.1)).toThrow('expected 0 … 1, got 1.1');
    expect(() => magnitudeMask(Float32Array.from([1, Number.NaN]), 0.5)).toThrow('got NaN at index 1');
  });
});

describe('regions', () => {
  it('have the mean of |w| as index', async () => {
    const regions = await findRegions(weights, mask, layout([2, 3, 1], 2), engine, FOUR);
    // Unit 0: {9, 8} and {1}. Unit 1: {2}, {3, 4}.
    expect([...regions.offsets]).toEqual([0, 2, 4]);
    expect([...regions.index]).toEqual([8.5, 1, 2, 3.5]);
    expect([...regions.size]).toEqual([2, 1, 1, 2]);
  });

  it('are ranked over the network or within each unit', async () => {
    const regions = await findRegions(weights, mask, layout([2, 3, 1], 2), engine, FOUR);
    expect([...chooseRegions(regions, 0.5, 'network', 'count')]).toEqual([0, 1, 1, 0]);
    expect([...chooseRegions(regions, 0.5, 'unit', 'count')]).toEqual([0, 1, 1, 0]);
    expect([...chooseRegions(regions, 0.75, 'network', 'count')]).toEqual([0, 1, 1, 1]);
    // Masses 17, 1, 2, 7 of 27: 0.4 allows 10.8 → 1 + 2 + 7.
    expect([...chooseRegions(regions, 0.4, 'network', 'mass')]).toEqual([0, 1, 1, 1]);
    expect([...chooseRegions(regions, 1, 'network', 'mass')]).toEqual([1, 1, 1, 1]);
    expect(() => chooseRegions(regions, 0.5, 'loss', 'count')).toThrow('needs the gradient');
  });

  it('by loss go in the order of |Σ w·g|', async () => {
    const gradient = two([0, 0, 0, 0, 0, 5], [1, 0, 1, 0, 0, -1]);
    const regions = await findRegions(weights, mask, layout([2, 3, 1], 2), engine, FOUR, gradient);
    expect([...regions.effect!]).toEqual([0, 5, 2, 1]);
    expect([...chooseRegions(regions, 0.25, 'loss', 'count')]).toEqual([1, 0, 0, 0]);
  });

  it('join diagonally under 8 neighbours only', async () => {
    const w = Float32Array.from([1, 0, 0, 1]);
    const m = Uint8Array.from([1, 0, 0, 1]);
    expect((await findRegions(w, m, layout([2, 2, 1], 1), engine, FOUR)).index.length).toBe(2);
    expect((await findRegions(w, m, layout([2, 2, 1], 1), engine, EIGHT)).index.length).toBe(1);
  });

  it('of RGB pictures hold every remaining channel of their pixels', async () => {
    // 1×2 pixels, 3 channels, 1 unit.
    const w = Float32Array.from([1, 0, 2, 0, 6, 0]);
    const regions = await findRegions(
      w,
      Uint8Array.from([1, 0, 1, 0, 1, 0]),
      layout([1, 2, 3], 1),
      engine,
      FOUR,
    );
    expect([...regions.index]).toEqual([3]);
    expect([...removeRegions(Uint8Array.from([1, 0, 1, 0, 1, 0]), regions, Uint8Array.of(1))]).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
  });

  it('removed leave the other regions whole', async () => {
    const regions = await findRegions(weights, mask, layout([2, 3, 1], 2), engine, FOUR);
    const after = removeRegions(mask, regions, Uint8Array.of(0, 1, 1, 0));
    expect([...applyMask(weights, after)]).toEqual([...two([9, 8, 0, 0, 0, 0], [0, 0, 3, 0, 0, 4])]);
  });

  it('of feature maps are apart, and a unit ranks those of all its maps', async () => {
    // 1×3 pixels, 2 maps, 2 units: weight [pixel, map, unit]. Unit 0: map 0 {4, 3}, map 1 {1}, {2}. Unit 1: map 1 {5}.
    const w = Float32Array.from([4, 0, 1, 5, 3, 0, 0, 0, 0, 0, 2, 0]);
    const kept = w.map((x) => (x ? 1 : 0));
    const maps = layout([1, 3, 2], 2, { apart: true });
    const regions = await findRegions(w, Uint8Array.from(kept), maps, engine, FOUR);
    expect([...regions.offsets]).toEqual([0, 1, 1, 3, 4]);
    expect([...regions.index]).toEqual([3.5, 1, 2, 5]);
    expect([...chooseRegions(regions, 0.5, 'unit', 'count')]).toEqual([0, 1, 1, 1]);
    expect([...chooseRegions(regions, 0.5, 'network', 'count')]).toEqual([0, 1, 1, 0]);
    const after = removeRegions(Uint8Array.from(kept), regions, Uint8Array.of(0, 0, 1, 0));
    expect([...applyMask(w, after)]).toEqual([4, 0, 1, 5, 3, 0, 0, 0, 0, 0, 0, 0]);
    // Unit 0: 3 regions, the largest 2 of 6 weights; unit 1: one of 1.
    expect(regionsLeft(regions)).toEqual({
      regions: 4,
      perUnit: { value: 2 },
      largestShare: { value: (2 / 6 + 1 / 6) / 2 },
      largestOverHalf: { value: 0 },
    });
    expect(regionsLeft(await findRegions(w, new Uint8Array(12), maps, engine, FOUR)).perUnit).toEqual({
      value: null,
      reason: 'every unit lost all of its weights',
    });
  });

  it('of an empty mask are none', async () => {
    const regions = await findRegions(weights, new Uint8Array(12), layout([2, 3, 1], 2), engine, FOUR);
    expect(chooseRegions(regions, 0.4, 'network', 'count').length).toBe(0);
  });
});

describe('removalShares', () => {
  it('counts units over 90 % and under 40 %', () => {
    const shares = removalShares(Uint8Array.from([0, 1, 0, 1, 0, 0, 0, 1]), 2);
    expect([...shares.perUnit]).toEqual([1, 0.25]);
    expect(shares).toMatchObject({ overall: 5 / 8, over90: 0.5, under40: 0.5, emptied: 0.5 });
  });
});

describe('pruneRounds', () => {
  const target = (retrain?: PruneTarget['retrain']): PruneTarget => ({
    weights: Float32Array.from({ length: 48 }, (_, i) => Math.sin(i * 2.1) + 0.01 * i),
    layout: layout([4, 4, 1], 3),
    evaluate: async (w) => ({ value: w.filter((x) => x !== 0).length }),
    retrain: retrain ?? (async (w, m) => w.map((x, i) => (m[i] ? x * 1.5 : 0))),
  });

  it('removes the rates within one weight or region, and never gives a weight back', async () => {
    const rounds: PruneRound[] = [];
    for await (const round of pruneRounds(target(), engine, { ...PAPER_OPTIONS, rounds: 3 }))
      rounds.push(round);
    expect(rounds.map((r) => r.round)).toEqual([0, 1, 2, 3]);
    expect(rounds[0]!.mask.filter((m) => !m).length).toBe(24);
    for (let r = 1; r < rounds.length; r++) {
      const { before, removed } = rounds[r]!.regions!;
      expect(Math.abs(removed - 0.4 * before)).toBeLessThanOrEqual(0.5);
      rounds[r]!.mask.forEach((m, i) => {
        expect(m).toBeLessThanOrEqual(rounds[r - 1]!.mask[i]!);
        if (!m) expect(rounds[r]!.weights[i]).toBe(0);
      });
    }
  });

  it('notices retraining that revives a removed weight', async () => {
    const run = async () => {
      for await (const _ of pruneRounds(
        target(async (w) => w.map(() => 1)),
        engine,
        PAPER_OPTIONS,
      ));
    };
    await expect(run()).rejects.toThrow('after retraining');
  });

  it('goes on from a round that is done as if it had not stopped', async () => {
    const all = [];
    for await (const round of pruneRounds(target(), engine, { ...PAPER_OPTIONS, rounds: 3 })) all.push(round);
    const rest = [];
    for await (const round of pruneRounds(target(), engine, { ...PAPER_OPTIONS, rounds: 3 }, all[1]))
      rest.push(round);
    expect(rest).toEqual(all.slice(2));
  });

  it('without a net gives masks, and says why accuracies are missing', async () => {
    const rounds = [];
    for await (const round of pruneRounds({ ...target(), retrain: null }, engine, PAPER_OPTIONS))
      rounds.push(round);
    expect(rounds[1]!.accuracyAfterRetraining).toEqual({ value: null, reason: 'the net was not retrained' });
  });

  it.each([
    [{ rounds: 1.5 }, 'rounds: expected a whole number'],
    [{ magnitude: 2 }, 'magnitude rate: expected 0 … 1, got 2'],
    [{ regions: Number.NaN }, 'regions rate: expected 0 … 1, got NaN'],
    [{ ranking: 'loss' as const }, 'needs the gradient'],
  ])('refuses %j', async (wrong, message) => {
    await expect(pruneRounds(target(), engine, { ...PAPER_OPTIONS, ...wrong }).next()).rejects.toThrow(
      message,
    );
  });
});

describe('equalAccuracy', () => {
  const round = (n: number, overall: number, value: number | null) => ({
    round: n,
    removed: { overall } as never,
    accuracyAfterRetraining: value === null ? { value, reason: 'none' } : { value },
  });
  const rounds = [round(0, 0.5, null), round(1, 0.6, 0.95), round(2, 0.8, 0.85), round(3, 0.9, 0.9)];
  it('interpolates where the accuracy is first passed', () => {
    expect(equalAccuracy(0.97, rounds, 0.9)).toMatchObject({
      round: 1,
      removed: { value: expect.closeTo(0.7) },
    });
    expect(equalAccuracy(0.97, rounds, 0.96)).toMatchObject({
      round: null,
      removed: { value: expect.closeTo(0.3) },
    });
    expect(equalAccuracy(0.97, rounds, 0.97).removed.value).toBe(0);
  });
  it('gives the accuracy at one share removed, too', () => {
    expect(accuracyAtRemoval(0.97, rounds, 0.7).value).toBeCloseTo(0.9);
    expect(accuracyAtRemoval(0.97, rounds, 0.3).value).toBeCloseTo(0.96);
    expect(accuracyAtRemoval(0.97, rounds, 0).value).toBeCloseTo(0.97);
    expect(accuracyAtRemoval(0.97, rounds, 0.95)).toEqual({
      value: null,
      reason: 'at most 90.0 % were removed',
    });
  });
  it('is undefined, with the reason, outside of what was measured', () => {
    expect(equalAccuracy(0.97, rounds.slice(0, 2), 0.9).removed).toMatchObject({
      value: null,
      reason: expect.stringContaining('60.0 % removed: more rounds'),
    });
    expect(equalAccuracy(0.8, rounds, 0.9).removed).toMatchObject({ value: null });
    expect(equalAccuracy(Number.NaN, [], 0.9).removed.value).toBe(null);
  });
});

describe('pictureLayout', () => {
  const layer = (name: string, kind: string, shape: number[]) => ({
    name,
    kind,
    shape,
    parameters: kind === 'dense' || kind === 'conv2d' ? [`${name}.kernel`, `${name}.bias`] : [],
  });
  const cnn = [
    layer('C1', 'conv2d', [28, 28, 6]),
    layer('R1', 'relu', [28, 28, 6]),
    layer('P1', 'max-pool', [14, 14, 6]),
    layer('C2', 'conv2d', [14, 14, 8]),
    layer('F1', 'dense', [10]),
    layer('F2', 'dense', [5]),
  ];
  const shapes: Record<string, number[]> = {
    'C1.kernel': [5, 5, 3, 6],
    'C2.kernel': [1, 1, 6, 8],
    'F1.kernel': [14 * 14 * 8, 10],
    'F2.kernel': [10, 5],
  };
  const of = (wanted?: string, layers = cnn, input: number[] | null = [28, 28, 3]) =>
    pictureLayout(layers, input, (tensor) => shapes[tensor], wanted);

  it('keeps colours together and feature maps apart', () => {
    expect(of()).toEqual(layout([14, 14, 8], 10, { apart: true }));
    expect(of('C1')).toEqual(layout([5, 5, 3], 6, { layer: 'C1', tensor: 'C1.kernel', kind: 'conv2d' }));
    const mlp = [layer('F1', 'dense', [10])];
    expect(of(undefined, mlp, [14, 14, 8])).toEqual(layout([14, 14, 8], 10));
    expect(of(undefined, mlp, [14 * 8, 14]).inputShape).toEqual([112, 14, 1]);
    expect(of(undefined, [layer('flat', 'flatten', [1568]), ...mlp], [14, 14, 8]).inputShape).toEqual([
      14, 14, 8,
    ]);
  });

  it.each([
    ['F2', 'takes [10], not pictures'],
    ['C2', 'pictures of 1×1: too small to have regions'],
    ['R1', 'is relu: only dense and conv2d'],
    ['X', 'there is no layer X; layers that can be pruned: C1, C2, F1, F2'],
  ])('refuses %s with the reason', (name, message) => {
    expect(() => of(name)).toThrow(message);
  });
  it('advises what can be pruned, and never the layer itself', () => {
    const torch = [
      layer('conv', 'conv2d', [12, 8, 2]),
      layer('flat', 'flatten-channels-first', [192]),
      layer('F1', 'dense', [10]),
    ];
    expect(() => of(undefined, torch)).toThrow(
      'layer F1 takes [192], not pictures: its weights have no neighbours (maps that were flattened channel by channel). Choose a convolution: conv',
    );
    const deep = [layer('F1', 'dense', [10]), layer('F2', 'dense', [5])];
    expect(() => of('F2', deep)).toThrow('Choose the first dense layer, F1');
    expect(() => of(undefined, [layer('F1', 'dense', [10])], [8])).toThrow('it has no layer over images');
  });
  it('of tokens, names what can be pruned instead', () => {
    expect(() => of(undefined, [layer('F1', 'dense', [6, 10])], [6, 8])).toThrow(
      'layer F1 reads 1568 numbers of each of 6 tokens or steps, not pictures: its weights have no neighbours. Prune whole units or heads (option units)',
    );
  });
  it('refuses weights that do not fit the inputs, and runs with none', () => {
    const mlp = [layer('F1', 'dense', [10])];
    expect(() => of(undefined, mlp)).toThrow('expected [2352, units] for inputs of 28×28×3, got [1568,10]');
    expect(() => of(undefined, mlp, null)).toThrow('inputs of unknown shape');
    expect(() => of(undefined, [])).toThrow('there is no dense layer; layers that can be pruned: none');
  });
});
