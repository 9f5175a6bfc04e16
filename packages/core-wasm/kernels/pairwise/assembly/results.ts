// pairwise: from the sums of a cell to dissimilarities, and these to their places in the result (memory contract:
// ../assembly.ts).

import { ptr, word } from '../../../assembly/words';
import { Job } from '../memory';
import { squaredDistance } from './tiles';

/**
 * ‖a‖² + ‖b‖² − 2ab is off by some 6e-7 of ‖a‖² + ‖b‖²: below this share of it the distance is made from the
 * differences.
 */
const NEAR: f32 = 0.0625;
/** Euclidean: squares below this (of values at most 1) may have lost digits to underflow; then too. 2⁻¹⁰⁰. */
const TINY: f32 = 7.888609052210118e-31;
/** Cosine: below this the differences decide, so that duplicates are at exactly 0. */
const SAME: f32 = 1e-5;

// Four rows of four dissimilarities: stored at the rows' places and, if there is one, transposed at the mirror's.
// @ts-ignore: decorator
@inline
function put(
  v0: v128,
  v1: v128,
  v2: v128,
  v3: v128,
  p0: usize,
  p1: usize,
  p2: usize,
  p3: usize,
  mirror: usize,
  step: usize,
): void {
  v128.store(p0, v0);
  v128.store(p1, v1);
  v128.store(p2, v2);
  v128.store(p3, v3);
  if (!mirror) return;
  const low01 = v128.shuffle<u32>(v0, v1, 0, 4, 1, 5),
    low23 = v128.shuffle<u32>(v2, v3, 0, 4, 1, 5);
  v128.store(mirror, v128.shuffle<u64>(low01, low23, 0, 2));
  v128.store(mirror + step, v128.shuffle<u64>(low01, low23, 1, 3));
  const high01 = v128.shuffle<u32>(v0, v1, 2, 6, 3, 7),
    high23 = v128.shuffle<u32>(v2, v3, 2, 6, 3, 7);
  v128.store(mirror + step * 2, v128.shuffle<u64>(high01, high23, 0, 2));
  v128.store(mirror + step * 3, v128.shuffle<u64>(high01, high23, 1, 3));
}

/**
 * Four rows of a whole cell right of the diagonal, from row i, column j on: sums become dissimilarities in the
 * result; if settled, they are that. False if rows lie near each other there: what was written is then no good, and
 * they are to be settled first.
 */
