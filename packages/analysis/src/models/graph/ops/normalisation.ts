import type { Tensor2D, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../../backend.js';
import type { GraphNode, NodeOf } from '../types.js';
import { widen } from './broadcasting.js';
import { type CompiledOp, linear } from './compiled.js';
import { broadcast, type Given, type OpDefinition, product, type Site } from './definition.js';

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
  { size, alpha, beta, bias }: NodeOf<'local-response-norm'>,
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

/** Softmax or its logarithm over the last axis. J = diag(y) − yyᵀ, and for its logarithm I − 1yᵀ, with y the probabilities. */
function softmax(tf: Tf, { kind, mask }: NodeOf<'softmax' | 'log-softmax'>, site: Site): CompiledOp {
  const log = kind === 'log-softmax';
  const added = mask ? tf.tensor(site.weight(mask).data, [1, ...site.weight(mask).shape]) : null;
  const scores = (x: TfTensor) => (added ? tf.add(x, widen(tf, added, x.rank - 1)) : x);
  return {
    run: ([x]) => (log ? tf.logSoftmax(scores(x!)) : tf.softmax(scores(x!))),
    at: (_, output) => {
      const y = log ? tf.exp(output) : output.clone();
      const weighted = (v: TfTensor) => tf.sum(tf.mul(v, y), -1, true);
      return {
        forward: ([v]) => (log ? tf.sub(v!, weighted(v!)) : tf.mul(y, tf.sub(v!, weighted(v!)))),
        back: (u) => [log ? tf.sub(u, tf.mul(y, tf.sum(u, -1, true))) : tf.mul(y, tf.sub(u, weighted(u)))],
        dispose: () => y.dispose(),
      };
    },
    dispose: () => added?.dispose(),
  };
}

/** y = γ · x/ρ with ρ² = mean(x²) + ε: with z = x/ρ, J·v = γ/ρ · (v − z · mean(z v)), and the same bracket of γ u transposed. */
function rmsNorm(tf: Tf, epsilon: number, gamma: Float32Array): CompiledOp {
  const scale = tf.tensor1d(gamma);
  const mean = (v: TfTensor) => tf.mean(v, -1, true);
  const inverse = (x: TfTensor): TfTensor => tf.rsqrt(tf.add(mean(tf.square(x)), epsilon));
  return {
    run: ([x]) => tf.mul(tf.mul(x!, inverse(x!)), scale),
    at: ([x]) => {
      const [z, by] = tf.tidy(() => {
        const i = inverse(x!);
        return [tf.mul(x!, i), i];
      }) as [TfTensor, TfTensor];
      const project = (v: TfTensor) => tf.mul(tf.sub(v, tf.mul(z, mean(tf.mul(z, v)))), by);
      return {
        forward: ([v]) => tf.mul(project(v!), scale),
        back: (u) => [project(tf.mul(u, scale))],
        dispose: () => tf.dispose([z, by]),
      };
    },
    dispose: () => scale.dispose(),
  };
}

/** Wu and He 2018: as layer normalisation, over space and the channels of one group. */
function groupNorm(tf: Tf, node: NodeOf<'group-norm'>, site: Site): CompiledOp {
  const [input] = site.inputs as [number[]];
  const channels = input[input.length - 1]!;
  const grouped = [product(input) / channels, node.groups, channels / node.groups];
  const vector = (name: string | undefined) => (name ? tf.tensor1d(site.weight(name).data) : null);
  const [scale, offset] = [vector(node.scale), vector(node.offset)];
  const split = (x: TfTensor) => tf.reshape(x, [x.shape[0]!, ...grouped]);
  const joined = (x: TfTensor) => tf.reshape(x, [x.shape[0]!, ...input]);
  const mean = (v: TfTensor) => tf.mean(v, [1, 3], true);
  const scaled = (x: TfTensor): TfTensor => (scale ? tf.mul(x, scale) : x);
  const parts = (x: TfTensor): [z: TfTensor, inverse: TfTensor] => {
    const centred = tf.sub(x, mean(x));
    const inverse = tf.rsqrt(tf.add(mean(tf.square(centred)), node.epsilon));
    return [tf.mul(centred, inverse), inverse];
  };
  return {
    run: ([x]) => {
      const y = scaled(joined(parts(split(x!))[0]));
      return offset ? tf.add(y, offset) : y;
    },
    at: ([x]) => {
      const [z, inverse] = tf.tidy(() => parts(split(x!))) as [TfTensor, TfTensor];
      const project = (v: TfTensor) => {
        const g = split(v);
        return joined(tf.mul(tf.sub(tf.sub(g, mean(g)), tf.mul(z, mean(tf.mul(z, g)))), inverse));
      };
      return {
        forward: ([v]) => scaled(project(v!)),
        back: (u) => [project(scaled(u))],
        dispose: () => tf.dispose([z, inverse]),
      };
    },
    dispose: () => tf.dispose([scale, offset].filter((each) => each !== null)),
  };
}

/** x · scale + offset over the last axis. */
function affine(tf: Tf, node: NodeOf<'batch-norm'>, site: Site): CompiledOp {
  const scale = tf.tensor1d(site.weight(node.scale).data);
  const offset = tf.tensor1d(site.weight(node.offset).data);
  const by = (v: TfTensor): TfTensor => tf.mul(v, scale);
  return {
    ...linear(by, by, () => {
      scale.dispose();
      offset.dispose();
    }),
    run: ([x]) => tf.add(tf.mul(x!, scale), offset),
  };
}

/** Checks tensors [channels] of the last axis; the shape stays. */
const vectors =
  (...keys: string[]) =>
  (node: GraphNode, given: Given): number[] => {
    const [input] = given.inputs as [number[]];
    if (!input.length) given.fail('at least one axis');
    for (const key of keys) {
      const name = (node as unknown as Record<string, string | undefined>)[key];
      if (name !== undefined) given.tensor(name, [input[input.length - 1]!]);
    }
    return [...input];
  };

function inferSoftmax(node: NodeOf<'softmax' | 'log-softmax'>, given: Given): number[] {
  const [input] = given.inputs as [number[]];
  if (!input.length) given.fail('at least one axis');
  if (node.mask !== undefined) {
    const mask = given.shapeOf(node.mask);
    if (broadcast([mask, input])?.join() !== input.join())
      given.fail(`a mask of [${mask}] that broadcasts to it`);
  }
  return [...input];
}

const SOFTMAX: OpDefinition = {
  inputs: 1,
  fields: { mask: 'tensor?' },
  infer: (node, given) => inferSoftmax(node as NodeOf<'softmax' | 'log-softmax'>, given),
  compile: (tf, node, site) => softmax(tf, node as NodeOf<'softmax' | 'log-softmax'>, site),
};

export const normalisations: Record<
  'softmax' | 'log-softmax' | 'batch-norm' | 'layer-norm' | 'rms-norm' | 'group-norm' | 'local-response-norm',
  OpDefinition
> = {
  softmax: SOFTMAX,
  'log-softmax': SOFTMAX,
  'batch-norm': {
    inputs: 1,
    fields: { scale: 'tensor', offset: 'tensor' },
    infer: vectors('scale', 'offset'),
    compile: (tf, node, site) => affine(tf, node as NodeOf<'batch-norm'>, site),
  },
  'layer-norm': {
    inputs: 1,
    fields: { scale: 'tensor', offset: 'tensor', epsilon: 'number' },
    infer: vectors('scale', 'offset'),
    compile: (tf, node, site) => {
      const { scale, offset, epsilon } = node as NodeOf<'layer-norm'>;
      return layerNorm(tf, epsilon, site.weight(scale).data, site.weight(offset).data);
    },
  },
  'rms-norm': {
    inputs: 1,
    fields: { scale: 'tensor', epsilon: 'number' },
    infer: vectors('scale'),
    compile: (tf, node, site) => {
      const { scale, epsilon } = node as NodeOf<'rms-norm'>;
      return rmsNorm(tf, epsilon, site.weight(scale).data);
    },
  },
  'group-norm': {
    inputs: 1,
    fields: { groups: 'number', scale: 'tensor?', offset: 'tensor?', epsilon: 'number' },
    infer: (node, given) => {
      const { groups } = node as NodeOf<'group-norm'>;
      const channels = given.inputs[0]![given.inputs[0]!.length - 1] ?? 0;
      if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
        given.refuse(`${channels} channels cannot be parted into ${groups} groups`);
      return vectors('scale', 'offset')(node, given);
    },
    compile: (tf, node, site) => groupNorm(tf, node as NodeOf<'group-norm'>, site),
  },
  'local-response-norm': {
    inputs: 1,
    fields: { size: 'number', alpha: 'number', beta: 'number', bias: 'number' },
    infer: (node, given) => {
      const { size, bias, alpha } = node as NodeOf<'local-response-norm'>;
      if (!(Number.isInteger(size) && size % 2 === 1 && bias > 0 && alpha >= 0))
        given.refuse('expected an odd size, bias > 0 and alpha ≥ 0');
      return given.inputs[0]!.length === 3
        ? [...given.inputs[0]!]
        : given.fail('an image [height, width, channels]');
    },
    compile: (tf, node, { out }) => localResponseNorm(tf, node as NodeOf<'local-response-norm'>, out),
  },
};
