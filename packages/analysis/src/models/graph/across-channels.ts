import type { Tensor2D, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../backend.js';
import { type CompiledOp, nothing } from './compiled.js';
import type { GraphNode } from './types.js';

/**
 * Over the last axis (Ba, Kiros and Hinton 2016): with z = (x − mean)/σ, J·v = γ/σ · P v and Jᵀ·u = 1/σ · P(γ u), where
 * P v = v − mean(v) − z · mean(z v).
 */
export function layerNorm(tf: Tf, epsilon: number, gamma: Float32Array, beta: Float32Array): CompiledOp {
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
export function localResponseNorm(
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

/** Softmax or its logarithm over the last axis. J = diag(y) − yyᵀ, and for its logarithm I − 1yᵀ, with y the probabilities. */
export function softmax(tf: Tf, log: boolean): CompiledOp {
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
