// Gradient of a 2-D convolution with respect to its input, NHWC, dilation 1.

/**
 * Bytes of scratch conv2dInputGradient needs: one padded image with some room, the filter with rows turned to
 * [co][fx·ci].
 */
export function conv2dInputGradientScratch(
  height: i32,
  width: i32,
  channels: i32,
  outChannels: i32,
  filterHeight: i32,
  filterWidth: i32,
  padTop: i32,
  padBottom: i32,
  padLeft: i32,
  padRight: i32,
): f64 {
  const image = f64(height + padTop + padBottom) * f64(width + padLeft + padRight) * f64(channels);
  const row = f64((filterWidth * channels + 15) & ~15);
  return 4.0 * (image + 16.0 + f64(filterHeight) * f64(outChannels) * row) + 64.0;
}

/**
 * dx[n, y, x, ci] = Σ dy[n, oy, ox, co] · w[fy, fx, ci, co] over all (oy, fy), (ox, fx) with oy·sy + fy − top = y and
 * ox·sx + fx − left = x. A filter row and its channels lie side by side in the input, so a row is one run of vectors.
 */
export function conv2dInputGradient(
  dy: usize,
  w: usize,
  dx: usize,
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
  padTop: i32,
  padBottom: i32,
  padLeft: i32,
  padRight: i32,
): void {
  const run = filterWidth * channels;
  const row = (run + 15) & ~15;
  const paddedWidth = width + padLeft + padRight;
  const floats = (height + padTop + padBottom) * paddedWidth * channels + 16;
  const image = scratch;
  const filter = image + (usize(floats) << 2);
  for (let fy = 0; fy < filterHeight; fy++) {
    for (let co = 0; co < outChannels; co++) {
      const to = filter + (usize((fy * outChannels + co) * row) << 2);
      for (let k = 0; k < row; k++) {
        store<f32>(to + (usize(k) << 2), k < run ? load<f32>(w + (usize((fy * run + k) * outChannels + co) << 2)) : 0);
      }
    }
  }
  const rowBytes = usize(row) << 2;
  const pixel = usize(outChannels) << 2;
  const step = usize(strideX * channels) << 2;
  const zero = f32x4.splat(0);
  for (let n = 0; n < batch; n++) {
    memory.fill(image, 0, usize(floats) << 2);
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox += 2) {
        const two = ox + 1 < outWidth;
        const g0 = dy + usize((n * outHeight + oy) * outWidth + ox) * pixel;
        const g1 = two ? g0 + pixel : g0;
        for (let fy = 0; fy < filterHeight; fy++) {
          const p0 = image + (usize(((oy * strideY + fy) * paddedWidth + ox * strideX) * channels) << 2);
          for (let v: usize = 0; v < rowBytes; v += 64) {
            let f = filter + usize(fy * outChannels) * rowBytes + v;
            let a0 = zero,
              a1 = zero,
              a2 = zero,
              a3 = zero,
              b0 = zero,
              b1 = zero,
              b2 = zero,
              b3 = zero;
            for (let c: usize = 0; c < pixel; c += 4) {
              const s = v128.load32_splat(g0 + c);
              const t = v128.load32_splat(g1 + c);
              const w0 = v128.load(f),
                w1 = v128.load(f, 16),
                w2 = v128.load(f, 32),
                w3 = v128.load(f, 48);
              a0 = f32x4.add(a0, f32x4.mul(s, w0));
              a1 = f32x4.add(a1, f32x4.mul(s, w1));
              a2 = f32x4.add(a2, f32x4.mul(s, w2));
              a3 = f32x4.add(a3, f32x4.mul(s, w3));
              b0 = f32x4.add(b0, f32x4.mul(t, w0));
              b1 = f32x4.add(b1, f32x4.mul(t, w1));
              b2 = f32x4.add(b2, f32x4.mul(t, w2));
              b3 = f32x4.add(b3, f32x4.mul(t, w3));
              f += rowBytes;
            }
            add4(p0 + v, a0, a1, a2, a3);
            // The second position overlaps the first: its sums are added after those are stored.
            if (two) add4(p0 + step + v, b0, b1, b2, b3);
          }
        }
      }
    }
    for (let y = 0; y < height; y++) {
      memory.copy(
        dx + (usize((n * height + y) * width * channels) << 2),
        image + (usize(((y + padTop) * paddedWidth + padLeft) * channels) << 2),
        usize(width * channels) << 2,
      );
    }
  }
}

// @ts-ignore: decorator
@inline
function add4(p: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(p, f32x4.add(v128.load(p), a));
  v128.store(p, f32x4.add(v128.load(p, 16), b), 16);
  v128.store(p, f32x4.add(v128.load(p, 32), c), 32);
  v128.store(p, f32x4.add(v128.load(p, 48), d), 48);
}
