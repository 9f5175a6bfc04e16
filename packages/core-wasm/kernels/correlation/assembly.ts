// correlation: samples are packed in panels of CAPACITY rows, centred and scaled, and products of two panels are
// summed in the tiles of pairwise: C[u, i] += Σ_k A[k, u] · B[k, i].
//
// Memory contract (written by index.ts). Columns stand in strips of sixteen, the last filled up with zeros. panel:
// f32[strip][capacity][16]. statistics of one side: f64[3][16 · strips]: mean, sum of squared deviations, scale.
// sums: f64[input strip][unit pair][2][16].

import { dotTile } from '../pairwise/assembly/tiles';

/** Unit strips that are gone through with one input strip: with 256 rows 256 KB, in the second cache. */
const GROUP: u32 = 16;

/**
 * Rows summed in one go: a column that is constant but for a few samples adds many small products to a large one, and
 * each rounds that.
 */
const BLOCK: u32 = 32;

/**
 * c[32] += part[32]: a panel's sums to those of all panels, in float64, as thousands of panels may round alike or be
 * absorbed by the first.
 */
// @ts-ignore: decorator
@inline
function addPart(part: usize, c: usize): void {
  for (const end = part + 128; part < end; part += 16, c += 32) {
    const v = v128.load(part);
    v128.store(c, f64x2.add(v128.load(c), f64x2.promote_low_f32x4(v)));
    v128.store(c, f64x2.add(v128.load(c, 16), f64x2.promote_low_f32x4(v128.shuffle<u64>(v, v, 1, 0))), 16);
  }
}

/**
 * Products of two panels of `rows` rows, unit strips [from, to), by blocks of rows and then in all. part: 128 bytes.
 */
export function correlationAdd(
  a: usize,
  b: usize,
  sums: usize,
  rows: u32,
  capacity: u32,
  units: u32,
  inputStrips: u32,
  from: u32,
  to: u32,
  part: usize,
): void {
  const zero = f32x4.splat(0);
  const panel = usize(capacity) << 6;
  const pairs = (units + 1) >> 1;
  for (let group = from; group < to; group += GROUP) {
    const first = group << 3,
      last = min(pairs, min(to, group + GROUP) << 3);
    for (let i: u32 = 0; i < inputStrips; i++) {
      const B = b + usize(i) * panel;
      let c = sums + ((usize(i) * pairs + first) << 8);
      for (let p = first; p < last; p++, c += 256) {
        const A = a + usize(p >> 3) * panel + (usize(p & 7) << 3);
        for (let row: u32 = 0; row < rows; row += BLOCK)
          dotTile(A + (usize(row) << 6), B + (usize(row) << 6), part, min(BLOCK, rows - row), row > 0, zero);
        addPart(part, c);
      }
    }
  }
}

// Sums of a column under its old scale, times `factor`: of a unit or of an input.
function rescale(sums: usize, units: u32, inputStrips: u32, unit: bool, column: u32, factor: f64): void {
  const pairs = usize((units + 1) >> 1);
  if (unit) {
    let p = sums + (usize(column >> 1) << 8) + (usize(column & 1) << 7);
    for (let i: u32 = 0; i < inputStrips; i++, p += pairs << 8)
      for (let l: usize = 0; l < 128; l += 16) v128.store(p + l, f64x2.mul(v128.load(p + l), f64x2.splat(factor)));
  } else {
    let p = sums + ((usize(column >> 4) * pairs) << 8) + (usize(column & 15) << 3);
    const end = p + (pairs << 8);
    for (; p < end; p += 128) store<f64>(p, load<f64>(p) * factor);
  }
}

// 2^−e of the least power 2^e that is not under a normal number.
// @ts-ignore: decorator
@inline
function scaleOf(most: f64): f64 {
  const bits = reinterpret<u64>(most);
  const e = (bits >> 52) + ((bits & 0xfffffffffffff) != 0 ? 1 : 0);
  return reinterpret<f64>((2046 - e) << 52);
}

/**
 * Packs m samples x: f32[m × columns], 32 bytes readable behind them, into the panel, centred on their own mean and
 * scaled, and adds one row that carries the difference to the mean of the `before` samples seen so far: with it, sums
 * of products over the panel are what Chan's formula adds. Updates the statistics. scratch: f64[24]. Scaled values
 * stay under 2^40, so that sums of products of two stay far from float32's end: sums of a column that would pass it
 * (a unit's, or an input's) are scaled anew.
 */
