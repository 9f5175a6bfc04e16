// What the kernels of the singular triplets share: float64 lanes and operations on one or two vectors.

export const EPSILON: f64 = 2.220446049250313e-16;

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

// @ts-ignore: decorator
@inline
export function sum2(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

// @ts-ignore: decorator
@inline
export function dot(x: usize, y: usize, length: i32): f64 {
  let s = f64x2.splat(0), t = f64x2.splat(0);
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const at = usize(i) << 3;
    s = madd2(v128.load(x + at), v128.load(y + at), s);
    t = madd2(v128.load(x + at, 16), v128.load(y + at, 16), t);
  }
  let sum = sum2(f64x2.add(s, t));
  for (let i = whole; i < length; i++) sum += load<f64>(x + (usize(i) << 3)) * load<f64>(y + (usize(i) << 3));
  return sum;
}

/** y += factor · x. */
// @ts-ignore: decorator
@inline
export function axpy(x: usize, factor: f64, y: usize, length: i32): void {
  const f = f64x2.splat(factor);
  const whole = length & ~1;
  for (let i = 0; i < whole; i += 2) {
    const at = usize(i) << 3;
    v128.store(y + at, madd2(f, v128.load(x + at), v128.load(y + at)));
  }
  if (whole < length) {
    const at = usize(whole) << 3;
    store<f64>(y + at, load<f64>(y + at) + factor * load<f64>(x + at));
  }
}

/** (x, y) ← (c·x − s·y, s·x + c·y). */
// @ts-ignore: decorator
@inline
export function rotate(x: usize, y: usize, c: f64, s: f64, length: i32): void {
  const cc = f64x2.splat(c), ss = f64x2.splat(s);
  const whole = length & ~1;
  for (let i = 0; i < whole; i += 2) {
    const at = usize(i) << 3;
    const u = v128.load(x + at), v = v128.load(y + at);
    v128.store(x + at, f64x2.sub(f64x2.mul(cc, u), f64x2.mul(ss, v)));
    v128.store(y + at, madd2(ss, u, f64x2.mul(cc, v)));
  }
  if (whole < length) {
    const at = usize(whole) << 3;
    const u = load<f64>(x + at), v = load<f64>(y + at);
    store<f64>(x + at, c * u - s * v);
    store<f64>(y + at, s * u + c * v);
  }
}
