// Dense matrix product in float32 with either side transposed, optional bias and ReLU.

/** Bytes of scratch matMul needs: B in panels of 8 columns. */
export function matMulScratch(k: i32, n: i32): f64 {
  return 4.0 * f64(k) * f64((n + 7) & ~7) + 32.0;
}

/**
 * c[m, n] = op(a)[m, k] · op(b)[k, n] (+ bias[n]) (then max(0, ·)), row-major. Each sum runs over k in order.
 * bias: 0 for none.
 */
export function matMul(
  a: usize,
  b: usize,
  c: usize,
  scratch: usize,
  m: i32,
  k: i32,
  n: i32,
  transposeA: bool,
  transposeB: bool,
  bias: usize,
  relu: bool,
): void {
  const panels = (n + 7) >> 3;
  for (let panel = 0; panel < panels; panel++) {
    const j0 = panel << 3;
    const columns = min(8, n - j0);
    let to = scratch + ((usize(panel) * usize(k)) << 5);
    for (let q = 0; q < k; q++) {
      if (!transposeB && columns == 8) {
        const from = b + ((usize(q) * usize(n) + usize(j0)) << 2);
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
      } else {
        for (let j = 0; j < 8; j++) {
          const index = transposeB ? usize(j0 + j) * usize(k) + usize(q) : usize(q) * usize(n) + usize(j0 + j);
          store<f32>(to + (usize(j) << 2), j < columns ? load<f32>(b + (index << 2)) : 0);
        }
      }
      to += 32;
    }
  }
  const rowStep: usize = transposeA ? 4 : usize(k) << 2;
  const kStep: usize = transposeA ? usize(m) << 2 : 4;
  const zero = f32x4.splat(0);
  for (let i = 0; i < m; i += 4) {
    const rows = min(4, m - i);
    const r0 = a + usize(i) * rowStep;
    // Rows past the end read row 0 again and are not stored.
    const r1 = rows > 1 ? r0 + rowStep : r0;
    const r2 = rows > 2 ? r0 + rowStep * 2 : r0;
    const r3 = rows > 3 ? r0 + rowStep * 3 : r0;
    for (let panel = 0; panel < panels; panel++) {
      const j0 = panel << 3;
      let p = scratch + ((usize(panel) * usize(k)) << 5);
      let a0 = zero,
        b0 = zero,
        a1 = zero,
        b1 = zero,
        a2 = zero,
        b2 = zero,
        a3 = zero,
        b3 = zero;
      let offset: usize = 0;
      for (let q = 0; q < k; q++) {
        const left = v128.load(p);
        const right = v128.load(p, 16);
        const s0 = v128.load32_splat(r0 + offset);
        const s1 = v128.load32_splat(r1 + offset);
        const s2 = v128.load32_splat(r2 + offset);
        const s3 = v128.load32_splat(r3 + offset);
        a0 = f32x4.add(a0, f32x4.mul(left, s0));
        b0 = f32x4.add(b0, f32x4.mul(right, s0));
        a1 = f32x4.add(a1, f32x4.mul(left, s1));
        b1 = f32x4.add(b1, f32x4.mul(right, s1));
        a2 = f32x4.add(a2, f32x4.mul(left, s2));
        b2 = f32x4.add(b2, f32x4.mul(right, s2));
        a3 = f32x4.add(a3, f32x4.mul(left, s3));
        b3 = f32x4.add(b3, f32x4.mul(right, s3));
        p += 32;
        offset += kStep;
      }
      const columns = min(8, n - j0);
      const out = c + ((usize(i) * usize(n) + usize(j0)) << 2);
      const step = usize(n) << 2;
      put(out, a0, b0, columns, bias, j0, relu);
      if (rows > 1) put(out + step, a1, b1, columns, bias, j0, relu);
      if (rows > 2) put(out + step * 2, a2, b2, columns, bias, j0, relu);
      if (rows > 3) put(out + step * 3, a3, b3, columns, bias, j0, relu);
    }
  }
}

// @ts-ignore: decorator
@inline
function put(out: usize, left: v128, right: v128, columns: i32, bias: usize, j0: i32, relu: bool): void {
  if (columns == 8) {
    if (bias) {
      left = f32x4.add(left, v128.load(bias + (usize(j0) << 2)));
      right = f32x4.add(right, v128.load(bias + (usize(j0) << 2), 16));
    }
    if (relu) {
      left = f32x4.max(left, f32x4.splat(0));
      right = f32x4.max(right, f32x4.splat(0));
    }
    v128.store(out, left);
    v128.store(out, right, 16);
    return;
  }
  one(out, f32x4.extract_lane(left, 0), 0, columns, bias, j0, relu);
  one(out, f32x4.extract_lane(left, 1), 1, columns, bias, j0, relu);
  one(out, f32x4.extract_lane(left, 2), 2, columns, bias, j0, relu);
  one(out, f32x4.extract_lane(left, 3), 3, columns, bias, j0, relu);
  one(out, f32x4.extract_lane(right, 0), 4, columns, bias, j0, relu);
  one(out, f32x4.extract_lane(right, 1), 5, columns, bias, j0, relu);
  one(out, f32x4.extract_lane(right, 2), 6, columns, bias, j0, relu);
}

function one(out: usize, value: f32, j: i32, columns: i32, bias: usize, j0: i32, relu: bool): void {
  if (j >= columns) return;
  if (bias) value += load<f32>(bias + (usize(j0 + j) << 2));
  if (relu) value = max<f32>(value, 0);
  store<f32>(out + (usize(j) << 2), value);
}
