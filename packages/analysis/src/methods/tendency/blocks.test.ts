import { readFileSync } from 'node:fs';
import { createInlineEngine } from '@epochscope/analysis';
import type { Matrix } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import { random } from '../../random.js';
import { referenceBlocks } from './blocks-reference.js';
import {
  adjustedRandIndex,
  analyseTendency,
  assignFree,
  blockLabels,
  blockStability,
  blocksSentence,
  findBlocks,
  labelScores,
  type TendencyPanel,
} from './index.js';

const options = { metric: 'euclidean' as const, marks: [], vatSide: 0, seed: 1 };
/** k Gaussian clusters on a line of centres, `size` samples each, and before them `noise` samples far and wide. */
function blobs(
  k: number,
  size: number,
  seed: number,
  noise = 0,
  apart = 20,
): { x: Matrix; labels: Uint32Array } {
  const source = random(seed);
  const n = k * size + noise;
  const labels = Uint32Array.from({ length: n }, (_, i) => (i < noise ? k : (i - noise) % k));
  const data = Float32Array.from({ length: 3 * n }, (_, i) => {
    const label = labels[Math.floor(i / 3)]!;
    return label === k ? 200 * source.normal() : (i % 3 === 0 ? apart * label : 0) + source.normal();
  });
  return { x: { data, shape: [n, 3] }, labels };
}
const inputOf = (x: Matrix, labels: Uint32Array | null) => ({
  snapshot: { id: 's', epoch: 1, step: 1 },
  layer: 'S5',
  outputs: x,
  labels,
  predictions: null,
  logLikelihood: null,
});
const panelOf = (x: Matrix, labels: Uint32Array | null, more = {}) =>
  analyseTendency(createInlineEngine(), inputOf(x, labels), { ...options, ...more });

/** Weights of trees of many shapes: few values (ties, zeros), many, and blocks within blocks. */
function weightsOf(seed: number): Float32Array {
  const source = random(seed);
  const n = 40 + source.below(120);
  const kind = seed % 4;
  const period = 5 + source.below(25);
  return Float32Array.from({ length: n - 1 }, (_, i) => {
    if (kind === 0) return source.below(6);
    if (kind === 1) return source.uniform();
    const edge = (i + 1) % (4 * period) === 0 ? 8 : (i + 1) % period === 0 ? 3 : 1;
    return edge * (kind === 2 ? 0.5 + source.uniform() : 1 + source.below(3));
  });
}

describe('the rule equals its definition', () => {
  it('for every smallest size of trees of all kinds', () => {
    let found = 0;
    for (let seed = 0; seed < 48; seed++) {
      const weights = weightsOf(seed);
      const n = weights.length + 1;
      const { bySize } = findBlocks(weights, n);
      for (let smallest = 2; smallest <= n / 2; smallest++) {
        const name = `seed ${seed}, smallest ${smallest}`;
        const { candidates, excess, clear } = referenceBlocks(weights, smallest);
        const blocks = findBlocks(weights, n, { smallest, bySize: false });
        if (clear) {
          found++;
          expect(
            blocks.ranges.map(({ start, end }) => [start, end]),
            name,
          ).toEqual(candidates.map(({ start, end }) => [start, end]));
          blocks.ranges.forEach(({ clearness }, b) => {
            expect(clearness, name).toBeCloseTo(candidates[b]!.clearness, 10);
          });
        } else expect(blocks, name).toMatchObject({ count: 0, ranges: [], shareInNone: 1 });
        // The row that holds for this size.
        const row = bySize.smallest.findLastIndex((from) => from <= smallest);
        expect(bySize.count[row], name).toBe(clear ? candidates.length : 0);
        if (bySize.smallest[row] === smallest)
          expect(bySize.persistence[row]! * n, name).toBeCloseTo(excess, 8);
      }
    }
    // Else nothing was compared.
    expect(found).toBeGreaterThan(200);
  });

  it('changes nothing when distances are scaled or squared', () => {
    for (let seed = 1; seed < 40; seed += 2) {
      const weights = weightsOf(seed).map((w) => Math.fround(w + 0.25));
      const ranges = (list: Float32Array) =>
        findBlocks(list, list.length + 1).ranges.map(({ start, end }) => [start, end]);
      expect(ranges(weights.map((w) => w * 1024))).toEqual(ranges(weights));
      expect(ranges(weights.map((w) => w * w))).toEqual(ranges(weights));
    }
  });
});

// Trees and labels of hdbscan 0.8 and scikit-learn 1.x, as tests/fixtures/write_blocks.py made them.
const peers: { name: string; weights: number[]; smallest: number; hdbscan: number[]; sklearn: number[] }[] =
  JSON.parse(readFileSync(new URL('../../../../../tests/fixtures/blocks.json', import.meta.url), 'utf8'));

