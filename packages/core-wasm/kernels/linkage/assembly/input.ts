// linkage, its input: the rows of a condensed matrix in their places, the lower triangle from the upper one.

/**
 * Spreads a condensed matrix that ends where the square does to the rows above the diagonal. What lies below holds
 * anything then.
 */
export function linkageSpread(d: usize, n: u32): void {
  // Every value's place lies n or more before it, so nothing is written over that is still to be read.
  let from = d + ((<usize>n * (n + 1)) << 1);
  for (let i: usize = 0; i < <usize>n; i++) {
    let to = d + ((i * n + i + 1) << 2);
    const end = d + (((i + 1) * n) << 2);
    for (; to + 16 <= end; to += 16) {
      v128.store(to, v128.load(from));
      from += 16;
    }
    for (; to < end; to += 4) {
      store<f32>(to, load<f32>(from));
      from += 4;
    }
  }
}

/**
 * Copies the rows [row0, row1) of the upper triangle below the diagonal, which becomes 0. Returns the first of these
 * rows that holds a NaN, an infinity or a negative value above the diagonal; n if none.
 */
export function linkageMirror(d: usize, n: u32, row0: u32, row1: u32): u32 {
  const bytes = (<usize>n) << 2;
  const strip: u32 = n < 2048 ? 32 : 128;
  for (let i0 = row0; i0 < row1; i0 += strip) {
    const i1 = min(i0 + strip, row1);
    // Right of the square on the diagonal in squares of four. Bits from those of +∞ on: not finite, negative or −0.
    const whole = i0 + ((i1 - i0) & ~3),
      begin = i0 + ((i1 - i0 + 3) & ~3);
    let most = i32x4.splat(0);
    let j = begin;
    for (; j + 4 <= n; j += 4) {
      for (let i = i0; i < whole; i += 4) {
        const p = d + ((<usize>i * n + j) << 2),
          q = d + ((<usize>j * n + i) << 2);
        const a0 = v128.load(p),
          a1 = v128.load(p + bytes),
          a2 = v128.load(p + 2 * bytes),
          a3 = v128.load(p + 3 * bytes);
        const b0 = i32x4.shuffle(a0, a1, 0, 4, 1, 5),
          b1 = i32x4.shuffle(a0, a1, 2, 6, 3, 7);
        const b2 = i32x4.shuffle(a2, a3, 0, 4, 1, 5),
          b3 = i32x4.shuffle(a2, a3, 2, 6, 3, 7);
        v128.store(q, i64x2.shuffle(b0, b2, 0, 2));
        v128.store(q + bytes, i64x2.shuffle(b0, b2, 1, 3));
        v128.store(q + 2 * bytes, i64x2.shuffle(b1, b3, 0, 2));
        v128.store(q + 3 * bytes, i64x2.shuffle(b1, b3, 1, 3));
        most = i32x4.max_u(most, i32x4.max_u(i32x4.max_u(a0, a1), i32x4.max_u(a2, a3)));
      }
    }
    const top = max(
      max<u32>(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
      max<u32>(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
    );
    for (let i = i0; i < i1; i++) {
      store<f32>(d + ((<usize>i * n + i) << 2), 0);
      for (let k = i + 1; k < n; k++) {
        if (top < 0x7f800000 && i < whole && k == begin) k = j;
        if (k >= n) break;
        const x = load<f32>(d + ((<usize>i * n + k) << 2));
        if (!(x >= 0 && x <= f32.MAX_VALUE)) return i;
        store<f32>(d + ((<usize>k * n + i) << 2), x);
      }
    }
  }
  return n;
}
