// The steps of Lanczos on AᵀA: products with A and Aᵀ in one pass over A, and Gram-Schmidt in one pass over the
// basis. Both go by blocks of rows that stay in cache: dot products with the block's rows, then those rows added up.

import { madd2, pair, sum2 } from '../../../assembly/lanes';
import { axpy, dot, spread } from './lanes';

/**
 * Bytes of a block of rows, which is 4 to MOST_ROWS rows: in the first cache, or in the second where all of A is
 * near.
 */
const FIRST_CACHE: i32 = 32768;
const SECOND_CACHE: i32 = 131072;
const MOST_ROWS: i32 = 16;

// @ts-ignore: decorator
@inline
function rowsOfBlock(bytes: i32, cache: i32): i32 {
  return max(4, min(MOST_ROWS, cache / max(1, bytes)) & ~3);
}

/** y0[i], y1[i] = a[i]·x0, a[i]·x1: tiles of 4 rows and 2 vectors. */
// @ts-ignore: decorator
@inline
function dots<A>(a: usize, rows: i32, length: i32, x0: usize, x1: usize, y0: usize, y1: usize, zero: v128): void {
  const step = usize(length) * sizeof<A>();
  const even = length & ~1;
  for (let i = 0; i < rows; i += 4) {
    const left = rows - i;
    const a0 = a + usize(i) * step;
    const a1 = left > 1 ? a0 + step : a0;
    const a2 = left > 2 ? a1 + step : a0;
    const a3 = left > 3 ? a2 + step : a0;
    let s00 = zero,
      s01 = zero,
      s10 = zero,
      s11 = zero,
      s20 = zero,
      s21 = zero,
      s30 = zero,
      s31 = zero;
    for (let q = 0; q < even; q += 2) {
      const oa = usize(q) * sizeof<A>();
      const v0 = v128.load(x0 + (usize(q) << 3)),
        v1 = v128.load(x1 + (usize(q) << 3));
      let p = pair<A>(a0 + oa);
      s00 = madd2(p, v0, s00);
      s01 = madd2(p, v1, s01);
      p = pair<A>(a1 + oa);
      s10 = madd2(p, v0, s10);
      s11 = madd2(p, v1, s11);
      p = pair<A>(a2 + oa);
      s20 = madd2(p, v0, s20);
      s21 = madd2(p, v1, s21);
      p = pair<A>(a3 + oa);
      s30 = madd2(p, v0, s30);
      s31 = madd2(p, v1, s31);
    }
    let t00 = sum2(s00),
      t01 = sum2(s01),
      t10 = sum2(s10),
      t11 = sum2(s11);
    let t20 = sum2(s20),
      t21 = sum2(s21),
      t30 = sum2(s30),
      t31 = sum2(s31);
    if (even < length) {
      const oa = usize(even) * sizeof<A>();
      const v0 = load<f64>(x0 + (usize(even) << 3)),
        v1 = load<f64>(x1 + (usize(even) << 3));
      let p = <f64>load<A>(a0 + oa);
      t00 += p * v0;
      t01 += p * v1;
      p = <f64>load<A>(a1 + oa);
      t10 += p * v0;
      t11 += p * v1;
      p = <f64>load<A>(a2 + oa);
      t20 += p * v0;
      t21 += p * v1;
      p = <f64>load<A>(a3 + oa);
      t30 += p * v0;
      t31 += p * v1;
    }
    const at = usize(i) << 3;
    store<f64>(y0 + at, t00);
    store<f64>(y1 + at, t01);
    if (left > 1) {
      store<f64>(y0 + at, t10, 8);
      store<f64>(y1 + at, t11, 8);
    }
    if (left > 2) {
      store<f64>(y0 + at, t20, 16);
      store<f64>(y1 + at, t21, 16);
    }
    if (left > 3) {
      store<f64>(y0 + at, t30, 24);
      store<f64>(y1 + at, t31, 24);
    }
  }
}