describe('blocks before the test for clearness are those of', () => {
  it.each(['hdbscan', 'sklearn'] as const)('%s on the same tree', (peer) => {
    expect(peers.length).toBeGreaterThan(10);
    for (const { name, weights, smallest, [peer]: theirs } of peers) {
      const { candidates } = referenceBlocks(Float32Array.from(weights), smallest);
      const ours = new Array<number>(weights.length + 1).fill(-1);
      candidates.forEach(({ start, end }, b) => {
        ours.fill(b, start, end);
      });
      // Their numbers of clusters come in another sequence.
      const numbers = new Map<number, number>([[-1, -1]]);
      const renamed = theirs.map((label) => {
        if (!numbers.has(label)) numbers.set(label, numbers.size - 1);
        return numbers.get(label)!;
      });
      expect(ours, `${name}, smallest ${smallest}`).toEqual(renamed);
    }
  });
});

describe('blocks', () => {
  it.each([2, 5, 10])('are %i clusters far apart, stably, in full agreement with the labels', async (k) => {
    const { x, labels } = blobs(k, 60, k);
    const { blocks, scores } = await panelOf(x, labels);
    expect(blocks.count).toBe(k);
    expect(blocks.reason).toBeUndefined();
    expect(scores.inBlocks.ari.value).toBe(1);
    expect(scores.overall.ari.value).toBeGreaterThan(0.98);
    expect(blocks.stability.value).toBeGreaterThan(0.9);
  });

  it('leave free what lies far from all, which the tree then gives to the nearest', async () => {
    const { x, labels } = blobs(3, 60, 4, 20);
    const panel = await panelOf(x, labels);
    const { count, ranges, shareInNone } = panel.blocks;
    expect(count).toBe(3);
    const inside = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    expect(shareInNone).toBe((200 - inside) / 200);
    expect(shareInNone).toBeGreaterThan(0.05);
    expect(panel.scores.inBlocks.ari.value).toBe(1);
    expect(panel.scores.overall.ari.value).toBeLessThan(1);
    expect(panel.scores.overall.purity.value).toBeGreaterThanOrEqual(0.9);
  });

  it('are none in noise, said with the reason, and then nothing else is defined', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const source = random(seed);
      const data = Float32Array.from({ length: 600 }, () => (seed % 2 ? source.normal() : source.uniform()));
      const { blocks, scores, rimScore } = await panelOf({ data, shape: [300, 2] }, new Uint32Array(300));
      expect(blocks).toMatchObject({ count: 0, ranges: [], shareInNone: 1, clearness: { value: null } });
      expect(blocks.reason).toMatch(/^no clear blocks: /);
      for (const figure of [blocks.stability, scores.inBlocks.ari, scores.overall.purity])
        expect(figure).toEqual({ value: null, reason: blocks.reason });
      expect(rimScore.value).toBeNull();
    }
  });

  it('need 40 samples', () => {
    const of = (n: number) => {
      const weights = new Float32Array(n - 1).fill(1);
      weights[(n >> 1) - 1] = 100;
      return findBlocks(weights, n);
    };
    expect(of(39)).toMatchObject({
      count: 0,
      reason: 'too few samples to count blocks: 39, at least 40 are needed',
      bySize: { smallest: new Uint32Array(0) },
    });
    expect(of(40).ranges.map(({ start, end }) => [start, end])).toEqual([
      [0, 20],
      [20, 40],
    ]);
    expect(findBlocks(new Float32Array(0), 0).reason).toBe('no samples');
    expect(findBlocks(new Float32Array(0), 1).count).toBe(0);
  });

  it('are found among zero weights too, as one-hot rows give them', () => {
    const weights = Float32Array.from({ length: 99 }, (_, i) => (i % 25 === 24 ? 1 : 0));
    const { count, ranges, clearness } = findBlocks(weights, 100);
    expect(count).toBe(4);
    expect(ranges.map(({ end }) => end)).toEqual([25, 50, 75, 100]);
    // No spread: 6; all of a block falls apart at once: log₂ 25.
    expect(clearness.value).toBeCloseTo(6 + Math.log2(25), 12);
  });

  it('refuse a smallest size below 2 and weights that are no distances', () => {
    expect(() => findBlocks(new Float32Array(99), 100, { smallest: 1 })).toThrow(
      'expected an integer ≥ 2, got 1',
    );
    expect(() => findBlocks(Float32Array.of(1, NaN), 3)).toThrow('got NaN at 1');
    expect(() => findBlocks(Float32Array.of(-1), 2)).toThrow('got -1 at 0');
  });

  it('hold a tree as deep as there are samples', () => {
    const n = 200_000;
    const rising = Float32Array.from({ length: n - 1 }, (_, i) => i + 1);
    for (const weights of [rising, rising.slice().reverse()]) expect(findBlocks(weights, n).count).toBe(0);
  });
});

