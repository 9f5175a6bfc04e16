import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../../backend.js';
import type { GraphKind, GraphNode, NodeOf } from '../types.js';
import { type CompiledOp, nothing } from './compiled.js';
import type { Fields, OpDefinition } from './definition.js';

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
  'softsign',
  'prelu',
]);

/** Maps of each value by itself that are no activations but arithmetic. */
const ARITHMETIC: readonly GraphKind[] = [
  'abs',
  'negative',
  'exp',
  'log',
  'sqrt',
  'reciprocal',
  'sin',
  'cos',
  'sign',
  'floor',
  'ceil',
  'round',
  'power',
];

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
      const { alpha, factor, width = 1 } = node;
      const low = (x: TfTensor) => {
        const below = tf.minimum(x, 0);
        return tf.exp(width === 1 ? below : tf.mul(below, 1 / width));
      };
      return {
        // Not tf.elu: its exp(x) − 1 is that of large x too.
        run: (x) => tf.mul(tf.add(tf.relu(x), tf.mul(tf.sub(low(x), 1), alpha)), factor),
        slope: (x) => {
          const positive = tf.cast(tf.greater(x, 0), 'float32');
          const below = tf.mul(tf.mul(low(x), alpha / width), tf.sub(1, positive));
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
    case 'softsign':
      return {
        run: (x) => tf.div(x, tf.add(tf.abs(x), 1)),
        slope: (x) => tf.reciprocal(tf.square(tf.add(tf.abs(x), 1))),
      };
    case 'abs':
      return { run: (x) => tf.abs(x), slope: (x) => tf.sign(x) };
    case 'negative':
      return { run: (x) => tf.neg(x), slope: (x) => tf.fill(x.shape, -1) };
    case 'exp':
      return { run: (x) => tf.exp(x), slope: (_, y) => y.clone() };
    case 'log':
      return { run: (x) => tf.log(x), slope: (x) => tf.reciprocal(x) };
    case 'sqrt':
      return { run: (x) => tf.sqrt(x), slope: (_, y) => tf.div(0.5, y) };
    case 'reciprocal':
      return { run: (x) => tf.reciprocal(x), slope: (_, y) => tf.neg(tf.square(y)) };
    case 'sin':
      return { run: (x) => tf.sin(x), slope: (x) => tf.cos(x) };
    case 'cos':
      return { run: (x) => tf.cos(x), slope: (x) => tf.neg(tf.sin(x)) };
    case 'sign':
    case 'floor':
    case 'ceil':
    case 'round': {
      const { kind } = node;
      return { run: (x) => tf[kind](x), slope: (x) => tf.zerosLike(x) };
    }
    case 'power':
      return {
        run: (x) => whole(tf, x, node.exponent),
        slope: (x) => tf.mul(whole(tf, x, node.exponent - 1), node.exponent),
      };
    default:
      return null;
  }
}

/** x to an exponent; small whole ones by products, which are exact to the last bit for negative x too. */
function whole(tf: Tf, x: TfTensor, exponent: number): TfTensor {
  if (exponent === 0) return tf.onesLike(x);
  if (exponent === 1) return x.clone();
  if (exponent === 2) return tf.square(x);
  if (exponent === 3) return tf.mul(tf.square(x), x);
  if (exponent === 0.5) return tf.sqrt(x);
  if (exponent === -0.5) return tf.rsqrt(x);
  return tf.pow(x, exponent);
}

function compileElementwise(tf: Tf, node: GraphNode): CompiledOp {
  const { run, slope } = elementwiseOf(tf, node)!;
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

const FIELDS: Record<string, Fields> = {
  clip: { min: 'number', max: 'number' },
  'hard-sigmoid': { alpha: 'number', beta: 'number' },
  elu: { alpha: 'number', factor: 'number', width: 'number?' },
  'leaky-relu': { slope: 'number' },
  power: { exponent: 'number' },
};

/** x where x > 0, else a slope of its own for each channel of the last axis, or one for all. */
const prelu: OpDefinition = {
  inputs: 1,
  fields: { slope: 'tensor' },
  infer: (node, { inputs, shapeOf, fail }) => {
    const [count, ...more] = shapeOf((node as NodeOf<'prelu'>).slope);
    const last = inputs[0]!.at(-1);
    if (more.length || (count !== 1 && count !== last)) fail(`one slope, or one for each of the last axis`);
    return [...inputs[0]!];
  },
  compile: (tf, node, { weight }) => {
    const slope = tf.tensor1d(weight((node as NodeOf<'prelu'>).slope).data);
    return {
      run: ([x]) => tf.add(tf.relu(x!), tf.mul(tf.minimum(x!, 0), slope)),
      at: ([x]) => {
        const d = tf.tidy(() => {
          const positive = tf.cast(tf.greater(x!, 0), 'float32');
          return tf.add(positive, tf.mul(tf.sub(1, positive), slope));
        });
        return {
          forward: ([v]) => tf.mul(v!, d),
          back: (u) => [tf.mul(u, d)],
          dispose: () => d.dispose(),
        };
      },
      dispose: () => slope.dispose(),
    };
  },
};

const mapped = [...ELEMENTWISE, ...ARITHMETIC].map((kind): [string, OpDefinition] => [
  kind,
  { inputs: 1, fields: FIELDS[kind], infer: (_, { inputs }) => [...inputs[0]!], compile: compileElementwise },
]);

export const elementwise: Record<string, OpDefinition> = { ...Object.fromEntries(mapped), prelu };
