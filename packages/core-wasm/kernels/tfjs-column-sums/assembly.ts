// Sums over all axes but the last, as the gradients of biases take them.

/**
 * out[c] = Σ over rows of x[row, c], each in float32 from the first row on: the bits of a transposition and a sum a
 * row, which is how tfjs-backend-wasm does it, without the transposition.
 */
export function columnSums(x: usize, out: usize, rows: i32, columns: i32): void {
  const stride = usize(columns) << 2;
  const end = x + usize(rows) * stride;
  for (let c = 0; c < columns; c += 4) {
    const lanes = min(4, columns - c);
    let sums = f32x4.splat(0);
    let p = x + (usize(c) << 2);
    // Lanes past the last column add what comes after it, and are not stored.
    for (; p + 16 <= end; p += stride) sums = f32x4.add(sums, v128.load(p));
    for (; p < end; p += stride) {
      let row = v128.load32_zero(p);
      if (lanes > 1) row = f32x4.replace_lane(row, 1, load<f32>(p, 4));
      if (lanes > 2) row = f32x4.replace_lane(row, 2, load<f32>(p, 8));
      sums = f32x4.add(sums, row);
    }
    const to = out + (usize(c) << 2);
    store<f32>(to, f32x4.extract_lane(sums, 0));
    if (lanes > 1) store<f32>(to, f32x4.extract_lane(sums, 1), 4);
    if (lanes > 2) store<f32>(to, f32x4.extract_lane(sums, 2), 8);
    if (lanes > 3) store<f32>(to, f32x4.extract_lane(sums, 3), 12);
  }
}
