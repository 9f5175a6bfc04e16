// What blocks owe. Where points have many coordinates a step compares the new one with the boxes of the blocks only. A block then owes
// the distances to some of the points visited since its keys were last brought up to date, and a lower bound of these; only when that
// bound is at or under the least key known must the debt be paid, for all points owed at once and with the block in the nearest cache.
import { HEAD, distances, ptr, term, word } from "../blocks/assembly";
import { refresh } from "../living/assembly";
import { mayBeUnder, products } from "../products/assembly";

// Looks at the bounds before they are judged.
const LOOK: u32 = 32;

// Whether some lower bound is at or under its lane's key, with the margin.
// @ts-ignore: decorator
@inline
function mayImprove(bounds: usize, v: usize, m: u32, l1: bool, keys: usize, grow: v128, slack: v128): bool {
  let a = f32x4.splat(0), b = a, c = a, e = a;
  let p = bounds;
  for (let k: u32 = 0; k < m; k++) {
    const y = v128.load32_splat(v + (<usize>k << 2));
    a = term(a, v128.load(p), y, l1);
    b = term(b, v128.load(p, 16), y, l1);
    c = term(c, v128.load(p, 32), y, l1);
    e = term(e, v128.load(p, 48), y, l1);
    p += 64;
  }
  const K0 = f32x4.add(f32x4.mul(v128.load(keys), grow), slack), K1 = f32x4.add(f32x4.mul(v128.load(keys, 16), grow), slack);
  const K2 = f32x4.add(f32x4.mul(v128.load(keys, 32), grow), slack), K3 = f32x4.add(f32x4.mul(v128.load(keys, 48), grow), slack);
  return v128.any_true(v128.or(v128.or(f32x4.le(a, K0), f32x4.le(b, K1)), v128.or(f32x4.le(c, K2), f32x4.le(e, K3))));
}

// Adds the visited point whose bound rows stand at `v`, number `last` of the order, to what the blocks owe it to; answers the block that
// may owe the least. A point farther from the whole block than its largest key can change nothing there and is not owed.
export function owe(job: usize, state: usize, v: usize, last: u32, l1: bool): u32 {
  const rows = word(job, 16), blocks = word(state, 8);
  const boxes = ptr(state, 17), owed = ptr(state, 18), tops = ptr(state, 21), since = ptr(state, 20);
  const row = usize(word(state, 19)) << 2;
  const zero = f32x4.splat(0), infinity = f32x4.splat(Infinity), four = i32x4.splat(4);
  const grow = f32x4.splat(load<f32>(job, 48)), slack = f32x4.splat(load<f32>(job, 52));
  let least = infinity, at = i32x4.splat(0), index = i32x4(0, 1, 2, 3);
  for (let b: usize = 0; b < <usize>blocks << 2; b += 16) {
    let sum = zero;
    let p = boxes + b, q = v;
    for (let k: u32 = 0; k < rows; k++) {
      const y = v128.load32_splat(q);
      const t = f32x4.pmax(zero, f32x4.pmax(f32x4.sub(v128.load(p), y), f32x4.sub(y, v128.load(p + row))));
      sum = f32x4.add(sum, l1 ? t : f32x4.mul(t, t));
      p += row << 1;
      q += 4;
    }
    const before = v128.load(owed + b);
    sum = v128.bitselect(sum, infinity, f32x4.le(sum, f32x4.add(f32x4.mul(v128.load(tops + b), grow), slack)));
    const fresh = i32x4.bitmask(v128.and(f32x4.eq(before, infinity), f32x4.lt(sum, infinity)));
    if (fresh) for (let lane: usize = 0; lane < 4; lane++) if ((fresh >> <i32>lane) & 1) store<u32>(since + b + (lane << 2), last);
    sum = f32x4.pmin(before, sum);
    v128.store(owed + b, sum);
    const less = f32x4.lt(sum, least);
    least = v128.bitselect(sum, least, less);
    at = v128.bitselect(index, at, less);
    index = i32x4.add(index, four);
  }
  let best = f32x4.extract_lane(least, 0);
  let block = i32x4.extract_lane(at, 0);
  if (f32x4.extract_lane(least, 1) < best) {
    best = f32x4.extract_lane(least, 1);
    block = i32x4.extract_lane(at, 1);
  }
  if (f32x4.extract_lane(least, 2) < best) {
    best = f32x4.extract_lane(least, 2);
    block = i32x4.extract_lane(at, 2);
  }
  if (f32x4.extract_lane(least, 3) < best) block = i32x4.extract_lane(at, 3);
  return block;
}

// Lower bound of the distance from bound rows at `v` to a box, lows and highs side by side in fours.
// @ts-ignore: decorator
@inline
function toBox(box: usize, v: usize, m: u32, l1: bool): f32 {
  const zero = f32x4.splat(0);
  let sum = zero;
  for (const end = v + (<usize>m << 2); v < end; v += 16, box += 32) {
    const y = v128.load(v);
    const t = f32x4.pmax(zero, f32x4.pmax(f32x4.sub(v128.load(box), y), f32x4.sub(y, v128.load(box, 16))));
    sum = f32x4.add(sum, l1 ? t : f32x4.mul(t, t));
  }
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
}

