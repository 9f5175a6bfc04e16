// pairwise: rows brought to the form the tiles read. Norms and means run in float64.

// Sum of x[k]² over k < d.
function squares(x: usize, d: u32): f64 {
  let a = f64x2.splat(0),
    b = a;
  const whole = x + (usize(d & ~3) << 2),
    end = x + (usize(d) << 2);
  for (; x < whole; x += 16) {
    const v = v128.load(x);
    const low = f64x2.promote_low_f32x4(v);
    const high = f64x2.promote_low_f32x4(v128.shuffle<u64>(v, v, 1, 0));
    a = f64x2.add(a, f64x2.mul(low, low));
    b = f64x2.add(b, f64x2.mul(high, high));
  }
  a = f64x2.add(a, b);
  let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  for (; x < end; x += 4) {
    const y = <f64>load<f32>(x);
    sum += y * y;
  }
  return sum;
}

// Makes x[k] = (x[k] − mean)·scale, rounded once.
function affine(x: usize, d: u32, mean: f64, scale: f64): void {
  const m = f64x2.splat(mean),
    s = f64x2.splat(scale);
  const whole = x + (usize(d & ~3) << 2),
    end = x + (usize(d) << 2);
  for (; x < whole; x += 16) {
    const v = v128.load(x);
    const low = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(v), m), s));
    const high = f32x4.demote_f64x2_zero(
      f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(v128.shuffle<u64>(v, v, 1, 0)), m), s),
    );
    v128.store(x, v128.shuffle<u64>(low, high, 0, 2));
  }
  for (; x < end; x += 4) store<f32>(x, <f32>((<f64>load<f32>(x) - mean) * scale));
}

/**
 * Rows [from, to) in place, d values each, stride floats apart: times `factor` (metrics 0 and 3), to unit length (1),
 * centred and to unit length (2). norms[i] becomes 1, or 0 for a zero vector (constant row), whose values all become
 * 0.
 */
export function pairwiseNormalise(
  rows: usize,
  stride: u32,
  d: u32,
  from: u32,
  to: u32,
  metric: i32,
  factor: f64,
  norms: usize,
): void {
  for (let i = from; i < to; i++) {
    const x = rows + ((usize(i) * stride) << 2);
    let norm: f32 = 1;
    if (metric == 0 || metric == 3) {
      if (factor != 1) affine(x, d, 0, factor);
    } else {
      const end = x + (usize(d) << 2);
      let mean: f64 = 0;
      if (metric == 2 && d > 0) {
        const first = load<f32>(x);
        let constant = true;
        for (let p = x; p < end; p += 4) {
          const y = load<f32>(p);
          mean += <f64>y;
          if (y != first) constant = false;
        }
        // A constant row is exactly its mean, whatever the division rounds to.
        mean = constant ? <f64>first : mean / d;
        // Near the centre first: the squares of what a large mean hides keep their digits.
      }
      let square: f64 = 0;
      if (mean == 0) square = squares(x, d);
      else {
        for (let p = x; p < end; p += 4) {
          const y = <f64>load<f32>(p) - mean;
          square += y * y;
        }
      }
      if (square > 0) affine(x, d, mean, 1 / sqrt(square));
      else {
        for (let p = x; p < end; p += 4) store<f32>(p, 0);
        norm = 0;
      }
    }
    store<f32>(norms + (usize(i) << 2), norm);
  }
}

const FINEST: f64 = 8388608;

/**
 * centre[k] = mean of column k over rows 0, step, 2·step, … below n. sums: f64[d]; centre: f32[stride]. If these
 * rows, at most 1 in magnitude, are multiples of some 2⁻ᵖ, p ≤ 23, as scaled integers are, the means are rounded
 * to such: then centred values, and sums of their products below 2²⁴ units squared, are exact, and equal distances
 * stay equal.
 */
export function pairwiseCentre(rows: usize, stride: u32, d: u32, n: u32, step: u32, sums: usize, centre: usize): void {
  let count: f64 = 0,
    grid: f64 = 1;
  for (let k: usize = 0; k < usize(d) << 3; k += 8) store<f64>(sums + k, 0);
  for (let i: u32 = 0; i < n; i += step) {
    const x = rows + ((usize(i) * stride) << 2);
    for (let k: usize = 0; k < d && grid <= FINEST; k++) {
      const y = <f64>load<f32>(x + (k << 2));
      while (grid <= FINEST && y * grid != nearest<f64>(y * grid)) grid *= 2;
    }
    for (let k: usize = 0; k < d; k++)
      store<f64>(sums + (k << 3), load<f64>(sums + (k << 3)) + <f64>load<f32>(x + (k << 2)));
    count += 1;
  }
  for (let k: usize = 0; k < stride; k++) {
    let mean: f64 = k < d && count > 0 ? load<f64>(sums + (k << 3)) / count : 0;
    if (grid <= FINEST) mean = nearest<f64>(mean * grid) / grid;
    store<f32>(centre + (k << 2), <f32>mean);
  }
}

