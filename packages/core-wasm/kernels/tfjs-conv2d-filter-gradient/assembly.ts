// Gradient of a 2-D convolution with respect to its filter, NHWC.

/** Bytes of scratch conv2dFilterGradient needs: one padded image, one dy image in chunks of 4 channels, the sums. */
export function conv2dFilterGradientScratch(
  height: i32, width: i32, channels: i32, outHeight: i32, outWidth: i32, outChannels: i32,
  filterHeight: i32, filterWidth: i32, padTop: i32, padBottom: i32, padLeft: i32, padRight: i32,
): f64 {
  const co4 = (outChannels + 3) & ~3;
  const image = f64(height + padTop + padBottom) * f64(width + padLeft + padRight) * f64(channels);
  const dy = f64(outHeight) * f64(outWidth) * f64(co4);
  // Eight taps are read together; the last group may reach past the filter, never past this slack.
  const sums = f64((filterHeight * filterWidth * channels + 7) & ~7) * f64(co4);
  return 4.0 * (image + dy + sums) + 64.0;
}

/** Offset, in floats, of tap t = (fy, fx, c) from the window's first value. */
// @ts-ignore: decorator
@inline
function tapOffset(t: i32, taps: i32, channels: i32, filterWidth: i32, rowStride: i32, dilationY: i32, dilationX: i32): usize {
  // Past the filter: tap 0 again; its sum is dropped.
  const s = t < taps ? t : 0;
  const c = s % channels;
  const f = s / channels;
  return usize((f / filterWidth) * dilationY * rowStride + (f % filterWidth) * dilationX * channels + c) << 2;
}

/**
 * dw[fy, fx, ci, co] = Σ over images and output positions of x[n, oy·sy + fy·dy − top, ox·sx + fx·dx − left, ci] · dy[n, oy, ox, co].
 * Per image in float32, images added in float32: errors grow with the square root of the batch, not its size times positions.
 */
export function conv2dFilterGradient(
  x: usize, dy: usize, dw: usize, scratch: usize,
  batch: i32, height: i32, width: i32, channels: i32, outHeight: i32, outWidth: i32, outChannels: i32,
  filterHeight: i32, filterWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32,
  padTop: i32, padBottom: i32, padLeft: i32, padRight: i32,
): void {
  const co4 = (outChannels + 3) & ~3;
  const taps = filterHeight * filterWidth * channels;
  const taps8 = (taps + 7) & ~7;
  const paddedWidth = width + padLeft + padRight;
  const paddedHeight = height + padTop + padBottom;
  const padded = (padTop | padBottom | padLeft | padRight) != 0;
  const rowStride = paddedWidth * channels;
  const image = scratch;
  const chunks = image + (usize(paddedHeight * rowStride) << 2);
  const sums = chunks + (usize(outHeight * outWidth * co4) << 2);
  const positions = outHeight * outWidth;
  const exact = co4 == outChannels;
  memory.fill(sums, 0, usize(taps8 * co4) << 2);
  if (padded) memory.fill(image, 0, usize(paddedHeight * rowStride) << 2);

  for (let n = 0; n < batch; n++) {
    let source = x + (usize(n) * usize(height * width * channels) << 2);
    if (padded) {
      for (let y = 0; y < height; y++) {
        memory.copy(
          image + (usize((y + padTop) * rowStride + padLeft * channels) << 2),
          source + (usize(y * width * channels) << 2),
          usize(width * channels) << 2,
        );
      }
      source = image;
    }
    let gradient = dy + (usize(n) * usize(positions * outChannels) << 2);
    if (!exact) {
      // Rows padded to whole vectors, so that the loop below has no tail.
      for (let p = 0; p < positions; p++) {
        const to = chunks + (usize(p * co4) << 2);
        memory.copy(to, gradient + (usize(p * outChannels) << 2), usize(outChannels) << 2);
        for (let c = outChannels; c < co4; c++) store<f32>(to + (usize(c) << 2), 0);
      }
      gradient = chunks;
    }
    const stepX = usize(strideX * channels) << 2;
    const stepY = usize(strideY * rowStride) << 2;
    const stepDy = usize(co4) << 2;
    for (let t = 0; t < taps8; t += 8) {
      const o0 = tapOffset(t, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      const o1 = tapOffset(t + 1, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      const o2 = tapOffset(t + 2, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      const o3 = tapOffset(t + 3, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      const o4 = tapOffset(t + 4, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      const o5 = tapOffset(t + 5, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      const o6 = tapOffset(t + 6, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      const o7 = tapOffset(t + 7, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      for (let c = 0; c < co4; c += 4) {
        let a0 = f32x4.splat(0);
        let a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
        let g = gradient + (usize(c) << 2);
        for (let oy = 0; oy < outHeight; oy++) {
          let p = source + usize(oy) * stepY;
          for (let ox = 0; ox < outWidth; ox++) {
            const d = v128.load(g);
            a0 = f32x4.add(a0, f32x4.mul(d, v128.load32_splat(p + o0)));
            a1 = f32x4.add(a1, f32x4.mul(d, v128.load32_splat(p + o1)));
            a2 = f32x4.add(a2, f32x4.mul(d, v128.load32_splat(p + o2)));
            a3 = f32x4.add(a3, f32x4.mul(d, v128.load32_splat(p + o3)));
            a4 = f32x4.add(a4, f32x4.mul(d, v128.load32_splat(p + o4)));
            a5 = f32x4.add(a5, f32x4.mul(d, v128.load32_splat(p + o5)));
            a6 = f32x4.add(a6, f32x4.mul(d, v128.load32_splat(p + o6)));
            a7 = f32x4.add(a7, f32x4.mul(d, v128.load32_splat(p + o7)));
            p += stepX;
            g += stepDy;
          }
        }
        const s = sums + (usize(t * co4 + c) << 2);
        v128.store(s, f32x4.add(v128.load(s), a0));
        v128.store(s + stepDy, f32x4.add(v128.load(s + stepDy), a1));
        v128.store(s + stepDy * 2, f32x4.add(v128.load(s + stepDy * 2), a2));
        v128.store(s + stepDy * 3, f32x4.add(v128.load(s + stepDy * 3), a3));
        v128.store(s + stepDy * 4, f32x4.add(v128.load(s + stepDy * 4), a4));
        v128.store(s + stepDy * 5, f32x4.add(v128.load(s + stepDy * 5), a5));
        v128.store(s + stepDy * 6, f32x4.add(v128.load(s + stepDy * 6), a6));
        v128.store(s + stepDy * 7, f32x4.add(v128.load(s + stepDy * 7), a7));
      }
    }
  }
  for (let t = 0; t < taps; t++) {
    memory.copy(dw + (usize(t * outChannels) << 2), sums + (usize(t * co4) << 2), usize(outChannels) << 2);
  }
}
