import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../formats/types.js';
import { foldNorms, type GraphSpec, graphOfSpec, layersOfGraph, specOf, withLogSoftmax } from './spec.js';
import type { Graph, GraphNode } from './types.js';

const f32 = (values: number[], shape = [values.length]): Tensor => ({
  data: Float32Array.from(values),
  shape,
  dtype: 'float32',
});
const weights = new Map([
  ['fc.kernel', f32([1, 2, 3, 4], [2, 2])],
  ['fc.bias', f32([0, 1])],
]);
const dense: GraphNode = {
  name: 'fc',
  kind: 'dense',
  inputs: ['input'],
  kernel: 'fc.kernel',
  bias: 'fc.bias',
};
const graph: Graph = { inputShape: [2], nodes: [dense], weights };

describe('a graph in run.json', () => {
  it('comes back as it was, through JSON', () => {
    const spec = JSON.parse(JSON.stringify(specOf(graph, 255))) as GraphSpec;
    expect(graphOfSpec(spec, weights, 'run')).toEqual(graph);
    expect(layersOfGraph(graph)).toEqual([
      { name: 'fc', kind: 'dense', shape: [2], parameters: ['fc.kernel', 'fc.bias'] },
    ]);
  });

  it('float64 weights are narrowed', () => {
    const wide = new Map(weights).set('fc.bias', {
      data: Float64Array.of(0, 1),
      shape: [2],
      dtype: 'float64',
    });
    expect(graphOfSpec(specOf(graph, 1), wide, 'run').weights.get('fc.bias')!.data).toEqual(
      Float32Array.of(0, 1),
    );
  });

  it.each<[string, object, string]>([
    ['no input shape', { inputShape: [0] }, 'inputShape: expected whole numbers > 0'],
    ['no nodes', { nodes: null }, 'nodes: expected a list'],
    ['an empty list', { nodes: [] }, 'the graph has no nodes'],
    ['a node of nothing', { nodes: [null] }, 'nodes[0]: expected a name and a kind'],
    ['inputs that are no names', { nodes: [{ ...dense, inputs: [1] }] }, 'nodes[0].inputs: expected names'],
    ['no kernel', { nodes: [{ name: 'a', kind: 'dense', inputs: ['input'] }] }, 'nodes[0]: expected kernel'],
    [
      'strides of one side',
      { nodes: [{ name: 'a', kind: 'conv2d', inputs: ['input'], strides: [1] }] },
      'strides: expected 2 whole',
    ],
    ['an unknown kind', { nodes: [{ name: 'a', kind: 'magic', inputs: ['input'] }] }, 'magic is not known'],
    ['a missing tensor', { nodes: [{ ...dense, kernel: 'x' }] }, 'the net holds no tensor x'],
    [
      'a shape that is none',
      { nodes: [{ name: 'a', kind: 'reshape', inputs: ['input'], shape: [-1] }] },
      'shape: expected whole numbers',
    ],
  ])('refuses %s', (_, change, message) => {
    expect(() => graphOfSpec({ ...specOf(graph, 1), ...change } as GraphSpec, weights, 'run')).toThrow(
      message,
    );
  });
});

describe('log-probabilities at the end', () => {
  const soft = (kind: 'softmax' | 'log-softmax'): Graph => ({
    ...graph,
    nodes: [dense, { name: 's', kind, inputs: ['fc'] }],
  });
  it('are added to scores and read before a softmax; what has them stays', () => {
    expect(withLogSoftmax(graph).nodes[1]).toEqual({
      name: 'log_softmax',
      kind: 'log-softmax',
      inputs: ['fc'],
    });
    expect(withLogSoftmax(soft('softmax')).nodes[2]).toMatchObject({ inputs: ['fc'] });
    expect(withLogSoftmax(soft('log-softmax'))).toEqual(soft('log-softmax'));
    const image: Graph = {
      inputShape: [2, 2, 2],
      nodes: [{ name: 'r', kind: 'relu', inputs: ['input'] }],
      weights,
    };
    expect(withLogSoftmax(image)).toBe(image);
  });
});

describe('batch normalisations of a state dict', () => {
  const norm: GraphNode = {
    name: 'bn',
    kind: 'batch-norm',
    inputs: ['input'],
    scale: 'bn.scale',
    offset: 'bn.offset',
  };
  const g: Graph = {
    inputShape: [2],
    nodes: [norm],
    weights: new Map([
      ['bn.scale', f32([1, 1])],
      ['bn.offset', f32([0, 0])],
    ]),
  };
  it('are folded: γ / √(σ² + ε), β − μ · scale', () => {
    const state = new Map([
      ['bn.weight', f32([2, 3])],
      ['bn.bias', f32([1, 1])],
      ['bn.running_mean', f32([0.5, 1])],
      ['bn.running_var', f32([3, 8])],
    ]);
    const folded = foldNorms(g, new Map([['bn', 1]]), state, 'f');
    expect(folded.get('bn.scale')!.data).toEqual(Float32Array.of(1, 1));
    expect(folded.get('bn.offset')!.data).toEqual(Float32Array.of(0.5, 0));
    expect(() => foldNorms(g, new Map([['bn', 1]]), new Map(), 'f')).toThrow(
      'expected bn.running_mean and running_var',
    );
  });
  it('a constant of the model itself serves every snapshot', () => {
    expect(foldNorms(g, new Map(), new Map(), 'f').get('bn.scale')!.data).toEqual(Float32Array.of(1, 1));
  });
});
