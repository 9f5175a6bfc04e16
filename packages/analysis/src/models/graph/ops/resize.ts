import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../../backend.js';
import type { NodeOf } from '../types.js';
import { type CompiledOp, linear } from './compiled.js';
import { type OpDefinition, product, type Site } from './definition.js';

type Resize = NodeOf<'resize'>;

/** Coordinate modes and rounding of ONNX's Resize (opset 19, onnx/reference/ops/op_resize.py for the definitions). */
export const COORDINATES: readonly string[] = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
];
export const ROUNDINGS: readonly string[] = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];

/** One axis: output row o is Σ matrix[o · side + i] · input i. */
export function resizeMatrix(node: Resize, at: number, side: number): Float32Array {
  const [size, scale] = [node.sizes[at]!, node.scales[at]!];
  const matrix = new Float32Array(size * side);
  const clamp = (i: number) => Math.min(side - 1, Math.max(0, i));
  for (let o = 0; o < size; o++) {
    const x = placeOf(node.coordinates, o, size, side, scale);
    const put = (i: number, weight: number) => {
      matrix[o * side + clamp(i)]! += weight;
    };
    if (node.mode === 'nearest') put(rounded(node.rounding, x), 1);
    else if (node.mode === 'linear') {
      const held = Math.min(side - 1, Math.max(0, x));
      const low = Math.floor(held);
      put(low, 1 - (held - low));
      put(low + 1, held - low);
    } else {
      const low = Math.floor(x);
      const weights = cubic(x - low, node.cubic);
      const inside = weights.map((w, i) =>
        node.excludeOutside && clamp(low - 1 + i) !== low - 1 + i ? 0 : w,
      );
      const sum = node.excludeOutside ? inside.reduce((a, b) => a + b, 0) : 1;
      inside.forEach((w, i) => {
        put(low - 1 + i, w / sum);
      });
    }
  }
  return matrix;
}

function placeOf(mode: string, o: number, size: number, side: number, scale: number): number {
  switch (mode) {
    case 'align_corners':
      return size === 1 ? 0 : (o * (side - 1)) / (size - 1);
    case 'asymmetric':
      return o / scale;
    case 'pytorch_half_pixel':
      return size === 1 ? 0 : (o + 0.5) / scale - 0.5;
    case 'half_pixel_symmetric': {
      const adjustment = size / (scale * side);
      return (side / 2) * (1 - adjustment) + (o + 0.5) / scale - 0.5;
    }
    default:
      return (o + 0.5) / scale - 0.5;
  }
}

const rounded = (mode: string, x: number): number =>
  mode === 'floor'
    ? Math.floor(x)
    : mode === 'ceil'
      ? Math.ceil(x)
      : mode === 'round_prefer_ceil'
        ? Math.floor(x + 0.5)
        : Math.ceil(x - 0.5);

/** Keys 1981: weights of the four places around, t ∈ [0, 1) past the second. */
const cubic = (t: number, a: number): [number, number, number, number] => [
  ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a,
  ((a + 2) * t - (a + 3)) * t * t + 1,
  ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1,
  ((a * (2 - t) - 5 * a) * (2 - t) + 8 * a) * (2 - t) - 4 * a,
];

function compileResize(tf: Tf, node: Resize, { inputs }: Site): CompiledOp {
  const [input] = inputs as [number[]];
  const matrices = node.axes.map((axis, i) =>
    tf.tensor(resizeMatrix(node, i, input[axis]!), [1, node.sizes[i]!, input[axis]!]),
  );
  const along = (x: TfTensor, i: number, back: boolean): TfTensor => {
    const axis = node.axes[i]! + 1;
    const before = product(x.shape.slice(0, axis));
    const after = product(x.shape.slice(axis + 1));
    const y = tf.matMul(matrices[i]!, tf.reshape(x, [before, x.shape[axis]!, after]), back, false);
    return tf.reshape(
      y,
      x.shape.map((side, j) => (j === axis ? y.shape[1]! : side)),
    );
  };
  const all = (x: TfTensor, back: boolean) =>
    node.axes.reduce((y, _, i) => along(y, back ? node.axes.length - 1 - i : i, back), x.clone());
  return linear(
    (v) => all(v, false),
    (u) => all(u, true),
    () => tf.dispose(matrices),
  );
}

export const resizes: Record<'resize', OpDefinition> = {
  resize: {
    inputs: 1,
    fields: {
      axes: 'counts',
      sizes: 'counts',
      scales: 'numbers',
      mode: 'text',
      coordinates: 'text',
      rounding: 'text',
      cubic: 'number',
      excludeOutside: 'flag',
    },
    infer: (node, { inputs, refuse }) => {
      const { axes, sizes, scales, mode, coordinates, rounding } = node as Resize;
      const [input] = inputs as [number[]];
      if (
        sizes.length !== axes.length ||
        scales.length !== axes.length ||
        !axes.every((axis) => axis < input.length) ||
        !scales.every((scale) => scale > 0) ||
        new Set(axes).size < axes.length
      )
        refuse(`axes [${axes}], sizes [${sizes}] or scales [${scales}] of [${input}] are not possible`);
      if (!['nearest', 'linear', 'cubic'].includes(mode)) refuse(`mode ${mode} is not known`);
      if (!COORDINATES.includes(coordinates)) refuse(`coordinates ${coordinates} are not known`);
      if (!ROUNDINGS.includes(rounding)) refuse(`rounding ${rounding} is not known`);
      return input.map((side, axis) => (axes.includes(axis) ? sizes[axes.indexOf(axis)]! : side));
    },
    compile: (tf, node, site) => compileResize(tf, node as Resize, site),
  },
};
