// Pairwise dissimilarities between rows: tiles of 4 × 2 rows with eight vector sums. Rows are prepared by the wrapper:
// padded with zeros to whole vectors, and for cosine and correlation brought to unit length (zero rows stay zero).

import { madd, sum4 } from "../../assembly/lanes";

/** Columns a sum runs over before it is added to the total: keeps rounding near 2e-7 and rows in the first cache. */
const BLOCK: i32 = 512;

/**
 * Rows [from, to) of out[i, j] against columns [left, columns) for i in a, j in b. stride: floats of a prepared row, a
 * multiple of 4. out: row-major, outStride floats a row. symmetric: a and b are the same rows; only j ≥ i − i % 4 is computed
 * (mirrorRows fills the rest). metric: 0 euclidean, 1 and 2 cosine of unit rows, 3 manhattan.
 * Every sum runs over columns in the same order whatever the tile, so that parts equal the whole.
 */
export function pairwiseRows(a: usize, b: usize, out: usize, stride: i32, columns: i32, outStride: i32, from: i32, to: i32, symmetric: bool, metric: i32): void {
  tiles(a, b, out, stride, columns, outStride, from, to, symmetric, metric, i32x4.splat(0x7fffffff), f32x4.splat(0));
}

// Constants come as parameters: some V8 versions rebuild a vector constant at each use.
function tiles(a: usize, b: usize, out: usize, stride: i32, columns: i32, outStride: i32, from: i32, to: i32, symmetric: bool, metric: i32, absMask: v128, zero: v128): void {
  const row = usize(stride) << 2;
  for (let i = from; i < to; i += 4) {
    const rows = min(4, to - i);
    const a0 = a + usize(i) * row;
    const a1 = rows > 1 ? a0 + row : a0;
    const a2 = rows > 2 ? a0 + row * 2 : a0;
    const a3 = rows > 3 ? a0 + row * 3 : a0;
    for (let j = symmetric ? i & ~1 : 0; j < columns; j += 2) {
      const two = j + 1 < columns;
      const b0 = b + usize(j) * row;
      const b1 = two ? b0 + row : b0;
      let t00: f32 = 0, t01: f32 = 0, t10: f32 = 0, t11: f32 = 0, t20: f32 = 0, t21: f32 = 0, t30: f32 = 0, t31: f32 = 0;
      for (let k0 = 0; k0 < stride; k0 += BLOCK) {
        const end = usize(min(stride, k0 + BLOCK)) << 2;
        let s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
        if (metric == 1 || metric == 2) {
          for (let k = usize(k0) << 2; k < end; k += 16) {
            const y0 = v128.load(b0 + k);
            const y1 = v128.load(b1 + k);
            let x = v128.load(a0 + k);
            s00 = madd(x, y0, s00);
            s01 = madd(x, y1, s01);
            x = v128.load(a1 + k);
            s10 = madd(x, y0, s10);
            s11 = madd(x, y1, s11);
            x = v128.load(a2 + k);
            s20 = madd(x, y0, s20);
            s21 = madd(x, y1, s21);
            x = v128.load(a3 + k);
            s30 = madd(x, y0, s30);
            s31 = madd(x, y1, s31);
          }
        } else if (metric == 0) {
          // Differences, not |a|² + |b|² − 2ab: near-duplicates far from the origin keep their digits.
          for (let k = usize(k0) << 2; k < end; k += 16) {
            const y0 = v128.load(b0 + k);
            const y1 = v128.load(b1 + k);
            let x = v128.load(a0 + k);
            let u = f32x4.sub(x, y0), w = f32x4.sub(x, y1);
            s00 = madd(u, u, s00);
            s01 = madd(w, w, s01);
            x = v128.load(a1 + k);
            u = f32x4.sub(x, y0), w = f32x4.sub(x, y1);
            s10 = madd(u, u, s10);
            s11 = madd(w, w, s11);
            x = v128.load(a2 + k);
            u = f32x4.sub(x, y0), w = f32x4.sub(x, y1);
            s20 = madd(u, u, s20);
            s21 = madd(w, w, s21);
            x = v128.load(a3 + k);
            u = f32x4.sub(x, y0), w = f32x4.sub(x, y1);
            s30 = madd(u, u, s30);
            s31 = madd(w, w, s31);
          }
        } else {
          for (let k = usize(k0) << 2; k < end; k += 16) {
            const y0 = v128.load(b0 + k);
            const y1 = v128.load(b1 + k);
            let x = v128.load(a0 + k);
            s00 = f32x4.add(s00, v128.and(f32x4.sub(x, y0), absMask));
            s01 = f32x4.add(s01, v128.and(f32x4.sub(x, y1), absMask));
            x = v128.load(a1 + k);
            s10 = f32x4.add(s10, v128.and(f32x4.sub(x, y0), absMask));
            s11 = f32x4.add(s11, v128.and(f32x4.sub(x, y1), absMask));
            x = v128.load(a2 + k);
            s20 = f32x4.add(s20, v128.and(f32x4.sub(x, y0), absMask));
            s21 = f32x4.add(s21, v128.and(f32x4.sub(x, y1), absMask));
            x = v128.load(a3 + k);
            s30 = f32x4.add(s30, v128.and(f32x4.sub(x, y0), absMask));
            s31 = f32x4.add(s31, v128.and(f32x4.sub(x, y1), absMask));
          }
        }
        t00 += sum4(s00);
        t01 += sum4(s01);
        t10 += sum4(s10);
        t11 += sum4(s11);
        t20 += sum4(s20);
        t21 += sum4(s21);
        t30 += sum4(s30);
        t31 += sum4(s31);
      }
      const o = out + (usize(i) * usize(outStride) + usize(j) << 2);
      const step = usize(outStride) << 2;
      put(o, t00, t01, two, metric);
      if (rows > 1) put(o + step, t10, t11, two, metric);
      if (rows > 2) put(o + step * 2, t20, t21, two, metric);
      if (rows > 3) put(o + step * 3, t30, t31, two, metric);
    }
  }
}

// @ts-ignore: decorator
@inline
function finish(sum: f32, metric: i32): f32 {
  if (metric == 0) return sqrt<f32>(sum);
  if (metric == 3) return sum;
  return min<f32>(2, max<f32>(0, 1 - sum));
}

// @ts-ignore: decorator
@inline
function put(o: usize, left: f32, right: f32, two: bool, metric: i32): void {
  store<f32>(o, finish(left, metric));
  if (two) store<f32>(o, finish(right, metric), 4);
}

/** Copies the upper triangle of rows' columns [from, to) below the diagonal, in blocks that stay in cache; the diagonal becomes 0. */
export function pairwiseMirror(out: usize, n: i32, from: i32, to: i32): void {
  const step = usize(n) << 2;
  for (let i0 = from; i0 < to; i0 += 32) {
    const i1 = min(to, i0 + 32);
    for (let j0 = 0; j0 < i1; j0 += 32) {
      for (let i = i0; i < i1; i++) {
        const j1 = min(i, j0 + 32);
        for (let j = j0; j < j1; j++) {
          store<f32>(out + usize(i) * step + (usize(j) << 2), load<f32>(out + usize(j) * step + (usize(i) << 2)));
        }
      }
    }
    for (let i = i0; i < i1; i++) store<f32>(out + usize(i) * step + (usize(i) << 2), 0);
  }
}
