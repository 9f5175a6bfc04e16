// What all kernels share: f32x4 and f64x2 helpers.

/** acc + a*b; one rounding in the relaxed build, two in the plain one. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, acc: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, acc);
  return f32x4.add(acc, f32x4.mul(a, b));
}

/** Sum of the four lanes, in a fixed order ((0+2)+(1+3)). */
// @ts-ignore: decorator
@inline
export function sum4(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3));
}

/** Two values as float64 lanes, from float32 or float64. */
// @ts-ignore: decorator
@inline
export function pair<T>(p: usize): v128 {
  if (sizeof<T>() == 4) return f64x2.promote_low_f32x4(v128.load64_zero(p));
  return v128.load(p);
}

/** c + a·b; one rounding in the relaxed build, two in the plain one. */
// @ts-ignore: decorator
@inline
export function madd2(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(c, f64x2.mul(a, b));
}

/** Sum of the two lanes. */
// @ts-ignore: decorator
@inline
export function sum2(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/**
 * Brings the cache lines of [p, p + bytes) near, but for the last 256 bytes: a loop of nothing but loads keeps far
 * more of them under way than one that also computes. A load is never left out, as it could trap.
 */
export function fetch(p: usize, bytes: usize): void {
  const end = p + bytes;
  for (; p + 256 <= end; p += 256) {
    load<u32>(p);
    load<u32>(p, 64);
    load<u32>(p, 128);
    load<u32>(p, 192);
  }
}
