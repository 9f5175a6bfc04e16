// The living points of a worker: the least keys of its blocks, which lanes bounds leave, and moving the living together as points are visited.
import { ptr, word } from "../../../assembly/words";
import { NONE, blockBytes, term } from "../blocks/assembly";
import { Job, Worker } from "../memory";

/** Least key of a block's living lanes and, among equals, the lowest id; and the largest key. */
export function refresh(state: usize, block: u32): void {
  const keys = ptr(state, Worker.keys) + (<usize>block << 6);
  const ids = ptr(state, Worker.ids) + (<usize>block << 6);
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
  store<f32>(ptr(state, Worker.blockKey) + (<usize>block << 2), best);
  store<u32>(ptr(state, Worker.blockId) + (<usize>block << 2), id);
  store<f32>(ptr(state, Worker.tops) + (<usize>block << 2), top);
}

/** Lower bounds of the distances from bound rows at `v` to four blocks' boxes, side by side from `p` on in rows of `row` bytes, lowest and highest. */
// @ts-ignore: decorator
@inline
export function toBoxes(p: usize, row: usize, v: usize, rows: u32, l1: bool): v128 {
  const zero = f32x4.splat(0);
  let sum = zero;
  for (let k: u32 = 0; k < rows; k++) {
    const y = v128.load32_splat(v);
    const t = f32x4.pmax(zero, f32x4.pmax(f32x4.sub(v128.load(p), y), f32x4.sub(y, v128.load(p + row))));
    sum = f32x4.add(sum, l1 ? t : f32x4.mul(t, t));
    p += row << 1;
    v += 4;
  }
  return sum;
}

/** Which of a block's 16 lanes have a lower bound at or under their key, with the margin: a bit each. */
// @ts-ignore: decorator
@inline
export function lanesUnder(bounds: usize, v: usize, m: u32, l1: bool, keys: usize, grow: v128, slack: v128): u32 {
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
  return (
    i32x4.bitmask(f32x4.le(a, f32x4.add(f32x4.mul(v128.load(keys), grow), slack))) |
    (i32x4.bitmask(f32x4.le(b, f32x4.add(f32x4.mul(v128.load(keys, 16), grow), slack))) << 4) |
    (i32x4.bitmask(f32x4.le(c, f32x4.add(f32x4.mul(v128.load(keys, 32), grow), slack))) << 8) |
    (i32x4.bitmask(f32x4.le(e, f32x4.add(f32x4.mul(v128.load(keys, 48), grow), slack))) << 12)
  );
}

/** The least of f32[from … to) at `p`; +∞ if there are none. */
export function leastOf(p: usize, from: u32, to: u32): f32 {
  let at = p + (<usize>from << 2);
  const end = p + (<usize>to << 2);
  let a = f32x4.splat(Infinity), b = a;
  for (; at + 32 <= end; at += 32) {
    a = f32x4.pmin(a, v128.load(at));
    b = f32x4.pmin(b, v128.load(at, 16));
  }
  a = f32x4.pmin(a, b);
  let least = min(min(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)), min(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)));
  for (; at < end; at += 4) least = min(least, load<f32>(at));
  return least;
}

/** The slot of the lowest id whose key is the worker's least, `best`; NONE if nothing lives. */
export function slotOf(state: usize, best: f32): u32 {
  const blocks = word(state, Worker.blocks);
  const blockKey = ptr(state, Worker.blockKey), blockId = ptr(state, Worker.blockId);
  let bestId = NONE;
  let block: u32 = 0;
  for (let b: u32 = 0; b < blocks; b++) {
    if (load<f32>(blockKey + (<usize>b << 2)) != best) continue;
    const id = load<u32>(blockId + (<usize>b << 2));
    if (id < bestId) {
      bestId = id;
      block = b;
    }
  }
  if (bestId == NONE) return NONE;
  let slot = block << 4;
  while (load<u32>(ptr(state, Worker.ids) + (<usize>slot << 2)) != bestId || load<f32>(ptr(state, Worker.keys) + (<usize>slot << 2)) < 0) slot++;
  return slot;
}

/** Moves the living together, in order, and fills the last block with visited lanes. A block owes what the blocks owed that it is made of. */
export function compact(job: usize, state: usize): void {
  const d = <u32>(blockBytes(job) >> 6), m = word(job, Job.boundRows), records = word(job, Job.asRecords) != 0;
  const slots = word(state, Worker.blocks) << 4;
  const points = ptr(state, Worker.points), bounds = ptr(state, Worker.bounds), keys = ptr(state, Worker.keys), ids = ptr(state, Worker.ids), parents = ptr(state, Worker.parents);
  const owed = ptr(state, Worker.owed), since = ptr(state, Worker.since), norms = ptr(state, Worker.norms), odd = ptr(state, Worker.odd);
  let to: u32 = 0;
  for (let from: u32 = 0; from < slots; from++) {
    const key = load<f32>(keys + (<usize>from << 2));
    if (key < 0) continue;
    if (records) {
      const source = <usize>(from >> 4) << 2, target = <usize>(to >> 4) << 2;
      const first = (to & 15) == 0;
      const more = load<f32>(owed + source), so = load<u32>(since + source);
      const none = first || load<f32>(owed + target) == Infinity;
      // Where nothing is owed, since when says nothing.
      if (none || (more < Infinity && so < load<u32>(since + target))) store<u32>(since + target, so);
      if (none || more < load<f32>(owed + target)) store<f32>(owed + target, more);
    }
    if (to != from) {
      const x = <usize>from << 2, y = <usize>to << 2;
      store<f32>(keys + y, key);
      store<u32>(ids + y, load<u32>(ids + x));
      store<u32>(parents + y, load<u32>(parents + x));
      if (records) {
        store<u32>(norms + y, load<u32>(norms + x));
        store<u32>(odd + y, load<u32>(odd + x));
      }
      moveColumn(points, d, from, to);
      moveColumn(bounds, m, from, to);
    }
    to++;
  }
  const blocks = (to + 15) >> 4;
  for (; to < blocks << 4; to++) store<f32>(keys + (<usize>to << 2), -1);
  store<u32>(state, blocks, Worker.blocks << 2)
  for (let b: u32 = 0; b < blocks; b++) {
    refresh(state, b);
    if (records) box(job, state, b, bounds + <usize>b * (<usize>m << 6));
  }
  // Vectors of four blocks are read whole.
  if (records) for (let b = blocks; b < (blocks + 3 & ~3); b++) noBox(job, state, b);
}

// Lowest and highest of each of a block's rows over its living lanes.
function box(job: usize, state: usize, b: u32, rows: usize): void {
  const keys = ptr(state, Worker.keys) + (<usize>b << 6);
  const row = usize(word(state, Worker.boxStride)) << 2;
  let p = ptr(state, Worker.boxes) + (<usize>b << 2);
  for (let k: u32 = 0; k < word(job, Job.boxRows); k++) {
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
  const row = usize(word(state, Worker.boxStride)) << 2;
  let p = ptr(state, Worker.boxes) + (<usize>b << 2);
  for (let k: u32 = 0; k < word(job, Job.boxRows); k++) {
    store<f32>(p, Infinity);
    store<f32>(p + row, Infinity);
    p += row << 1;
  }
  store<f32>(ptr(state, Worker.owed) + (<usize>b << 2), Infinity);
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
