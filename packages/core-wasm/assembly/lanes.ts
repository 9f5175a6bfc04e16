// What all kernels share: f32x4 helpers.

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

/**
 * Brings the cache lines of [p, p + bytes) near, but for the last 256 bytes: a loop of nothing but loads keeps far more of them under way
 * than one that also computes. A load is never left out, as it could trap.
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
