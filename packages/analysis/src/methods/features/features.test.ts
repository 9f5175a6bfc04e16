import { createInlineEngine } from '@epochscope/analysis';
import type { Matrix } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import { random } from '../../random.js';
import { analyseFeatures, type FeaturePanel, featureDates, featuresSentence, overlapOf } from './index.js';
import { featuresReference, pearsonOfEntries } from './reference.js';
import type { GradientSums } from './types.js';

const engine = createInlineEngine();
const options = { k: 4, seed: 1 };

/** A layer, the derivatives of `outputs` outputs by its products at `places` patches, and both ways of summing them. */
function layer(inputs: number, units: number, { outputs = 3, places = 7, seed = 1, scale = 1 } = {}) {
  const source = random(seed);
  const draw = (length: number, by = 1) =>
    Float64Array.from({ length }, () => Math.fround(by * source.normal()));
  const w = draw(units * inputs);
  const first = draw(units * inputs);
  const slopes = Array.from({ length: places }, () => draw(outputs * units, scale));
  const turned = (m: Float64Array): Matrix => ({
    data: Float32Array.from({ length: m.length }, (_, i) => m[(i % units) * inputs + Math.floor(i / units)]!),
    shape: [inputs, units],
  });
  // J by the patch: slopes · W.
  const jacobians = slopes.map((slope) =>
    Float64Array.from({ length: outputs * inputs }, (_, at) => {
      const [o, i] = [Math.floor(at / inputs), at % inputs];
      let sum = 0;
      for (let u = 0; u < units; u++) sum += slope[o * units + u]! * w[u * inputs + i]!;
      return sum;
    }),
  );
  const sumsOf = (list: readonly Float64Array[], side: number) => {
    const sums = new Float64Array(side * side);
    for (const one of list)
      for (let o = 0; o < outputs; o++)
        for (let a = 0; a < side; a++)
          for (let b = 0; b < side; b++)
            sums[a * side + b]! += (one[o * side + a]! * one[o * side + b]!) / places;
    return sums;
  };
  const ways: GradientSums[] = [
    { of: 'units', sums: sumsOf(slopes, units) },
    { of: 'inputs', sums: sumsOf(jacobians, inputs) },
  ];
  return {
    w,
    kernel: turned(w),
    first: turned(first),
    ways,
    reference: featuresReference(w, jacobians, inputs, places),
  };
}

