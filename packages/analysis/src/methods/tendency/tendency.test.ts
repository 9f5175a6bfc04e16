import { createInlineEngine } from '@epochscope/analysis';
import type { Matrix } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import { random } from '../../random.js';
import {
  adjustedRandIndex,
  analyseTendency,
  ascendingOrder,
  blockCounts,
  blockLabels,
  chooseSamples,
  findBlocks,
  normalisedMutualInformation,
  purity,
  rimScore,
  runsAfterCuts,
  type TendencyInput,
} from './index.js';

/** k Gaussian clusters on a line of centres, `size` samples each, shuffled. */
function blobs(k: number, size: number, seed: number): { x: Matrix; labels: Uint32Array } {
  const source = random(seed);
  const n = k * size;
  const labels = Uint32Array.from(source.permutation(n), (i) => i % k);
  const data = Float32Array.from(
    { length: 3 * n },
    (_, i) => (i % 3 === 0 ? 20 * labels[Math.floor(i / 3)]! : 0) + source.normal(),
  );
  return { x: { data, shape: [n, 3] }, labels };
}
const snapshot = { id: 'epoch-0001', epoch: 1, step: 80 };
const options = { metric: 'euclidean' as const, marks: [], vatSide: 0, seed: 1 };
const input = (x: Matrix, more: Partial<TendencyInput> = {}): TendencyInput => ({
  snapshot,
  layer: 'S5',
  outputs: x,
  labels: null,
  predictions: null,
  logLikelihood: null,
  ...more,
});