export function correlationPack(
  x: usize,
  columns: u32,
  m: u32,
  before: f64,
  statistics: usize,
  panel: usize,
  capacity: u32,
  scratch: usize,
  sums: usize,
  units: u32,
  inputStrips: u32,
  unit: bool,
): void {
  const step = usize(columns) << 2,
    rows = step * m;
  const strips = (columns + 15) >> 4;
  const side = usize(strips) << 7;
  const weight = (before * m) / (before + m),
    root = sqrt(weight);
  const here = scratch,
    scales = scratch + 64,
    added = scratch + 128;
  const lanes = i32x4(0, 1, 2, 3);
  for (let c: u32 = 0; c < strips << 4; c += 8) {
    const left = i32x4.splat(i32(columns) - i32(c));
    const mask0 = i32x4.lt_s(lanes, left),
      mask1 = i32x4.lt_s(i32x4.add(lanes, i32x4.splat(4)), left);
    const from = x + (usize(min(c, columns)) << 2),
      end = from + rows;
    let s0 = f64x2.splat(0),
      s1 = s0,
      s2 = s0,
      s3 = s0;
    let low0 = f32x4.splat(Infinity),
      low1 = low0,
      high0 = f32x4.splat(-Infinity),
      high1 = high0;
    for (let p = from; p < end; p += step) {
      const v = v128.and(v128.load(p), mask0),
        w = v128.and(v128.load(p, 16), mask1);
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v));
      s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.shuffle<u64>(v, v, 1, 0)));
      s2 = f64x2.add(s2, f64x2.promote_low_f32x4(w));
      s3 = f64x2.add(s3, f64x2.promote_low_f32x4(v128.shuffle<u64>(w, w, 1, 0)));
      low0 = f32x4.pmin(low0, v);
      low1 = f32x4.pmin(low1, w);
      high0 = f32x4.pmax(high0, v);
      high1 = f32x4.pmax(high1, w);
    }
    v128.store(here, s0);
    v128.store(here, s1, 16);
    v128.store(here, s2, 32);
    v128.store(here, s3, 48);
    v128.store(scales, low0);
    v128.store(scales, low1, 16);
    v128.store(scales, high0, 32);
    v128.store(scales, high1, 48);
    const row = panel + usize(c >> 4) * (usize(capacity) << 6) + (usize(c & 8) << 2);
    const joint = row + (usize(m) << 6);
    const mean = statistics + (usize(c) << 3);
    for (let l: u32 = 0; l < 8; l++) {
      const at = usize(l) << 3;
      const low = <f64>load<f32>(scales + (at >> 1)),
        high = <f64>load<f32>(scales + (at >> 1), 32);
      // One value only: the mean is that value to the last bit, so that its variance is exactly 0.
      const own = low == high ? low : load<f64>(here + at) / m;
      const delta = before > 0 ? own - load<f64>(mean + at) : 0;
      const most = max(max(high - own, own - low), abs(delta * root));
      const scaleAt = mean + side * 2 + at;
      const scale = load<f64>(scaleAt);
      if (most > 0) {
        if (scale == 0) store<f64>(scaleAt, scaleOf(most));
        else if (most * scale > 1099511627776) {
          store<f64>(scaleAt, scaleOf(most));
          rescale(sums, units, inputStrips, unit, c + l, scaleOf(most) / scale);
        }
      }
      store<f64>(here + at, own);
      store<f32>(joint + (at >> 1), <f32>(delta * root * load<f64>(scaleAt)));
    }
    const m0 = v128.load(here),
      m1 = v128.load(here, 16),
      m2 = v128.load(here, 32),
      m3 = v128.load(here, 48);
    const factors = mean + side * 2;
    let q0 = f64x2.splat(0),
      q1 = q0,
      q2 = q0,
      q3 = q0;
    let to = row;
    for (let p = from; p < end; p += step, to += 64) {
      const v = v128.and(v128.load(p), mask0);
      const d0 = f64x2.sub(f64x2.promote_low_f32x4(v), m0),
        d1 = f64x2.sub(f64x2.promote_low_f32x4(v128.shuffle<u64>(v, v, 1, 0)), m1);
      q0 = f64x2.add(q0, f64x2.mul(d0, d0));
      q1 = f64x2.add(q1, f64x2.mul(d1, d1));
      v128.store(
        to,
        v128.shuffle<u64>(
          f32x4.demote_f64x2_zero(f64x2.mul(d0, v128.load(factors))),
          f32x4.demote_f64x2_zero(f64x2.mul(d1, v128.load(factors, 16))),
          0,
          2,
        ),
      );
      const w = v128.and(v128.load(p, 16), mask1);
      const d2 = f64x2.sub(f64x2.promote_low_f32x4(w), m2),
        d3 = f64x2.sub(f64x2.promote_low_f32x4(v128.shuffle<u64>(w, w, 1, 0)), m3);
      q2 = f64x2.add(q2, f64x2.mul(d2, d2));
      q3 = f64x2.add(q3, f64x2.mul(d3, d3));
      v128.store(
        to,
        v128.shuffle<u64>(
          f32x4.demote_f64x2_zero(f64x2.mul(d2, v128.load(factors, 32))),
          f32x4.demote_f64x2_zero(f64x2.mul(d3, v128.load(factors, 48))),
          0,
          2,
        ),
        16,
      );
    }
    v128.store(added, q0);
    v128.store(added, q1, 16);
    v128.store(added, q2, 32);
    v128.store(added, q3, 48);
    for (let at: usize = 0; at < 64; at += 8) {
      const own = load<f64>(here + at),
        old = load<f64>(mean + at);
      const delta = before > 0 ? own - old : 0;
      store<f64>(mean + side + at, load<f64>(mean + side + at) + (load<f64>(added + at) + delta * delta * weight));
      store<f64>(mean + at, before > 0 ? old + (delta * m) / (before + m) : own);
    }
  }
}