// @ts-ignore: decorator
@inline
function normal<A>(a: usize, rows: i32, length: i32, x: usize, count: i32, z: usize, y: usize, yStride: i32): void {
  const zero = f64x2.splat(0);
  const step = usize(length) << 3;
  memory.fill(z, 0, usize(count) * step);
  const block = rowsOfBlock(length * sizeof<A>(), sizeof<A>() == 8 ? SECOND_CACHE : FIRST_CACHE);
  const yStep = usize(yStride) << 3;
  for (let i = 0; i < rows; i += block) {
    const few = min(block, rows - i);
    const p = a + usize(i) * usize(length) * sizeof<A>();
    for (let c = 0; c < count; c += 2) {
      const two = c + 1 < count;
      const at = usize(c) * step,
        next = two ? at + step : at;
      // With a stride of 0 all share one place.
      const y0 = yStride == 0 ? y : y + usize(c) * yStep + (usize(i) << 3);
      const y1 = yStride == 0 ? y + (usize(MOST_ROWS) << 3) : two ? y0 + yStep : y0;
      dots<A>(p, few, length, x + at, x + next, y0, y1, zero);
      spread<A>(p, usize(length) * sizeof<A>(), few, length, y0, y1, z + at, z + next, two, false, zero);
    }
  }
}

/**
 * z[c] = Aᵀ(A·x[c]): A float32[rows × length], x and z float64[count × length]. y keeps A·x[c], float64[count ×
 * yStride], or with yStride 0 is scratch of 2 × 16 float64.
 */
export function svdNormal32(
  a: usize,
  rows: i32,
  length: i32,
  x: usize,
  count: i32,
  z: usize,
  y: usize,
  yStride: i32,
): void {
  normal<f32>(a, rows, length, x, count, z, y, yStride);
}

/** The same for float64 A: nothing to convert, which is faster where A stays in cache. */
export function svdNormal64(
  a: usize,
  rows: i32,
  length: i32,
  x: usize,
  count: i32,
  z: usize,
  y: usize,
  yStride: i32,
): void {
  normal<f64>(a, rows, length, x, count, z, y, yStride);
}

/**
 * x[c] −= its parts in the orthonormal rows v[rows × length], a block after another (block-wise modified
 * Gram-Schmidt);
 * h[c × stride + i] += what row i took. All float64; y: scratch of 2 × 16.
 */
export function svdProject(
  v: usize,
  rows: i32,
  length: i32,
  x: usize,
  count: i32,
  h: usize,
  stride: i32,
  y: usize,
): void {
  const zero = f64x2.splat(0);
  const step = usize(length) << 3;
  const block = rowsOfBlock(length << 3, FIRST_CACHE);
  const y1 = y + (usize(MOST_ROWS) << 3);
  for (let i = 0; i < rows; i += block) {
    const few = min(block, rows - i);
    const p = v + usize(i) * step;
    for (let c = 0; c < count; c += 2) {
      const two = c + 1 < count;
      const at = usize(c) * step,
        next = two ? at + step : at;
      dots<f64>(p, few, length, x + at, x + next, y, y1, zero);
      const h0 = h + (usize(c * stride + i) << 3),
        h1 = h0 + (usize(stride) << 3);
      for (let q = 0; q < few; q++) {
        const at = usize(q) << 3;
        store<f64>(h0 + at, load<f64>(h0 + at) + load<f64>(y + at));
        store<f64>(y + at, -load<f64>(y + at));
        if (two) store<f64>(h1 + at, load<f64>(h1 + at) + load<f64>(y1 + at));
        store<f64>(y1 + at, -load<f64>(y1 + at));
      }
      spread<f64>(p, step, few, length, y, y1, x + at, x + next, two, false, zero);
    }
  }
}

export function svdDot(x: usize, y: usize, length: i32): f64 {
  return dot(x, y, length);
}

/** y += factor · x. */
export function svdAxpy(x: usize, factor: f64, y: usize, length: i32): void {
  axpy(x, factor, y, length);
}