describe('block count', () => {
  it.each([1, 2, 5, 10])('finds %i separated clusters, stably, and agrees with the labels', async (k) => {
    const { x, labels } = blobs(k, 60, k);
    const panel = await analyseTendency(createInlineEngine(), input(x, { labels }), options);
    expect(panel.blocks.count).toBe(k);
    expect(panel.blocks.boundaries.length).toBe(k + 1);
    if (k > 1) {
      expect(panel.scores.ari.value).toBe(1);
      expect(panel.scores.nmi.value).toBeCloseTo(1, 12);
      expect(panel.scores.purity.value).toBe(1);
      expect(panel.blocks.stability.value).toBeGreaterThan(0.9);
    }
  });

  it('counts runs as a cut by definition does', () => {
    for (let seed = 0; seed < 20; seed++) {
      const source = random(seed);
      const weights = Float32Array.from({ length: 30 }, () => source.below(8));
      const { counts, covered } = blockCounts(weights, 3);
      const order = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]! || b - a);
      for (let r = 0; r <= 30; r++) {
        const cut = [
          0,
          ...order
            .slice(0, r)
            .map((i) => i + 1)
            .sort((a, b) => a - b),
          31,
        ];
        const expected = cut.slice(1).filter((end, i) => end - cut[i]! >= 3).length;
        expect(counts[r], `seed ${seed}, cut ${r}`).toBe(expected);
        const sizes = cut.slice(1).map((end, i) => end - cut[i]!);
        expect(covered[r]).toBe(sizes.filter((size) => size >= 3).reduce((a, b) => a + b, 0));
      }
    }
  });

  it('counts kept positions as if only they were there, across the largest weight on the way', () => {
    for (let seed = 0; seed < 50; seed++) {
      const source = random(seed);
      const n = 2 + source.below(40);
      const weights = Float32Array.from({ length: n - 1 }, () => source.below(6));
      const kept = source.subset(n, 1 + source.below(n));
      expect(kept.length === new Set(kept).size && kept.every((p) => p < n)).toBe(true);
      const between = Float32Array.from({ length: kept.length - 1 }, (_, i) =>
        Math.max(...weights.subarray(kept[i], kept[i + 1])),
      );
      const minimum = 1 + source.below(4);
      expect(blockCounts(weights, minimum, ascendingOrder(weights), kept), `seed ${seed}`).toEqual(
        blockCounts(between, minimum),
      );
    }
  });

  it('joins small runs one at a time by definition, and finds the blocks it counted', () => {
    for (let seed = 0; seed < 150; seed++) {
      const source = random(seed);
      const n = 2 + source.below(60);
      const weights = Float32Array.from({ length: n - 1 }, () => source.below(9));
      const cuts = source.below(n);
      const minimum = 1 + source.below(6);
      const descending = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]! || b - a);
      const starts = [0, ...descending.slice(0, cuts).map((i) => i + 1)].sort((a, b) => a - b);
      let runs = starts.map((from, i) => {
        const to = starts[i + 1] ?? n;
        return { from, to, block: to - from >= minimum };
      });
      const counted = runs.filter(({ block }) => block).length;
      for (;;) {
        // The lowest weight between two runs that are not both blocks.
        const open = runs
          .slice(1)
          .map(({ from }, i) => ({ from, i }))
          .filter(({ i }) => !(runs[i]!.block && runs[i + 1]!.block))
          .sort((a, b) => weights[a.from - 1]! - weights[b.from - 1]! || a.from - b.from)[0];
        if (!open) break;
        const [a, b] = [runs[open.i]!, runs[open.i + 1]!];
        runs = runs.toSpliced(open.i, 2, { from: a.from, to: b.to, block: a.block || b.block });
      }
      const boundaries = runsAfterCuts(weights, ascendingOrder(weights), cuts, minimum);
      expect([...boundaries], `seed ${seed}`).toEqual([...runs.map(({ from }) => from), n]);
      expect(boundaries.length - 1, `seed ${seed}`).toBe(Math.max(1, counted));
      expect(blockCounts(weights, minimum).counts[cuts], `seed ${seed}`).toBe(counted);
    }
  });

  it('tells the number whose stability it gives, also where short runs together are as long as a block', () => {
    // Three blocks of 20 samples, then 18 outliers in three runs of 6 that are nearer to each other than to the blocks.
    const weights = new Float32Array(77).fill(1.1);
    for (const [at, weight] of [
      [19, 1.9],
      [39, 1.88],
      [59, 2],
      [65, 1.98],
      [71, 1.96],
    ] as const)
      weights[at] = weight;
    expect(blockCounts(weights, 10).counts.subarray(0, 7)).toEqual(Int32Array.of(1, 2, 2, 1, 2, 3, 3));
    expect(findBlocks(weights, 78, { seed: 1 })).toMatchObject({
      count: 3,
      boundaries: Uint32Array.of(0, 20, 40, 78),
    });
  });

  it('sorts weights as a stable sort does, zeros of both signs and infinity included', () => {
    const weights = Float32Array.of(3, 0, -0, 1e-42, Number.POSITIVE_INFINITY, 3, 1e30, 0.5, 70000, 3);
    const expected = [...weights.keys()].sort((a, b) => weights[a]! - weights[b]! || a - b);
    expect([...ascendingOrder(weights)]).toEqual(expected);
  });

  it('is unstable where noise decides, and the same for the same seed', () => {
    const noise = random(5);
    const weights = Float32Array.from({ length: 199 }, () => noise.uniform());
    const { stability } = findBlocks(weights, 200, { seed: 1 });
    expect(stability.value).toBeLessThan(0.9);
    expect(findBlocks(weights, 200, { seed: 1 }).stability).toEqual(stability);
  });

  it('has a stated answer for no, one and two samples, and for equal ones', () => {
    expect(findBlocks(new Float32Array(0), 0, { seed: 1 })).toMatchObject({
      count: 0,
      stability: { value: null },
    });
    expect(findBlocks(new Float32Array(0), 1, { seed: 1 })).toMatchObject({
      count: 1,
      boundaries: Uint32Array.of(0, 1),
    });
    expect(findBlocks(Float32Array.of(3), 2, { seed: 1 })).toMatchObject({ count: 1 });
    expect(findBlocks(new Float32Array(99), 100, { seed: 1 })).toMatchObject({
      count: 1,
      boundaries: Uint32Array.of(0, 100),
    });
  });
});

describe('scores', () => {
  it('agree with worked examples', () => {
    const a = [0, 0, 1, 1];
    const b = [0, 0, 1, 2];
    // Contingency (2; 1, 1): pairs 1, rows 2, columns 1, expected 1/3, (1 − 1/3)/(1.5 − 1/3).
    expect(adjustedRandIndex(a, b).value).toBeCloseTo(4 / 7, 12);
    // scikit-learn: normalized_mutual_info_score = 0.8.
    expect(normalisedMutualInformation(a, b).value).toBeCloseTo(0.8, 12);
    expect(purity([0, 0, 0, 1], [1, 1, 2, 2]).value).toBe(0.75);
    expect(adjustedRandIndex([0, 1, 0, 1], [0, 0, 1, 1]).value).toBeCloseTo(-0.5, 12);
  });
  it('are null with a reason where undefined', () => {
    expect(adjustedRandIndex([0], [0]).value).toBeNull();
    expect(purity([], []).value).toBeNull();
  });
});

