import { createInlineEngine } from '@epochscope/analysis';
import type { Matrix } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import { random } from '../../random.js';
import {
  adjustedRandIndex,
  analyseTendency,
  ascendingOrder,
  chooseSamples,
  normalisedMutualInformation,
  purity,
  rimScore,
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

it('sorts weights as a stable sort does, zeros of both signs and infinity included', () => {
  const weights = Float32Array.of(3, 0, -0, 1e-42, Number.POSITIVE_INFINITY, 3, 1e30, 0.5, 70000, 3);
  const expected = [...weights.keys()].sort((a, b) => weights[a]! - weights[b]! || a - b);
  expect([...ascendingOrder(weights)]).toEqual(expected);
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
  const order = Uint32Array.from([5, 0, 1, 2, 3, 4]);
  // Sample 5 is in no block.
  const one = { ranges: [{ start: 1, end: 6, clearness: 5 }] };
  it('is 1 when wrong samples are at the rim, 0 in the middle, 0.5 without difference, free ones left out', () => {
    for (const free of [0, 1]) {
      expect(rimScore(one, order, [0, 1, 1, 1, 0, free]).value).toBe(1);
      expect(rimScore(one, order, [1, 1, 0, 1, 1, free]).value).toBe(0);
      expect(rimScore(one, order, [0, 1, 1, 1, 1, free]).value).toBeCloseTo(0.875, 12);
    }
  });
  it('is null without wrong or right ones, and without blocks for their reason', () => {
    expect(rimScore(one, order, [1, 1, 1, 1, 1, 0]).value).toBeNull();
    expect(rimScore(one, order, null).value).toBeNull();
    expect(rimScore({ ranges: [], reason: 'why' }, order, [0, 1, 1, 1, 1, 1])).toEqual({
      value: null,
      reason: 'why',
    });
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
  it('are refused where they are more than a result can say', () => {
    const n = 1_000_001;
    const labels = new Uint32Array(n);
    expect(() => chooseSamples({ rule: 'class' }, { ...inputs, n, labels })).toThrow(
      'marks by class: 1000001 samples, at most 1000000 can be marked; choose fewer',
    );
    expect(chooseSamples({ rule: 'class' }, { ...inputs, n: n - 1, labels })).toHaveLength(n - 1);
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
      expect(panel.blocks).toMatchObject({ count: 0, ranges: [], shareInNone: 1 });
      expect(panel.marks.length).toBe(n);
      expect(panel.rimScore.value).toBeNull();
      for (const figure of Object.values(panel.scores).flatMap((scores) => Object.values(scores)))
        expect(figure.value === null ? figure.reason : Number.isFinite(figure.value)).toBeTruthy();
      expect(panel.vat === null).toBe(n === 0);
    },
  );
  it('finds no block among duplicates only, whose weights are 0 whatever the metric', async () => {
    for (const metric of ['euclidean', 'manhattan', 'cosine', 'correlation'] as const) {
      const data = Float32Array.from({ length: 150 }, (_, i) => [1, 5, 2][i % 3]!);
      const panel = await analyseTendency(createInlineEngine(), input({ data, shape: [50, 3] }), {
        ...options,
        metric,
      });
      expect([...panel.weights], metric).toEqual(new Array(49).fill(0));
      expect(panel.blocks.reason).toBe(
        'no clear blocks: the samples never split into two parts of 10 or more',
      );
      expect([...panel.order].sort((a, b) => a - b)).toEqual([...Array(50).keys()]);
    }
  });
  it('finds no block in a constant layer', async () => {
    const panel = await analyseTendency(
      createInlineEngine(),
      input({ data: new Float32Array(120).fill(2), shape: [40, 3] }),
      options,
    );
    expect(panel.blocks).toMatchObject({ count: 0, stability: { value: null } });
    expect([...panel.weights]).toEqual(new Array(39).fill(0));
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
