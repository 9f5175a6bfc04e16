import { toFloat32 } from '../../../formats/dtypes.js';
import type { Tensor } from '../../../formats/types.js';

/**
 * How a value of the ONNX graph lies in ours: `image` [N, C, H, W] is our [h, w, c]; `image-last` [N, H, W, C] likewise;
 * `pooled` [N, C, 1, 1] is our [c]; `vector` [N, F] is our [f].
 */
export type Form = 'image' | 'image-last' | 'pooled' | 'vector';

export interface Value {
  /** The node of our graph that gives it. */
  node: string;
  form: Form;
  /** One sample's shape in our graph. */
  shape: number[];
}

/** What a node's shape is computed with while the net is exported: whole numbers, the batch left open. */
export type Sides = (number | 'batch')[];

/** A constant of whole numbers as sides; null for any other. */
export function sidesOf(tensor: Tensor | undefined): Sides | null {
  return tensor && tensor.data.length <= 64 && tensor.shape.length <= 1 && /int/.test(tensor.dtype)
    ? Array.from(tensor.data as Iterable<number | bigint>, Number)
    : null;
}

/** ONNX's shape of a value, without the batch. */
export function onnxSides({ form, shape }: Value): number[] {
  if (form === 'image') return [shape[2]!, shape[0]!, shape[1]!];
  return form === 'pooled' ? [shape[0]!, 1, 1] : shape;
}

/** Numbers of a tensor as float32. */
export const floats = (tensor: Tensor): Float32Array => toFloat32(tensor.data);
