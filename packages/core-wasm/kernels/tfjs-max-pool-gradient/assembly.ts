// Gradient of 2-D max pooling, NHWC.

/**
 * dx: each output gradient goes to the first largest value of its window in row-major order (as tfjs's cpu backend
 * does; its wasm backend takes the last). A NaN that comes first in its window keeps the gradient, a later one is
 * passed over.
 */
export function maxPoolGradient(
  x: usize,
  dy: usize,
  dx: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  filterHeight: i32,
  filterWidth: i32,
  strideY: i32,
  strideX: i32,
  dilationY: i32,
  dilationX: i32,
  padTop: i32,
  padLeft: i32,
): void {
  memory.fill(dx, 0, (usize(batch) * usize(height * width * channels)) << 2);
  const zero = i32x4.splat(0);
  for (let n = 0; n < batch; n++) {
    const image = (usize(n) * usize(height * width * channels)) << 2;
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        const out = dy + ((usize((n * outHeight + oy) * outWidth + ox) * usize(channels)) << 2);
        const top = oy * strideY - padTop;
        const left = ox * strideX - padLeft;
        let c = 0;
        for (; c < channels && channels >= 4; c += 4) {
          // The last four channels may hold some that were done: those are not given again.
          const done = max(0, c + 4 - channels);
          c -= done;
          let best = f32x4.splat(-Infinity);
          let at = i32x4.splat(-1);
          for (let fy = 0; fy < filterHeight; fy++) {
            const y = top + fy * dilationY;
            if (y < 0 || y >= height) continue;
            for (let fx = 0; fx < filterWidth; fx++) {
              const px = left + fx * dilationX;
              if (px < 0 || px >= width) continue;
              const offset = (y * width + px) * channels + c;
              const value = v128.load(x + image + (usize(offset) << 2));
              // Larger, or nothing chosen yet.
              const take = v128.or(f32x4.gt(value, best), i32x4.lt_s(at, zero));
              best = v128.bitselect(value, best, take);
              at = v128.bitselect(i32x4.splat(offset), at, take);
            }
          }
          const g = v128.load(out + (usize(c) << 2));
          if (done < 1) give(dx + image, i32x4.extract_lane(at, 0), f32x4.extract_lane(g, 0));
          if (done < 2) give(dx + image + 4, i32x4.extract_lane(at, 1), f32x4.extract_lane(g, 1));
          if (done < 3) give(dx + image + 8, i32x4.extract_lane(at, 2), f32x4.extract_lane(g, 2));
          give(dx + image + 12, i32x4.extract_lane(at, 3), f32x4.extract_lane(g, 3));
        }
        for (; c < channels; c++) {
          let best: f32 = -Infinity;
          let at = -1;
          for (let fy = 0; fy < filterHeight; fy++) {
            const y = top + fy * dilationY;
            if (y < 0 || y >= height) continue;
            for (let fx = 0; fx < filterWidth; fx++) {
              const px = left + fx * dilationX;
              if (px < 0 || px >= width) continue;
              const offset = (y * width + px) * channels + c;
              const value = load<f32>(x + image + (usize(offset) << 2));
              if (value > best || at < 0) {
                best = value;
                at = offset;
              }
            }
          }
          give(dx + image, at, load<f32>(out + (usize(c) << 2)));
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function give(base: usize, offset: i32, value: f32): void {
  if (offset < 0) return;
  const p = base + (usize(offset) << 2);
  store<f32>(p, load<f32>(p) + value);
}
