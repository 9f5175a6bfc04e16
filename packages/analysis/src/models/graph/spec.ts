import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { toFloat32 } from '../../formats/dtypes.js';
import { isObject } from '../../formats/json.js';
import type { Tensor } from '../../formats/types.js';
import type { LayerInfo, RunManifest } from '../../run/types.js';
import { shapesOf } from './shapes.js';
import type { Graph, GraphNode } from './types.js';

/** A graph as run.json keeps it under `model`; its weights are each snapshot's. */
export interface GraphSpec {
  name: 'graph';
  inputShape: number[];
  /** Inputs are divided by this before the net sees them: 255 for bytes, else 1. */
  inputScale: number;
  nodes: GraphNode[];
}

export const isGraphSpec = (
  model: RunManifest['model'],
): model is GraphSpec & { [option: string]: unknown } => model?.name === 'graph';

export const specOf = (graph: Graph, inputScale: number): GraphSpec => ({
  name: 'graph',
  inputShape: graph.inputShape,
  inputScale,
  nodes: graph.nodes,
});

/** A graph of run.json with a snapshot's weights, all checked. Throws `format`, and what `shapesOf` throws. */
export function graphOfSpec(spec: GraphSpec, weights: ReadonlyMap<string, Tensor>, source: string): Graph {
  const fail = (message: string): never => {
    throw new EpochscopeError('format', `${source}: model: ${message}`, { file: source });
  };
  const list = (value: unknown, length: number) =>
    Array.isArray(value) && value.length === length && value.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!Array.isArray(spec.inputShape) || !spec.inputShape.every((n) => Number.isSafeInteger(n) && n > 0))
    fail('inputShape: expected whole numbers > 0');
  if (!Array.isArray(spec.nodes)) fail('nodes: expected a list');
  for (const [i, node] of (spec.nodes as unknown[]).entries()) {
    const at = `nodes[${i}]`;
    if (!isObject(node) || typeof node.name !== 'string' || typeof node.kind !== 'string')
      return fail(`${at}: expected a name and a kind`);
    if (!Array.isArray(node.inputs) || !node.inputs.every((name) => typeof name === 'string'))
      fail(`${at}.inputs: expected names`);
    for (const [key, length] of [
      ['strides', 2],
      ['dilations', 2],
      ['size', 2],
      ['padding', 4],
    ] as const)
      if (node[key] !== undefined && !list(node[key], length))
        fail(`${at}.${key}: expected ${length} whole numbers`);
    const needed: Record<string, string[]> = {
      conv2d: ['kernel', 'strides', 'padding', 'dilations', 'groups'],
      dense: ['kernel'],
      'max-pool': ['size', 'strides', 'padding'],
      'average-pool': ['size', 'strides', 'padding'],
      'batch-norm': ['scale', 'offset'],
      pad: ['padding'],
      reshape: ['shape'],
      'leaky-relu': ['slope'],
      clip: ['min', 'max'],
      'hard-sigmoid': ['alpha', 'beta'],
      elu: ['alpha', 'factor'],
      'layer-norm': ['scale', 'offset', 'epsilon'],
    };
    for (const key of ['slope', 'min', 'max', 'alpha', 'beta', 'factor', 'epsilon'])
      if (node[key] !== undefined && !Number.isFinite(node[key])) fail(`${at}.${key}: expected a number`);
    for (const key of needed[node.kind] ?? []) if (node[key] === undefined) fail(`${at}: expected ${key}`);
    if (node.shape !== undefined && !(Array.isArray(node.shape) && list(node.shape, node.shape.length)))
      fail(`${at}.shape: expected whole numbers`);
  }
  const graph: Graph = { inputShape: spec.inputShape, nodes: spec.nodes, weights: asFloat32(weights) };
  shapesOf(graph);
  return graph;
}

