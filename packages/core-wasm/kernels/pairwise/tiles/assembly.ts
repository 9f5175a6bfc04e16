// pairwise: the innermost loops. A tile is 4 rows × 8 columns in eight vector sums; both come from panels of eight rows,
// transposed (prepare/assembly.ts), so that a step over k reads two vectors and four broadcast numbers and needs no sum across lanes.
// One step a turn, not several: V8 runs this loop at 51 GFLOP/s and every unrolled one below 43 (Node 20, see docs/benchmarks.md).

import { madd } from "../../../assembly/lanes";

/** c[4 × 8] += Σ_k a[k, 0..3] · b[k, 0..7]: a and b with 32 bytes a step, c's rows `step` bytes apart. */
export function dotTile(a: usize, b: usize, c: usize, step: usize, count: u32, zero: v128): void {
  let s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
  const end = b + (usize(count) << 5);
  while (b < end) {
    const y0 = v128.load(b), y1 = v128.load(b, 16);
    const x0 = v128.load32_splat(a);
    s00 = madd(x0, y0, s00);
    s01 = madd(x0, y1, s01);
    const x1 = v128.load32_splat(a, 4);
    s10 = madd(x1, y0, s10);
    s11 = madd(x1, y1, s11);
    const x2 = v128.load32_splat(a, 8);
    s20 = madd(x2, y0, s20);
    s21 = madd(x2, y1, s21);
    const x3 = v128.load32_splat(a, 12);
    s30 = madd(x3, y0, s30);
    s31 = madd(x3, y1, s31);
    a += 32;
    b += 32;
  }
  put(c, s00, s01);
  put(c + step, s10, s11);
  put(c + step * 2, s20, s21);
  put(c + step * 3, s30, s31);
}

/** The same with Σ_k |a[k, ·] − b[k, ·]|. mask: bit 31 of each lane clear, all others set. */
export function differenceTile(a: usize, b: usize, c: usize, step: usize, count: u32, zero: v128, mask: v128): void {
  let s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
  const end = b + (usize(count) << 5);
  while (b < end) {
    const y0 = v128.load(b), y1 = v128.load(b, 16);
    const x0 = v128.load32_splat(a);
    s00 = f32x4.add(s00, v128.and(f32x4.sub(x0, y0), mask));
    s01 = f32x4.add(s01, v128.and(f32x4.sub(x0, y1), mask));
    const x1 = v128.load32_splat(a, 4);
    s10 = f32x4.add(s10, v128.and(f32x4.sub(x1, y0), mask));
    s11 = f32x4.add(s11, v128.and(f32x4.sub(x1, y1), mask));
    const x2 = v128.load32_splat(a, 8);
    s20 = f32x4.add(s20, v128.and(f32x4.sub(x2, y0), mask));
    s21 = f32x4.add(s21, v128.and(f32x4.sub(x2, y1), mask));
    const x3 = v128.load32_splat(a, 12);
    s30 = f32x4.add(s30, v128.and(f32x4.sub(x3, y0), mask));
    s31 = f32x4.add(s31, v128.and(f32x4.sub(x3, y1), mask));
    a += 32;
    b += 32;
  }
  put(c, s00, s01);
  put(c + step, s10, s11);
  put(c + step * 2, s20, s21);
  put(c + step * 3, s30, s31);
}

// @ts-ignore: decorator
@inline
function put(c: usize, left: v128, right: v128): void {
  v128.store(c, f32x4.add(v128.load(c), left));
  v128.store(c, f32x4.add(v128.load(c, 16), right), 16);
}

/** Σ (x[k] − y[k])² over count values, a multiple of 4, of two rows: no cancellation, exactly 0 for equal rows. */
export function squaredDistance(x: usize, y: usize, count: u32): f64 {
  let total: f64 = 0;
  const end = x + (usize(count) << 2);
  while (x < end) {
    // Lanes add up at most 128 terms before they go to the float64 total.
    const stop = min(end, x + 4096);
    let a = f32x4.splat(0), b = a;
    for (; x + 32 <= stop; x += 32, y += 32) {
      const u = f32x4.sub(v128.load(x), v128.load(y)), w = f32x4.sub(v128.load(x, 16), v128.load(y, 16));
      a = madd(u, u, a);
      b = madd(w, w, b);
    }
    for (; x < stop; x += 16, y += 16) {
      const u = f32x4.sub(v128.load(x), v128.load(y));
      a = madd(u, u, a);
    }
    a = f32x4.add(a, b);
    total += <f64>f32x4.extract_lane(a, 0) + <f64>f32x4.extract_lane(a, 1) + (<f64>f32x4.extract_lane(a, 2) + <f64>f32x4.extract_lane(a, 3));
  }
  return total;
}

/** to[j, i] = from[i, j] for 4 × 4 floats; rows `fromStep` and `toStep` bytes apart. */
// @ts-ignore: decorator
@inline
export function transpose4(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const a = v128.load(from), b = v128.load(from + fromStep), c = v128.load(from + fromStep * 2), e = v128.load(from + fromStep * 3);
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<u32>(c, e, 0, 4, 1, 5);
  const AB = v128.shuffle<u32>(a, b, 2, 6, 3, 7), CD = v128.shuffle<u32>(c, e, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(ab, cd, 0, 2));
  v128.store(to + toStep, v128.shuffle<u64>(ab, cd, 1, 3));
  v128.store(to + toStep * 2, v128.shuffle<u64>(AB, CD, 0, 2));
  v128.store(to + toStep * 3, v128.shuffle<u64>(AB, CD, 1, 3));
}
