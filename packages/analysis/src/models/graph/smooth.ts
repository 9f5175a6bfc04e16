import { exp, log } from '../../elementary.js';
import type { SmoothJvp } from '../../methods/geometry/curvature.js';
import { PASSED } from './ops/definition.js';
import type { Graph, GraphNode } from './types.js';
import { INPUT } from './types.js';

/** Value and its derivative along a direction. */
interface Dual {
  y: Float64Array;
  d: Float64Array;
}

/** One number to one number: its value and its derivative there. */
const ELEMENTWISE: Record<string, (x: number) => [number, number]> = {
  sigmoid: (x) => {
    const y = 1 / (1 + exp(-x));
    return [y, y * (1 - y)];
  },
  tanh: (x) => {
    const e = exp(-2 * Math.abs(x));
    const y = (Math.sign(x) * (1 - e)) / (1 + e);
    return [y, 1 - y * y];
  },
  softplus: (x) => [Math.max(x, 0) + log(1 + exp(-Math.abs(x))), 1 / (1 + exp(-x))],
};

/**
 * J·v from the input to a node in float64, for chains of dense layers and smooth functions; or why there is none: a map with a ReLU or a
 * max pool has no curvature to speak of, and other smooth layers are not worked out in float64. Weights are the graph's float32 numbers.
 */
export function smoothJvp(graph: Graph, to: string): { jvp: SmoothJvp } | { reason: string } {
  const chain: GraphNode[] = [];
  for (let name = to; name !== INPUT; ) {
    const node = graph.nodes.find((one) => one.name === name);
    if (!node) return { reason: `the net has no layer ${name}` };
    const known =
      node.kind === 'dense' || node.kind === 'log-softmax' || PASSED.has(node.kind) || ELEMENTWISE[node.kind];
    if (['relu', 'leaky-relu', 'prelu', 'max-pool', 'clip', 'hard-sigmoid', 'abs'].includes(node.kind))
      return { reason: `${node.name} is a ${node.kind}: the map is piecewise linear and bends nowhere else` };
    if (!known || node.inputs.length !== 1)
      return { reason: `${node.name}, a ${node.kind}, is not worked out in float64` };
    chain.unshift(node);
    name = node.inputs[0]!;
  }
  const weights = new Map(
    chain.flatMap((node) =>
      node.kind === 'dense'
        ? [node.kernel, ...(node.bias ? [node.bias] : [])].map(
            (name) => [name, Float64Array.from(graph.weights.get(name)!.data as Float32Array)] as const,
          )
        : [],
    ),
  );
  return {
    jvp: (x, v) => {
      let at: Dual = { y: x, d: v };
      for (const node of chain) at = step(node, at, weights);
      return at.d;
    },
  };
}

function step(node: GraphNode, { y, d }: Dual, weights: ReadonlyMap<string, Float64Array>): Dual {
  if (PASSED.has(node.kind)) return { y, d };
  if (node.kind === 'dense') {
    const kernel = weights.get(node.kernel)!;
    const units = kernel.length / y.length;
    const out: Dual = {
      y: node.bias ? weights.get(node.bias)!.slice() : new Float64Array(units),
      d: new Float64Array(units),
    };
    for (let i = 0; i < y.length; i++) {
      const [value, slope] = [y[i]!, d[i]!];
      if (value === 0 && slope === 0) continue;
      for (let u = 0; u < units; u++) {
        const w = kernel[i * units + u]!;
        out.y[u]! += value * w;
        out.d[u]! += slope * w;
      }
    }
    return out;
  }
  if (node.kind === 'log-softmax') {
    const most = y.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = y.map((value) => exp(value - most));
    const sum = powers.reduce((a, b) => a + b, 0);
    const mean = powers.reduce((total, p, i) => total + (p / sum) * d[i]!, 0);
    return { y: y.map((value) => value - most - log(sum)), d: d.map((value) => value - mean) };
  }
  const of = ELEMENTWISE[node.kind]!;
  const out: Dual = { y: new Float64Array(y.length), d: new Float64Array(y.length) };
  y.forEach((value, i) => {
    const [result, slope] = of(value);
    out.y[i] = result;
    out.d[i] = slope * d[i]!;
  });
  return out;
}
