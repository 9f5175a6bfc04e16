import type { Tensor2D, Tensor4D, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../backend.js';
import { layerNorm, localResponseNorm, softmax } from './across-channels.js';
import { type CompiledOp, linear, nothing } from './compiled.js';
import { Convolution } from './convolution.js';
import { type Elementwise, elementwiseOf } from './elementwise.js';
import { pool, zeros } from './pool-op.js';
import type { Graph, GraphNode } from './types.js';

/** Puts one node on tfjs. `inputs`, `out`: shapes of one sample. Derivatives at a kink: 0 (ReLU), the lower side's slope. */
export function compileOp(
  tf: Tf,
  graph: Graph,
  node: GraphNode,
  inputs: number[][],
  out: number[],
): CompiledOp {
  const [input] = inputs as [number[]];
  const values = (name: string) => graph.weights.get(name)!.data as Float32Array;
  const reshaped = (x: TfTensor, shape: readonly number[]) => tf.reshape(x, [x.shape[0]!, ...shape]);
  switch (node.kind) {
    case 'dense': {
      const [inner, units] = graph.weights.get(node.kernel)!.shape as [number, number];
      const kernel = tf.tensor2d(values(node.kernel), [inner, units]);
      const bias = node.bias ? tf.tensor1d(values(node.bias)) : null;
      const flat = (x: TfTensor, side: number) => tf.reshape(x, [x.size / side, side]) as Tensor2D;
      const multiply = (x: TfTensor) => tf.matMul(flat(x, inner), kernel);
      const rows = (y: TfTensor, k: number, shape: readonly number[]) => tf.reshape(y, [k, ...shape]);
      const op = linear(
        (v, k) => rows(multiply(v), k, out),
        (u, k) => rows(tf.matMul(flat(u, units), kernel, false, true), k, input),
        () => {
          kernel.dispose();
          bias?.dispose();
        },
      );
      return {
        ...op,
        run: ([x]) => rows(bias ? tf.add(multiply(x!), bias) : multiply(x!), x!.shape[0]!, out),
      };
    }
    case 'conv2d': {
      const kernel = graph.weights.get(node.kernel)!;
      const conv = new Convolution(
        tf,
        node,
        { data: kernel.data as Float32Array, shape: [...kernel.shape] },
        node.bias ? values(node.bias) : null,
      );
      const op = linear(
        (v) => conv.forward(v as Tensor4D, false),
        (u) => conv.back(u as Tensor4D, input),
        () => conv.dispose(),
      );
      return { ...op, run: ([x]) => conv.forward(x as Tensor4D, true) };
    }
    case 'batch-norm': {
      const scale = tf.tensor1d(values(node.scale));
      const offset = tf.tensor1d(values(node.offset));
      const by = (v: TfTensor): TfTensor => tf.mul(v, scale);
      return {
        ...linear(by, by, () => {
          scale.dispose();
          offset.dispose();
        }),
        run: ([x]) => tf.add(tf.mul(x!, scale), offset),
      };
    }
    case 'layer-norm':
      return layerNorm(tf, node.epsilon, values(node.scale), values(node.offset));
    case 'multiply':
      return multiply(tf, inputs, out);
    case 'softmax':
    case 'log-softmax':
      return softmax(tf, node.kind === 'log-softmax');
    case 'max-pool':
    case 'average-pool':
      return pool(tf, node, input, out);
    case 'global-average-pool': {
      const [height, width] = input as [number, number, number];
      return linear(
        (v) => tf.mean(v, [1, 2]),
        (u, k) =>
          tf.mul(tf.reshape(u, [k, 1, 1, out[0]!]), tf.fill([1, height, width, 1], 1 / (height * width))),
      );
    }
    case 'local-response-norm':
      return localResponseNorm(tf, node, out);
    case 'pad': {
      const [top, , left] = node.padding;
      return linear(
        (v) => tf.pad(v, zeros(node.padding)),
        (u, k) => tf.slice(u, [0, top, left, 0], [k, ...input]),
      );
    }
    case 'flatten':
    case 'reshape':
      return linear(
        (v) => reshaped(v, out),
        (u) => reshaped(u, input),
      );
    case 'flatten-channels-first': {
      const [height, width, channels] = input as [number, number, number];
      return linear(
        (v) => reshaped(tf.transpose(v, [0, 3, 1, 2]), out),
        (u) => tf.transpose(reshaped(u, [channels, height, width]), [0, 2, 3, 1]),
      );
    }
    case 'identity':
      return linear(
        (v) => v.clone(),
        (u) => u.clone(),
      );
    case 'add': {
      const sum = (list: (TfTensor | null)[]) => {
        const present = list.filter((v): v is TfTensor => v !== null);
        return present.length > 1 ? tf.addN(present) : present[0]!.clone();
      };
      return {
        run: sum,
        at: () => ({ forward: sum, back: (u) => inputs.map(() => u.clone()), dispose: nothing }),
        dispose: nothing,
      };
    }
    case 'concat': {
      const axis = out.length;
      const join = (list: TfTensor[]) => (list.length > 1 ? tf.concat(list, axis) : list[0]!.clone());
      const sides = inputs.map((shape) => shape[shape.length - 1]!);
      return {
        run: join,
        at: () => ({
          forward: (v, k) => join(v.map((part, i) => part ?? tf.zeros([k, ...inputs[i]!]))),
          back: (u) => tf.split(u, sides, axis),
          dispose: nothing,
        }),
        dispose: nothing,
      };
    }
    default:
      return elementwise(tf, elementwiseOf(tf, node)!);
  }
}

function elementwise(tf: Tf, { run, slope }: Elementwise): CompiledOp {
  return {
    run: ([x]) => run(x!),
    at: ([x], y) => {
      const d = tf.tidy(() => slope(x!, y));
      return {
        forward: ([v]) => tf.mul(v!, d),
        back: (u) => [tf.mul(u, d)],
        dispose: () => d.dispose(),
      };
    },
    dispose: nothing,
  };
}

/** Of two: J·v = b·v₁ + a·v₂; what one number a channel gets back is summed over the image. */
function multiply(tf: Tf, sides: number[][], out: number[]): CompiledOp {
  const whole = (u: TfTensor, i: number): TfTensor =>
    sides[i]!.join() === out.join() ? u : tf.sum(u, [1, 2], true);
  return {
    run: ([a, b]) => tf.mul(a!, b!),
    at: ([a, b]) => {
      const [x, y] = [a!.clone(), b!.clone()];
      return {
        forward: ([v, w]) => (v && w ? tf.add(tf.mul(v, y), tf.mul(w, x)) : v ? tf.mul(v, y) : tf.mul(w!, x)),
        back: (u) => [whole(tf.mul(u, y), 0), whole(tf.mul(u, x), 1)],
        dispose: () => tf.dispose([x, y]),
      };
    },
    dispose: nothing,
  };
}