/** Lowers a block's keys by the distances to one visited point; whether any key or parent changed. */
// @ts-ignore: decorator
@inline
export function lower(job: usize, state: usize, b: u32, v: usize, l1: bool, grow: v128, slack: v128): bool {
  const m = word(job, 2);
  const K = ptr(state, 2) + (<usize>b << 6);
  if (m > 0 && !mayImprove(ptr(state, 1) + <usize>b * (<usize>m << 6), v + HEAD, m, l1, K, grow, slack)) return false;
  return take(job, state, b, v, l1);
}

// The same without a look at the bounds.
// @ts-ignore: decorator
@inline
function take(job: usize, state: usize, b: u32, v: usize, l1: bool): bool {
  const d = word(job, 1), m = word(job, 2);
  const K = ptr(state, 2) + (<usize>b << 6), out = ptr(state, 5);
  const block = ptr(state, 0) + <usize>b * (<usize>(d + word(job, 5)) << 6);
  if (!distances(block, v + HEAD + (<usize>m << 2), d, word(job, 5) != 0, l1, K, out)) return false;
  const better = v128.or(
    v128.or(f32x4.le(v128.load(out), v128.load(K)), f32x4.le(v128.load(out, 16), v128.load(K, 16))),
    v128.or(f32x4.le(v128.load(out, 32), v128.load(K, 32)), f32x4.le(v128.load(out, 48), v128.load(K, 48))),
  );
  if (!v128.any_true(better)) return false;
  const P = ptr(state, 4) + (<usize>b << 6);
  const id = load<u32>(v, 4);
  for (let lane: usize = 0; lane < 64; lane += 4) {
    const x = load<f32>(out + lane), key = load<f32>(K + lane);
    if (x < key) {
      store<f32>(K + lane, x);
      store<u32>(P + lane, id);
    } else if (x == key && id < load<u32>(P + lane)) store<u32>(P + lane, id);
  }
  return true;
}

// Lowers a block's keys by the distances to the first `count` of four visited points, where their products leave it possible.
function takeFour(job: usize, state: usize, b: u32, v0: usize, v1: usize, v2: usize, v3: usize, count: u32, grow: v128, slack: v128): void {
  const d = word(job, 1), at = HEAD + (<usize>word(job, 2) << 2);
  const out = ptr(state, 23), K = ptr(state, 2) + (<usize>b << 6), norms = ptr(state, 22) + (<usize>b << 6);
  const narrow = f32x4.splat(1 - load<f32>(job, 84));
  products(ptr(state, 0) + <usize>b * (<usize>(d + word(job, 5)) << 6), v0 + at, v1 + at, v2 + at, v3 + at, d, out, f32x4.splat(0));
  for (let i: u32 = 0; i < count; i++) {
    const v = i == 0 ? v0 : i == 1 ? v1 : i == 2 ? v2 : v3;
    if (mayBeUnder(out + (<usize>i << 6), norms, load<f32>(v, 20), narrow, K, grow, slack) && take(job, state, b, v, false)) refresh(state, b);
  }
}

/** Pays what a block owes: its keys become the least distances to the visited points 0 … last, the last at `current`. */
// @ts-ignore: decorator
@inline
export function pay(job: usize, state: usize, b: u32, current: usize, last: u32, l1: bool, grow: v128, slack: v128): void {
  const m = word(job, 2), size = ptr(job, 9);
  const top = ptr(state, 21) + (<usize>b << 2), own = ptr(state, 16);
  const growth = load<f32>(job, 48), slackness = load<f32>(job, 52);
  const dots = !l1 && word(job, 20) != 0;
  const bounds = ptr(state, 1) + <usize>b * (<usize>m << 6), K = ptr(state, 2) + (<usize>b << 6);
  let k = load<u32>(ptr(state, 20) + (<usize>b << 2));
  if (k < last) {
    // The box with its rows in fours.
    const row = usize(word(state, 19)) << 2;
    let p = ptr(state, 17) + (<usize>b << 2);
    for (let r: usize = 0; r < m; r++, p += row << 1) {
      const q = own + ((r >> 2) << 5) + ((r & 3) << 2);
      store<f32>(q, load<f32>(p));
      store<f32>(q, load<f32>(p + row), 16);
    }
  }
  let held: u32 = 0, looked: u32 = 0, spared: u32 = 0;
  let v0: usize = current, v1 = current, v2 = current;
  for (let v = ptr(job, 18) + <usize>k * size; k < last; k++, v += size) {
    if (toBox(own, v + HEAD, m, l1) > load<f32>(top) * growth + slackness) continue;
    if (!dots) {
      if (lower(job, state, b, v, l1, grow, slack)) refresh(state, b);
      continue;
    }
    // Where bounds spare fewer than one in eight they cost more than they save.
    if (looked < LOOK || spared << 3 >= looked) {
      looked++;
      if (!mayImprove(bounds, v + HEAD, m, l1, K, grow, slack)) {
        spared++;
        continue;
      }
    }
    if (held == 0) v0 = v;
    else if (held == 1) v1 = v;
    else if (held == 2) v2 = v;
    else takeFour(job, state, b, v0, v1, v2, v, 4, grow, slack);
    held = (held + 1) & 3;
  }
  if (held == 1) {
    if (take(job, state, b, v0, l1)) refresh(state, b);
  } else if (held > 1) takeFour(job, state, b, v0, v1, v2, v2, held, grow, slack);
  // The last one's row among the visited may still be under way.
  if (lower(job, state, b, current, l1, grow, slack)) refresh(state, b);
  store<f32>(ptr(state, 18) + (<usize>b << 2), Infinity);
}
