import { guard, type Matrix } from '@epochscope/core-wasm';
import { elementCount, toFloat32 } from './dtypes.js';
import { headNorms, selectTokens, type TokenChoice } from './tokens.js';
import type { Tensor } from './types.js';

/**
 * A tensor as an n × d float32 matrix: the first axis stays, the others are flattened; one axis becomes n × 1.
 * Float32 data are shared, others converted. Values beyond float32 become infinite and are caught by whoever computes.
 */
export function tensorToMatrix(tensor: Tensor, name: string): Matrix {
  guard(tensor.shape.length > 0, 'shape', () => `${name}: expected at least one axis, got a single number`, {
    name,
  });
  const rows = tensor.shape[0]!;
  const columns = elementCount(tensor.shape.slice(1));
  return { data: toFloat32(tensor.data), shape: [rows, columns] };
}

/** A part of a layer's outputs: one channel (last axis), one vector for the tokens of a sample, or a number for each head. */
export type Selection = { channel: number } | { tokens: TokenChoice; axis: number } | { heads: true };

/** The part selected of every sample. Throws `argument`, `shape`. */
export function selectPart(tensor: Tensor, selection: Selection): Tensor {
  if ('channel' in selection) return selectChannel(tensor, selection.channel);
  return 'heads' in selection ? headNorms(tensor) : selectTokens(tensor, selection.axis, selection.tokens);
}

/** How many rows one sample gives: its tokens where each is a sample, else 1. */
export const rowsEach = (shape: readonly number[], selection: Selection | null): number =>
  selection && 'tokens' in selection && selection.tokens === 'all' ? shape[selection.axis]! : 1;

/** Shape of the part selected of one sample. */
export function selectedShape(shape: readonly number[], selection: Selection | null): readonly number[] {
  if (!selection) return shape;
  if ('channel' in selection) return shape.slice(0, -1);
  return 'heads' in selection ? shape.slice(0, 1) : shape.filter((_, i) => i !== selection.axis);
}

/** One channel (last axis) of every sample, float64 where the tensor is. Throws `argument` for a channel that is not there. */
export function selectChannel(tensor: Tensor, channel: number): Tensor<Float32Array | Float64Array> {
  const channels = tensor.shape[tensor.shape.length - 1]!;
  guard(
    tensor.shape.length > 1 && Number.isInteger(channel) && channel >= 0 && channel < channels,
    'argument',
    () => `expected a channel 0 … ${channels - 1}, got ${channel}`,
    { channel },
  );
  const count = tensor.data.length / channels;
  const data = tensor.data instanceof Float64Array ? new Float64Array(count) : new Float32Array(count);
  for (let i = 0, from = channel; i < count; i++, from += channels) data[i] = Number(tensor.data[from]);
  return {
    data,
    shape: tensor.shape.slice(0, -1),
    dtype: data instanceof Float64Array ? 'float64' : 'float32',
  };
}
