// Distances of vat-points as products: |a|² + |b|² − 2a·b costs two operations a coordinate instead of three, and four points at a time
// read a block once instead of four times. Cancellation makes it inexact; with a margin for all rounding it is a bound in either
// direction, and decides which distances are computed from differences.
import { madd } from "../../../assembly/lanes";

// Coordinates at a time: 16 KB of a block, so that its second half finds them in the nearest cache.
const CHUNK: u32 = 256;

/** a·x, b·x, c·x, e·x into out[4 × 16] for the 16 points x of a block; a … e are rows of d coordinates. */
export function products(block: usize, a: usize, b: usize, c: usize, e: usize, d: u32, out: usize, zero: v128): void {
  for (let p: usize = 0; p < 256; p += 16) v128.store(out + p, zero);
  for (let from: u32 = 0; from < d; from += CHUNK) {
    const bytes = usize(min(CHUNK, d - from)) << 2;
    half(block, a, b, c, e, bytes, out, zero);
    half(block + 32, a, b, c, e, bytes, out + 32, zero);
    block += bytes << 4;
    a += bytes;
    b += bytes;
    c += bytes;
    e += bytes;
  }
}

// Eight of a block's points: a 4 × 8 tile, as in pairwise.
function half(p: usize, a: usize, b: usize, c: usize, e: usize, bytes: usize, out: usize, zero: v128): void {
  let s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
  const end = a + bytes;
  while (a < end) {
    const y0 = v128.load(p), y1 = v128.load(p, 16);
    const x0 = v128.load32_splat(a);
    s00 = madd(x0, y0, s00);
    s01 = madd(x0, y1, s01);
    const x1 = v128.load32_splat(b);
    s10 = madd(x1, y0, s10);
    s11 = madd(x1, y1, s11);
    const x2 = v128.load32_splat(c);
    s20 = madd(x2, y0, s20);
    s21 = madd(x2, y1, s21);
    const x3 = v128.load32_splat(e);
    s30 = madd(x3, y0, s30);
    s31 = madd(x3, y1, s31);
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
  v128.store(out, f32x4.add(v128.load(out), left));
  v128.store(out, f32x4.add(v128.load(out, 16), right), 16);
}

// (|a|² + |x|²)·factor − 2a·x of four points x; factor 1 − c makes it a lower bound of the squared distance, 1 + c an upper one.
// @ts-ignore: decorator
@inline
function bound(products: usize, norms: usize, norm: v128, factor: v128): v128 {
  const p = v128.load(products);
  return f32x4.sub(f32x4.mul(f32x4.add(v128.load(norms), norm), factor), f32x4.add(p, p));
}

/** Whether one of a row's 16 products leaves room for a distance at or under that lane's key. */
// @ts-ignore: decorator
@inline
export function mayBeUnder(products: usize, norms: usize, norm: f32, factor: v128, keys: usize, grow: v128, slack: v128): bool {
  const a = f32x4.splat(norm);
  return v128.any_true(
    v128.or(
      v128.or(
        f32x4.le(bound(products, norms, a, factor), f32x4.add(f32x4.mul(v128.load(keys), grow), slack)),
        f32x4.le(bound(products + 16, norms + 16, a, factor), f32x4.add(f32x4.mul(v128.load(keys, 16), grow), slack)),
      ),
      v128.or(
        f32x4.le(bound(products + 32, norms + 32, a, factor), f32x4.add(f32x4.mul(v128.load(keys, 32), grow), slack)),
        f32x4.le(bound(products + 48, norms + 48, a, factor), f32x4.add(f32x4.mul(v128.load(keys, 48), grow), slack)),
      ),
    ),
  );
}

/** The largest of a row's 16 upper bounds. */
// @ts-ignore: decorator
@inline
export function largest(products: usize, norms: usize, norm: f32, factor: v128): f32 {
  const a = f32x4.splat(norm);
  const top = f32x4.max(
    f32x4.max(bound(products, norms, a, factor), bound(products + 16, norms + 16, a, factor)),
    f32x4.max(bound(products + 32, norms + 32, a, factor), bound(products + 48, norms + 48, a, factor)),
  );
  return max(max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)), max(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)));
}
