// vat-points: Prim's order straight from points, one barrier a step. ./blocks/assembly.ts says how the memory is laid out.
//
// Where points have many coordinates a step compares the new one with the boxes of the blocks only. A block then owes the distances to some
// of the points visited since its keys were last brought up to date, and a lower bound of these; only when that bound is at or under
// the least key known must the debt be paid, for all points owed at once and with the block in the nearest cache.
import { NONE, candidate, distances, gather, ptr, publish, stateOf, term, word } from "./blocks/assembly";
import { farthestRow } from "./search/assembly";

export { vatPointsProbe } from "./search/assembly";

// Some 0.1 ms: a sleep costs more than a step, so that short spinning makes several workers slower than one.
const SPIN: u32 = 100000;

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

// All workers meet; false if the job was aborted meanwhile. The counter only grows, so that it is its own epoch.
function barrier(job: usize, state: usize): bool {
  const workers = word(job, 4);
  if (workers == 1) return true;
  const sync = ptr(job, 11);
  const target = word(state, 11) + workers;
  store<u32>(state, target, 44);
  atomic.add<u32>(sync, 1);
  if (atomic.load<u32>(sync, 64) != 0) atomic.notify(sync, -1);
  for (let i: u32 = 0; i < SPIN; i++) if (<i32>(atomic.load<u32>(sync) - target) >= 0) return true;
  atomic.add<u32>(sync, 1, 64);
  let ok = true;
  for (;;) {
    const seen = atomic.load<u32>(sync);
    if (<i32>(seen - target) >= 0) break;
    if (atomic.load<u32>(sync, 192) != 0) {
      ok = false;
      break;
    }
    atomic.wait<i32>(sync, seen, 20000000);
  }
  atomic.sub<u32>(sync, 1, 64);
  return ok;
}

// Least key of a block's living lanes and, among equals, the lowest id; and the largest key.
function refresh(state: usize, block: u32): void {
  const keys = ptr(state, 2) + (<usize>block << 6);
  const ids = ptr(state, 3) + (<usize>block << 6);
  let best: f32 = Infinity, top: f32 = -Infinity;
  let id = NONE;
  for (let lane: usize = 0; lane < 64; lane += 4) {
    const key = load<f32>(keys + lane);
    if (key < 0) continue;
    if (key > top) top = key;
    const i = load<u32>(ids + lane);
    if (key < best || (key == best && i < id)) {
      best = key;
      id = i;
    }
  }
  store<f32>(ptr(state, 6) + (<usize>block << 2), best);
  store<u32>(ptr(state, 7) + (<usize>block << 2), id);
  store<f32>(ptr(state, 21) + (<usize>block << 2), top);
}

// Moves the living together, in order, and fills the last block with visited lanes. A block owes what the blocks owed that it is made of.
function compact(job: usize, state: usize): void {
  const d = word(job, 1) + word(job, 5), m = word(job, 2);
  const slots = word(state, 8) << 4;
  const points = ptr(state, 0), bounds = ptr(state, 1), keys = ptr(state, 2), ids = ptr(state, 3), parents = ptr(state, 4);
  const owed = ptr(state, 18), since = ptr(state, 20);
  let to: u32 = 0;
  for (let from: u32 = 0; from < slots; from++) {
    const key = load<f32>(keys + (<usize>from << 2));
    if (key < 0) continue;
    const source = <usize>(from >> 4) << 2, target = <usize>(to >> 4) << 2;
    const first = (to & 15) == 0;
    const more = load<f32>(owed + source), so = load<u32>(since + source);
    const none = first || load<f32>(owed + target) == Infinity;
    // Where nothing is owed, since when says nothing.
    if (none || (more < Infinity && so < load<u32>(since + target))) store<u32>(since + target, so);
    if (none || more < load<f32>(owed + target)) store<f32>(owed + target, more);
    if (to != from) {
      store<f32>(keys + (<usize>to << 2), key);
      store<u32>(ids + (<usize>to << 2), load<u32>(ids + (<usize>from << 2)));
      store<u32>(parents + (<usize>to << 2), load<u32>(parents + (<usize>from << 2)));
      moveColumn(points, d, from, to);
      moveColumn(bounds, m, from, to);
    }
    to++;
  }
  const blocks = (to + 15) >> 4;
  for (; to < blocks << 4; to++) store<f32>(keys + (<usize>to << 2), -1);
  store<u32>(state, blocks, 32);
  for (let b: u32 = 0; b < blocks; b++) {
    refresh(state, b);
    if (!word(job, 19)) continue;
    if (m > 0) box(job, state, b, bounds + <usize>b * (<usize>m << 6));
    else box(job, state, b, points + <usize>b * (<usize>d << 6));
  }
  // Vectors of four blocks are read whole.
  if (word(job, 19)) for (let b = blocks; b < (blocks + 3 & ~3); b++) noBox(job, state, b);
}