describe('features of a layer', () => {
  // Root: float32 rounds the matrix whose eigenvalues it takes, 1e-7 of the largest.
  it.each([
    [9, 4],
    [4, 9],
    [6, 6],
    [25, 6],
    [2, 1],
    [30, 1],
    [40, 33],
  ])(
    '%i inputs, %i units: correlations and eigenpairs are those of the definition',
    async (inputs, units) => {
      const { kernel, first, ways, reference } = layer(inputs, units);
      for (const gradients of ways) {
        const got = await analyseFeatures(engine, { kernel, first, gradients }, options);
        expect(got.correlation.value).toBeCloseTo(reference.correlation, 9);
        expect(got.rootCorrelation.value).toBeCloseTo(reference.rootCorrelation, 5);
        expect(got.trace / reference.values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
        const rank = reference.values.filter((value) => value > 1e-9 * reference.values[0]!).length;
        expect(got.values.length).toBe(Math.min(4, rank));
        got.values.forEach((value, l) => {
          expect(value / reference.values[0]!).toBeCloseTo(reference.values[l]! / reference.values[0]!, 5);
          let dot = 0;
          for (let i = 0; i < inputs; i++)
            dot += got.vectors[l * inputs + i]! * reference.vectors[l * inputs + i]!;
          expect(Math.abs(dot)).toBeGreaterThan(1 - 1e-4);
        });
      }
    },
  );

  it('does not depend on the size of derivatives, also beyond float32', async () => {
    const plain = layer(9, 4);
    const expected = await analyseFeatures(engine, { ...plain, gradients: plain.ways[0]! }, options);
    for (const scale of [1e-25, 1e25]) {
      const { kernel, first, ways } = layer(9, 4);
      const gradients = { ...ways[0]!, sums: ways[0]!.sums.map((value) => value * scale * scale) };
      const got = await analyseFeatures(engine, { kernel, first, gradients }, options);
      expect(got.correlation.value).toBeCloseTo(expected.correlation.value!, 9);
      expect(got.rootCorrelation.value).toBeCloseTo(expected.rootCorrelation.value!, 6);
      expect(got.values[0]! / (expected.values[0]! * scale * scale)).toBeCloseTo(1, 6);
    }
  });

  it('a linear layer at the end has AGOP = WᵀW: 1, and less with the root', async () => {
    const { kernel, first } = layer(8, 3);
    const gradients: GradientSums = { of: 'units', sums: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) };
    const got = await analyseFeatures(engine, { kernel, first, gradients }, options);
    expect(got.correlation.value).toBeCloseTo(1, 9);
    expect(got.rootCorrelation.value).toBeLessThan(1);
  });

  it('compares the weights with those of the first snapshot', async () => {
    for (const [inputs, units] of [
      [9, 4],
      [4, 9],
    ] as const) {
      const { kernel, first, ways } = layer(inputs, units);
      const outer = ({ data }: Matrix) =>
        Float64Array.from({ length: inputs * inputs }, (_, at) => {
          let sum = 0;
          for (let u = 0; u < units; u++)
            sum += data[Math.floor(at / inputs) * units + u]! * data[(at % inputs) * units + u]!;
          return sum;
        });
      const got = await analyseFeatures(engine, { kernel, first, gradients: ways[0]! }, options);
      expect(got.startCorrelation.value).toBeCloseTo(pearsonOfEntries(outer(kernel), outer(first)), 9);
      const same = await analyseFeatures(engine, { kernel, first: kernel, gradients: ways[0]! }, options);
      expect(same.startCorrelation.value).toBeCloseTo(1, 9);
    }
  });

  it('is null with the reason where nothing is defined', async () => {
    const { kernel, first, ways } = layer(5, 3);
    const dead = await analyseFeatures(
      engine,
      { kernel, first, gradients: { of: 'units', sums: new Float64Array(9) } },
      options,
    );
    expect(dead.correlation).toEqual({
      value: null,
      reason: expect.stringContaining('no output depends on'),
    });
    expect(dead.rootCorrelation.value).toBeNull();
    expect(dead.values.length).toBe(0);
    expect(dead.startCorrelation.value).not.toBeNull();
    const zero = { data: new Float32Array(15), shape: [5, 3] as const };
    const weightless = await analyseFeatures(engine, { kernel: zero, first, gradients: ways[0]! }, options);
    expect(weightless.correlation.reason).toContain('weights of 0');
    expect(weightless.startCorrelation).toEqual({ value: null, reason: 'all entries of WᵀW are equal' });
    const equal = { data: new Float32Array(15).fill(2), shape: [5, 3] as const };
    const constant = await analyseFeatures(engine, { kernel: equal, first, gradients: ways[0]! }, options);
    expect(constant.correlation).toEqual({ value: null, reason: 'all entries of the AGOP are equal' });
    const one = layer(1, 3);
    const single = await analyseFeatures(engine, { ...one, gradients: one.ways[0]! }, options);
    expect(single.correlation).toEqual({ value: null, reason: 'the layer reads a single value' });
    expect([...single.vectors]).toEqual([1]);
    const infinite = { of: 'units' as const, sums: Float64Array.of(Number.NaN, 0, 0, 0, 0, 0, 0, 0, 0) };
    await expect(analyseFeatures(engine, { kernel, first, gradients: infinite }, options)).rejects.toThrow(
      'not finite',
    );
  });
});

it('leading eigenvectors overlap by the principal angles of as many as both have', () => {
  const plane = Float32Array.of(1, 0, 0, 0, 1, 0);
  const turned = Float32Array.of(0.6, 0.8, 0, -0.8, 0.6, 0);
  expect(overlapOf(plane, turned, 3).value).toBeCloseTo(1, 6);
  expect(overlapOf(plane, Float32Array.of(0, 0, 1), 3).value).toBe(0);
  expect(overlapOf(plane, new Float32Array(0), 3).value).toBeNull();
});

it('dates a layer by nine tenths of its highest correlation', () => {
  const panel = (layer: string, id: string, value: number | null) =>
    ({
      layer,
      snapshot: { id, epoch: null, step: null },
      rootCorrelation: value === null ? { value, reason: 'dead' } : { value },
    }) as FeaturePanel;
  const panels = [
    panel('F3', 'init', 0.1),
    panel('F3', 'epoch-0001', 0.73),
    panel('F3', 'epoch-0002', 0.8),
    panel('F4', 'init', null),
  ];
  expect(featureDates({ panels })[0]).toMatchObject({ layer: 'F3', highest: 0.8, panel: panels[1] });
  expect(featuresSentence({ panels })).toBe(
    'nine tenths of its highest correlation with the root of the AGOP each layer has at: F3 epoch-0001 (0.80 at most), F4 never',
  );
});
