import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../../backend.js';
import { product } from './definition.js';

/** Adds axes of 1 after the leading one, so that samples stay first when shapes of unlike rank meet. */
export function widen(tf: Tf, x: TfTensor, rank: number): TfTensor {
  const [n, ...shape] = x.shape as [number, ...number[]];
  return shape.length === rank
    ? x
    : tf.reshape(x, [n, ...new Array<number>(rank - shape.length).fill(1), ...shape]);
}

/** Repeats k × from to k × out. */
export function spread(tf: Tf, v: TfTensor, k: number, out: readonly number[]): TfTensor {
  const wide = widen(tf, v, out.length);
  const reps = [k, ...out].map((side, i) => side / wide.shape[i]!);
  return reps.every((times) => times === 1) ? wide.clone() : tf.tile(wide, reps);
}

/** The transpose of `spread`: sums k × out over what was repeated, to k × to. */
export function collect(tf: Tf, u: TfTensor, k: number, to: readonly number[]): TfTensor {
  const out = u.shape.slice(1);
  if (out.join() === to.join()) return u.clone();
  const missing = out.length - to.length;
  const axes = out.flatMap((side, i) =>
    side !== (i < missing ? 1 : to[i - missing]) || i < missing ? [i + 1] : [],
  );
  return tf.reshape(axes.length ? tf.sum(u, axes, true) : u, [k, ...to]);
}

/** Reshapes x to its leading axis and `shape`. */
export const shaped = (tf: Tf, x: TfTensor, shape: readonly number[]): TfTensor =>
  tf.reshape(x, [x.size / product(shape), ...shape]);
