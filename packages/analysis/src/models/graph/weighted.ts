import type { Matrix } from '@epochscope/core-wasm';
import { PASSED, product } from './ops/definition.js';
import { shapesOf } from './shapes.js';
import { type Graph, INPUT } from './types.js';

/** A layer that multiplies patches of its input by one matrix: dense layers and convolutions. */
export interface WeightedLayer {
  /** The layer's name: its node's, without the ".linear" of one that has an activation of its own. */
  name: string;
  /** The node whose output is the product, before any activation. */
  node: string;
  /** float32[patch values × units]: a patch times this is the product, but for the bias. */
  kernel: Matrix;
  /** [values], [height, width, channels] of a patch that is an image, or a kernel's spatial sides and channels. */
  patchShape: number[];
  /** Patches of one sample: places of a convolution, tokens of a sequence, 1 of a dense layer. */
  patches: number;
}

/**
 * The layers of a net that multiply patches of their input by one matrix, in its order; convolutions in groups, transposed ones and
 * recurrent layers have no such matrix, and are named in `others`.
 */
export function weightedLayers(graph: Graph): { layers: WeightedLayer[]; others: string[] } {
  const shapes = shapesOf(graph);
  const layers: WeightedLayer[] = [];
  const others: string[] = [];
  for (const node of graph.nodes) {
    const name = node.name.replace(/\.linear$/, '');
    const isConvolution = node.kind === 'conv1d' || node.kind === 'conv2d' || node.kind === 'conv3d';
    if (node.kind !== 'dense' && !isConvolution) {
      if (/^(conv.*-transpose|lstm|gru|rnn)$/.test(node.kind)) others.push(name);
      continue;
    }
    if (isConvolution && node.groups > 1) {
      others.push(name);
      continue;
    }
    const { data, shape } = graph.weights.get(node.kernel)!;
    const units = shape.at(-1)!;
    const values = product(shape.slice(0, -1));
    layers.push({
      name,
      node: node.name,
      kernel: { data: data as Float32Array, shape: [values, units] },
      patchShape: isConvolution ? shape.slice(0, -1) : imageShape(graph, shapes, node.inputs[0]!, values),
      patches: product(shapes.get(node.name)!) / units,
    });
  }
  return { layers, others };
}

/** The shape of the image that a vector of so many values was flattened from, else [values]. */
function imageShape(
  { nodes }: Graph,
  shapes: ReadonlyMap<string, readonly number[]>,
  from: string,
  values: number,
): number[] {
  for (let name = from; product(shapes.get(name)!) === values; ) {
    const shape = shapes.get(name)!;
    if (shape.length === 3) return [...shape];
    const node = nodes.find((one) => one.name === name);
    if (name === INPUT || !node || !PASSED.has(node.kind)) break;
    name = node.inputs[0]!;
  }
  return [values];
}

/** The node before the softmax or its logarithm that the net ends with, if it does: its scores. */
export function scoresNode({ nodes }: Graph): string {
  let at = nodes.at(-1)!;
  for (;;) {
    const before = nodes.find(({ name }) => name === at.inputs[0]);
    if (!before || !(PASSED.has(at.kind) || /^(log-)?softmax$/.test(at.kind))) return at.name;
    at = before;
  }
}
