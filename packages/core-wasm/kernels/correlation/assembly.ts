// correlation: sums of products of two packed panels of samples, C[u, i] += Σ_k A[k, u] · B[k, i], in register tiles of 4 × 8.

import { madd } from "../../assembly/lanes";

/** Strips of eight columns that are gone through before the next four rows: with 256 samples 128 KB, in the second cache. */
const GROUP: i32 = 16;

/**
 * a: strips of four units, f32[strip][capacity][4]; b: strips of eight inputs, f32[strip][capacity][8]; samples: filled rows of a
 * strip. c: f32, row-major, 8 · inputStrips floats a row. Works on unit strips [from, to).
 */
export function correlationAdd(a: usize, b: usize, c: usize, samples: i32, capacity: i32, inputStrips: i32, from: i32, to: i32): void {
  const zero = f32x4.splat(0);
  const row = usize(inputStrips) << 5;
  const aStrip = usize(capacity) << 4, bStrip = usize(capacity) << 5;
  for (let group = 0; group < inputStrips; group += GROUP) {
    const last = min(inputStrips, group + GROUP);
    for (let u = from; u < to; u++) {
      const left = a + usize(u) * aStrip;
      const end = left + (usize(samples) << 4);
      for (let i = group; i < last; i++) {
        let q = b + usize(i) * bStrip;
        let s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
        for (let p = left; p < end; p += 16) {
          const y0 = v128.load(q), y1 = v128.load(q, 16);
          let x = v128.load32_splat(p);
          s00 = madd(x, y0, s00);
          s01 = madd(x, y1, s01);
          x = v128.load32_splat(p, 4);
          s10 = madd(x, y0, s10);
          s11 = madd(x, y1, s11);
          x = v128.load32_splat(p, 8);
          s20 = madd(x, y0, s20);
          s21 = madd(x, y1, s21);
          x = v128.load32_splat(p, 12);
          s30 = madd(x, y0, s30);
          s31 = madd(x, y1, s31);
          q += 32;
        }
        let o = c + usize(u) * 4 * row + (usize(i) << 5);
        v128.store(o, f32x4.add(v128.load(o), s00));
        v128.store(o, f32x4.add(v128.load(o, 16), s01), 16);
        o += row;
        v128.store(o, f32x4.add(v128.load(o), s10));
        v128.store(o, f32x4.add(v128.load(o, 16), s11), 16);
        o += row;
        v128.store(o, f32x4.add(v128.load(o), s20));
        v128.store(o, f32x4.add(v128.load(o, 16), s21), 16);
        o += row;
        v128.store(o, f32x4.add(v128.load(o), s30));
        v128.store(o, f32x4.add(v128.load(o, 16), s31), 16);
      }
    }
  }
}
