// pairwise: the innermost loops. A tile is 2 rows × 16 columns in eight vector sums; both come from panels of sixteen
// rows, transposed (prepare.ts), so that a step over k reads four vectors and two broadcast numbers and needs no sum
// across lanes. V8 adds an instruction to each broadcast that is not at the pointer itself, and none to a vector: 2 ×
// 16 runs at 60 GFLOP/s where 4 × 8, with four broadcasts, runs at 50, and every tile of more than eight sums below
// 37 (Node 20, AMD EPYC of 4.1 GHz, limit 65; Node 24 57, Node 22 49 whatever the order). One step an iteration:
// unrolled by hand the loop spills its sums (37), and inside another loop V8 unrolls it (55): so it is a function of
// its own, with more than one caller, which Binaryen does not inline.

import { madd } from '../../../assembly/lanes';

/** c[2 × 16] = Σ_k a[k, 0..1] · b[k, 0..15], or += where `more`: a and b with 64 bytes a step, c's rows too. */
export function dotTile(a: usize, b: usize, c: usize, count: u32, more: bool, zero: v128): void {
  let s00 = zero,
    s01 = zero,
    s02 = zero,
    s03 = zero,
    s10 = zero,
    s11 = zero,
    s12 = zero,
    s13 = zero;
  const end = b + (usize(count) << 6);
  while (b < end) {
    const y0 = v128.load(b),
      y1 = v128.load(b, 16),
      y2 = v128.load(b, 32),
      y3 = v128.load(b, 48);
    const x0 = v128.load32_splat(a);
    s00 = madd(x0, y0, s00);
    s01 = madd(x0, y1, s01);
    s02 = madd(x0, y2, s02);
    s03 = madd(x0, y3, s03);
    const x1 = v128.load32_splat(a, 4);
    s10 = madd(x1, y0, s10);
    s11 = madd(x1, y1, s11);
    s12 = madd(x1, y2, s12);
    s13 = madd(x1, y3, s13);
    a += 64;
    b += 64;
  }
  if (more) {
    s00 = f32x4.add(v128.load(c), s00);
    s01 = f32x4.add(v128.load(c, 16), s01);
    s02 = f32x4.add(v128.load(c, 32), s02);
    s03 = f32x4.add(v128.load(c, 48), s03);
    s10 = f32x4.add(v128.load(c, 64), s10);
    s11 = f32x4.add(v128.load(c, 80), s11);
    s12 = f32x4.add(v128.load(c, 96), s12);
    s13 = f32x4.add(v128.load(c, 112), s13);
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c, s02, 32);
  v128.store(c, s03, 48);
  v128.store(c, s10, 64);
  v128.store(c, s11, 80);
  v128.store(c, s12, 96);
  v128.store(c, s13, 112);
}

/**
 * c[2 × 16] = Σ_k |a[k, ·] − b[k, ·]|, else the same. mask: bit 31 of each lane clear, all others set. The sums are
 * stored as they are: with anything done to them after the loop, V8 loads all vectors first, runs out of registers by
 * one and spills a sum (23 instead of 32 GFLOP/s; the limit here is 33, as differences and sums share two of the four
 * units).
 */
export function differenceTile(a: usize, b: usize, c: usize, count: u32, zero: v128, mask: v128): void {
  let s00 = zero,
    s01 = zero,
    s02 = zero,
    s03 = zero,
    s10 = zero,
    s11 = zero,
    s12 = zero,
    s13 = zero;
  const end = b + (usize(count) << 6);
  while (b < end) {
    const y0 = v128.load(b),
      y1 = v128.load(b, 16),
      y2 = v128.load(b, 32),
      y3 = v128.load(b, 48);
    const x0 = v128.load32_splat(a);
    s00 = f32x4.add(s00, v128.and(f32x4.sub(x0, y0), mask));
    s01 = f32x4.add(s01, v128.and(f32x4.sub(x0, y1), mask));
    s02 = f32x4.add(s02, v128.and(f32x4.sub(x0, y2), mask));
    s03 = f32x4.add(s03, v128.and(f32x4.sub(x0, y3), mask));
    const x1 = v128.load32_splat(a, 4);
    s10 = f32x4.add(s10, v128.and(f32x4.sub(x1, y0), mask));
    s11 = f32x4.add(s11, v128.and(f32x4.sub(x1, y1), mask));
    s12 = f32x4.add(s12, v128.and(f32x4.sub(x1, y2), mask));
    s13 = f32x4.add(s13, v128.and(f32x4.sub(x1, y3), mask));
    a += 64;
    b += 64;
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c, s02, 32);
  v128.store(c, s03, 48);
  v128.store(c, s10, 64);
  v128.store(c, s11, 80);
  v128.store(c, s12, 96);
  v128.store(c, s13, 112);
}

