import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { shown } from '../../formats/json.js';
import type { Given } from './ops/definition.js';
import { opOf } from './ops/table.js';
import { type Graph, type GraphNode, INPUT } from './types.js';

/** Axes of one sample that tfjs's kernels take beside the leading one: from rank 7 on they are silently wrong. */
const MAX_AXES = 5;
/** These only rename axes, or join those that stay together. */
const ANY_RANK: ReadonlySet<string> = new Set(['reshape', 'transpose', 'flatten', 'identity']);

/**
 * Checks a graph and answers the shape of each node's output for one sample, 'input' included. Throws `format`, `shape`,
 * `missing` or `unsupported`, naming the node.
 */
export function shapesOf(graph: Graph): Map<string, number[]> {
  const shapes = new Map<string, number[]>([[INPUT, [...graph.inputShape]]]);
  guard(graph.nodes.length > 0, 'format', 'the graph has no nodes');
  for (const node of graph.nodes) {
    const { name } = node;
    guard(!shapes.has(name), 'format', () => `node ${name}: expected a name of its own, but it is taken`, {
      node: name,
    });
    const inputs = node.inputs.map((from) => {
      const shape = shapes.get(from);
      guard(
        shape,
        'missing',
        () => `node ${name}: expected its input ${from} before it, but there is no such node`,
        { node: name, input: from },
      );
      return shape;
    });
    shapes.set(name, shapeOf(graph, node, inputs));
  }
  return shapes;
}

/** Shape of one node's output from those of its inputs; its fields and weights are checked. */
export function shapeOf(graph: Graph, node: GraphNode, inputs: number[][]): number[] {
  const op = opOf(node.kind);
  const { name, kind } = node;
  guard(op, 'unsupported', () => `node ${name}: ${shown(kind)} is not known`, { node: name });
  const count = op.inputs;
  guard(
    count === 'some' ? inputs.length >= 1 : inputs.length === count,
    'format',
    () =>
      `node ${name} (${kind}): expected ${count === 'some' ? 'inputs' : count === 2 ? 'two inputs' : count === 1 ? 'one input' : 'no inputs'}, got ${inputs.length}`,
    { node: name },
  );
  const shape = op.infer(node, givenFor(graph, node, inputs));
  guard(
    shape.every((side) => Number.isSafeInteger(side) && side > 0),
    'shape',
    () => `node ${name} (${kind}): an input of shape [${inputs[0]}] gives an output of shape [${shape}]`,
    { node: name },
  );
  guard(
    ANY_RANK.has(kind) || Math.max(shape.length, ...inputs.map((each) => each.length)) <= MAX_AXES,
    'unsupported',
    () =>
      `node ${name} (${kind}): expected at most ${MAX_AXES} axes a sample, got ${[...inputs, shape].map((each) => `[${each}]`).join(' → ')}`,
    { node: name },
  );
  return shape;
}

function givenFor(graph: Graph, node: GraphNode, inputs: number[][]): Given {
  const find = (name: string) => {
    const found = graph.weights.get(name);
    guard(found, 'missing', () => `node ${node.name}: the net holds no tensor ${name}`, { tensor: name });
    guard(
      found.data instanceof Float32Array,
      'format',
      () => `node ${node.name}: tensor ${name}: expected float32, got ${found.dtype}`,
      { tensor: name },
    );
    return [...found.shape];
  };
  return {
    inputs,
    fail: (expected) => {
      throw new EpochscopeError(
        'shape',
        `node ${node.name} (${node.kind}): expected ${expected}, got ${inputs.map((s) => `[${s}]`).join(', ')}`,
        { node: node.name },
      );
    },
    refuse: (message) => {
      throw new EpochscopeError('format', `node ${node.name}: ${message}`, { node: node.name });
    },
    shapeOf: find,
    tensor: (name, expected) => {
      const shape = find(name);
      guard(
        shape.length === expected.length && expected.every((s, i) => s === null || s === shape[i]),
        'shape',
        () =>
          `node ${node.name}: tensor ${name}: expected shape [${expected.map((s) => s ?? 'any')}], got [${shape}]`,
        { tensor: name },
      );
      return shape;
    },
  };
}
