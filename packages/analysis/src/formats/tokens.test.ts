import { describe, expect, it } from 'vitest';
import { findLayer } from '../run/manifest.js';
import { selectedShape, selectPart } from './matrix.js';
import { headNorms, selectTokens, tokenAxis, tokenCount, tokensAsSamples } from './tokens.js';
import type { Tensor } from './types.js';

/** Value = 1000 · sample + 100 · a + 10 · b + c at [sample, a, b, c]. */
const numbered = (...shape: number[]): Tensor => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => {
    let [rest, value, scale] = [i, 0, 1];
    for (const side of [...shape].reverse()) {
      value += (rest % side) * scale;
      rest = Math.floor(rest / side);
      scale *= 10;
    }
    return value;
  }),
  shape,
  dtype: 'float32',
});
const layers = [
  { name: 'embed', kind: 'embedding', shape: [3, 4], parameters: [] },
  { name: 'weights', kind: 'softmax', shape: [2, 3, 3], parameters: [] },
  { name: 'heads', kind: 'matmul', shape: [2, 3, 2], parameters: [] },
  { name: 'norm', kind: 'layer-norm', shape: [3, 4], parameters: [] },
  { name: 'pooled', kind: 'dense', shape: [4], parameters: [] },
  { name: 'image', kind: 'conv2d', shape: [5, 5, 2], parameters: [] },
];

describe('tokens', () => {
  it('one vector stands for a sample: the first token, the last, their mean', () => {
    const x = numbered(2, 3, 2);
    expect(selectTokens(x, 0, 'cls')).toMatchObject({ data: Float32Array.of(0, 1, 100, 101), shape: [2, 2] });
    expect([...selectTokens(x, 0, 'last').data]).toEqual([20, 21, 120, 121]);
    expect([...selectTokens(x, 0, 'mean').data]).toEqual([10, 11, 110, 111]);
  });

  it('of heads, tokens are the second axis, and every head keeps its own', () => {
    const x = numbered(1, 2, 3, 2);
    expect(selectTokens(x, 1, 'last')).toMatchObject({
      data: Float32Array.of(20, 21, 120, 121),
      shape: [1, 2, 2],
    });
  });

  it('each token is a sample, those of one sample in a row', () => {
    const x = numbered(2, 2, 3, 2);
    const got = tokensAsSamples(x, 1);
    expect(got.shape).toEqual([6, 2, 2]);
    expect([...got.data.subarray(0, 8)]).toEqual([0, 1, 100, 101, 10, 11, 110, 111]);
    expect(got.data[12]).toBe(1000);
    expect(() => tokensAsSamples(x, 3)).toThrow('expected tokens along axis 3 of [2,3,2]');
  });

  it('the norm of a head is its unit', () => {
    const x: Tensor = { data: Float32Array.of(3, 4, 0, 0, 6, 8), shape: [1, 3, 2], dtype: 'float32' };
    expect(headNorms(x)).toMatchObject({ data: Float32Array.of(5, 0, 10), shape: [1, 3] });
    expect(() => headNorms(numbered(2, 3))).toThrow('expected n × heads × values, got [2,3]');
  });

  it('are found by attention, else by what is looked up; images have none', () => {
    expect(tokenCount(layers)).toBe(3);
    expect(tokenCount(layers.slice(0, 1))).toBe(3);
    expect(tokenCount(layers.slice(4))).toBeNull();
    expect(layers.map(({ shape }) => tokenAxis(layers, shape))).toEqual([0, 1, 1, 0, null, null]);
    expect(tokenAxis(layers.slice(4), [3, 4])).toBeNull();
  });

  it('are chosen by a layer’s name', () => {
    const at = (name: string) => findLayer(layers, name, 'run').selection;
    expect(at('norm@cls')).toEqual({ tokens: 'cls', axis: 0 });
    expect(at('heads@last')).toEqual({ tokens: 'last', axis: 1 });
    expect(at('heads@heads')).toEqual({ heads: true });
    expect(at('image@1')).toEqual({ channel: 1 });
    expect(at('norm')).toBeNull();
    expect(() => at('pooled@mean')).toThrow('layer pooled has no tokens: its shape is [4]');
    expect(() => at('norm@heads')).toThrow('layer norm has no heads');
    for (const name of ['norm@cls', 'heads@mean', 'heads@heads', 'image@1']) {
      const { layer, selection } = findLayer(layers, name, 'run');
      const part = selectPart(numbered(2, ...layer.shape), selection!);
      expect(part.shape.slice(1), name).toEqual(selectedShape(layer.shape, selection));
    }
  });
});
