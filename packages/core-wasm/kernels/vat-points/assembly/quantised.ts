// int16-quantised coordinates: q = round((x − centre) · steps). Their distances are exact in 32 bits, cost a sixth of
// the operations of f32 differences, and lie within the two points' rounding of the real ones: enough to decide which
// distances are computed. The step is such that no sum overflows: |q| ≤ 22 000 + √d / 2 for the whole vector, which
// by Cauchy–Schwarz bounds every partial product; (2·|q|)² < 2³¹. Points beyond the radius of such numbers are moved
// to it, which brings no two farther apart: fine for near pairs, but not where the farthest pair is sought.
import { float, ptr, word } from '../../../assembly/words';
import { Job } from '../memory';

// Bytes of a row at a time: 16 KB of a block, so that its second half finds them in the nearest cache.
const CHUNK: usize = 1024;

// @ts-ignore: decorator
@inline
function mac(a: v128, b: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
}

/**
 * a·x, b·x, c·x, e·x into out[4 × 16] for the 16 points x of a block; a … e are quantised rows, `bytes` long, a
 * multiple of 4.
 */
export function products(
  block: usize,
  a: usize,
  b: usize,
  c: usize,
  e: usize,
  bytes: usize,
  out: usize,
  zero: v128,
): void {
  for (let p: usize = 0; p < 256; p += 16) v128.store(out + p, zero);
  for (; bytes > 0; ) {
    const now = min(CHUNK, bytes);
    half(block, a, b, c, e, now, out, zero);
    half(block + 32, a, b, c, e, now, out + 32, zero);
    block += now << 4;
    a += now;
    b += now;
    c += now;
    e += now;
    bytes -= now;
  }
}

// Eight of a block's points: a 4 × 8 tile, as in pairwise, of two coordinates an iteration.
function half(p: usize, a: usize, b: usize, c: usize, e: usize, bytes: usize, out: usize, zero: v128): void {
  let s00 = zero,
    s01 = zero,
    s10 = zero,
    s11 = zero,
    s20 = zero,
    s21 = zero,
    s30 = zero,
    s31 = zero;
  const end = a + bytes;
  while (a < end) {
    const y0 = v128.load(p),
      y1 = v128.load(p, 16);
    const x0 = v128.load32_splat(a);
    s00 = mac(x0, y0, s00);
    s01 = mac(x0, y1, s01);
    const x1 = v128.load32_splat(b);
    s10 = mac(x1, y0, s10);
    s11 = mac(x1, y1, s11);
    const x2 = v128.load32_splat(c);
    s20 = mac(x2, y0, s20);
    s21 = mac(x2, y1, s21);
    const x3 = v128.load32_splat(e);
    s30 = mac(x3, y0, s30);
    s31 = mac(x3, y1, s31);
    p += 64;
    a += 4;
    b += 4;
    c += 4;
    e += 4;
  }
  add(out, s00, s01);
  add(out + 64, s10, s11);
  add(out + 128, s20, s21);
  add(out + 192, s30, s31);
}

// @ts-ignore: decorator
@inline
function add(out: usize, left: v128, right: v128): void {
  v128.store(out, i32x4.add(v128.load(out), left));
  v128.store(out, i32x4.add(v128.load(out, 16), right), 16);
}

/**
 * a·x into out[16] for the 16 points x of a block. Four coordinates an iteration: four sums alone would wait for
 * their own additions.
 */
export function product(p: usize, a: usize, bytes: usize, out: usize, zero: v128): void {
  let s0 = zero,
    s1 = zero,
    s2 = zero,
    s3 = zero,
    t0 = zero,
    t1 = zero,
    t2 = zero,
    t3 = zero;
  const end = a + (bytes & ~7);
  while (a < end) {
    const x = v128.load32_splat(a),
      y = v128.load32_splat(a, 4);
    s0 = mac(x, v128.load(p), s0);
    s1 = mac(x, v128.load(p, 16), s1);
    s2 = mac(x, v128.load(p, 32), s2);
    s3 = mac(x, v128.load(p, 48), s3);
    t0 = mac(y, v128.load(p, 64), t0);
    t1 = mac(y, v128.load(p, 80), t1);
    t2 = mac(y, v128.load(p, 96), t2);
    t3 = mac(y, v128.load(p, 112), t3);
    p += 128;
    a += 8;
  }
  if (bytes & 4) {
    const x = v128.load32_splat(a);
    s0 = mac(x, v128.load(p), s0);
    s1 = mac(x, v128.load(p, 16), s1);
    s2 = mac(x, v128.load(p, 32), s2);
    s3 = mac(x, v128.load(p, 48), s3);
  }
  v128.store(out, i32x4.add(s0, t0));
  v128.store(out, i32x4.add(s1, t1), 16);
  v128.store(out, i32x4.add(s2, t2), 32);
  v128.store(out, i32x4.add(s3, t3), 48);
}

// Squared distance in steps of four points: |a|² + |x|² − 2a·x.
// @ts-ignore: decorator
@inline
function square(products: usize, norms: usize, norm: v128): v128 {
  const p = v128.load(products);
  return i32x4.sub(i32x4.add(v128.load(norms), norm), i32x4.add(p, p));
}

/**
 * Which of a block's 16 points a quantised row may be near to or far from: a bit each, the lower 16 for a lower bound
 * at or under max(l, L[16]), the others for an upper bound at or over `limit`. Rows are prefixes: they end in the
 * norm of the coordinates left out, in the upper half of their last word. These parts point the same way at best, and
 * away from each other at worst.
 */