// Lowest and highest of each of a block's rows over its living lanes.
function box(job: usize, state: usize, b: u32, rows: usize): void {
  const keys = ptr(state, 2) + (<usize>b << 6);
  const row = usize(word(state, 19)) << 2;
  let p = ptr(state, 17) + (<usize>b << 2);
  for (let k: u32 = 0; k < word(job, 16); k++) {
    let low: f32 = Infinity, high: f32 = -Infinity;
    for (let lane: usize = 0; lane < 64; lane += 4) {
      if (load<f32>(keys + lane) < 0) continue;
      const x = load<f32>(rows + lane);
      low = min(low, x);
      high = max(high, x);
    }
    store<f32>(p, low);
    store<f32>(p + row, high);
    p += row << 1;
    rows += 64;
  }
}

// A place without a block: infinitely far from everything.
function noBox(job: usize, state: usize, b: u32): void {
  const row = usize(word(state, 19)) << 2;
  let p = ptr(state, 17) + (<usize>b << 2);
  for (let k: u32 = 0; k < word(job, 16); k++) {
    store<f32>(p, Infinity);
    store<f32>(p + row, Infinity);
    p += row << 1;
  }
  store<f32>(ptr(state, 18) + (<usize>b << 2), Infinity);
}

function moveColumn(base: usize, rows: u32, from: u32, to: u32): void {
  let p = base + <usize>(from >> 4) * (<usize>rows << 6) + (<usize>(from & 15) << 2);
  let q = base + <usize>(to >> 4) * (<usize>rows << 6) + (<usize>(to & 15) << 2);
  for (let k: u32 = 0; k < rows; k++) {
    store<f32>(q, load<f32>(p));
    p += 64;
    q += 64;
  }
}

