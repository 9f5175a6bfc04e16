import { describe, expect, it } from 'vitest';
import {
  applyMask,
  chooseRegions,
  findRegions,
  type LabelRegions,
  magnitudeMask,
  PAPER_OPTIONS,
  type PruneTarget,
  pruneRounds,
  removalShares,
  removeRegions,
} from './index.js';

/** Flood fill: independent of the kernel. */
const label: LabelRegions = (masks, [count, height, width], { neighbours }) => {
  const labels = new Uint32Array(masks.length);
  const counts = new Uint32Array(count);
  for (let m = 0; m < count; m++) {
    for (let p = 0; p < height * width; p++) {
      const at = m * height * width + p;
      if (!masks[at] || labels[at]) continue;
      labels[at] = ++counts[m]!;
      const stack = [p];
      while (stack.length) {
        const q = stack.pop()!;
        for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++) {
            if (neighbours === 4 && dx && dy) continue;
            const y = Math.floor(q / width) + dy;
            const x = (q % width) + dx;
            const next = m * height * width + y * width + x;
            if (y < 0 || x < 0 || y >= height || x >= width || !masks[next] || labels[next]) continue;
            labels[next] = counts[m]!;
            stack.push(y * width + x);
          }
        }
      }
    }
  }
  return { labels, counts };
};

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
    const regions = await findRegions(weights, mask, [2, 3, 1], 2, 4, label);
    // Unit 0: {9, 8} and {1}. Unit 1: {2}, {3, 4}.
    expect([...regions.offsets]).toEqual([0, 2, 4]);
    expect([...regions.index]).toEqual([8.5, 1, 2, 3.5]);
    expect([...regions.size]).toEqual([2, 1, 1, 2]);
  });

  it('are ranked over the network or within each unit', async () => {
    const regions = await findRegions(weights, mask, [2, 3, 1], 2, 4, label);
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
    const regions = await findRegions(weights, mask, [2, 3, 1], 2, 4, label, gradient);
    expect([...regions.effect!]).toEqual([0, 5, 2, 1]);
    expect([...chooseRegions(regions, 0.25, 'loss', 'count')]).toEqual([1, 0, 0, 0]);
  });

  it('join diagonally under 8 neighbours only', async () => {
    const w = Float32Array.from([1, 0, 0, 1]);
    const m = Uint8Array.from([1, 0, 0, 1]);
    expect((await findRegions(w, m, [2, 2, 1], 1, 4, label)).index.length).toBe(2);
    expect((await findRegions(w, m, [2, 2, 1], 1, 8, label)).index.length).toBe(1);
  });

  it('of RGB pictures hold every remaining channel of their pixels', async () => {
    // 1×2 pixels, 3 channels, 1 unit.
    const w = Float32Array.from([1, 0, 2, 0, 6, 0]);
    const regions = await findRegions(w, Uint8Array.from([1, 0, 1, 0, 1, 0]), [1, 2, 3], 1, 4, label);
    expect([...regions.index]).toEqual([3]);
    expect([...removeRegions(Uint8Array.from([1, 0, 1, 0, 1, 0]), regions, Uint8Array.of(1), 3)]).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
  });

  it('removed leave the other regions whole', async () => {
    const regions = await findRegions(weights, mask, [2, 3, 1], 2, 4, label);
    const after = removeRegions(mask, regions, Uint8Array.of(0, 1, 1, 0), 1);
    expect([...applyMask(weights, after)]).toEqual([...two([9, 8, 0, 0, 0, 0], [0, 0, 3, 0, 0, 4])]);
  });

  it('of an empty mask are none', async () => {
    const regions = await findRegions(weights, new Uint8Array(12), [2, 3, 1], 2, 4, label);
    expect(chooseRegions(regions, 0.4, 'network', 'count').length).toBe(0);
  });
});

describe('removalShares', () => {
  it('counts units over 90 % and under 40 %', () => {
    const shares = removalShares(Uint8Array.from([0, 1, 0, 1, 0, 0, 0, 1]), 2);
    expect([...shares.perUnit]).toEqual([1, 0.25]);
    expect(shares).toMatchObject({ overall: 5 / 8, over90: 0.5, under40: 0.5 });
  });
});

describe('pruneRounds', () => {
  const target = (retrain?: PruneTarget['retrain']): PruneTarget => ({
    weights: Float32Array.from({ length: 48 }, (_, i) => Math.sin(i * 2.1) + 0.01 * i),
    inputShape: [4, 4, 1],
    units: 3,
    evaluate: async (w) => ({ value: w.filter((x) => x !== 0).length }),
    retrain: retrain ?? (async (w, m) => w.map((x, i) => (m[i] ? x * 1.5 : 0))),
  });

  it('removes the rates within one weight or region, and never gives a weight back', async () => {
    const rounds = [];
    for await (const round of pruneRounds(target(), label, { ...PAPER_OPTIONS, rounds: 3 }))
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
        label,
        PAPER_OPTIONS,
      ));
    };
    await expect(run()).rejects.toThrow('after retraining');
  });
});
