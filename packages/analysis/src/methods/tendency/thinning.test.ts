import { createInlineEngine } from '@epochscope/analysis';
import { ivatLookup, ivatValue, type Matrix } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import { random } from '../../random.js';
import {
  adjustedRandIndex,
  alignedView,
  alignOrder,
  alignPanels,
  analyseTendency,
  blockLabels,
  orderCorrelation,
  type TendencyInput,
  type TendencyPanel,
  type ThinningOptions,
  type ThinningPlan,
  thinOrder,
  thinTendency,
} from './index.js';

const options = { metric: 'euclidean' as const, marks: [], vatSide: 0, seed: 1 };
const reference = { snapshot: 's', layer: 'S5' };
const plain = (x: Matrix, more: Partial<TendencyInput> = {}): TendencyInput => ({
  snapshot: { id: 's', epoch: 1, step: 1 },
  layer: 'S5',
  outputs: x,
  labels: null,
  predictions: null,
  logLikelihood: null,
  ...more,
});
/** Gaussian clusters at the given centres on a line, in shuffled order. */
function blobs(centres: readonly number[], size: number, seed: number, spread = 1) {
  const source = random(seed);
  const n = centres.length * size;
  const labels = Uint32Array.from(source.permutation(n), (i) => i % centres.length);
  const data = Float32Array.from(
    { length: 2 * n },
    (_, i) => (i % 2 ? 0 : centres[labels[i >> 1]!]!) + spread * source.normal(),
  );
  return { x: { data, shape: [n, 2] } as Matrix, labels };
}
const panelOf = (input: TendencyInput) => analyseTendency(createInlineEngine(), input, options);

describe('alignOrder', () => {
  it('changes no iVAT value, whatever the reference', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const source = random(seed);
      const n = 1 + source.below(30);
      // Few values: many ties.
      const data = Float32Array.from({ length: 2 * n }, () => source.below(6));
      const panel = await panelOf(plain({ data, shape: [n, 2] }));
      const aligned = alignOrder(panel, source.permutation(n));
      expect([...aligned.order].sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
      const place = (order: Uint32Array) => [...Array(n).keys()].map((i) => order.indexOf(i));
      const [before, after] = [place(panel.order), place(aligned.order)];
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++)
          expect(ivatValue(aligned, after[i]!, after[j]!), `seed ${seed}, samples ${i}, ${j}`).toBe(
            ivatValue(panel, before[i]!, before[j]!),
          );
    }
  });

  it('gives an order back that is its own reference, and turns round one that is reversed', async () => {
    const panel = await panelOf(plain(blobs([0, 30, 70], 20, 3).x));
    expect(alignOrder(panel, panel.order).order).toEqual(panel.order);
    const reversed = {
      order: panel.order.slice().reverse(),
      weights: panel.weights.slice().reverse(),
    };
    const back = alignOrder(reversed, panel.order);
    expect(back.order).toEqual(panel.order);
    expect(back.weights).toEqual(panel.weights);
  });

  it('brings clusters that a shift of the data shuffled into the order of the reference', async () => {
    const first = blobs([0, 20, 50, 90], 25, 1);
    // The same samples, their clusters elsewhere: Prim passes through them in another sequence.
    const moved = { 0: 50, 1: 90, 2: 0, 3: 20 } as Record<number, number>;
    const noise = random(9);
    const data = Float32Array.from({ length: 200 }, (_, i) =>
      i % 2 ? 0 : moved[first.labels[i >> 1]!]! + noise.normal(),
    );
    const [a, b] = [await panelOf(plain(first.x)), await panelOf(plain({ data, shape: [100, 2] }))];
    const sequence = (order: Uint32Array) =>
      [...order].map((i) => first.labels[i]!).filter((l, p, all) => p === 0 || l !== all[p - 1]);
    expect(sequence(b.order)).not.toEqual(sequence(a.order));
    const [early, late] = alignPanels([b, { ...a, snapshot: { id: 't', epoch: 2, step: 2 } }]);
    expect(late).not.toHaveProperty('aligned');
    expect(alignedView(late!)).toBe(late);
    const view = alignedView(early!);
    expect(view.order).toEqual(early!.aligned!.order);
    // The same blocks, in other places.
    const blockOf = (p: TendencyPanel) => blockLabels(p.blocks, p.order);
    expect(adjustedRandIndex(blockOf(view), blockOf(early!)).value).toBe(1);
    expect(early!.aligned!.reference).toBe('t');
    expect(early!.aligned!.correlation.value!).toBeGreaterThan(early!.aligned!.before.value!);
    expect(sequence(early!.aligned!.order).length).toBe(4);
  });

  it('has an answer for no and one sample, and refuses another length', () => {
    const none = { order: new Uint32Array(0), weights: new Float32Array(0) };
    expect(alignOrder(none, none.order)).toEqual(none);
    const one = { order: Uint32Array.of(0), weights: new Float32Array(0) };
    expect(alignOrder(one, one.order)).toEqual(one);
    expect(() => alignOrder(one, none.order)).toThrow('expected a reference of 1 samples, got 0');
  });

  it('measures orders by Spearman', () => {
    const order = Uint32Array.of(0, 1, 2, 3, 4);
    expect(orderCorrelation(order, order).value).toBe(1);
    expect(orderCorrelation(order, order.slice().reverse()).value).toBe(-1);
    // Places 0 1 2 3 4 and 1 0 2 3 4: 1 − 6·2/(5·24).
    expect(orderCorrelation(order, Uint32Array.of(1, 0, 2, 3, 4)).value).toBeCloseTo(0.9, 12);
    expect(orderCorrelation(Uint32Array.of(0), Uint32Array.of(0)).value).toBeNull();
  });
});

