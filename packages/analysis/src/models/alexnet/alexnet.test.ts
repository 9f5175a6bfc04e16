import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../formats/types.js';
import { shapesOf } from '../graph/index.js';
import { alexnet } from './index.js';

const SHAPES: Record<string, number[]> = {
  conv1: [11, 11, 3, 96],
  conv2: [5, 5, 48, 256],
  conv3: [3, 3, 256, 384],
  conv4: [3, 3, 192, 384],
  conv5: [3, 3, 192, 256],
  fc6: [9216, 4096],
  fc7: [4096, 4096],
};

/** Weights whose every value is told by its place, so that a wrong layout shows; one buffer serves the dense layers. */
function weights(
  name: (layer: string) => [string, string],
  turned: boolean,
  layers = Object.keys(SHAPES),
): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  const zeros = new Float32Array(9216 * 4096);
  for (const layer of layers) {
    const shape = SHAPES[layer]!;
    const units = shape[shape.length - 1]!;
    const dense = shape.length === 2;
    const size = shape.reduce((a, b) => a * b, 1);
    const turnedShape = dense ? [shape[1]!, shape[0]!] : [shape[3]!, shape[2]!, shape[0]!, shape[1]!];
    const data = dense ? zeros.subarray(0, size) : Float32Array.from({ length: size }, (_, i) => i % 65_521);
    out.set(name(layer)[0], { data, shape: turned ? turnedShape : shape, dtype: 'float32' });
    out.set(name(layer)[1], { data: new Float32Array(units), shape: [units], dtype: 'float32' });
  }
  return out;
}

describe('alexnet', () => {
  it('has the shapes of the paper, from input to fc7', () => {
    const graph = alexnet(
      weights((l) => [`${l}/kernel`, `${l}/bias`], false),
      'here',
    );
    const shapes = shapesOf(graph);
    const sizes = ['conv1', 'pool1', 'conv2', 'pool2', 'conv3', 'conv5', 'pool5', 'flat', 'relu7'].map((n) =>
      shapes.get(n)!.join('×'),
    );
    expect(sizes).toEqual([
      '55×55×96',
      '27×27×96',
      '27×27×256',
      '13×13×256',
      '13×13×384',
      '13×13×256',
      '6×6×256',
      '9216',
      '4096',
    ]);
    expect(graph.nodes.at(-1)!.name).toBe('relu7');
    expect(graph.nodes.find(({ name }) => name === 'flat')!.kind).toBe('flatten');
  });

  it('puts kernels of [out, in, height, width] in order, and then flattens channels first', () => {
    const given = weights((l) => [`${l}.weight`, `${l}.bias`], true);
    const graph = alexnet(given, 'here');
    expect(graph.nodes.find(({ name }) => name === 'flat')!.kind).toBe('flatten-channels-first');
    const from = given.get('conv2.weight')!.data as Float32Array;
    const to = graph.weights.get('conv2.kernel')!;
    expect(to.shape).toEqual([5, 5, 48, 256]);
    for (const [o, c, y, x] of [
      [0, 0, 0, 0],
      [255, 47, 4, 4],
      [17, 3, 2, 1],
    ] as const)
      expect((to.data as Float32Array)[((y * 5 + x) * 48 + c) * 256 + o]).toBe(
        from[((o * 48 + c) * 5 + y) * 5 + x],
      );
    expect(graph.weights.get('fc6.kernel')!.shape).toEqual([9216, 4096]);
  });

  it('names what is missing or does not fit', () => {
    const conv = (
      change: (map: Map<string, Tensor>) => void,
      layers = ['conv1', 'conv2', 'conv3', 'conv4', 'conv5'],
    ) => {
      const map = weights((l) => [`${l}_W`, `${l}_b`], false, layers);
      change(map);
      return () => alexnet(map, 'a.npz');
    };
    expect(conv(() => {})).toThrow(/a\.npz: expected kernel and bias of fc6/);
    expect(conv((map) => map.delete('conv3_b'))).toThrow(/kernel and bias of conv3/);
    expect(conv((map) => map.set('conv1_W', { ...map.get('conv2_W')! }))).toThrow(
      /the kernel of conv1: expected shape \[11,11,3,96\] or \[96,3,11,11\], got \[5,5,48,256\]/,
    );
    expect(conv((map) => map.set('conv1_b', { ...map.get('conv2_b')! }))).toThrow(
      /bias of conv1: expected 96 values, got shape \[256\]/,
    );
    expect(conv((map) => map.set('conv1_W', { ...map.get('conv1_W')!, shape: [96, 3, 11, 11] }))).toThrow(
      /in one layout, got two/,
    );
  });
});
