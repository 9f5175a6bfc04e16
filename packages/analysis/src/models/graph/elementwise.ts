import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../backend.js';
import type { GraphKind, GraphNode } from './types.js';

/** A map of each value by itself; `slope` answers its derivative from input and output. */
export interface Elementwise {
  run(x: TfTensor): TfTensor;
  slope(x: TfTensor, y: TfTensor): TfTensor;
}

/** Kinds that map each value by itself. */
export const ELEMENTWISE: ReadonlySet<string> = new Set<GraphKind>([
  'relu',
  'leaky-relu',
  'clip',
  'sigmoid',
  'hard-sigmoid',
  'tanh',
  'erf',
  'elu',
  'softplus',
  'gelu',
  'gelu-tanh',
  'silu',
  'hard-swish',
  'mish',
]);

/** Whether a layer of this kind is an activation: a map of each value by itself. */
export const isActivation = (kind: string): boolean => ELEMENTWISE.has(kind);

const ROOT = Math.sqrt(2 / Math.PI);
/** Of x³ in the usual approximation of GELU (Hendrycks and Gimpel 2016, section 2). */
const CUBE = 0.044715;

/** Null for other kinds. At a kink: the lower side's slope, 0 where it is flat on either side. */
export function elementwiseOf(tf: Tf, node: GraphNode): Elementwise | null {
  const within = (x: TfTensor, low: number, high: number) =>
    tf.cast(tf.logicalAnd(tf.greater(x, low), tf.less(x, high)), 'float32');
  const normal = (x: TfTensor) => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
  const inner = (x: TfTensor) => tf.tanh(tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), CUBE)), ROOT));
  // max(x, 0) + log(1 + exp(−|x|)): exp(x) alone would overflow.
  const softplus = (x: TfTensor) => tf.add(tf.relu(x), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
  const gate = (x: TfTensor) => tf.clipByValue(tf.add(tf.mul(x, 1 / 6), 0.5), 0, 1);
  switch (node.kind) {
    case 'relu':
      return { run: (x) => tf.relu(x), slope: (x) => tf.cast(tf.greater(x, 0), 'float32') };
    case 'leaky-relu':
      // Not tf.leakyRelu: its wasm kernel exists, but one formula serves both.
      return {
        run: (x) => tf.add(tf.relu(x), tf.mul(tf.minimum(x, 0), node.slope)),
        slope: (x) => tf.add(tf.mul(tf.cast(tf.greater(x, 0), 'float32'), 1 - node.slope), node.slope),
      };
    case 'clip':
      return {
        run: (x) => tf.clipByValue(x, node.min, node.max),
        slope: (x) => within(x, node.min, node.max),
      };
    case 'sigmoid':
      return { run: (x) => tf.sigmoid(x), slope: (_, y) => tf.mul(y, tf.sub(1, y)) };
    case 'hard-sigmoid':
      return {
        run: (x) => tf.clipByValue(tf.add(tf.mul(x, node.alpha), node.beta), 0, 1),
        slope: (_, y) => tf.mul(within(y, 0, 1), node.alpha),
      };
    case 'tanh':
      return { run: (x) => tf.tanh(x), slope: (_, y) => tf.sub(1, tf.square(y)) };
    case 'erf':
      return {
        run: (x) => tf.erf(x),
        slope: (x) => tf.mul(tf.exp(tf.neg(tf.square(x))), 2 / Math.sqrt(Math.PI)),
      };
    case 'elu': {
      const { alpha, factor } = node;
      return {
        // Not tf.elu: its exp(x) − 1 is that of large x too.
        run: (x) => tf.mul(tf.add(tf.relu(x), tf.mul(tf.sub(tf.exp(tf.minimum(x, 0)), 1), alpha)), factor),
        slope: (x) => {
          const positive = tf.cast(tf.greater(x, 0), 'float32');
          const below = tf.mul(tf.mul(tf.exp(tf.minimum(x, 0)), alpha), tf.sub(1, positive));
          return tf.mul(tf.add(positive, below), factor);
        },
      };
    }
    case 'softplus':
      return { run: softplus, slope: (x) => tf.sigmoid(x) };
    case 'gelu':
      return {
        run: (x) => tf.mul(x, normal(x)),
        slope: (x) =>
          tf.add(
            normal(x),
            tf.mul(x, tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))),
          ),
      };
    case 'gelu-tanh':
      return {
        run: (x) => tf.mul(tf.mul(x, 0.5), tf.add(inner(x), 1)),
        slope: (x) => {
          const t = inner(x);
          const steep = tf.mul(tf.add(tf.mul(tf.square(x), 3 * CUBE), 1), ROOT / 2);
          return tf.add(tf.mul(tf.add(t, 1), 0.5), tf.mul(tf.mul(x, steep), tf.sub(1, tf.square(t))));
        },
      };
    case 'silu':
      return {
        run: (x) => tf.mul(x, tf.sigmoid(x)),
        slope: (x, y) => {
          const s = tf.sigmoid(x);
          return tf.add(s, tf.mul(y, tf.sub(1, s)));
        },
      };
    case 'hard-swish':
      return {
        run: (x) => tf.mul(x, gate(x)),
        slope: (x) => tf.add(gate(x), tf.mul(tf.mul(x, 1 / 6), within(x, -3, 3))),
      };
    case 'mish': {
      const soft = (x: TfTensor) => tf.tanh(softplus(x));
      return {
        run: (x) => tf.mul(x, soft(x)),
        slope: (x) => {
          const t = soft(x);
          return tf.add(t, tf.mul(tf.mul(x, tf.sub(1, tf.square(t))), tf.sigmoid(x)));
        },
      };
    }
    default:
      return null;
  }
}
