// Bounds of distances to and between boxes of blocks: lowest and highest of each row side by side, as many rows as
// there are. The last may be the norm of what a projection leaves out.
import { Box } from '../memory';
import { term } from './distances';

/** Lower bound of the distances between two blocks' boxes. */
// @ts-ignore: decorator
@inline
export function leastBetween(a: usize, b: usize, rows: u32, l1: bool): f32 {
  const zero = f32x4.splat(0),
    signs = f32x4(1, -1, 1, -1);
  let sum = zero;
  const end = a + ((<usize>(rows & ~1)) << 3);
  for (; a < end; a += 16, b += 16) {
    const y = v128.load(b);
    const t = f32x4.pmax(zero, f32x4.mul(f32x4.sub(v128.load(a), i32x4.shuffle(y, y, 1, 0, 3, 2)), signs));
    sum = f32x4.add(sum, l1 ? t : f32x4.mul(t, t));
  }
  let all =
    f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
  if (rows & 1) {
    const t = max<f32>(0, max(load<f32>(a) - load<f32>(b, Box.high << 2), load<f32>(b) - load<f32>(a, Box.high << 2)));
    all += l1 ? t : t * t;
  }
  return all;
}

/** Upper bound of the distances between two blocks' boxes. */
// @ts-ignore: decorator
@inline
export function mostBetween(a: usize, b: usize, rows: u32, norm: bool, l1: bool): f32 {
  const signs = f32x4(-1, 1, -1, 1);
  let sum = f32x4.splat(0);
  // The last row holds norms of what the projection leaves out: at worst they point apart.
  const plain = norm ? rows - 1 : rows;
  const end = a + ((<usize>(plain & ~1)) << 3);
  for (; a < end; a += 16, b += 16) {
    const y = v128.load(b);
    const t = f32x4.mul(f32x4.sub(v128.load(a), i32x4.shuffle(y, y, 1, 0, 3, 2)), signs);
    const u = f32x4.pmax(t, i32x4.shuffle(t, t, 1, 0, 3, 2));
    sum = f32x4.add(sum, l1 ? u : f32x4.mul(u, u));
  }
  let all = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 2);
  if (plain & 1) {
    const t = max(load<f32>(a, Box.high << 2) - load<f32>(b), load<f32>(b, Box.high << 2) - load<f32>(a));
    all += l1 ? t : t * t;
    a += 8;
    b += 8;
  }
  if (norm) {
    const t = load<f32>(a, Box.high << 2) + load<f32>(b, Box.high << 2);
    all += l1 ? t : t * t;
  }
  return all;
}

/**
 * Which of a block's 16 points, their rows transposed at `p`, have a lower bound of the distances to a box at or
 * under their limits: a bit each.
 */
// @ts-ignore: decorator
@inline
export function rowsNear(box: usize, p: usize, rows: u32, l1: bool, l0: v128, l4: v128, l8: v128, l12: v128): u32 {
  const zero = f32x4.splat(0);
  let a = zero,
    b = zero,
    c = zero,
    e = zero;
  for (const end = box + ((<usize>rows) << 3); box < end; box += 8, p += 64) {
    const low = v128.load32_splat(box),
      high = v128.load32_splat(box, Box.high << 2);
    a = outside(a, v128.load(p), low, high, zero, l1);
    b = outside(b, v128.load(p, 16), low, high, zero, l1);
    c = outside(c, v128.load(p, 32), low, high, zero, l1);
    e = outside(e, v128.load(p, 48), low, high, zero, l1);
  }
  return (
    i32x4.bitmask(f32x4.le(a, l0)) |
    (i32x4.bitmask(f32x4.le(b, l4)) << 4) |
    (i32x4.bitmask(f32x4.le(c, l8)) << 8) |
    (i32x4.bitmask(f32x4.le(e, l12)) << 12)
  );
}

// @ts-ignore: decorator
@inline
function outside(sum: v128, x: v128, low: v128, high: v128, zero: v128, l1: bool): v128 {
  const t = f32x4.pmax(zero, f32x4.pmax(f32x4.sub(low, x), f32x4.sub(x, high)));
  return f32x4.add(sum, l1 ? t : f32x4.mul(t, t));
}

