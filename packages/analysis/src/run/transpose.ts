import { rest } from '../formats/budget.js';
import { elementCount, gathering } from '../formats/dtypes.js';
import type { Tensor } from '../formats/types.js';

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
  if (axes.length === 2 && axes[0] === 1) {
    const data = tensor.data as Float64Array;
    const out = new (data.constructor as Float64ArrayConstructor)(data.length);
    const [rows, columns] = tensor.shape as [number, number];
    let moved = 0;
    for (let r = 0; r < rows; r += TILE)
      for (let c = 0; c < columns; c += TILE) {
        for (let i = r; i < Math.min(rows, r + TILE); i++)
          for (let j = c; j < Math.min(columns, c + TILE); j++) out[j * rows + i] = data[i * columns + j]!;
        moved += TILE * TILE;
        if (moved % TURN === 0) yield;
      }
    return { data: out, shape, dtype: tensor.dtype };
  }
  const strides = tensor.shape.map((_, axis) => elementCount(tensor.shape.slice(axis + 1)));
  const steps = axes.map((axis) => strides[axis]!);
  return { data: yield* gathering(tensor.data, shape, steps), shape, dtype: tensor.dtype };
}
