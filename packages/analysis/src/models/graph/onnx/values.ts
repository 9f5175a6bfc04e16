import { toFloat32 } from '../../../formats/dtypes.js';
import type { Tensor } from '../../../formats/types.js';

/**
 * A value of the ONNX graph, for a batch of one sample, and how it lies in ours. Transposing it is only a new `order`;
 * axes of one place come and go freely. What reads it in another order gets a node that moves it.
 */
export interface Value {
  /** The node of our graph that gives it. */
  node: string;
  /** ONNX's shape, the batch as 1. */
  shape: number[];
  /** ONNX's axes of more than one place, in the order in which the node's output holds them. */
  order: number[];
  /** ONNX's axis of the samples; -1 where it was joined with another, or dropped. */
  batch: number;
  /** The node's own shape: `order`, with axes of one place anywhere. */
  sides: number[];
  /** Holds whole numbers: token ids. */
  integer?: boolean;
  /** Added to it before its softmax, in ONNX's axes: −∞ for what is not looked at. */
  mask?: Tensor;
}

/** Numbers of a tensor as float32. */
export const floats = (tensor: Tensor): Float32Array => toFloat32(tensor.data);

/** Numbers of a tensor, whole ones exact to 2⁵³. */
export const numbersOf = (tensor: Tensor): ArrayLike<number> =>
  tensor.data instanceof BigInt64Array || tensor.data instanceof BigUint64Array
    ? Float64Array.from(tensor.data as ArrayLike<bigint>, Number)
    : (tensor.data as ArrayLike<number>);

/** ONNX's axes of a shape with more than one place. */
export const wide = (shape: readonly number[]): number[] =>
  shape.flatMap((side, axis) => (side > 1 ? [axis] : []));