/** Which of a block's 16 points have an upper bound of the distances to a box, with the margin, at or over `limit`. */
// @ts-ignore: decorator
@inline
export function rowsFar(
  box: usize,
  p: usize,
  rows: u32,
  norm: bool,
  l1: bool,
  relative4: v128,
  absolute4: v128,
  limit: v128,
): u32 {
  let a = f32x4.splat(0),
    b = a,
    c = a,
    e = a;
  const end = box + ((<usize>(norm ? rows - 1 : rows)) << 3);
  for (; box < end; box += 8, p += 64) {
    const low = v128.load32_splat(box),
      high = v128.load32_splat(box, Box.high << 2);
    a = across(a, v128.load(p), low, high, l1);
    b = across(b, v128.load(p, 16), low, high, l1);
    c = across(c, v128.load(p, 32), low, high, l1);
    e = across(e, v128.load(p, 48), low, high, l1);
  }
  if (norm) {
    // The last row holds norms of what the projection leaves out: at worst they point apart.
    const high = v128.load32_splat(box, Box.high << 2);
    a = added(a, f32x4.add(v128.load(p), high), l1);
    b = added(b, f32x4.add(v128.load(p, 16), high), l1);
    c = added(c, f32x4.add(v128.load(p, 32), high), l1);
    e = added(e, f32x4.add(v128.load(p, 48), high), l1);
  }
  return (
    i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(a, relative4), absolute4), limit)) |
    (i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(b, relative4), absolute4), limit)) << 4) |
    (i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(c, relative4), absolute4), limit)) << 8) |
    (i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(e, relative4), absolute4), limit)) << 12)
  );
}

// @ts-ignore: decorator
@inline
function across(sum: v128, x: v128, low: v128, high: v128, l1: bool): v128 {
  return added(sum, f32x4.pmax(f32x4.sub(high, x), f32x4.sub(x, low)), l1);
}

// @ts-ignore: decorator
@inline
function added(sum: v128, t: v128, l1: bool): v128 {
  return f32x4.add(sum, l1 ? t : f32x4.mul(t, t));
}

/** Which of a block's 16 lanes have a lower bound at or under their key, with the margin: a bit each. */
// @ts-ignore: decorator
@inline
export function lanesUnder(
  bounds: usize,
  v: usize,
  m: u32,
  l1: bool,
  keys: usize,
  relative4: v128,
  absolute4: v128,
): u32 {
  let a = f32x4.splat(0),
    b = a,
    c = a,
    e = a;
  let p = bounds;
  for (let k: u32 = 0; k < m; k++) {
    const y = v128.load32_splat(v + ((<usize>k) << 2));
    a = term(a, v128.load(p), y, l1);
    b = term(b, v128.load(p, 16), y, l1);
    c = term(c, v128.load(p, 32), y, l1);
    e = term(e, v128.load(p, 48), y, l1);
    p += 64;
  }
  return (
    i32x4.bitmask(f32x4.le(a, f32x4.add(f32x4.mul(v128.load(keys), relative4), absolute4))) |
    (i32x4.bitmask(f32x4.le(b, f32x4.add(f32x4.mul(v128.load(keys, 16), relative4), absolute4))) << 4) |
    (i32x4.bitmask(f32x4.le(c, f32x4.add(f32x4.mul(v128.load(keys, 32), relative4), absolute4))) << 8) |
    (i32x4.bitmask(f32x4.le(e, f32x4.add(f32x4.mul(v128.load(keys, 48), relative4), absolute4))) << 12)
  );
}

/** Which of a block's 16 lanes have an upper bound at or over `limit`, with the tolerances: a bit each. */
// @ts-ignore: decorator
@inline
export function lanesAbove(
  bounds: usize,
  q: usize,
  m: u32,
  l1: bool,
  relative4: v128,
  absolute4: v128,
  limit: v128,
): u32 {
  let a = f32x4.splat(0),
    c = a,
    e = a,
    f = a;
  let p = bounds;
  const last = q + ((<usize>(m - 1)) << 2);
  for (; q <= last; q += 4) {
    // The norms of what is left out: at worst these parts point away from each other.
    const y = f32x4.splat(q == last ? -load<f32>(q) : load<f32>(q));
    a = term(a, v128.load(p), y, l1);
    c = term(c, v128.load(p, 16), y, l1);
    e = term(e, v128.load(p, 32), y, l1);
    f = term(f, v128.load(p, 48), y, l1);
    p += 64;
  }
  return (
    i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(a, relative4), absolute4), limit)) |
    (i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(c, relative4), absolute4), limit)) << 4) |
    (i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(e, relative4), absolute4), limit)) << 8) |
    (i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(f, relative4), absolute4), limit)) << 12)
  );
}