// @ts-ignore: decorator
@inline
export function lanesOfPrefix(
  p: usize,
  row: usize,
  bytes: usize,
  norms: usize,
  norm: i32,
  l: v128,
  L: usize,
  limit: v128,
): u32 {
  let s0 = i32x4.splat(0),
    s1 = s0,
    s2 = s0,
    s3 = s0;
  for (const end = row + bytes; row < end; row += 4, p += 64) {
    const x = v128.load32_splat(row);
    s0 = mac(x, v128.load(p), s0);
    s1 = mac(x, v128.load(p, 16), s1);
    s2 = mac(x, v128.load(p, 32), s2);
    s3 = mac(x, v128.load(p, 48), s3);
  }
  const a = i32x4.splat(norm),
    y = i32x4.splat(load<i32>(row - 4) & <i32>0xffff0000);
  s0 = i32x4.sub(i32x4.add(v128.load(norms), a), i32x4.add(s0, s0));
  s1 = i32x4.sub(i32x4.add(v128.load(norms, 16), a), i32x4.add(s1, s1));
  s2 = i32x4.sub(i32x4.add(v128.load(norms, 32), a), i32x4.add(s2, s2));
  s3 = i32x4.sub(i32x4.add(v128.load(norms, 48), a), i32x4.add(s3, s3));
  return (
    lanesBelow(s0, s1, s2, s3, l, L) |
    (lanesFrom(
      apart(s0, v128.load(p - 64), y),
      apart(s1, v128.load(p - 48), y),
      apart(s2, v128.load(p - 32), y),
      apart(s3, v128.load(p - 16), y),
      limit,
    ) <<
      16)
  );
}

/** The same of all coordinates, from their products with the block's: of the distance itself. */
// @ts-ignore: decorator
@inline
export function lanesOfAll(products: usize, norms: usize, norm: i32, l: v128, L: usize, limit: v128): u32 {
  const a = i32x4.splat(norm);
  const s0 = square(products, norms, a),
    s1 = square(products + 16, norms + 16, a),
    s2 = square(products + 32, norms + 32, a),
    s3 = square(products + 48, norms + 48, a);
  return lanesBelow(s0, s1, s2, s3, l, L) | (lanesFrom(s0, s1, s2, s3, limit) << 16);
}

// Lanes at or under max(l, L[16]).
// @ts-ignore: decorator
@inline
function lanesBelow(s0: v128, s1: v128, s2: v128, s3: v128, l: v128, L: usize): u32 {
  return (
    i32x4.bitmask(i32x4.le_s(s0, i32x4.max_s(l, v128.load(L)))) |
    (i32x4.bitmask(i32x4.le_s(s1, i32x4.max_s(l, v128.load(L, 16)))) << 4) |
    (i32x4.bitmask(i32x4.le_s(s2, i32x4.max_s(l, v128.load(L, 32)))) << 8) |
    (i32x4.bitmask(i32x4.le_s(s3, i32x4.max_s(l, v128.load(L, 48)))) << 12)
  );
}

// Lanes at or over a limit.
// @ts-ignore: decorator
@inline
function lanesFrom(s0: v128, s1: v128, s2: v128, s3: v128, limit: v128): u32 {
  return (
    i32x4.bitmask(i32x4.ge_s(s0, limit)) |
    (i32x4.bitmask(i32x4.ge_s(s1, limit)) << 4) |
    (i32x4.bitmask(i32x4.ge_s(s2, limit)) << 8) |
    (i32x4.bitmask(i32x4.ge_s(s3, limit)) << 12)
  );
}

// From the distance of points whose rests point the same way to that of points whose rests point away from each other.
// @ts-ignore: decorator
@inline
function apart(square: v128, left: v128, own: v128): v128 {
  return i32x4.add(square, i32x4.shl(i32x4.dot_i16x8_s(left, own), 2));
}

/**
 * Limits for 16 keys: the largest squared distance in steps that a point at or under the key can show; −1 for the
 * visited.
 */
export function setLimits(job: usize, K: usize, to: usize, relative4: v128, absolute4: v128): void {
  const off = f32x4.splat(2 * float(job, Job.quantisationError)),
    steps = f32x4.splat(float(job, Job.stepsPerUnit));
  const zero = f32x4.splat(0),
    one = f32x4.splat(1),
    margin = f32x4.splat(1.000001);
  for (let i: usize = 0; i < 64; i += 16) {
    const key = v128.load(K + i);
    const reach = f32x4.add(f32x4.sqrt(f32x4.add(f32x4.mul(key, relative4), absolute4)), off);
    const t = f32x4.mul(reach, steps);
    const limit = i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(f32x4.mul(t, t), margin), one));
    v128.store(to + i, v128.bitselect(limit, i32x4.splat(-1), f32x4.ge(key, zero)));
  }
}

/**
 * The least squared distance in steps that two ordinary points at least `best` (squared) apart can show, in each
 * lane.
 */
export function beyond(job: usize, best: f32): v128 {
  const reach = (best - float(job, Job.absoluteTolerance)) / float(job, Job.relativeTolerance);
  if (!(reach > 0)) return i32x4.splat(0);
  const t = (sqrt(reach) * <f32>0.999999 - 2 * float(job, Job.quantisationError)) * float(job, Job.stepsPerUnit);
  if (!(t > 1)) return i32x4.splat(0);
  return i32x4.trunc_sat_f32x4_s(f32x4.splat(t * t * <f32>0.999999 - 1));
}

/** Where a record's quantised coordinates begin, and how many bytes they are. */
// @ts-ignore: decorator
@inline
export function quantisedAt(job: usize): usize {
  return ptr(job, Job.quantisedAt);
}

// @ts-ignore: decorator
@inline
export function quantisedBytes(job: usize): usize {
  return (<usize>((word(job, Job.d) + 1) >> 1)) << 2;
}