/** c[p] += a[p] over `bytes`, a multiple of 16. */
// @ts-ignore: decorator
@inline
export function add(a: usize, c: usize, bytes: usize): void {
  for (let p: usize = 0; p < bytes; p += 16) v128.store(c + p, f32x4.add(v128.load(c + p), v128.load(a + p)));
}

/**
 * c[4 × 16] = Σ_k a[k, 0..3] · b[k, 0..15] over count columns, summed `block` columns at a time and these sums in
 * turn.
 */
export function products(a: usize, b: usize, c: usize, count: u32, block: u32, zero: v128): void {
  let more = false;
  while (count > block) {
    dotTile(a, b, c, block, more, zero);
    dotTile(a + 8, b, c + 128, block, more, zero);
    a += usize(block) << 6;
    b += usize(block) << 6;
    count -= block;
    more = true;
  }
  dotTile(a, b, c, count, more, zero);
  dotTile(a + 8, b, c + 128, count, more, zero);
}

/** The same with a total in float64: rounded once more at the end. total: f64[4 × 16]. */
export function exactProducts(a: usize, b: usize, c: usize, count: u32, block: u32, total: usize, zero: v128): void {
  for (let p: usize = 0; p < 512; p += 16) v128.store(total + p, zero);
  for (;;) {
    const now = min(block, count);
    dotTile(a, b, c, now, false, zero);
    dotTile(a + 8, b, c + 128, now, false, zero);
    for (let p: usize = 0, q = total; p < 256; p += 8, q += 16) {
      v128.store(q, f64x2.add(v128.load(q), f64x2.promote_low_f32x4(v128.load64_zero(c + p))));
    }
    count -= now;
    if (!count) break;
    a += usize(now) << 6;
    b += usize(now) << 6;
  }
  for (let p: usize = 0, q = total; p < 256; p += 16, q += 32) {
    const low = f32x4.demote_f64x2_zero(v128.load(q)),
      high = f32x4.demote_f64x2_zero(v128.load(q, 16));
    v128.store(c + p, v128.shuffle<u64>(low, high, 0, 2));
  }
}

/** The same of |a[k, ·] − b[k, ·]|. part: 256 bytes. */
export function differences(
  a: usize,
  b: usize,
  c: usize,
  count: u32,
  block: u32,
  part: usize,
  zero: v128,
  mask: v128,
): void {
  let to = c;
  for (;;) {
    const now = min(block, count);
    differenceTile(a, b, to, now, zero, mask);
    differenceTile(a + 8, b, to + 128, now, zero, mask);
    if (to != c) add(part, c, 256);
    count -= now;
    if (!count) return;
    to = part;
    a += usize(now) << 6;
    b += usize(now) << 6;
  }
}

/** A square of a value at most 1 that is not below this has all its digits, and so has a sum of some such: 2⁻¹⁰⁰. */
const FAINT: f64 = 7.888609052210118e-31;

/**
 * Σ (x[k] − y[k])² over count values, a multiple of 4, of two rows: no cancellation, no underflow, exactly 0 for
 * equal rows.
 */
export function squaredDistance(x: usize, y: usize, count: u32): f64 {
  let total: f64 = 0,
    differ = i32x4.splat(0);
  const end = x + (usize(count) << 2);
  let p = x,
    q = y;
  while (p < end) {
    // Lanes add up at most 128 terms before they go to the float64 total.
    const stop = min(end, p + 4096);
    let a = f32x4.splat(0),
      b = a;
    for (; p + 32 <= stop; p += 32, q += 32) {
      const u = f32x4.sub(v128.load(p), v128.load(q)),
        w = f32x4.sub(v128.load(p, 16), v128.load(q, 16));
      differ = v128.or(differ, v128.or(u, w));
      a = madd(u, u, a);
      b = madd(w, w, b);
    }
    for (; p < stop; p += 16, q += 16) {
      const u = f32x4.sub(v128.load(p), v128.load(q));
      differ = v128.or(differ, u);
      a = madd(u, u, a);
    }
    a = f32x4.add(a, b);
    total +=
      <f64>f32x4.extract_lane(a, 0) +
      <f64>f32x4.extract_lane(a, 1) +
      (<f64>f32x4.extract_lane(a, 2) + <f64>f32x4.extract_lane(a, 3));
  }
  return total < FAINT && v128.any_true(differ) ? faintDistance(x, y, count) : total;
}

// The same where squares vanish in float32.
function faintDistance(x: usize, y: usize, count: u32): f64 {
  let total: f64 = 0;
  for (const end = x + (usize(count) << 2); x < end; x += 4, y += 4) {
    const u = <f64>load<f32>(x) - <f64>load<f32>(y);
    total += u * u;
  }
  return total;
}