/** Graphs run in float32. */
function asFloat32(weights: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...weights].map(([name, tensor]) => [
      name,
      tensor.data instanceof Float64Array
        ? { data: toFloat32(tensor.data), shape: tensor.shape, dtype: 'float32' }
        : tensor,
    ]),
  );
}

/** Every node as a layer of a run, in order, with the tensors it reads. */
export function layersOfGraph(graph: Graph): LayerInfo[] {
  const shapes = shapesOf(graph);
  return graph.nodes.map((node) => ({
    name: node.name,
    kind: node.kind,
    shape: [...shapes.get(node.name)!],
    parameters: (['kernel', 'bias', 'scale', 'offset'] as const).flatMap((key) => {
      const name = (node as unknown as Record<string, unknown>)[key];
      return typeof name === 'string' ? [name] : [];
    }),
  }));
}

/**
 * The graph with log-probabilities at its end, where predictions are read: a classifier that ends in scores or in softmax
 * gets a node "log_softmax"; one that ends so already, or in anything but values, stays.
 */
export function withLogSoftmax(graph: Graph): Graph {
  const last = graph.nodes[graph.nodes.length - 1]!;
  const shape = shapesOf(graph).get(last.name)!;
  if (last.kind === 'log-softmax' || shape.length !== 1 || shape[0]! < 2) return graph;
  let name = 'log_softmax';
  while (graph.nodes.some((node) => node.name === name)) name += '_';
  const from = last.kind === 'softmax' ? last.inputs[0]! : last.name;
  return { ...graph, nodes: [...graph.nodes, { name, kind: 'log-softmax', inputs: [from] }] };
}

/** A graph's batch normalisations from what frameworks keep, where scale and offset are not there. Throws `missing`, `shape`. */
export function foldNorms(
  graph: Graph,
  norms: ReadonlyMap<string, number>,
  weights: ReadonlyMap<string, Tensor>,
  source: string,
): Map<string, Tensor> {
  const folded = new Map<string, Tensor>();
  for (const node of graph.nodes) {
    if (node.kind === 'layer-norm') {
      for (const [own, ...others] of [
        [node.scale, 'weight', 'gamma', 'scale'],
        [node.offset, 'bias', 'beta'],
      ] as [string, ...string[]][]) {
        const found = others.map((name) => weights.get(`${node.name}.${name}`)).find((tensor) => tensor);
        if (found && !weights.has(own)) folded.set(own, found);
      }
      continue;
    }
    if (node.kind !== 'batch-norm' || (weights.has(node.scale) && weights.has(node.offset))) continue;
    const find = (...names: string[]) =>
      names.map((name) => weights.get(`${node.name}.${name}`)).find((tensor) => tensor);
    const mean = find('running_mean', 'moving_mean');
    const variance = find('running_var', 'moving_variance');
    const epsilon = norms.get(node.name);
    if (!mean || !variance || epsilon === undefined) {
      // A constant that is added: the model's own numbers serve every snapshot.
      for (const name of [node.scale, node.offset]) {
        const own = graph.weights.get(name);
        guard(
          own && epsilon === undefined,
          'missing',
          () => `${source}: expected ${node.name}.running_mean and running_var`,
          {
            tensor: node.name,
          },
        );
        folded.set(name, own);
      }
      continue;
    }
    const gamma = find('weight', 'gamma');
    const beta = find('bias', 'beta');
    const at = (tensor: Tensor | undefined, i: number, otherwise: number) =>
      Number(tensor?.data[i] ?? otherwise);
    const scale = Float32Array.from(
      { length: variance.data.length },
      (_, i) => at(gamma, i, 1) / Math.sqrt(at(variance, i, 1) + epsilon),
    );
    const offset = scale.map((s, i) => at(beta, i, 0) - at(mean, i, 0) * s);
    folded.set(node.scale, { data: scale, shape: [scale.length], dtype: 'float32' });
    folded.set(node.offset, { data: offset, shape: [offset.length], dtype: 'float32' });
  }
  return folded;
}
