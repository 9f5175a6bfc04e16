import { EpochscopeError } from '@epochscope/core-wasm';
import { toFloat32 } from '../../formats/dtypes.js';
import { isObject } from '../../formats/json.js';
import type { Tensor } from '../../formats/types.js';
import type { LayerInfo, RunManifest } from '../../run/types.js';
import type { FieldKind } from './ops/definition.js';
import { opOf } from './ops/table.js';
import { shapesOf } from './shapes.js';
import { type Graph, type GraphKind, type GraphNode, INPUT } from './types.js';

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
  if (!Array.isArray(spec.inputShape) || !spec.inputShape.every((n) => Number.isSafeInteger(n) && n > 0))
    fail('inputShape: expected whole numbers > 0');
  if (!Array.isArray(spec.nodes)) fail('nodes: expected a list');
  for (const [i, node] of (spec.nodes as unknown[]).entries()) {
    const at = `nodes[${i}]`;
    if (!isObject(node) || typeof node.name !== 'string' || typeof node.kind !== 'string')
      return fail(`${at}: expected a name and a kind`);
    if (!Array.isArray(node.inputs) || !node.inputs.every((name) => typeof name === 'string'))
      fail(`${at}.inputs: expected names`);
    for (const [key, given] of Object.entries(opOf(node.kind as GraphKind)?.fields ?? {})) {
      const kind = given.replace('?', '') as FieldKind;
      const value = node[key];
      if (value === undefined) {
        if (!given.endsWith('?')) fail(`${at}: expected ${key}`);
      } else if (!FIELDS[kind].fits(value)) fail(`${at}.${key}: expected ${FIELDS[kind].expected}`);
    }
  }
  const graph: Graph = { inputShape: spec.inputShape, nodes: spec.nodes, weights: asFloat32(weights) };
  shapesOf(graph);
  return graph;
}

const every = (value: unknown, fits: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length <= MAX_LIST && value.every(fits);
/** Places, sides or indices of one node. */
const MAX_LIST = 1_000_000;
const FIELDS: Record<FieldKind, { expected: string; fits: (value: unknown) => boolean }> = {
  number: { expected: 'a number', fits: Number.isFinite },
  numbers: { expected: 'numbers', fits: (value) => every(value, Number.isFinite) },
  counts: {
    expected: 'whole numbers ≥ 0',
    fits: (value) => every(value, (item) => Number.isSafeInteger(item) && (item as number) >= 0),
  },
  integers: { expected: 'whole numbers', fits: (value) => every(value, Number.isSafeInteger) },
  flag: { expected: 'true or false', fits: (value) => typeof value === 'boolean' },
  text: { expected: 'a text', fits: (value) => typeof value === 'string' },
  tensor: { expected: "a tensor's name", fits: (value) => typeof value === 'string' },
};

/** Names of the tensors a node reads, by field. */
export function tensorsOf(node: GraphNode): Map<string, string> {
  const named = new Map<string, string>();
  for (const [key, kind] of Object.entries(opOf(node.kind)?.fields ?? {})) {
    const value = (node as unknown as Record<string, unknown>)[key];
    if (kind.startsWith('tensor') && typeof value === 'string') named.set(key, value);
  }
  return named;
}

/** Graphs run in float32. */
export function asFloat32(weights: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...weights].map(([name, tensor]) => [
      name,
      !(tensor.data instanceof Float32Array) && /float/.test(tensor.dtype)
        ? { data: toFloat32(tensor.data), shape: tensor.shape, dtype: 'float32' }
        : tensor,
    ]),
  );
}

/** Where a net's derivatives begin: its input, or of token ids, which have no neighbours, what is looked up for them. */
export const firstReal = (graph: Graph): string =>
  graph.nodes.find(({ kind, inputs }) => kind === 'embedding' && inputs[0] === INPUT)?.name ?? INPUT;

/** They move values or hold constants: nodes, but no layers to look at. */
const HIDDEN: ReadonlySet<string> = new Set(['constant', 'transpose', 'slice', 'take', 'expand']);

/** Every node as a layer of a run, in order, with the tensors it reads; not what only moves values. */
export function layersOfGraph(graph: Graph): LayerInfo[] {
  const shapes = shapesOf(graph);
  const last = graph.nodes.at(-1);
  return graph.nodes
    .filter((node) => !HIDDEN.has(node.kind) || node === last)
    .map((node) => ({
      name: node.name,
      kind: node.kind,
      shape: [...shapes.get(node.name)!],
      parameters: [...tensorsOf(node).values()],
    }));
}

/** What bounds or scales its values, so that they are no scores: gates, labels that exclude nothing, embeddings of one length. */
const NO_SCORES: ReadonlySet<string> = new Set([
  ...['sigmoid', 'hard-sigmoid', 'tanh', 'softsign', 'erf', 'sin', 'cos', 'clip'],
  ...['layer-norm', 'rms-norm', 'divide'],
]);

/**
 * The graph with log-probabilities at its end, where predictions are read: a classifier that ends in scores or in softmax
 * gets a node "log_softmax"; one that ends so already, or in anything but scores, stays. `classes`: of the labels, where they are
 * known; a net that gives another number of values is none of their classifiers.
 */
export function withLogSoftmax(graph: Graph, classes: number | null = null): Graph {
  const last = graph.nodes[graph.nodes.length - 1]!;
  const shape = shapesOf(graph).get(last.name)!;
  if (last.kind === 'log-softmax' || shape.length !== 1 || shape[0]! < 2) return graph;
  if (NO_SCORES.has(last.kind) || (last.kind !== 'softmax' && classes !== null && classes !== shape[0]))
    return graph;
  let name = 'log_softmax';
  while (graph.nodes.some((node) => node.name === name)) name += '_';
  const from = last.kind === 'softmax' ? last.inputs[0]! : last.name;
  return { ...graph, nodes: [...graph.nodes, { name, kind: 'log-softmax', inputs: [from] }] };
}
