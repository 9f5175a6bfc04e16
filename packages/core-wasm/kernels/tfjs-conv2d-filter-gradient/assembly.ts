// Gradient of a 2-D convolution with respect to its filter, NHWC.

/** Bytes of scratch conv2dFilterGradient needs: one padded image, one dy image in chunks of 8 channels, the sums. */
export function conv2dFilterGradientScratch(
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  outChannels: i32,
  filterHeight: i32,
  filterWidth: i32,
  padTop: i32,
  padBottom: i32,
  padLeft: i32,
  padRight: i32,
): f64 {
  const co8 = (outChannels + 7) & ~7;
  const image = f64(height + padTop + padBottom) * f64(width + padLeft + padRight) * f64(channels);
  const dy = f64(outHeight) * f64(outWidth) * f64(co8);
  // Four taps are read together; the last group may reach past the filter, never past this room.
  const sums = f64((filterHeight * filterWidth * channels + 3) & ~3) * f64(co8);
  return 4.0 * (image + dy + sums) + 64.0;
}

/** Offset, in floats, of tap t = (fy, fx, c) from the window's first value. */
// @ts-ignore: decorator
@inline
function tapOffset(
  t: i32,
  taps: i32,
  channels: i32,
  filterWidth: i32,
  rowStride: i32,
  dilationY: i32,
  dilationX: i32,
): usize {
  // Past the filter: tap 0 again; its sum is dropped.
  const s = t < taps ? t : 0;
  const c = s % channels;
  const f = s / channels;
  return usize((f / filterWidth) * dilationY * rowStride + (f % filterWidth) * dilationX * channels + c) << 2;
}

/**
 * dw[fy, fx, ci, co] = Σ over images and output positions of x[n, oy·sy + fy·dy − top, ox·sx + fx·dx − left, ci] ·
 * dy[n, oy, ox, co]. Per image in float32, images added in float32: errors grow with the square root of the batch,
 * not its size times positions.
 */
export function conv2dFilterGradient(
  x: usize,
  dy: usize,
  dw: usize,
  scratch: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  outChannels: i32,
  filterHeight: i32,
  filterWidth: i32,
  strideY: i32,
  strideX: i32,
  dilationY: i32,
  dilationX: i32,
  padTop: i32,
  padBottom: i32,
  padLeft: i32,
  padRight: i32,
): void {
  const co8 = (outChannels + 7) & ~7;
  const taps = filterHeight * filterWidth * channels;
  const taps4 = (taps + 3) & ~3;
  const paddedWidth = width + padLeft + padRight;
  const paddedHeight = height + padTop + padBottom;
  const padded = (padTop | padBottom | padLeft | padRight) != 0;
  const rowStride = paddedWidth * channels;
  const image = scratch;
  const chunks = image + (usize(paddedHeight * rowStride) << 2);
  const sums = chunks + (usize(outHeight * outWidth * co8) << 2);
  const positions = outHeight * outWidth;
  const exact = co8 == outChannels;
  memory.fill(sums, 0, usize(taps4 * co8) << 2);
  if (padded) memory.fill(image, 0, usize(paddedHeight * rowStride) << 2);

  for (let n = 0; n < batch; n++) {
    let source = x + ((usize(n) * usize(height * width * channels)) << 2);
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
    let gradient = dy + ((usize(n) * usize(positions * outChannels)) << 2);
    if (!exact) {
      // Rows padded to whole vectors, so that the loop below has no tail.
      for (let p = 0; p < positions; p++) {
        const to = chunks + (usize(p * co8) << 2);
        const from = gradient + (usize(p * outChannels) << 2);
        // Word by word: a call to copy some bytes takes longer than they do.
        for (let c = 0; c < outChannels; c++) store<f32>(to + (usize(c) << 2), load<f32>(from + (usize(c) << 2)));
        for (let c = outChannels; c < co8; c++) store<f32>(to + (usize(c) << 2), 0);
      }
      gradient = chunks;
    }
    const stepX = usize(strideX * channels) << 2;
    const stepY = usize(strideY * rowStride) << 2;
    const stepDy = usize(co8) << 2;
    for (let t = 0; t < taps4; t += 4) {
      const o0 = tapOffset(t, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      const o1 = tapOffset(t + 1, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      const o2 = tapOffset(t + 2, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      const o3 = tapOffset(t + 3, taps, channels, filterWidth, rowStride, dilationY, dilationX);
      for (let c = 0; c < co8; c += 8) {
        const at = sums + (usize(t * co8 + c) << 2);
        conv2dFilterGradientTile(
          source,
          gradient + (usize(c) << 2),
          at,
          o0,
          o1,
          o2,
          o3,
          outHeight,
          outWidth,
          stepY,
          stepX,
          stepDy,
        );
      }
    }
  }
  for (let t = 0; t < taps; t++) {
    memory.copy(dw + (usize(t * outChannels) << 2), sums + (usize(t * co8) << 2), usize(outChannels) << 2);
  }
}

// @ts-ignore: decorator
@inline
function add2(p: usize, a: v128, b: v128): void {
  v128.store(p, f32x4.add(v128.load(p), a));
  v128.store(p, f32x4.add(v128.load(p, 16), b), 16);
}

/**
 * Adds to four rows of sums, stepDy apart, the products of four taps with eight output channels over all positions.
 * Exported, because Binaryen inlines what has one caller, and V8 of Node 20 and 22 keeps these sums in registers only
 * in a function of their own (four times faster).
 */
export function conv2dFilterGradientTile(
  source: usize,
  g: usize,
  s: usize,
  o0: usize,
  o1: usize,
  o2: usize,
  o3: usize,
  outHeight: i32,
  outWidth: i32,
  stepY: usize,
  stepX: usize,
  stepDy: usize,
): void {
  const zero = f32x4.splat(0);
  let a0 = zero,
    a1 = zero,
    a2 = zero,
    a3 = zero,
    b0 = zero,
    b1 = zero,
    b2 = zero,
    b3 = zero;
  for (let oy = 0; oy < outHeight; oy++) {
    let p = source + usize(oy) * stepY;
    for (let ox = 0; ox < outWidth; ox++) {
      const d = v128.load(g);
      const e = v128.load(g, 16);
      const x0 = v128.load32_splat(p + o0);
      const x1 = v128.load32_splat(p + o1);
      const x2 = v128.load32_splat(p + o2);
      const x3 = v128.load32_splat(p + o3);
      a0 = f32x4.add(a0, f32x4.mul(d, x0));
      b0 = f32x4.add(b0, f32x4.mul(e, x0));
      a1 = f32x4.add(a1, f32x4.mul(d, x1));
      b1 = f32x4.add(b1, f32x4.mul(e, x1));
      a2 = f32x4.add(a2, f32x4.mul(d, x2));
      b2 = f32x4.add(b2, f32x4.mul(e, x2));
      a3 = f32x4.add(a3, f32x4.mul(d, x3));
      b3 = f32x4.add(b3, f32x4.mul(e, x3));
      p += stepX;
      g += stepDy;
    }
  }
  add2(s, a0, b0);
  add2(s + stepDy, a1, b1);
  add2(s + stepDy * 2, a2, b2);
  add2(s + stepDy * 3, a3, b3);
}
