// vat: Prim's order of a full symmetric f32 matrix.
// Visited samples have a NaN key: pmin(key, row) keeps NaN, so no mask array is read.

import { fetch } from '../../assembly/lanes';
import { Farthest } from './memory';

// Elements of the blocks (4 KB) in which the least key is reduced first and located afterwards.
const BLOCK: u32 = 1024;
const NONE: u32 = 0xffffffff;

// From this side on (26 MB) rows come from memory, and are fetched whole before they are worked on.
const FETCH: u32 = 2560;
// From this side on strips of the check are tall.
const TALL: u32 = 1400;
// Bits of +∞: as unsigned numbers, the bits of what is finite and not negative lie below, those of NaN, −0 and below
// above.
const INFINITE: u32 = 0x7f800000;

/**
 * Largest value of the upper triangle in rows [row0, row1), going on from what `best` holds (see Farthest). Four rows
 * at a time, which reads twice as fast as one.
 */
export function vatFarthest(d: usize, n: u32, row0: u32, row1: u32, best: usize): void {
  const bytes = (<usize>n) << 2;
  for (let i = row0; i < row1; i += 4) {
    // From a multiple of four below: what lies under the diagonal was seen already and is never greater.
    let j: u32 = i & ~3;
    let p = d + <usize>i * bytes + ((<usize>j) << 2);
    const count = min(4, row1 - i);
    if (count < 4) {
      for (let r = i; r < i + count; r++) largestOf(d, n, r, best);
      return;
    }
    let a = i32x4.splat(0),
      b = a,
      c = a,
      e = a;
    for (; j + 16 <= n; j += 16) {
      a = i32x4.max_u(a, line(p));
      b = i32x4.max_u(b, line(p + bytes));
      c = i32x4.max_u(c, line(p + 2 * bytes));
      e = i32x4.max_u(e, line(p + 3 * bytes));
      p += 64;
    }
    let m = top(i32x4.max_u(i32x4.max_u(a, b), i32x4.max_u(c, e)));
    for (; j < n; j++) {
      m = max(m, max(max(load<u32>(p), load<u32>(p + bytes)), max(load<u32>(p + 2 * bytes), load<u32>(p + 3 * bytes))));
      p += 4;
    }
    if (m > load<u32>(best)) for (let r = i; r < i + 4; r++) largestOf(d, n, r, best);
  }
}

// @ts-ignore: decorator
@inline
function line(p: usize): v128 {
  return i32x4.max_u(i32x4.max_u(v128.load(p), v128.load(p, 16)), i32x4.max_u(v128.load(p, 32), v128.load(p, 48)));
}

// @ts-ignore: decorator
@inline
function top(x: v128): u32 {
  return max(
    max<u32>(i32x4.extract_lane(x, 0), i32x4.extract_lane(x, 1)),
    max<u32>(i32x4.extract_lane(x, 2), i32x4.extract_lane(x, 3)),
  );
}

// `vatFarthest` for the one row i, right of the diagonal.
function largestOf(d: usize, n: u32, i: u32, best: usize): void {
  const end = d + ((<usize>i * n + n) << 2);
  for (let p = d + ((<usize>i * n + i + 1) << 2); p < end; p += 4) {
    const x = load<f32>(p);
    if (x > load<f32>(best)) {
      store<f32>(best, x);
      store<u32>(best, i, Farthest.row << 2);
    }
    if (x != x) store<u32>(best, 1, Farthest.foundNaN << 2);
  }
}

/**
 * First row in [row0, row1) with d[i,j] ≠ d[j,i] for some j > i, or a diagonal that is not 0, or a value that is
 * negative or not finite; n if none.
 */
