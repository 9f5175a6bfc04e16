import { rest } from '../formats/budget.js';
import { elementCount } from '../formats/dtypes.js';
import type { Tensor, TensorData } from '../formats/types.js';

/** Sides of the squares in which a matrix is turned: two of them stay in the cache. */
const TILE = 32;
/** Elements that are moved before others get their turn. */
const TURN = 1 << 18;

/** Row-major transposition. O(values). */
export function transpose(tensor: Tensor, axes: readonly number[]): Tensor {
  const turning = transposing(tensor, axes);
  for (;;) {
    const { done, value } = turning.next();
    if (done) return value;
  }
}

/** The same, and others get their turn in between; `name` for the message. Throws `cancelled`. */
export async function transposeInTurns(
  tensor: Tensor,
  axes: readonly number[],
  name: string,
): Promise<Tensor> {
  const turning = transposing(tensor, axes);
  for (;;) {
    const { done, value } = turning.next();
    if (done) return value;
    await rest(name);
  }
}

function* transposing(tensor: Tensor, axes: readonly number[]): Generator<void, Tensor> {
  const shape = axes.map((axis) => tensor.shape[axis]!);
  const data = tensor.data as Float64Array;
  const out = new (data.constructor as Float64ArrayConstructor)(data.length);
  const result = { data: out as TensorData, shape, dtype: tensor.dtype };
  let moved = 0;
  if (axes.length === 2 && axes[0] === 1) {
    const [rows, columns] = tensor.shape as [number, number];
    for (let r = 0; r < rows; r += TILE)
      for (let c = 0; c < columns; c += TILE) {
        for (let i = r; i < Math.min(rows, r + TILE); i++)
          for (let j = c; j < Math.min(columns, c + TILE); j++) out[j * rows + i] = data[i * columns + j]!;
        moved += TILE * TILE;
        if (moved % TURN === 0) yield;
      }
    return result;
  }
  const strides = tensor.shape.map((_, axis) => elementCount(tensor.shape.slice(axis + 1)));
  const steps = axes.map((axis) => strides[axis]!);
  const at = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    if (++moved % TURN === 0) yield;
    out[i] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      from -= at[axis]! * steps[axis]!;
      at[axis] = 0;
    }
  }
  return result;
}