describe('thinTendency', () => {
  const run = async (input: TendencyInput, plan: ThinningPlan, more: Partial<ThinningOptions> = {}) => {
    const panel = await panelOf(input);
    const thinning = await thinTendency(createInlineEngine(), [{ panel, input: async () => input }], {
      ...options,
      plan,
      reference,
      ...more,
    });
    return { panel, thinning };
  };

  it('keeps every i-th sample along the reference order', async () => {
    const order = random(1).permutation(11);
    expect([...thinOrder(order, 3)]).toEqual(
      [order[0]!, order[3]!, order[6]!, order[9]!].sort((a, b) => a - b),
    );
    const { x, labels } = blobs([0, 40], 50, 2);
    const { panel, thinning } = await run(plain(x, { labels }), { by: 'size', sizes: [100, 50, 30] });
    expect(thinning.steps.map(({ size, interval }) => [size, interval])).toEqual([
      [100, 1],
      [50, 2],
      [30, 100 / 30],
    ]);
    expect([...thinning.steps[1]!.samples]).toEqual(
      [...panel.order].filter((_, p) => p % 2 === 0).sort((a, b) => a - b),
    );
    expect(thinning.steps[2]!.samples.length).toBe(30);
    expect(new Set(thinning.steps[2]!.samples).size).toBe(30);
  });

  it('agrees wholly with itself when every sample is kept, and well where clusters are apart', async () => {
    const { x } = blobs([0, 40, 90], 40, 4);
    const { thinning } = await run(plain(x), { by: 'interval', intervals: [1, 2] });
    expect(thinning.steps[0]!.agreement[0]).toMatchObject({
      ari: { value: 1 },
      correlation: { value: expect.closeTo(1, 12) },
      pairs: 'all',
    });
    expect(thinning.steps[1]!.lowest.value).toBeGreaterThan(0.98);
    expect(thinning.chosen).toEqual({ value: null, reason: 'intervals were given' });
  });

  it('compares the values of the same samples: by definition', async () => {
    const { x } = blobs([0, 6], 12, 5);
    const { panel, thinning } = await run(plain(x), { by: 'interval', intervals: [2] });
    const { samples, panels, agreement } = thinning.steps[0]!;
    const full: number[] = [];
    const thin: number[] = [];
    for (let i = 0; i < samples.length; i++)
      for (let j = i + 1; j < samples.length; j++) {
        full.push(ivatValue(panel, panel.order.indexOf(samples[i]!), panel.order.indexOf(samples[j]!)));
        thin.push(ivatValue(panels[0]!, panels[0]!.order.indexOf(i), panels[0]!.order.indexOf(j)));
      }
    const mean = (v: number[]) => v.reduce((a, b) => a + b) / v.length;
    const [mx, my] = [mean(full), mean(thin)];
    const dot = (u: number[], a: number, v: number[], b: number) =>
      u.reduce((sum, value, k) => sum + (value - a) * (v[k]! - b), 0);
    const expected = dot(full, mx, thin, my) / Math.sqrt(dot(full, mx, full, mx) * dot(thin, my, thin, my));
    expect(agreement[0]!.correlation.value).toBeCloseTo(expected, 10);
    // The largest step on a way through fewer samples is never smaller.
    thin.forEach((value, k) => {
      expect(value).toBeGreaterThanOrEqual(full[k]!);
    });
  });

  it('draws a million pairs where there are more, near the figure of all', async () => {
    const { x } = blobs([0, 12], 1500, 6, 3);
    const input = plain(x);
    const { panel, thinning } = await run(input, { by: 'interval', intervals: [2] });
    const { samples, panels, agreement } = thinning.steps[0]!;
    expect(agreement[0]!.pairs).toBe(1_000_000);
    const place = new Uint32Array(panel.n);
    panel.order.forEach((sample, p) => {
      place[sample] = p;
    });
    const [inAll, inThinned] = [ivatLookup(panel), ivatLookup(panels[0]!)];
    let [sx, sy, sxx, syy, sxy, count] = [0, 0, 0, 0, 0, 0];
    for (let a = 0; a < samples.length; a++)
      for (let b = a + 1; b < samples.length; b++) {
        const u = inAll(place[samples[panels[0]!.order[a]!]!]!, place[samples[panels[0]!.order[b]!]!]!);
        const v = inThinned(a, b);
        sx += u;
        sy += v;
        sxx += u * u;
        syy += v * v;
        sxy += u * v;
        count++;
      }
    const expected = (sxy - (sx * sy) / count) / Math.sqrt((sxx - sx ** 2 / count) * (syy - sy ** 2 / count));
    expect(expected).toBeLessThan(0.999);
    // A million draws: the correlation's standard error is under 0.001.
    expect(Math.abs(agreement[0]!.correlation.value! - expected)).toBeLessThan(0.005);
  });

  it('chooses the largest interval up to which every panel agrees, and shows the first that does not', async () => {
    const { x } = blobs([0, 40, 90, 150], 150, 7);
    const { thinning } = await run(plain(x), { by: 'agreement', least: 0.95 });
    const chosen = thinning.chosen.value!;
    expect(chosen).toBeGreaterThanOrEqual(2);
    for (const step of thinning.steps)
      if (step.interval <= chosen) expect(step.lowest.value).toBeGreaterThanOrEqual(0.95);
    const beyond = thinning.steps.filter(({ interval }) => interval > chosen);
    expect(beyond.length).toBeLessThanOrEqual(1);
    for (const step of beyond) expect(step.lowest.value).toBeLessThan(0.95);

    // Noise: agreement falls at once, and nothing is chosen.
    const noise = random(3);
    const data = Float32Array.from({ length: 1200 }, () => noise.normal());
    const refused = (await run(plain({ data, shape: [200, 6] }), { by: 'agreement', least: 0.999 })).thinning;
    expect(refused.chosen).toEqual({ value: null, reason: 'interval 2 already agrees less than 0.999' });
    expect(refused.steps.length).toBe(1);
  });

  it('stops at the worst panel, which every other panel is compared up to', async () => {
    const good = plain(blobs([0, 80, 200], 100, 8).x);
    const noise = random(4);
    const bad = plain(
      { data: Float32Array.from({ length: 1800 }, () => noise.normal()), shape: [300, 6] },
      { layer: 'C1' },
    );
    const inputs = [good, bad];
    const sources = await Promise.all(
      inputs.map(async (input) => ({ panel: await panelOf(input), input: async () => input })),
    );
    const thinning = await thinTendency(createInlineEngine(), sources, {
      ...options,
      reference,
      plan: { by: 'agreement', least: 0.99 },
    });
    expect(thinning.steps.length).toBe(1);
    expect(thinning.steps[0]!.agreement.map(({ layer }) => layer)).toEqual(['S5', 'C1']);
    expect(thinning.chosen.value).toBeNull();
  });

  it('marks within the subset, with given samples by their own number', async () => {
    const { x, labels } = blobs([0, 40], 20, 2);
    const panel = await panelOf(plain(x, { labels }));
    const [kept, left] = [panel.order[2]!, panel.order[1]!];
    const { thinning } = await run(
      plain(x, { labels }),
      { by: 'interval', intervals: [2] },
      { marks: [{ rule: 'index', samples: [kept, left] }] },
    );
    const { samples, panels } = thinning.steps[0]!;
    expect(panels[0]!.marks.map(({ sample }) => samples[sample])).toEqual([kept]);
    expect(panels[0]!.marks[0]!.label).toBe(labels[kept]);
  });

  it('refuses what it cannot do, and can be cancelled', async () => {
    const input = plain(blobs([0, 40], 20, 2).x);
    await expect(run(input, { by: 'size', sizes: [41] })).rejects.toThrow(
      'a number of samples of 1 … 40, got 41',
    );
    await expect(run(input, { by: 'interval', intervals: [0] })).rejects.toThrow(
      'an interval of 1 … 40, got 0',
    );
    await expect(run(input, { by: 'agreement', least: 2 })).rejects.toThrow('an agreement of 0 … 1, got 2');
    await expect(
      run(input, { by: 'size', sizes: [10] }, { reference: { snapshot: 's', layer: 'X' } }),
    ).rejects.toThrow('layer X of snapshot s is not among the panels');
    await expect(
      run(input, { by: 'size', sizes: [10] }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('has a stated answer for 0, 1 and 2 samples and for duplicates', async () => {
    for (const n of [1, 2]) {
      const input = plain({ data: new Float32Array(n), shape: [n, 1] });
      const { thinning } = await run(input, { by: 'size', sizes: [1] });
      expect(thinning.steps[0]!.agreement[0]!.correlation).toEqual({
        value: null,
        reason: 'fewer than two samples',
      });
      expect((await run(input, { by: 'agreement', least: 0.9 })).thinning.chosen.value).toBeNull();
    }
    const same = plain({ data: new Float32Array(100).fill(3), shape: [100, 1] });
    const { thinning } = await run(same, { by: 'agreement', least: 0.9 });
    expect(thinning.steps[0]!.agreement[0]).toMatchObject({
      ari: { value: null, reason: 'neither picture has clear blocks' },
      correlation: { value: null, reason: 'all iVAT values are equal' },
    });
    expect(thinning.chosen).toEqual({ value: null, reason: 'no agreement is defined' });
  });
});
