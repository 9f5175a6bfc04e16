import { elementCount } from '../formats/dtypes.js';
import type { Tensor, TensorData } from '../formats/types.js';

/** Sides of the squares in which a matrix is turned: two of them stay in the cache. */
const TILE = 32;

/** Row-major transposition. O(values). */
export function transpose(tensor: Tensor, axes: readonly number[]): Tensor {
  const shape = axes.map((axis) => tensor.shape[axis]!);
  const data = tensor.data as Float64Array;
  const out = new (data.constructor as Float64ArrayConstructor)(data.length);
  if (axes.length === 2 && axes[0] === 1) {
    const [rows, columns] = tensor.shape as [number, number];
    for (let r = 0; r < rows; r += TILE)
      for (let c = 0; c < columns; c += TILE)
        for (let i = r; i < Math.min(rows, r + TILE); i++)
          for (let j = c; j < Math.min(columns, c + TILE); j++) out[j * rows + i] = data[i * columns + j]!;
    return { data: out as TensorData, shape, dtype: tensor.dtype };
  }
  const strides = tensor.shape.map((_, axis) => elementCount(tensor.shape.slice(axis + 1)));
  const steps = axes.map((axis) => strides[axis]!);
  const at = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      from -= at[axis]! * steps[axis]!;
      at[axis] = 0;
    }
  }
  return { data: out as TensorData, shape, dtype: tensor.dtype };
}
