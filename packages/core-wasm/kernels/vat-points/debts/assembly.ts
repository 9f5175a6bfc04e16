// What blocks owe. Where points have many coordinates a step compares the new one with the boxes of the blocks only. A block then owes
// the distances to some of the points visited since its keys were last brought up to date, and a lower bound of these; only when that
// bound is at or under the least key known must the debt be paid, for all points owed at once and with the block in the nearest cache.
import { ptr, word } from "../../../assembly/words";
import { HEAD, NONE, candidate, record, sink } from "../blocks/assembly";
import { lanesUnder, leastOf, refresh, toBoxes } from "../living/assembly";
import { lowerLanes } from "../pairs/assembly";
import { lanesWithin, product, products, setLimits, whole, wholeBytes } from "../quantised/assembly";
import { Job, Worker } from "../memory";

// Looks at the bounds before they are judged.
const LOOK: u32 = 32;
const ALL: u32 = 0xffff;

// Adds the visited point whose bound rows stand at `v`, number `last` of the order, to what the blocks owe it to; answers the block that
// may owe the least. A point farther from the whole block than its largest key can change nothing there and is not owed.
function owe(job: usize, state: usize, v: usize, last: u32, l1: bool): u32 {
  const rows = word(job, Job.boxRows), blocks = word(state, Worker.blocks);
  const boxes = ptr(state, Worker.boxes), owed = ptr(state, Worker.owed), tops = ptr(state, Worker.tops), since = ptr(state, Worker.since);
  const row = usize(word(state, Worker.boxStride)) << 2;
  const infinity = f32x4.splat(Infinity), four = i32x4.splat(4);
  const grow = f32x4.splat(load<f32>(job, Job.grow << 2)), slack = f32x4.splat(load<f32>(job, Job.slack << 2));
  let least = infinity, at = i32x4.splat(0), index = i32x4(0, 1, 2, 3);
  for (let b: usize = 0; b < <usize>blocks << 2; b += 16) {
    let sum = toBoxes(boxes + b, row, v, rows, l1);
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

// Lowers a block's keys by the distances to visited point `v` in the given lanes.
function settle(job: usize, state: usize, b: u32, v: usize, lanes: u32, l1: bool, grow: v128, slack: v128): void {
  if (!lanes || !lowerLanes(job, state, b, load<u32>(v, 4), lanes, l1)) return;
  refresh(state, b);
  if (word(job, Job.quantised)) setLimits(job, ptr(state, Worker.keys) + (<usize>b << 6), ptr(state, Worker.wholeLimits), grow, slack);
}

// The same for the lanes that the whole numbers of one to four visited points leave.
function settleFour(job: usize, state: usize, b: u32, v0: usize, v1: usize, v2: usize, v3: usize, count: u32, grow: v128, slack: v128): void {
  const at = whole(job), bytes = wholeBytes(job);
  const out = ptr(state, Worker.products), norms = ptr(state, Worker.norms) + (<usize>b << 6), limits = ptr(state, Worker.wholeLimits);
  const block = ptr(state, Worker.points) + <usize>b * (bytes << 4);
  if (count == 1) product(block, record(job, load<u32>(v0, 4)) + at, bytes, out, i32x4.splat(0));
  else {
    const r0 = record(job, load<u32>(v0, 4)), r1 = record(job, load<u32>(v1, 4)), r2 = record(job, load<u32>(v2, 4)), r3 = record(job, load<u32>(v3, 4));
    products(block, r0 + at, r1 + at, r2 + at, r3 + at, bytes, out, i32x4.splat(0));
  }
  for (let i: u32 = 0; i < count; i++) {
    const v = i == 0 ? v0 : i == 1 ? v1 : i == 2 ? v2 : v3;
    settle(job, state, b, v, lanesWithin(out + (<usize>i << 6), norms, load<i32>(v, 20), limits), false, grow, slack);
  }
}

// Pays what a block owes: its keys become the least distances to the visited points 0 … last, the last at `current`.
// @ts-ignore: decorator
@inline
function pay(job: usize, state: usize, b: u32, current: usize, last: u32, l1: bool, grow: v128, slack: v128): void {
  const m = word(job, Job.boundRows), size = ptr(job, Job.candidateBytes);
  const top = ptr(state, Worker.tops) + (<usize>b << 2), own = ptr(state, Worker.rows);
  const growth = load<f32>(job, Job.grow << 2), slackness = load<f32>(job, Job.slack << 2);
  const quantised = !l1 && word(job, Job.quantised) != 0;
  const bounds = ptr(state, Worker.bounds) + <usize>b * (<usize>m << 6), K = ptr(state, Worker.keys) + (<usize>b << 6);
  if (quantised) setLimits(job, K, ptr(state, Worker.wholeLimits), grow, slack);
  let k = load<u32>(ptr(state, Worker.since) + (<usize>b << 2));
  if (k < last) {
    // The box with its rows in fours.
    const row = usize(word(state, Worker.boxStride)) << 2;
    let p = ptr(state, Worker.boxes) + (<usize>b << 2);
    for (let r: usize = 0; r < m; r++, p += row << 1) {
      const q = own + ((r >> 2) << 5) + ((r & 3) << 2);
      store<f32>(q, load<f32>(p));
      store<f32>(q, load<f32>(p + row), 16);
    }
  }
  let held: u32 = 0, looked: u32 = 0, spared: u32 = 0;
  let v0: usize = current, v1 = current, v2 = current;
  // The last one's row among the visited may still be under way.
  for (let v = ptr(job, Job.visited) + <usize>min(k, last) * size; k <= last; k++, v += size) {
    if (k == last) v = current;
    else if (toBox(own, v + HEAD, m, l1) > load<f32>(top) * growth + slackness) continue;
    let lanes = ALL;
    // Where bounds spare fewer than one in eight they cost more than they save.
    if (!quantised || looked < LOOK || spared << 3 >= looked) {
      looked++;
      lanes = lanesUnder(bounds, v + HEAD, m, l1, K, grow, slack);
      if (!lanes) {
        spared++;
        continue;
      }
    }
    if (!quantised) {
      settle(job, state, b, v, lanes, l1, grow, slack);
      continue;
    }
    if (held == 0) v0 = v;
    else if (held == 1) v1 = v;
    else if (held == 2) v2 = v;
    else settleFour(job, state, b, v0, v1, v2, v, 4, grow, slack);
    held = (held + 1) & 3;
  }
  if (held) settleFour(job, state, b, v0, v1, v2, v2, held, grow, slack);
  store<f32>(ptr(state, Worker.owed) + (<usize>b << 2), Infinity);
}

// The least key that a worker is known to be able to offer in step k + 1: it is not worth paying debts above it.
function offered(job: usize, k: u32, winner: usize): f32 {
  let least: f32 = Infinity;
  for (let w: u32 = 0; w < word(job, Job.workers); w++) {
    const c = candidate(job, k, w);
    if (load<u32>(c, 4) != NONE) least = min(least, c == winner ? load<f32>(c, 16) : load<f32>(c));
  }
  return least;
}

/** The least key of a worker's living points but one: what it can offer once that one is taken. */
export function nextKey(state: usize, slot: u32): f32 {
  const blocks = word(state, Worker.blocks), block = slot >> 4;
  const blockKey = ptr(state, Worker.blockKey);
  let least = min(leastOf(blockKey, 0, block), leastOf(blockKey, block + 1, blocks));
  for (let other = block << 4; other < (block + 1) << 4; other++) {
    const key = load<f32>(ptr(state, Worker.keys) + (<usize>other << 2));
    if (other != slot && key >= 0) least = min(least, key);
  }
  return least;
}

/** Takes the visited point at `v`, number `last` of the order, into a worker's keys, as far as it could decide; answers the least key. */
// @ts-ignore: decorator
@inline
export function payDue(job: usize, state: usize, v: usize, last: u32, l1: bool): f32 {
  const blocks = word(state, Worker.blocks), together = word(job, Job.workers) > 1;
  const owed = ptr(state, Worker.owed), blockKey = ptr(state, Worker.blockKey), blockId = ptr(state, Worker.blockId);
  const growth = load<f32>(job, Job.grow << 2), slackness = load<f32>(job, Job.slack << 2);
  const grow = f32x4.splat(growth), slack = f32x4.splat(slackness);
  const first = owe(job, state, v + HEAD, last, l1);
  let best = leastOf(blockKey, 0, blocks);
  // No debt above what any worker can offer: else one that has run out of near points would pay all it owes while the others wait.
  let limit = best;
  const shared = ptr(job, Job.sync) + 384 + (<usize>(last & 1) << 6);
  if (together) {
    limit = min(limit, offered(job, last, v));
    // Nobody is in the step before any more, nor yet in the next.
    atomic.store<u32>(ptr(job, Job.sync) + 384 + (<usize>((last + 1) & 1) << 6), reinterpret<u32>(<f32>Infinity));
  }
  // The likeliest first: what it gives spares others.
  for (let i: u32 = 0; i <= blocks; i++) {
    const b = i == 0 ? first : i - 1;
    if (!(load<f32>(owed + (<usize>b << 2)) <= limit * growth + slackness)) continue;
    if (b >= blocks || load<u32>(blockId + (<usize>b << 2)) == NONE) continue;
    if (together) {
      limit = min(limit, reinterpret<f32>(atomic.load<u32>(shared)));
      if (!(load<f32>(owed + (<usize>b << 2)) <= limit * growth + slackness)) continue;
    }
    pay(job, state, b, v, last, l1, grow, slack);
    const key = load<f32>(blockKey + (<usize>b << 2));
    best = min(best, key);
    if (key < limit) {
      limit = key;
      if (together) sink(shared, key);
    }
  }
  return best;
}
