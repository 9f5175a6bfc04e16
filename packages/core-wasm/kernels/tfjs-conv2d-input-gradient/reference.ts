import { type ConvShape, eachProduct } from '../tfjs-conv2d-filter-gradient/reference.js';

/** ∂L/∂x from the filter and ∂L/∂output, by the definition, in float64. */
export function conv2dInputGradientReference(
  dy: ArrayLike<number>,
  filter: ArrayLike<number>,
  shape: ConvShape,
): Float64Array {
  const dx = new Float64Array(shape.batch * shape.height * shape.width * shape.channels);
  eachProduct(shape, (i, f, o) => {
    dx[i]! += filter[f]! * dy[o]!;
  });
  return dx;
}