export function vatCheck(d: usize, n: u32, row0: u32, row1: u32): u32 {
  const bytes = (<usize>n) << 2;
  // Strips of rows: small enough to stay in the first cache, or, where that cannot be, tall, for fewer turns through
  // all pages.
  const strip: u32 = n < TALL ? 32 : 128;
  for (let i0 = row0; i0 < row1; i0 += strip) {
    const i1 = min(i0 + strip, row1);
    // Squares of four on the diagonal and right of it; the last of a row or column overlap those before them. A strip
    // that looks odd has all its rows looked at singly: −0 is 0, and the last square may hold rows that are not asked
    // for.
    let odd = i32x4.splat(0),
      most = odd;
    for (let column = i0; column < n && n >= 4; column += 4) {
      if (((column - i0) & 15) == 0 && column + 16 <= n && i1 - i0 == 128) {
        for (let k = column; k < column + 16; k++) fetch(d + ((<usize>k * n + i0) << 2), 512);
      }
      const j = min(column, n - 4),
        end = min(i1, column + 4);
      for (let row = i0; row < end; row += 4) {
        const i = min(row, n - 4);
        const p = d + ((<usize>i * n + j) << 2),
          q = d + ((<usize>j * n + i) << 2);
        const a0 = v128.load(p),
          a1 = v128.load(p + bytes),
          a2 = v128.load(p + 2 * bytes),
          a3 = v128.load(p + 3 * bytes);
        const b0 = v128.load(q),
          b1 = v128.load(q + bytes),
          b2 = v128.load(q + 2 * bytes),
          b3 = v128.load(q + 3 * bytes);
        const c0 = i32x4.shuffle(b0, b1, 0, 4, 1, 5),
          c1 = i32x4.shuffle(b0, b1, 2, 6, 3, 7);
        const c2 = i32x4.shuffle(b2, b3, 0, 4, 1, 5),
          c3 = i32x4.shuffle(b2, b3, 2, 6, 3, 7);
        odd = v128.or(
          odd,
          v128.or(
            v128.or(v128.xor(a0, i64x2.shuffle(c0, c2, 0, 2)), v128.xor(a1, i64x2.shuffle(c0, c2, 1, 3))),
            v128.or(v128.xor(a2, i64x2.shuffle(c1, c3, 0, 2)), v128.xor(a3, i64x2.shuffle(c1, c3, 1, 3))),
          ),
        );
        most = i32x4.max_u(most, i32x4.max_u(i32x4.max_u(a0, a1), i32x4.max_u(a2, a3)));
      }
    }
    let diagonal: u32 = 0;
    for (let i = i0; i < i1; i++) diagonal |= load<u32>(d + i * (bytes + 4));
    if (!v128.any_true(odd) && top(most) < INFINITE && diagonal == 0 && n >= 4) continue;
    for (let i = i0; i < i1; i++) {
      for (let k = i; k < n; k++) {
        const x = load<f32>(d + ((<usize>i * n + k) << 2));
        const y = load<f32>(d + ((<usize>k * n + i) << 2));
        if (!(x == y && x >= 0 && x <= f32.MAX_VALUE && (i != k || x == 0))) return i;
      }
    }
  }
  return n;
}

/**
 * Steps [from, to) of 1..n. Step k scans the row of order[k-1], finds that sample's parent, and writes order[k] and
 * weights[k-1] (none at k = n). key: f32[n], +∞ before step 1.
 */