describe('rimScore', () => {
  const order = Uint32Array.from([0, 1, 2, 3, 4]);
  const one = Uint32Array.of(0, 5);
  it('is 1 when wrong samples are at the rim, 0 in the middle, 0.5 without difference', () => {
    expect(rimScore(one, order, [0, 1, 1, 1, 0]).value).toBe(1);
    expect(rimScore(one, order, [1, 1, 0, 1, 1]).value).toBe(0);
    expect(rimScore(one, order, [0, 1, 1, 1, 1]).value).toBeCloseTo(0.875, 12);
  });
  it('is null without wrong or right ones', () => {
    expect(rimScore(one, order, [1, 1, 1, 1, 1]).value).toBeNull();
    expect(rimScore(one, order, null).value).toBeNull();
  });
});

describe('marks', () => {
  const inputs = {
    n: 6,
    labels: [0, 0, 0, 1, 1, 1],
    predictions: [0, 1, 0, 1, 1, 0],
    logLikelihood: [-1, -3, -2, -1, -1, -9],
  };
  it('choose by rule', () => {
    expect(chooseSamples({ rule: 'top-likelihood', k: 2 }, inputs)).toEqual([0, 2, 3, 4]);
    expect(chooseSamples({ rule: 'wrong' }, inputs)).toEqual([1, 5]);
    expect(chooseSamples({ rule: 'correct', classes: [1] }, inputs)).toEqual([3, 4]);
    expect(chooseSamples({ rule: 'largest-loss', k: 2 }, inputs)).toEqual([1, 5]);
    expect(chooseSamples({ rule: 'index', samples: [4, 2, 4] }, inputs)).toEqual([2, 4]);
    const drawn = chooseSamples({ rule: 'random', k: 3, seed: 1 }, inputs);
    expect(drawn.length).toBe(3);
    expect(chooseSamples({ rule: 'random', k: 3, seed: 1 }, inputs)).toEqual(drawn);
  });
  it('take the likeliest of each predicted class where there are no labels', () => {
    const unlabelled = { ...inputs, labels: null };
    // Predicted 0: samples 0, 2, 5; predicted 1: 1, 3, 4.
    expect(chooseSamples({ rule: 'top-likelihood', k: 1 }, unlabelled)).toEqual([0, 3]);
    expect(() => chooseSamples({ rule: 'largest-loss', k: 1 }, unlabelled)).toThrow('need labels');
  });
  it('say what they need', () => {
    expect(() => chooseSamples({ rule: 'wrong' }, { ...inputs, predictions: null })).toThrow(
      'marks by wrong need predictions',
    );
    expect(() => chooseSamples({ rule: 'index', samples: [6] }, inputs)).toThrow(
      'expected a sample 0 … 5, got 6',
    );
  });
  it('stand at their position in the order', async () => {
    const { x, labels } = blobs(2, 20, 3);
    const panel = await analyseTendency(createInlineEngine(), input(x, { labels }), {
      ...options,
      marks: [{ rule: 'index', samples: [7] }],
    });
    expect(panel.order[panel.marks[0]!.position]).toBe(7);
    expect(panel.marks[0]).toMatchObject({ label: labels[7], correct: null });
  });
});