// to[j, i] = from[i, j] for 4 × 4 floats; rows `step` and 64 bytes apart.
// @ts-ignore: decorator
@inline
function transpose(from: usize, step: usize, to: usize): void {
  const a = v128.load(from),
    b = v128.load(from + step),
    c = v128.load(from + step * 2),
    e = v128.load(from + step * 3);
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5),
    ce = v128.shuffle<u32>(c, e, 0, 4, 1, 5);
  const AB = v128.shuffle<u32>(a, b, 2, 6, 3, 7),
    CE = v128.shuffle<u32>(c, e, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(ab, ce, 0, 2));
  v128.store(to, v128.shuffle<u64>(ab, ce, 1, 3), 64);
  v128.store(to, v128.shuffle<u64>(AB, CE, 0, 2), 128);
  v128.store(to, v128.shuffle<u64>(AB, CE, 1, 3), 192);
}

/**
 * Panels [from, to) of sixteen rows, transposed: packed[(p·stride + k)·16 + r] = rows[16p + r, k] − centre[k]; rows
 * beyond n count as 0. centred: also norms[i] = Σ of those squares. buffer: f32[4 · stride].
 */
export function pairwisePack(
  rows: usize,
  stride: u32,
  n: u32,
  centre: usize,
  packed: usize,
  norms: usize,
  buffer: usize,
  from: u32,
  to: u32,
): void {
  const step = usize(stride) << 2,
    zero = f32x4.splat(0);
  for (let p = from; p < to; p++) {
    for (let r: u32 = 0; r < 16; r += 4) {
      const first = (p << 4) + r;
      let x = rows + usize(first) * step;
      if (centre || first + 4 > n) {
        for (let i = first; i < first + 4; i++, x += step) {
          const y = buffer + usize(i - first) * step;
          for (let k: usize = 0; k < step; k += 16) {
            const v = i < n ? v128.load(x + k) : zero;
            v128.store(y + k, centre && i < n ? f32x4.sub(v, v128.load(centre + k)) : v);
          }
          if (centre) store<f32>(norms + (usize(i) << 2), <f32>squares(y, stride));
        }
        x = buffer;
      }
      const end = x + step;
      for (let q = packed + ((usize(p) * step) << 4) + (usize(r) << 2); x < end; x += 16, q += 256)
        transpose(x, step, q);
    }
  }
}

// Additions of less than this part of the partial sum count: larger ones move it on, so that their roundings go
// either way.
const SMALL: f32 = 1 / 64;

/**
 * How much rounding of one kind can add up to in the products of packed rows, as the tiles sum them: `block` columns
 * at a time, `group` columns of these. Small values that follow a large one in its block are all rounded to its
 * units: each may lose half of one, and all of them upwards. Of row a: w(a) = Σ (partial sum of a·a) / |a|² over the
 * additions of values that are small beside it and not 0; by Cauchy and Schwarz the roundings of a·b come to some
 * 2⁻²⁴·√(w(a)·w(b))·|a||b|. absorbed[p] becomes the largest w of panel p < count, f32.
 * Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.3 (running error analysis).
 */
export function pairwiseAbsorbed(
  packed: usize,
  stride: u32,
  count: u32,
  group: u32,
  block: u32,
  absorbed: usize,
): void {
  const zero = f32x4.splat(0),
    small = f32x4.splat(SMALL);
  for (let panel: u32 = 0; panel < count; panel++, packed += usize(stride) << 6) {
    let worst = zero;
    for (let r: usize = 0; r < 64; r += 16) {
      let x = packed + r,
        total = zero,
        sums = zero;
      for (let g: u32 = 0; g < stride; g += group) {
        let groupSum = zero;
        const groupEnd = min(g + group, stride);
        for (let k = g; k < groupEnd; k += block) {
          let blockSum = zero;
          for (const end = x + (usize(min(block, groupEnd - k)) << 6); x < end; x += 64) {
            const v = v128.load(x),
              square = f32x4.mul(v, v);
            blockSum = f32x4.add(blockSum, square);
            sums = f32x4.add(
              sums,
              v128.and(blockSum, v128.and(f32x4.ne(v, zero), f32x4.lt(square, f32x4.mul(small, blockSum)))),
            );
          }
          groupSum = f32x4.add(groupSum, blockSum);
          sums = f32x4.add(
            sums,
            v128.and(groupSum, v128.and(f32x4.ne(blockSum, zero), f32x4.lt(blockSum, f32x4.mul(small, groupSum)))),
          );
        }
        total = f32x4.add(total, groupSum);
        sums = f32x4.add(
          sums,
          v128.and(total, v128.and(f32x4.ne(groupSum, zero), f32x4.lt(groupSum, f32x4.mul(small, total)))),
        );
      }
      // A row of zeros, 0 / 0, is passed over.
      worst = f32x4.pmax(worst, f32x4.div(sums, total));
    }
    store<f32>(
      absorbed + (usize(panel) << 2),
      max(
        max(f32x4.extract_lane(worst, 0), f32x4.extract_lane(worst, 1)),
        max(f32x4.extract_lane(worst, 2), f32x4.extract_lane(worst, 3)),
      ),
    );
  }
}
