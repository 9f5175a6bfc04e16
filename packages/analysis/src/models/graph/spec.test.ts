import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../formats/types.js';
import { type GraphSpec, graphOfSpec, layersOfGraph, specOf, withLogSoftmax } from './spec.js';
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
      'strides that are no list',
      { nodes: [{ name: 'a', kind: 'conv2d', inputs: ['input'], kernel: 'k', strides: 1 }] },
      'strides: expected whole numbers ≥ 0',
    ],
    ['an unknown kind', { nodes: [{ name: 'a', kind: 'magic', inputs: ['input'] }] }, '"magic" is not known'],
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
  it('are not made of other numbers than scores of the classes', () => {
    expect(withLogSoftmax(graph, 7)).toBe(graph);
    expect(withLogSoftmax(soft('softmax'), 7).nodes).toHaveLength(3);
    const labels: Graph = { ...graph, nodes: [dense, { name: 's', kind: 'sigmoid', inputs: ['fc'] }] };
    expect(withLogSoftmax(labels)).toBe(labels);
  });
});