export function finish(job: usize, c: usize, i: u32, j: u32, settled: bool): bool {
  const metric = word(job, Job.metric),
    step = usize(word(job, Job.m)) << 2,
    out = ptr(job, Job.out);
  const a = ptr(job, Job.normsA) + (usize(i) << 2);
  const end = c + 64;
  let p0 = out + usize(i) * step + (usize(j) << 2),
    p1 = p0 + step,
    p2 = p1 + step,
    p3 = p2 + step;
  let mirror: usize = 0;
  if (word(job, Job.condensed)) {
    // Row i of the triangle lacks its first i + 1 values.
    p0 -= ((usize(i + 1) * usize(i + 2)) / 2) << 2;
    p1 = p0 + step - (usize(i + 2) << 2);
    p2 = p1 + step - (usize(i + 3) << 2);
    p3 = p2 + step - (usize(i + 4) << 2);
  } else if (word(job, Job.symmetric)) mirror = out + usize(j) * step + (usize(i) << 2);
  const n0 = v128.load32_splat(a),
    n1 = v128.load32_splat(a, 4),
    n2 = v128.load32_splat(a, 8),
    n3 = v128.load32_splat(a, 12);
  if (settled || metric == 3) {
    const units = settled ? f32x4.splat(1) : v128.load32_splat(job, Job.unit << 2);
    for (; c < end; c += 16, p0 += 16, p1 += 16, p2 += 16, p3 += 16, mirror += mirror ? step << 2 : 0) {
      put(
        f32x4.mul(v128.load(c), units),
        f32x4.mul(v128.load(c, 64), units),
        f32x4.mul(v128.load(c, 128), units),
        f32x4.mul(v128.load(c, 192), units),
        p0,
        p1,
        p2,
        p3,
        mirror,
        step,
      );
    }
    return true;
  }
  if (metric == 0) {
    const units = v128.load32_splat(job, Job.unit << 2),
      two = f32x4.splat(2),
      near = f32x4.splat(NEAR),
      tiny = f32x4.splat(TINY);
    let b = ptr(job, Job.normsB) + (usize(j) << 2);
    let far = i32x4.splat(-1);
    for (; c < end; c += 16, b += 16, p0 += 16, p1 += 16, p2 += 16, p3 += 16, mirror += mirror ? step << 2 : 0) {
      const norm = v128.load(b);
      const m0 = f32x4.add(n0, norm),
        m1 = f32x4.add(n1, norm),
        m2 = f32x4.add(n2, norm),
        m3 = f32x4.add(n3, norm);
      const v0 = f32x4.sub(m0, f32x4.mul(two, v128.load(c)));
      const v1 = f32x4.sub(m1, f32x4.mul(two, v128.load(c, 64)));
      const v2 = f32x4.sub(m2, f32x4.mul(two, v128.load(c, 128)));
      const v3 = f32x4.sub(m3, f32x4.mul(two, v128.load(c, 192)));
      far = v128.and(
        far,
        v128.and(
          v128.and(
            f32x4.gt(v0, f32x4.pmax(tiny, f32x4.mul(near, m0))),
            f32x4.gt(v1, f32x4.pmax(tiny, f32x4.mul(near, m1))),
          ),
          v128.and(
            f32x4.gt(v2, f32x4.pmax(tiny, f32x4.mul(near, m2))),
            f32x4.gt(v3, f32x4.pmax(tiny, f32x4.mul(near, m3))),
          ),
        ),
      );
      put(
        f32x4.mul(f32x4.sqrt(v0), units),
        f32x4.mul(f32x4.sqrt(v1), units),
        f32x4.mul(f32x4.sqrt(v2), units),
        f32x4.mul(f32x4.sqrt(v3), units),
        p0,
        p1,
        p2,
        p3,
        mirror,
        step,
      );
    }
    return i32x4.all_true(far);
  }
  const two = f32x4.add(n0, n0);
  let least = two;
  for (; c < end; c += 16, p0 += 16, p1 += 16, p2 += 16, p3 += 16, mirror += mirror ? step << 2 : 0) {
    // A norm is 1, or 0 for a zero vector: its row is then near.
    const v0 = f32x4.sub(n0, v128.load(c));
    const v1 = f32x4.sub(n1, v128.load(c, 64));
    const v2 = f32x4.sub(n2, v128.load(c, 128));
    const v3 = f32x4.sub(n3, v128.load(c, 192));
    least = f32x4.pmin(least, f32x4.pmin(f32x4.pmin(v0, v1), f32x4.pmin(v2, v3)));
    put(
      f32x4.pmin(two, v0),
      f32x4.pmin(two, v1),
      f32x4.pmin(two, v2),
      f32x4.pmin(two, v3),
      p0,
      p1,
      p2,
      p3,
      mirror,
      step,
    );
  }
  return i32x4.all_true(f32x4.gt(least, f32x4.splat(SAME)));
}

/**
 * Four rows of a cell, at row i0, column j0: sums become dissimilarities where they are. Rows and columns from i1, j1
 * on are padding.
 */
export function settle(job: usize, sums: usize, i0: u32, j0: u32, i1: u32, j1: u32): void {
  const metric = word(job, Job.metric);
  const normsA = ptr(job, Job.normsA) + (usize(i0) << 2),
    normsB = ptr(job, Job.normsB) + (usize(j0) << 2);
  const n0 = v128.load32_splat(normsA),
    n1 = v128.load32_splat(normsA, 4),
    n2 = v128.load32_splat(normsA, 8),
    n3 = v128.load32_splat(normsA, 12);
  const units = v128.load32_splat(job, Job.unit << 2),
    two = f32x4.splat(2),
    one = f32x4.splat(1),
    near = f32x4.splat(NEAR),
    tiny = f32x4.splat(TINY),
    same = f32x4.splat(SAME),
    none = f32x4.splat(0);
  for (let j: usize = 0; j < 16; j += 4) {
    const c = sums + (j << 2);
    let v0 = v128.load(c),
      v1 = v128.load(c, 64),
      v2 = v128.load(c, 128),
      v3 = v128.load(c, 192);
    let far: v128;
    if (metric == 3) {
      v0 = f32x4.mul(v0, units);
      v1 = f32x4.mul(v1, units);
      v2 = f32x4.mul(v2, units);
      v3 = f32x4.mul(v3, units);
      far = i32x4.splat(-1);
    } else if (metric == 0) {
      const norm = v128.load(normsB + (j << 2));
      const m0 = f32x4.add(n0, norm),
        m1 = f32x4.add(n1, norm),
        m2 = f32x4.add(n2, norm),
        m3 = f32x4.add(n3, norm);
      v0 = f32x4.sub(m0, f32x4.mul(two, v0));
      v1 = f32x4.sub(m1, f32x4.mul(two, v1));
      v2 = f32x4.sub(m2, f32x4.mul(two, v2));
      v3 = f32x4.sub(m3, f32x4.mul(two, v3));
      far = v128.and(
        v128.and(
          f32x4.gt(v0, f32x4.pmax(tiny, f32x4.mul(near, m0))),
          f32x4.gt(v1, f32x4.pmax(tiny, f32x4.mul(near, m1))),
        ),
        v128.and(
          f32x4.gt(v2, f32x4.pmax(tiny, f32x4.mul(near, m2))),
          f32x4.gt(v3, f32x4.pmax(tiny, f32x4.mul(near, m3))),
        ),
      );
      v0 = f32x4.mul(f32x4.sqrt(f32x4.pmax(none, v0)), units);
      v1 = f32x4.mul(f32x4.sqrt(f32x4.pmax(none, v1)), units);
      v2 = f32x4.mul(f32x4.sqrt(f32x4.pmax(none, v2)), units);
      v3 = f32x4.mul(f32x4.sqrt(f32x4.pmax(none, v3)), units);
    } else {
      // A zero vector's norm, 0, makes its row near.
      v0 = f32x4.sub(one, v0);
      v1 = f32x4.sub(one, v1);
      v2 = f32x4.sub(one, v2);
      v3 = f32x4.sub(one, v3);
      far = v128.and(
        v128.and(f32x4.gt(f32x4.mul(v0, n0), same), f32x4.gt(f32x4.mul(v1, n1), same)),
        v128.and(f32x4.gt(f32x4.mul(v2, n2), same), f32x4.gt(f32x4.mul(v3, n3), same)),
      );
      v0 = f32x4.pmin(two, v0);
      v1 = f32x4.pmin(two, v1);
      v2 = f32x4.pmin(two, v2);
      v3 = f32x4.pmin(two, v3);
    }
    if (!i32x4.all_true(far)) {
      nearby(job, c, i0, j0 + u32(j), i1, j1);
      continue;
    }
    v128.store(c, v0);
    v128.store(c, v1, 64);
    v128.store(c, v2, 128);
    v128.store(c, v3, 192);
  }
}