describe('analyseTendency', () => {
  it('names layer, snapshot and sample of a NaN', async () => {
    const { x } = blobs(2, 10, 1);
    x.data[3 * 4 + 1] = Number.NaN;
    await expect(analyseTendency(createInlineEngine(), input(x), options)).rejects.toThrow(
      'layer S5, snapshot epoch-0001: expected finite outputs, got NaN for sample 4, unit 1',
    );
  });
  it('refuses labels of another length', async () => {
    const { x } = blobs(2, 10, 1);
    await expect(
      analyseTendency(createInlineEngine(), input(x, { labels: [1, 2] }), options),
    ).rejects.toThrow('20 samples need 20 labels, got 2');
  });
  it.each([0, 1, 2])(
    'has an answer for %i samples, with labels, predictions and a VAT picture',
    async (n) => {
      const x: Matrix = { data: Float32Array.from({ length: 2 * n }, (_, i) => i), shape: [n, 2] };
      const panel = await analyseTendency(
        createInlineEngine(),
        input(x, {
          labels: new Uint32Array(n),
          predictions: new Uint32Array(n),
          logLikelihood: new Float32Array(n),
        }),
        { ...options, vatSide: 16, marks: [{ rule: 'top-likelihood', k: 10 }, { rule: 'wrong' }] },
      );
      expect(panel.order.length).toBe(n);
      expect(panel.weights.length).toBe(Math.max(0, n - 1));
      expect(panel.blocks.count).toBe(Math.min(n, 1));
      expect(panel.marks.length).toBe(n);
      expect(panel.rimScore.value).toBeNull();
      for (const figure of Object.values(panel.scores))
        expect(figure.value === null ? figure.reason : Number.isFinite(figure.value)).toBeTruthy();
      expect(panel.vat === null).toBe(n === 0);
    },
  );
  it('says of duplicates only that each is one block with weights of 0, whatever the metric', async () => {
    for (const metric of ['euclidean', 'manhattan', 'cosine', 'correlation'] as const) {
      const data = Float32Array.from({ length: 90 }, (_, i) => [1, 5, 2][i % 3]!);
      const panel = await analyseTendency(createInlineEngine(), input({ data, shape: [30, 3] }), {
        ...options,
        metric,
      });
      expect([...panel.weights], metric).toEqual(new Array(29).fill(0));
      expect(panel.blocks.count).toBe(1);
      expect([...panel.order].sort((a, b) => a - b)).toEqual([...Array(30).keys()]);
    }
  });
  it('says of a constant layer that it is one block, with weights of 0', async () => {
    const panel = await analyseTendency(
      createInlineEngine(),
      input({ data: new Float32Array(60).fill(2), shape: [20, 3] }),
      options,
    );
    expect(panel.blocks.count).toBe(1);
    expect([...panel.weights]).toEqual(new Array(19).fill(0));
  });
});

describe('the VAT image', () => {
  const engine = createInlineEngine();

  it('is the reordered matrix when there is a pixel a sample, for every metric', async () => {
    const { x } = blobs(2, 5, 1);
    const order = random(3).permutation(10);
    for (const metric of ['euclidean', 'manhattan', 'cosine', 'correlation'] as const) {
      const image = await engine.vatImage(x, order, { metric, side: 64, seed: 1 });
      expect(image).toMatchObject({ side: 10, pairsPerPixel: 'all' });
      const [i, j] = [order[2]!, order[7]!];
      const a = [...x.data.subarray(3 * i, 3 * i + 3)];
      const b = [...x.data.subarray(3 * j, 3 * j + 3)];
      const centre = (v: number[]) =>
        v.map((value) => value - (metric === 'correlation' ? v.reduce((p, q) => p + q) / 3 : 0));
      const [u, v] = [centre(a), centre(b)];
      const dot = (p: number[], q: number[]) => p.reduce((sum, value, k) => sum + value * q[k]!, 0);
      const expected =
        metric === 'euclidean'
          ? Math.hypot(...a.map((value, k) => value - b[k]!))
          : metric === 'manhattan'
            ? a.reduce((sum, value, k) => sum + Math.abs(value - b[k]!), 0)
            : 1 - dot(u, v) / Math.sqrt(dot(u, u) * dot(v, v));
      expect(image.data[2 * 10 + 7]).toBeCloseTo(expected, 5);
      expect(image.data[7 * 10 + 2]).toBe(image.data[2 * 10 + 7]);
    }
  });
  it('can be cancelled while it is drawn', async () => {
    const n = 3000;
    const x: Matrix = { data: new Float32Array(64 * n).fill(1), shape: [n, 64] };
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 1);
    await expect(
      engine.vatImage(x, random(1).permutation(n), {
        metric: 'euclidean',
        side: 3000,
        seed: 1,
        signal: controller.signal,
      }),
    ).rejects.toMatchObject({ code: 'cancelled' });
  });
  it('draws pairs with its seed when there are many, and says so', async () => {
    const { x } = blobs(2, 50, 1);
    const order = random(3).permutation(100);
    const options = { metric: 'euclidean', side: 10, seed: 5 } as const;
    const image = await engine.vatImage(x, order, options);
    expect(image.pairsPerPixel).toBe(4);
    expect((await engine.vatImage(x, order, options)).data).toEqual(image.data);
  });
});

it('blockLabels maps positions back to samples', () => {
  expect([...blockLabels(Uint32Array.of(0, 2, 3), Uint32Array.of(2, 0, 1))]).toEqual([0, 1, 0]);
});