// Adds the visited point whose bound rows stand at `v`, number `last` of the order, to what the blocks owe it to; answers the block that
// may owe the least. A point farther from the whole block than its largest key can change nothing there and is not owed.
function owe(job: usize, state: usize, v: usize, last: u32, l1: bool): u32 {
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

// Lowers a block's keys by the distances to one visited point.
// @ts-ignore: decorator
@inline
function lower(job: usize, state: usize, b: u32, v: usize, l1: bool, grow: v128, slack: v128): bool {
  const d = word(job, 1), m = word(job, 2);
  const K = ptr(state, 2) + (<usize>b << 6), out = ptr(state, 5);
  if (m > 0 && !mayImprove(ptr(state, 1) + <usize>b * (<usize>m << 6), v + 16, m, l1, K, grow, slack)) return false;
  const block = ptr(state, 0) + <usize>b * (<usize>(d + word(job, 5)) << 6);
  if (!distances(block, v + 16 + (<usize>m << 2), d, word(job, 5) != 0, l1, K, out)) return false;
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

// Pays what a block owes: its keys become the least distances to the visited points 0 … last, the last at `current`.
// @ts-ignore: decorator
@inline
function pay(job: usize, state: usize, b: u32, current: usize, last: u32, l1: bool, grow: v128, slack: v128): void {
  const m = word(job, 2), size = ptr(job, 9);
  const top = ptr(state, 21) + (<usize>b << 2), own = ptr(state, 16);
  const growth = load<f32>(job, 48), slackness = load<f32>(job, 52);
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
  for (let v = ptr(job, 18) + <usize>k * size; k < last; k++, v += size) {
    if (toBox(own, v + 16, m, l1) > load<f32>(top) * growth + slackness) continue;
    if (lower(job, state, b, v, l1, grow, slack)) refresh(state, b);
  }
  // The last one's row among the visited may still be under way.
  if (lower(job, state, b, current, l1, grow, slack)) refresh(state, b);
  store<f32>(ptr(state, 18) + (<usize>b << 2), Infinity);
}

// Takes the visited point at `v`, number `last` of the order, into a worker's keys, as far as they could decide, and publishes its best candidate.
// @ts-ignore: decorator
@inline
function sweep(job: usize, state: usize, v: usize, last: u32, to: usize, l1: bool): void {
  const blocks = word(state, 8);
  const owed = ptr(state, 18), blockKey = ptr(state, 6), blockId = ptr(state, 7);
  const growth = load<f32>(job, 48), slackness = load<f32>(job, 52);
  const grow = f32x4.splat(growth), slack = f32x4.splat(slackness);
  let best: f32 = Infinity;
  if (word(job, 19)) {
    const first = owe(job, state, v + 16, last, l1);
    for (let b: usize = 0; b < <usize>blocks << 2; b += 4) best = min(best, load<f32>(blockKey + b));
    // The likeliest first: what it gives spares others.
    for (let i: u32 = 0; i <= blocks; i++) {
      const b = i == 0 ? first : i - 1;
      if (!(load<f32>(owed + (<usize>b << 2)) <= best * growth + slackness)) continue;
      if (b >= blocks || load<u32>(blockId + (<usize>b << 2)) == NONE) continue;
      pay(job, state, b, v, last, l1, grow, slack);
      best = min(best, load<f32>(blockKey + (<usize>b << 2)));
    }
  } else {
    for (let b: u32 = 0; b < blocks; b++) {
      if (load<u32>(blockId + (<usize>b << 2)) == NONE) continue;
      if (lower(job, state, b, v, l1, grow, slack)) refresh(state, b);
      best = min(best, load<f32>(blockKey + (<usize>b << 2)));
    }
  }
  let bestId = NONE;
  let bestBlock: u32 = 0;
  for (let b: u32 = 0; b < blocks; b++) {
    if (load<f32>(blockKey + (<usize>b << 2)) != best) continue;
    const id = load<u32>(blockId + (<usize>b << 2));
    if (id < bestId) {
      bestId = id;
      bestBlock = b;
    }
  }
  if (bestId == NONE) {
    store<u32>(to, NONE, 4);
    return;
  }
  let slot = bestBlock << 4;
  while (load<u32>(ptr(state, 3) + (<usize>slot << 2)) != bestId || load<f32>(ptr(state, 2) + (<usize>slot << 2)) < 0) slot++;
  publish(job, state, slot, to);
}

/**
 * Does up to `steps` units of a worker's work and answers 0 to be called again, 1 at the end, 2 cancelled, 3 aborted. First the rows
 * of the search for the farthest pair, shared out in turn, as many for each worker; then Prim's steps, all workers together. All
 * workers must be called with the same `steps`; they return after the same one.
 */
export function vatPointsRun(job: usize, worker: u32, steps: u32): u32 {
  const n = word(job, 0), workers = word(job, 4), total = word(job, 14);
  const l1 = word(job, 3) != 0;
  const state = stateOf(job, worker);
  const sync = ptr(job, 11);
  const rows = (total + workers - 1) / workers;
  for (; steps > 0; steps--) {
    let row = word(state, 10);
    if (row < rows) {
      const g = row * workers + worker;
      if (g < total) {
        if (l1) farthestRow(job, state, g, true);
        else farthestRow(job, state, g, false);
      }
      store<u32>(state, ++row, 40);
      if (row == rows) {
        // Every worker reads every result: the largest distance, and the lowest index that has it.
        if (!barrier(job, state)) return 3;
        let best: f32 = -1;
        let start = NONE;
        for (let w: u32 = 0; w < workers; w++) {
          const other = stateOf(job, w);
          const x = load<f32>(other, 48);
          const s = word(other, 13);
          if (s != NONE && (x > best || (x == best && s < start))) {
            best = x;
            start = s;
          }
        }
        const to = candidate(job, 0, worker);
        store<u32>(to, NONE, 4);
        const slots = word(state, 8) << 4;
        for (let slot: u32 = 0; slot < slots; slot++) {
          if (load<u32>(ptr(state, 3) + (<usize>slot << 2)) == start) publish(job, state, slot, to);
        }
        if (!barrier(job, state)) return 3;
      }
    } else {
      const k = word(state, 9);
      if (k >= n) return 1;
      let winner: usize = 0;
      let owner: u32 = 0;
      for (let w: u32 = 0; w < workers; w++) {
        const c = candidate(job, k, w);
        if (load<u32>(c, 4) == NONE) continue;
        if (winner == 0 || load<f32>(c) < load<f32>(winner) || (load<f32>(c) == load<f32>(winner) && load<u32>(c, 4) < load<u32>(winner, 4))) {
          winner = c;
          owner = w;
        }
      }
      const id = load<u32>(winner, 4);
      if (worker == 0) {
        store<u32>(ptr(job, 6) + (<usize>k << 2), id);
        if (k > 0) {
          store<f32>(ptr(job, 7) + (<usize>(k - 1) << 2), load<f32>(winner));
          store<u32>(ptr(job, 7) + (<usize>(n + k - 1) << 2), load<u32>(winner, 8));
        }
      }
      if (owner == worker) {
        const row = ptr(job, 18) + <usize>k * ptr(job, 9);
        if (word(job, 19)) for (let i: usize = 0; i < ptr(job, 9); i += 16) v128.store(row + i, v128.load(winner + i));
        const slot = load<u32>(winner, 12);
        store<f32>(ptr(state, 2) + (<usize>slot << 2), -1);
        refresh(state, slot >> 4);
        const living = word(state, 15) - 1;
        store<u32>(state, living, 60);
        if (living * 5 < (word(state, 8) << 4) * 4 && word(state, 8) > 2) compact(job, state);
      }
      const next = k + 1;
      store<u32>(state, next, 36);
      if (next < n) {
        const to = candidate(job, next, worker);
        if (l1) sweep(job, state, winner, k, to, true);
        else sweep(job, state, winner, k, to, false);
      }
      if (worker == 0 && atomic.load<u32>(sync, 128) != 0 && atomic.load<u32>(sync, 320) == 0) atomic.store<u32>(sync, next, 320);
      if (!barrier(job, state)) return 3;
      if (next >= n) return 1;
      // A step number, not a flag: a slow worker may see the order to stop one step early and must still go to that barrier.
      if (atomic.load<u32>(sync, 320) == next) return 2;
    }
  }
  return 0;
}