describe('assignFree', () => {
  it('gives each free sample the block it is joined to first, by definition', () => {
    for (let seed = 0; seed < 60; seed++) {
      const source = random(seed);
      const n = 2 + source.below(40);
      const order = source.permutation(n);
      const parent = Uint32Array.from({ length: n - 1 }, (_, k) => order[source.below(k + 1)]!);
      const weights = Float32Array.from({ length: n - 1 }, () => source.below(5));
      const labels = Int32Array.from({ length: n }, () => source.below(6) - 3).map((b) => Math.max(-1, b));
      // Slowly: sets of free samples, and edges by rising weight.
      const expected = labels.slice();
      let sets = [...labels.keys()].filter((i) => labels[i]! < 0).map((i) => [i]);
      const edges = [...weights.keys()].sort((a, b) => weights[a]! - weights[b]! || a - b);
      for (const k of edges) {
        const ends = [order[k + 1]!, parent[k]!];
        const [a, b] = ends.map((sample) => sets.find((set) => set.includes(sample)));
        if (a && b && a !== b) sets = [...sets.filter((set) => set !== a && set !== b), [...a, ...b]];
        else if (a || b) {
          const set = (a ?? b)!;
          if (a && b) continue;
          for (const sample of set) expected[sample] = expected[a ? ends[1]! : ends[0]!]!;
          sets = sets.filter((other) => other !== set);
        }
      }
      expect(assignFree({ order, weights, parent }, labels), `seed ${seed}`).toEqual(expected);
      if (labels.some((b) => b >= 0)) expect(expected.every((b) => b >= 0)).toBe(true);
    }
  });
});

describe('stability', () => {
  it('is the mean best Jaccard index with blocks of trees built anew, by definition', async () => {
    const { x } = blobs(4, 50, 2, 12, 5.2);
    const engine = createInlineEngine();
    const { weights, order } = await engine.vat(x, { metric: 'euclidean' });
    const found = findBlocks(weights, order.length);
    const stability = await blockStability(engine, inputOf(x, null), found, order, {
      metric: 'euclidean',
      subsets: 4,
      seed: 9,
    });
    let sum = 0;
    const size = Math.round(0.8 * order.length);
    for (let s = 0; s < 4; s++) {
      const samples = [...random(9, s).subset(order.length, size)];
      const rows = Float32Array.from(samples.flatMap((i) => [...x.data.subarray(3 * i, 3 * i + 3)]));
      const vat = await engine.vat({ data: rows, shape: [size, 3] }, { metric: 'euclidean' });
      const again = findBlocks(vat.weights, size);
      const sets = again.ranges.map(
        ({ start, end }) => new Set([...vat.order.subarray(start, end)].map((i) => samples[i]!)),
      );
      for (const { start, end } of found.ranges) {
        const block = [...order.subarray(start, end)].filter((sample) => samples.includes(sample));
        const best = sets.map((set) => {
          const shared = block.filter((sample) => set.has(sample)).length;
          return shared / (block.length + set.size - shared);
        });
        sum += Math.max(0, ...best) / found.ranges.length / 4;
      }
    }
    expect(stability.value).toBeCloseTo(sum, 12);
    expect(sum).toBeLessThan(1);
  });

  it('is left out of many samples unless asked for, and says so', async () => {
    const { x } = blobs(4, 40, 2);
    const { blocks } = await panelOf(x, null, { stabilitySubsets: 0 });
    expect(blocks.stability).toEqual({
      value: null,
      reason: 'not worked out for 160 samples unless asked for',
    });
    expect((await panelOf(x, null)).blocks.stability).toEqual((await panelOf(x, null)).blocks.stability);
  });
});

describe('what is said of blocks', () => {
  const of = (
    count: number,
    shareInNone: number,
    ari: number | null,
    reason?: string,
    stability: number | null = 0.9,
  ) =>
    blocksSentence({
      blocks: { count, shareInNone, reason, stability: { value: stability } },
      scores: { inBlocks: { ari: ari === null ? { value: null, reason: 'x' } : { value: ari } } },
    } as TendencyPanel);
  it('is one sentence', () => {
    expect(of(10, 0.171, 0.956)).toBe('10 blocks, 17 % of the samples in none; ARI 0.96 in blocks');
    expect(of(2, 0, null)).toBe('2 blocks, every sample in one');
    expect(of(2, 0.0001, null)).toBe('2 blocks, under 1 % of the samples in none');
    expect(of(0, 1, null, 'no clear blocks: why')).toBe('no clear blocks: why');
    expect(of(7, 0.66, 0.87, undefined, 0.073)).toBe(
      '7 blocks, 66 % of the samples in none; ARI 0.87 in blocks; unstable: subsets of the samples show other blocks (0.07)',
    );
    expect(of(2, 0, null, undefined, null)).toBe('2 blocks, every sample in one');
  });

  it('scores only samples in blocks', () => {
    const scores = labelScores(Int32Array.of(0, 0, 1, 1, -1, -1), [3, 3, 4, 4, 3, 4], undefined);
    expect(scores.ari.value).toBe(1);
    expect(scores.purity.value).toBe(1);
    expect(labelScores(Int32Array.of(0), null, undefined).ari).toEqual({
      value: null,
      reason: 'there are no labels',
    });
  });

  it('blockLabels maps positions back to samples', () => {
    const ranges = [
      { start: 0, end: 1, clearness: 5 },
      { start: 2, end: 3, clearness: 5 },
    ];
    expect([...blockLabels({ ranges }, Uint32Array.of(2, 0, 1))]).toEqual([-1, 1, 0]);
    expect(adjustedRandIndex([0, 0, 1], [1, 1, 0]).value).toBe(1);
  });
});