export function vatSteps(
  d: usize,
  n: u32,
  key: usize,
  order: usize,
  weights: usize,
  parent: usize,
  from: u32,
  to: u32,
): void {
  for (let k = from; k < to; k++) {
    const v = load<u32>(order + ((<usize>(k - 1)) << 2));
    const w: f32 = k > 1 ? load<f32>(weights + ((<usize>(k - 2)) << 2)) : f32.NaN;
    store<f32>(key + ((<usize>v) << 2), f32.NaN);
    const row = d + ((<usize>v * n) << 2);
    if (n >= FETCH) fetch(row, (<usize>n) << 2);
    const edge = f32x4.splat(w);
    let found = NONE;
    let best: f32 = Infinity;
    let bestBlock: u32 = 0;
    for (let start: u32 = 0; start < n; start += BLOCK) {
      const end = min(start + BLOCK, n);
      const whole = start + ((end - start) & ~15);
      const stop = row + ((<usize>whole) << 2);
      let p = row + ((<usize>start) << 2),
        q = key + ((<usize>start) << 2);
      let m0 = f32x4.splat(Infinity),
        m1 = m0;
      let hit = f32x4.splat(0),
        hit2 = hit;
      while (p < stop) {
        const r0 = v128.load(p),
          r1 = v128.load(p, 16),
          r2 = v128.load(p, 32),
          r3 = v128.load(p, 48);
        const k0 = f32x4.pmin(v128.load(q), r0),
          k1 = f32x4.pmin(v128.load(q, 16), r1);
        const k2 = f32x4.pmin(v128.load(q, 32), r2),
          k3 = f32x4.pmin(v128.load(q, 48), r3);
        v128.store(q, k0);
        v128.store(q, k1, 16);
        v128.store(q, k2, 32);
        v128.store(q, k3, 48);
        m0 = f32x4.pmin(m0, k0);
        m1 = f32x4.pmin(m1, k1);
        m0 = f32x4.pmin(m0, k2);
        m1 = f32x4.pmin(m1, k3);
        hit = v128.or(hit, v128.or(f32x4.eq(r0, edge), f32x4.eq(r1, edge)));
        hit2 = v128.or(hit2, v128.or(f32x4.eq(r2, edge), f32x4.eq(r3, edge)));
        p += 64;
        q += 64;
      }
      let any: bool = v128.any_true(v128.or(hit, hit2));
      m0 = f32x4.pmin(m0, m1);
      let m = min(
        min(f32x4.extract_lane(m0, 0), f32x4.extract_lane(m0, 1)),
        min(f32x4.extract_lane(m0, 2), f32x4.extract_lane(m0, 3)),
      );
      for (let j = whole; j < end; j++) {
        const x = load<f32>(row + ((<usize>j) << 2));
        const q = key + ((<usize>j) << 2);
        let y = load<f32>(q);
        if (x < y) {
          y = x;
          store<f32>(q, x);
        }
        if (y < m) m = y;
        if (x == w) any = true;
      }
      if (m < best) {
        best = m;
        bestBlock = start;
      }
      if (any && found == NONE) found = visited(row, key, start, end, v, w);
    }
    if (k > 1) {
      if (found == NONE) {
        // Only a matrix that is not symmetric to the last bit comes here: the edge stands in the column.
        for (let i: u32 = 0; i < n; i++) {
          const y = load<f32>(key + ((<usize>i) << 2));
          if (y != y && i != v && load<f32>(d + ((<usize>i * n + v) << 2)) == w) {
            found = i;
            break;
          }
        }
      }
      store<u32>(parent + ((<usize>(k - 2)) << 2), found);
    }
    if (k == n) return;
    const j = first(key, bestBlock, min(bestBlock + BLOCK, n), best);
    store<u32>(order + ((<usize>k) << 2), j);
    store<f32>(weights + ((<usize>(k - 1)) << 2), best);
  }
}

// First position in [start, end) of `value`, which is there.
function first(x: usize, start: u32, end: u32, value: f32): u32 {
  const v = f32x4.splat(value);
  let j = start;
  for (; j + 16 <= end; j += 16) {
    const p = x + ((<usize>j) << 2);
    const any = v128.or(
      v128.or(f32x4.eq(v128.load(p), v), f32x4.eq(v128.load(p, 16), v)),
      v128.or(f32x4.eq(v128.load(p, 32), v), f32x4.eq(v128.load(p, 48), v)),
    );
    if (v128.any_true(any)) break;
  }
  while (load<f32>(x + ((<usize>j) << 2)) != value) j++;
  return j;
}

// First visited sample but v in [start, end) at distance w of v; NONE if there is none.
function visited(row: usize, key: usize, start: u32, end: u32, v: u32, w: f32): u32 {
  const edge = f32x4.splat(w);
  let j = start;
  while (j < end) {
    if (j + 16 <= end) {
      const p = row + ((<usize>j) << 2);
      const any = v128.or(
        v128.or(f32x4.eq(v128.load(p), edge), f32x4.eq(v128.load(p, 16), edge)),
        v128.or(f32x4.eq(v128.load(p, 32), edge), f32x4.eq(v128.load(p, 48), edge)),
      );
      if (!v128.any_true(any)) {
        j += 16;
        continue;
      }
    }
    const stop = min(j + 16, end);
    for (; j < stop; j++) {
      const y = load<f32>(key + ((<usize>j) << 2));
      if (y != y && j != v && load<f32>(row + ((<usize>j) << 2)) == w) return j;
    }
  }
  return NONE;
}