// The 4 × 4 sums at row i0, column j0, some of them of rows that lie near each other: dissimilarities one by one.
function nearby(job: usize, c: usize, i0: u32, j0: u32, i1: u32, j1: u32): void {
  const stride = usize(word(job, Job.stride)) << 2,
    unit = load<f32>(job, Job.unit << 2);
  for (let i = i0; i < i0 + 4; i++, c += 64) {
    const x = ptr(job, Job.rowsA) + usize(i) * stride,
      a = load<f32>(ptr(job, Job.normsA) + (usize(i) << 2));
    for (let j = j0; j < j0 + 4; j++) {
      const p = c + (usize(j - j0) << 2);
      const y = ptr(job, Job.rowsB) + usize(j) * stride,
        b = load<f32>(ptr(job, Job.normsB) + (usize(j) << 2));
      let v = load<f32>(p);
      if (i >= i1 || j >= j1) v = 0;
      else if (word(job, Job.metric) == 0) {
        v = a + b - 2 * v;
        v =
          v > max<f32>(TINY, NEAR * (a + b))
            ? sqrt(v) * unit
            : <f32>(Math.sqrt(squaredDistance(x, y, word(job, Job.stride))) * <f64>unit);
      } else if (a == 0) {
        // Zero vectors are alike, and at 1 from all others.
        v = b == 0 ? 0 : 1;
      } else {
        v = 1 - v;
        v = v > SAME ? min<f32>(2, v) : <f32>(squaredDistance(x, y, word(job, Job.stride)) / 2);
      }
      store<f32>(p, v);
    }
  }
}

/**
 * Four settled rows of a cell that is cut off or on the diagonal, value by value. diagonal: 0, or how many columns of
 * the first lie up to it.
 */
export function write(job: usize, sums: usize, i0: u32, j0: u32, i1: u32, j1: u32, diagonal: u32): void {
  const n = usize(word(job, Job.n)),
    m = usize(word(job, Job.m)),
    out = ptr(job, Job.out);
  const condensed = word(job, Job.condensed) != 0,
    mirrored = word(job, Job.symmetric) != 0;
  const columns = min(16, j1 - j0);
  for (let r: u32 = 0; r < 4 && i0 + r < i1; r++) {
    const i = usize(i0 + r),
      row = sums + (usize(r) << 6);
    const to = out + (((condensed ? i * n - ((i + 1) * (i + 2)) / 2 : i * m) + j0) << 2);
    if (diagonal && !condensed) store<f32>(out + ((i * m + i) << 2), 0);
    for (let c = diagonal ? diagonal + r : 0; c < columns; c++) {
      const v = load<f32>(row + (usize(c) << 2));
      store<f32>(to + (usize(c) << 2), v);
      if (mirrored && !condensed) store<f32>(out + ((usize(j0 + c) * m + i) << 2), v);
    }
  }
}
