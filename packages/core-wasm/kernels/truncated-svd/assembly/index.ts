// Dense algebra for singular triplets: block products, Gram-Schmidt, symmetric eigenvalues, one-sided Jacobi.
// Vectors are rows that lie side by side. Arithmetic is float64 throughout; float32 is only how long arrays are kept.

import { madd2, pair, sum2 } from '../../../assembly/lanes';
import { dot, EPSILON, rotate, spread } from './lanes';

export { svdBandEigen, svdBandVectors, svdSymmetricEigen } from './eigen';
export { svdAxpy, svdDot, svdNormal32, svdNormal64, svdProject } from './lanczos';

/** Values of a row that stay in cache while all pairs of rows are multiplied. */
const CHUNK: i32 = 2048;
/** Rows summed into a block of columns before the block is stored. */
const DEPTH: i32 = 32;

/** out[c, i] (+)= Σ_q a[i, q] · x[c, q]: tiles of 2 rows of a and 4 of x, in chunks of columns. */
// @ts-ignore: decorator
@inline
function products<A, X>(
  a: usize,
  rows: i32,
  x: usize,
  count: i32,
  length: i32,
  out: usize,
  outStride: i32,
  zero: v128,
): void {
  const aStep = usize(length) * sizeof<A>();
  const xStep = usize(length) * sizeof<X>();
  const outStep = usize(outStride) << 3;
  for (let q0 = 0; q0 < length || q0 == 0; q0 += CHUNK) {
    const q1 = min(length, q0 + CHUNK);
    const even = q0 + ((q1 - q0) & ~1);
    for (let i = 0; i < rows; i += 2) {
      const two = i + 1 < rows;
      const a0 = a + usize(i) * aStep;
      const a1 = two ? a0 + aStep : a0;
      for (let c = 0; c < count; c += 4) {
        const left = count - c;
        const x0 = x + usize(c) * xStep;
        const x1 = left > 1 ? x0 + xStep : x0;
        const x2 = left > 2 ? x0 + xStep * 2 : x0;
        const x3 = left > 3 ? x0 + xStep * 3 : x0;
        let s00 = zero,
          s01 = zero,
          s02 = zero,
          s03 = zero,
          s10 = zero,
          s11 = zero,
          s12 = zero,
          s13 = zero;
        for (let q = q0; q < even; q += 2) {
          const oa = usize(q) * sizeof<A>();
          const ox = usize(q) * sizeof<X>();
          const p0 = pair<A>(a0 + oa);
          const p1 = pair<A>(a1 + oa);
          let y = pair<X>(x0 + ox);
          s00 = madd2(p0, y, s00);
          s10 = madd2(p1, y, s10);
          y = pair<X>(x1 + ox);
          s01 = madd2(p0, y, s01);
          s11 = madd2(p1, y, s11);
          y = pair<X>(x2 + ox);
          s02 = madd2(p0, y, s02);
          s12 = madd2(p1, y, s12);
          y = pair<X>(x3 + ox);
          s03 = madd2(p0, y, s03);
          s13 = madd2(p1, y, s13);
        }
        let t00 = sum2(s00),
          t01 = sum2(s01),
          t02 = sum2(s02),
          t03 = sum2(s03);
        let t10 = sum2(s10),
          t11 = sum2(s11),
          t12 = sum2(s12),
          t13 = sum2(s13);
        if (even < q1) {
          const oa = usize(even) * sizeof<A>();
          const ox = usize(even) * sizeof<X>();
          const v0 = <f64>load<A>(a0 + oa),
            v1 = <f64>load<A>(a1 + oa);
          const y0 = <f64>load<X>(x0 + ox),
            y1 = <f64>load<X>(x1 + ox),
            y2 = <f64>load<X>(x2 + ox),
            y3 = <f64>load<X>(x3 + ox);
          t00 += v0 * y0;
          t01 += v0 * y1;
          t02 += v0 * y2;
          t03 += v0 * y3;
          t10 += v1 * y0;
          t11 += v1 * y1;
          t12 += v1 * y2;
          t13 += v1 * y3;
        }
        const first = q0 == 0;
        const o = out + usize(c) * outStep + (usize(i) << 3);
        add(o, t00, t10, two, first);
        if (left > 1) add(o + outStep, t01, t11, two, first);
        if (left > 2) add(o + outStep * 2, t02, t12, two, first);
        if (left > 3) add(o + outStep * 3, t03, t13, two, first);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function add(o: usize, v0: f64, v1: f64, two: bool, first: bool): void {
  store<f64>(o, first ? v0 : load<f64>(o) + v0);
  if (two) store<f64>(o, first ? v1 : load<f64>(o, 8) + v1, 8);
}

/**
 * out[c, i] = a[i]·x[c] for float32 rows a[rows × length] and float64 rows x[count × length]; out float64, outStride
 * values a row.
 */
export function svdProducts3264(
  a: usize,
  rows: i32,
  x: usize,
  count: i32,
  length: i32,
  out: usize,
  outStride: i32,
): void {
  products<f32, f64>(a, rows, x, count, length, out, outStride, f64x2.splat(0));
}

/** The same with float32 x. */
export function svdProducts3232(
  a: usize,
  rows: i32,
  x: usize,
  count: i32,
  length: i32,
  out: usize,
  outStride: i32,
): void {
  products<f32, f32>(a, rows, x, count, length, out, outStride, f64x2.splat(0));
}

/** The same with float64 a and x. */
export function svdProducts6464(
  a: usize,
  rows: i32,
  x: usize,
  count: i32,
  length: i32,
  out: usize,
  outStride: i32,
): void {
  products<f64, f64>(a, rows, x, count, length, out, outStride, f64x2.splat(0));
}

/** out[c] (+)= Σ_i y[c, i] · w[i], DEPTH rows at a time. */
// @ts-ignore: decorator
@inline
function combine<W>(
  w: usize,
  wStride: i32,
  rows: i32,
  y: usize,
  yStride: i32,
  count: i32,
  out: usize,
  outStride: i32,
  length: i32,
  keep: bool,
  zero: v128,
): void {
  const wStep = usize(wStride) * sizeof<W>();
  const yStep = usize(yStride) << 3;
  const outStep = usize(outStride) << 3;
  for (let i0 = 0; i0 < rows || (i0 == 0 && !keep); i0 += DEPTH) {
    const i1 = min(rows, i0 + DEPTH);
    const fresh = i0 == 0 && !keep;
    for (let c = 0; c < count; c += 2) {
      const two = c + 1 < count;
      const y0 = y + usize(c) * yStep;
      const y1 = two ? y0 + yStep : y0;
      const o0 = out + usize(c) * outStep;
      const o1 = two ? o0 + outStep : o0;
      spread<W>(
        w + usize(i0) * wStep,
        wStep,
        i1 - i0,
        length,
        y0 + (usize(i0) << 3),
        y1 + (usize(i0) << 3),
        o0,
        o1,
        two,
        fresh,
        zero,
      );
    }
  }
}

/**
 * out[c, j] = Σ_i y[c, i] · w[i, j] (added to out if keep): float64 rows w[rows × wStride], of which `length`
 * columns.
 */
export function svdCombine64(
  w: usize,
  wStride: i32,
  rows: i32,
  y: usize,
  yStride: i32,
  count: i32,
  out: usize,
  outStride: i32,
  length: i32,
  keep: bool,
): void {
  combine<f64>(w, wStride, rows, y, yStride, count, out, outStride, length, keep, f64x2.splat(0));
}

/** The same with float32 w; out and y stay float64. */
export function svdCombine32(
  w: usize,
  wStride: i32,
  rows: i32,
  y: usize,
  yStride: i32,
  count: i32,
  out: usize,
  outStride: i32,
  length: i32,
  keep: bool,
): void {
  combine<f32>(w, wStride, rows, y, yStride, count, out, outStride, length, keep, f64x2.splat(0));
}

/**
 * One-sided Jacobi: rotates pairs of rows of g[n × length] until all are orthogonal, and the rows of x[n × width]
 * alike. Rows below `tiny` in squared norm are left alone. Returns the number of sweeps, or −1 after `limit` of them.
 */
export function svdJacobi(
  g: usize,
  n: i32,
  length: i32,
  x: usize,
  width: i32,
  norms: usize,
  tiny: f64,
  limit: i32,
): i32 {
  const step = usize(length) << 3;
  const xStep = usize(width) << 3;
  for (let sweep = 1; sweep <= limit; sweep++) {
    for (let i = 0; i < n; i++)
      store<f64>(norms + (usize(i) << 3), dot(g + usize(i) * step, g + usize(i) * step, length));
    let turned = false;
    for (let i = 0; i < n - 1; i++) {
      for (let j = i + 1; j < n; j++) {
        const alpha = load<f64>(norms + (usize(i) << 3));
        const beta = load<f64>(norms + (usize(j) << 3));
        if (alpha <= tiny || beta <= tiny) continue;
        const gamma = dot(g + usize(i) * step, g + usize(j) * step, length);
        if (abs(gamma) <= 4 * EPSILON * sqrt(alpha) * sqrt(beta)) continue;
        turned = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = (zeta >= 0 ? 1.0 : -1.0) / (abs(zeta) + sqrt(1 + zeta * zeta));
        const c = 1 / sqrt(1 + t * t);
        const s = c * t;
        rotate(g + usize(i) * step, g + usize(j) * step, c, s, length);
        rotate(x + usize(i) * xStep, x + usize(j) * xStep, c, s, width);
        store<f64>(norms + (usize(i) << 3), max<f64>(0, alpha - t * gamma));
        store<f64>(norms + (usize(j) << 3), max<f64>(0, beta + t * gamma));
      }
    }
    if (!turned) return sweep;
  }
  return -1;
}
