// What the kernels of the singular triplets share: operations on one or two vectors, and sums of rows.

import { madd2, pair, sum2 } from '../../../assembly/lanes';

export const EPSILON: f64 = 2.220446049250313e-16;

// @ts-ignore: decorator
@inline
export function dot(x: usize, y: usize, length: i32): f64 {
  let s = f64x2.splat(0),
    t = f64x2.splat(0);
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
  const cc = f64x2.splat(c),
    ss = f64x2.splat(s);
  const whole = length & ~1;
  for (let i = 0; i < whole; i += 2) {
    const at = usize(i) << 3;
    const u = v128.load(x + at),
      v = v128.load(y + at);
    v128.store(x + at, f64x2.sub(f64x2.mul(cc, u), f64x2.mul(ss, v)));
    v128.store(y + at, madd2(ss, u, f64x2.mul(cc, v)));
  }
  if (whole < length) {
    const at = usize(whole) << 3;
    const u = load<f64>(x + at),
      v = load<f64>(y + at);
    store<f64>(x + at, c * u - s * v);
    store<f64>(y + at, s * u + c * v);
  }
}

/**
 * z0 (+)= Σ_i y0[i]·a[i], and z1 with y1 if there are two: rows of a `step` bytes apart, `fresh` from 0, 8 columns at
 * a time.
 */
// @ts-ignore: decorator
@inline
export function spread<A>(
  a: usize,
  step: usize,
  rows: i32,
  length: i32,
  y0: usize,
  y1: usize,
  z0: usize,
  z1: usize,
  two: bool,
  fresh: bool,
  zero: v128,
): void {
  const whole = length & ~7;
  for (let j = 0; j < whole; j += 8) {
    const at = usize(j) << 3;
    let s0 = zero,
      s1 = zero,
      s2 = zero,
      s3 = zero,
      t0 = zero,
      t1 = zero,
      t2 = zero,
      t3 = zero;
    if (!fresh) {
      s0 = v128.load(z0 + at);
      s1 = v128.load(z0 + at, 16);
      s2 = v128.load(z0 + at, 32);
      s3 = v128.load(z0 + at, 48);
      t0 = v128.load(z1 + at);
      t1 = v128.load(z1 + at, 16);
      t2 = v128.load(z1 + at, 32);
      t3 = v128.load(z1 + at, 48);
    }
    let p = a + usize(j) * sizeof<A>();
    for (let i = 0; i < rows; i++) {
      const f0 = v128.load64_splat(y0 + (usize(i) << 3));
      const f1 = v128.load64_splat(y1 + (usize(i) << 3));
      let x = pair<A>(p);
      s0 = madd2(x, f0, s0);
      t0 = madd2(x, f1, t0);
      x = pair<A>(p + 2 * sizeof<A>());
      s1 = madd2(x, f0, s1);
      t1 = madd2(x, f1, t1);
      x = pair<A>(p + 4 * sizeof<A>());
      s2 = madd2(x, f0, s2);
      t2 = madd2(x, f1, t2);
      x = pair<A>(p + 6 * sizeof<A>());
      s3 = madd2(x, f0, s3);
      t3 = madd2(x, f1, t3);
      p += step;
    }
    v128.store(z0 + at, s0);
    v128.store(z0 + at, s1, 16);
    v128.store(z0 + at, s2, 32);
    v128.store(z0 + at, s3, 48);
    if (two) {
      v128.store(z1 + at, t0);
      v128.store(z1 + at, t1, 16);
      v128.store(z1 + at, t2, 32);
      v128.store(z1 + at, t3, 48);
    }
  }
  for (let j = whole; j < length; j++) {
    const at = usize(j) << 3;
    let s: f64 = fresh ? 0 : load<f64>(z0 + at);
    let t: f64 = fresh ? 0 : load<f64>(z1 + at);
    let p = a + usize(j) * sizeof<A>();
    for (let i = 0; i < rows; i++) {
      const x = <f64>load<A>(p);
      s += x * load<f64>(y0 + (usize(i) << 3));
      t += x * load<f64>(y1 + (usize(i) << 3));
      p += step;
    }
    store<f64>(z0 + at, s);
    if (two) store<f64>(z1 + at, t);
  }
}
