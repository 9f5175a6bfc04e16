import type { Tensor2D, Tensor4D, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../backend.js';
import { Convolution } from './convolution.js';
import { type Elementwise, elementwiseOf } from './elementwise.js';
import { poolBack, poolForward, poolMap } from './pooling.js';
import type { Graph, GraphNode, Padding } from './types.js';

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** A node's derivative at one input, on blocks of k vectors held as tensors k × shape. */
export interface LinearOp {
  /** J·v; an input that does not depend on what is varied is null. */
  forward(v: (TfTensor | null)[], k: number): TfTensor;
  /** Jᵀ·u, one for each input. */
  back(u: TfTensor, k: number): TfTensor[];
  dispose(): void;
}

/** A node with its weights on tfjs. */
export interface CompiledOp {
  /** On batches: n × shape. */
  run(inputs: TfTensor[]): TfTensor;
  /** `inputs`, `output`: values at x, 1 × shape; they may be disposed afterwards. Leaves no tensor but what its `dispose` frees. */
  at(inputs: TfTensor[], output: TfTensor): LinearOp;
  dispose(): void;
}

const nothing = () => {};
/** A map that is linear already: the same derivative everywhere. */
function linear(
  forward: (v: TfTensor, k: number) => TfTensor,
  back: (u: TfTensor, k: number) => TfTensor,
  dispose: () => void = nothing,
): CompiledOp {
  return {
    run: ([x]) => forward(x!, x!.shape[0]!),
    at: () => ({ forward: ([v], k) => forward(v!, k), back: (u, k) => [back(u, k)], dispose: nothing }),
    dispose,
  };
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

const zeros = ([top, bottom, left, right]: Padding): [number, number][] => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

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

/**
 * Over the last axis (Ba, Kiros and Hinton 2016): with z = (x − mean)/σ, J·v = γ/σ · P v and Jᵀ·u = 1/σ · P(γ u), where
 * P v = v − mean(v) − z · mean(z v).
 */
function layerNorm(tf: Tf, epsilon: number, gamma: Float32Array, beta: Float32Array): CompiledOp {
  const scale = tf.tensor1d(gamma);
  const offset = tf.tensor1d(beta);
  const mean = (v: TfTensor) => tf.mean(v, -1, true);
  const parts = (x: TfTensor): [z: TfTensor, inverse: TfTensor] => {
    const centred = tf.sub(x, mean(x));
    const inverse = tf.rsqrt(tf.add(mean(tf.square(centred)), epsilon));
    return [tf.mul(centred, inverse), inverse];
  };
  return {
    run: ([x]) => tf.add(tf.mul(parts(x!)[0], scale), offset),
    at: ([x]) => {
      const [z, inverse] = tf.tidy(() => parts(x!)) as [TfTensor, TfTensor];
      const project = (v: TfTensor) =>
        tf.mul(tf.sub(tf.sub(v, mean(v)), tf.mul(z, mean(tf.mul(z, v)))), inverse);
      return {
        forward: ([v]) => tf.mul(project(v!), scale),
        back: (u) => [project(tf.mul(u, scale))],
        dispose: () => tf.dispose([z, inverse]),
      };
    },
    dispose: () => tf.dispose([scale, offset]),
  };
}

/**
 * y = x·s^−β, s = bias + α/size·Bx² with B the band of neighbouring channels, which is symmetric:
 * J·v = s^−β·v − c·x·B(x·v) with c = 2αβ/size·s^(−β−1), and Jᵀ·u = s^−β·u − x·B(c·x·u).
 */
function localResponseNorm(
  tf: Tf,
  { size, alpha, beta, bias }: Extract<GraphNode, { kind: 'local-response-norm' }>,
  out: number[],
): CompiledOp {
  const channels = out[2]!;
  const band = tf.tensor2d(
    Float32Array.from({ length: channels * channels }, (_, i) =>
      Number(Math.abs((i % channels) - Math.floor(i / channels)) <= (size - 1) / 2),
    ),
    [channels, channels],
  );
  const around = (x: TfTensor) =>
    tf.reshape(tf.matMul(tf.reshape(x, [x.size / channels, channels]) as Tensor2D, band), x.shape);
  const scale = (x: TfTensor) => tf.add(tf.mul(around(tf.square(x)), alpha / size), bias);
  return {
    run: ([x]) => tf.mul(x!, tf.pow(scale(x!), -beta)),
    at: ([x]) => {
      const [value, direct, cross] = tf.tidy(() => {
        const s = scale(x!);
        return [
          x!.clone(),
          tf.pow(s, -beta),
          tf.mul(tf.mul(tf.pow(s, -beta - 1), (2 * alpha * beta) / size), x!),
        ];
      }) as [TfTensor, TfTensor, TfTensor];
      return {
        forward: ([v]) => tf.sub(tf.mul(direct, v!), tf.mul(cross, around(tf.mul(value, v!)))),
        back: (u) => [tf.sub(tf.mul(direct, u), tf.mul(value, around(tf.mul(cross, u))))],
        dispose: () => tf.dispose([value, direct, cross]),
      };
    },
    dispose: () => band.dispose(),
  };
}

/** Over the last axis. J = diag(y) − yyᵀ, and for its logarithm I − 1yᵀ, with y the probabilities. */
function softmax(tf: Tf, log: boolean): CompiledOp {
  return {
    run: ([x]) => (log ? tf.logSoftmax(x!) : tf.softmax(x!)),
    at: (_, output) => {
      const y = log ? tf.exp(output) : output.clone();
      const weighted = (v: TfTensor) => tf.sum(tf.mul(v, y), -1, true);
      return {
        forward: ([v]) => (log ? tf.sub(v!, weighted(v!)) : tf.mul(y, tf.sub(v!, weighted(v!)))),
        back: (u) => [log ? tf.sub(u, tf.mul(y, tf.sum(u, -1, true))) : tf.mul(y, tf.sub(u, weighted(u)))],
        dispose: () => y.dispose(),
      };
    },
    dispose: nothing,
  };
}

function pool(
  tf: Tf,
  node: Extract<GraphNode, { kind: 'max-pool' | 'average-pool' }>,
  input: number[],
  out: number[],
): CompiledOp {
  const [size, strides] = [[...node.size] as [number, number], [...node.strides] as [number, number]];
  const max = node.kind === 'max-pool';
  const padded = node.padding.some((side) => side > 0);
  // tfjs's own padding would leave the zeros out of a mean's count, or not, as it likes: pad first, then mend the count.
  let factor: TfTensor | null = null;
  if (node.kind === 'average-pool' && padded && !node.countPadding) {
    const one = [input[0]!, input[1]!, 1];
    const { weights } = poolMap(node, new Float32Array(product(one)), one, [out[0]!, out[1]!, 1]);
    factor = tf.tensor4d(
      weights!.map((weight) => weight * size[0] * size[1]),
      [1, out[0]!, out[1]!, 1],
    );
  }
  return {
    run([x]) {
      const image = (padded ? tf.pad(x!, zeros(node.padding), max ? -3.4e38 : 0) : x!) as Tensor4D;
      if (max) return tf.maxPool(image, size, strides, 'valid');
      const mean = tf.avgPool(image, size, strides, 'valid');
      return factor ? tf.mul(mean, factor) : mean;
    },
    at([x]) {
      const map = poolMap(node, max ? x!.dataSync<'float32'>() : new Float32Array(0), input, out);
      const inSize = product(input);
      return {
        forward: ([v], k) => tf.tensor(poolForward(map, v!.dataSync<'float32'>(), k, inSize), [k, ...out]),
        back: (u, k) => [tf.tensor(poolBack(map, u.dataSync<'float32'>(), k, inSize), [k, ...input])],
        dispose: nothing,
      };
    },
    dispose: () => factor?.dispose(),
  };
}
