import { type ConvShape, convOutput } from '../tfjs-conv2d-filter-gradient/reference.js';

/**
 * Each output gradient goes to its window's first largest value in row-major order. A NaN that comes first in the
 * window keeps it, a later one is passed over. Windows of nothing but padding give to none. In float64; outChannels
 * is not used.
 */
export function maxPoolGradientReference(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  s: ConvShape,
): Float64Array {
  const dx = new Float64Array(s.batch * s.height * s.width * s.channels);
  const { outHeight, outWidth } = convOutput(s);
  for (let n = 0; n < s.batch; n++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let c = 0; c < s.channels; c++) {
          let at = -1;
          for (let fy = 0; fy < s.filterHeight; fy++)
            for (let fx = 0; fx < s.filterWidth; fx++) {
              const y = oy * s.strideY + fy * s.dilationY - s.padTop;
              const px = ox * s.strideX + fx * s.dilationX - s.padLeft;
              if (y < 0 || px < 0 || y >= s.height || px >= s.width) continue;
              const here = ((n * s.height + y) * s.width + px) * s.channels + c;
              if (at < 0 || x[here]! > x[at]!) at = here;
            }
          if (at >= 0) dx[at]! += dy[((n * outHeight + oy) * outWidth + ox) * s.channels + c]!;
        }
  return dx;
}
