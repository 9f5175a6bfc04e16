// The farthest pair of vat-points: the largest distance and the lowest index that has it. Each worker takes its blocks in turn against
// all later ones; boxes, bound rows and whole numbers give upper bounds. A pair is skipped only if it is surely below the largest
// distance known, so that the answer does not depend on who looked first.
import { ptr, word } from "../../../assembly/words";
import { HEAD, NONE, blockBytes, candidate, publish, raise, record, stateOf, term } from "../blocks/assembly";
import { mostBetween, mostTo } from "../boxes/assembly";
import { distances } from "../direct/assembly";
import { pairDistance } from "../pairs/assembly";
import { beyond, lanesBeyond, product, products, whole, wholeBytes } from "../quantised/assembly";

// Points of a block compared by bounds before these are judged.
const LOOK: u32 = 2;

// Takes one distance into the worker's largest (state word 12) and its lowest index (word 13).
// @ts-ignore: decorator
@inline
function takePair(state: usize, x: f32, a: u32, b: u32): void {
  const best = load<f32>(state, 48);
  if (x > best) {
    store<f32>(state, x, 48);
    store<u32>(state, min(a, b), 52);
  } else if (x == best) store<u32>(state, min(word(state, 13), min(a, b)), 52);
}

// The same for the distances of point `id` to a block in the worker's `out`.
function takeLargest(state: usize, ids: usize, id: u32): void {
  const out = ptr(state, 5);
  const B = f32x4.splat(load<f32>(state, 48));
  const reaches = v128.or(
    v128.or(f32x4.ge(v128.load(out), B), f32x4.ge(v128.load(out, 16), B)),
    v128.or(f32x4.ge(v128.load(out, 32), B), f32x4.ge(v128.load(out, 48), B)),
  );
  if (!v128.any_true(reaches)) return;
  for (let lane: usize = 0; lane < 64; lane += 4) {
    const i = load<u32>(ids + lane);
    if (i != NONE) takePair(state, load<f32>(out + lane), i, id);
  }
}

/** Distances of one stored point (global block · 16 + lane) to all, for a first guess of the largest; answers the farthest in the same way. */
export function vatPointsProbe(job: usize, from: u32): u32 {
  const workers = word(job, 4), d = word(job, 1), records = word(job, 19) != 0, l1 = word(job, 3) != 0;
  const own = stateOf(job, 0), out = ptr(own, 5);
  const v = candidate(job, 1, 0);
  const home = from >> 4;
  publish(job, stateOf(job, home % workers), ((home / workers) << 4) | (from & 15), v);
  const id = load<u32>(v, 4);
  const coordinates = v + HEAD + (<usize>word(job, 2) << 2);
  const limits = ptr(own, 14);
  let far: f32 = -1;
  let at: u32 = from;
  for (let b: u32 = 0; b < word(job, 14); b++) {
    const state = stateOf(job, b % workers);
    const local = <usize>(b / workers);
    const block = ptr(state, 0) + local * blockBytes(job);
    const ids = ptr(state, 3) + (local << 6);
    if (!records) {
      if (l1) distances(block, coordinates, d, word(job, 5) != 0, true, limits, out);
      else distances(block, coordinates, d, word(job, 5) != 0, false, limits, out);
    }
    for (let lane: u32 = 0; lane < 16; lane++) {
      const i = load<u32>(ids + (<usize>lane << 2));
      if (i == NONE) continue;
      const x = !records ? load<f32>(out + (<usize>lane << 2)) : l1 ? pairDistance(job, id, i, true, Infinity) : pairDistance(job, id, i, false, Infinity);
      takePair(own, x, i, id);
      if (x > far) {
        far = x;
        at = (b << 4) | lane;
      }
    }
  }
  raise(ptr(job, 11) + 256, load<f32>(own, 48));
  return at;
}

// The largest upper bound of the distance from bound rows at `q` to a block's 16 points.
// @ts-ignore: decorator
@inline
function upper(bounds: usize, q: usize, m: u32, l1: bool): f32 {
  let a = f32x4.splat(0), c = a, e = a, f = a;
  let p = bounds;
  const last = q + (<usize>(m - 1) << 2);
  for (; q < last; q += 4) {
    const y = v128.load32_splat(q);
    a = term(a, v128.load(p), y, l1);
    c = term(c, v128.load(p, 16), y, l1);
    e = term(e, v128.load(p, 32), y, l1);
    f = term(f, v128.load(p, 48), y, l1);
    p += 64;
  }
  const y = f32x4.splat(-load<f32>(last));
  a = term(a, v128.load(p), y, l1);
  c = term(c, v128.load(p, 16), y, l1);
  e = term(e, v128.load(p, 32), y, l1);
  f = term(f, v128.load(p, 48), y, l1);
  const top = f32x4.max(f32x4.max(a, c), f32x4.max(e, f));
  return max(max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)), max(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)));
}

// Takes the pairs of up to four points with a block's 16 that their whole numbers leave possible.
function takeFour(job: usize, own: usize, state: usize, local: usize, r0: usize, r1: usize, r2: usize, r3: usize, count: u32): void {
  const at = whole(job), bytes = wholeBytes(job);
  const ids = ptr(state, 3) + (local << 6), norms = ptr(state, 22) + (local << 6), odd = ptr(state, 25) + (local << 6);
  const block = ptr(state, 0) + local * (bytes << 4), to = ptr(own, 23);
  if (count == 1) product(block, record(job, load<u32>(r0, 4)) + at, bytes, to, i32x4.splat(0));
  else {
    const q0 = record(job, load<u32>(r0, 4)), q1 = record(job, load<u32>(r1, 4)), q2 = record(job, load<u32>(r2, 4)), q3 = record(job, load<u32>(r3, 4));
    products(block, q0 + at, q1 + at, q2 + at, q3 + at, bytes, to, i32x4.splat(0));
  }
  const none = i32x4.splat(0);
  const odds =
    i32x4.bitmask(i32x4.ne(v128.load(odd), none)) |
    (i32x4.bitmask(i32x4.ne(v128.load(odd, 16), none)) << 4) |
    (i32x4.bitmask(i32x4.ne(v128.load(odd, 32), none)) << 8) |
    (i32x4.bitmask(i32x4.ne(v128.load(odd, 48), none)) << 12);
  for (let i: u32 = 0; i < count; i++) {
    const v = i == 0 ? r0 : i == 1 ? r1 : i == 2 ? r2 : r3;
    const id = load<u32>(v, 4);
    let lanes: u32 = 0xffff;
    if (!load<u32>(v, 24)) lanes = odds | lanesBeyond(to + (<usize>i << 6), norms, load<i32>(v, 20), beyond(job, load<f32>(own, 48)));
    takeLanes(job, own, ids, id, lanes, false);
  }
}

function takeLanes(job: usize, own: usize, ids: usize, id: u32, lanes: u32, l1: bool): void {
  for (; lanes; lanes &= lanes - 1) {
    const i = load<u32>(ids + (<usize>ctz(lanes) << 2));
    if (i != NONE) takePair(own, l1 ? pairDistance(job, id, i, true, Infinity) : pairDistance(job, id, i, false, Infinity), id, i);
  }
}

/** All pairs of block g with itself and later blocks that could hold the largest distance. */
// @ts-ignore: decorator
@inline
export function farthestRow(job: usize, own: usize, g: u32, l1: bool): void {
  const workers = word(job, 4), d = word(job, 1), m = word(job, 2), total = word(job, 14);
  const tagged = word(job, 5) != 0, records = word(job, 19) != 0, quantised = !l1 && word(job, 20) != 0;
  const stride = blockBytes(job);
  const boxes = ptr(job, 15);
  const grow = load<f32>(job, 48), slack = load<f32>(job, 52);
  const cell = ptr(job, 11) + 256;
  const limits = ptr(own, 14), out = ptr(own, 5);
  const home = stateOf(job, g % workers);
  // The block's points as rows.
  const rows = ptr(own, 16), size = ptr(job, 9);
  for (let lane: u32 = 0; lane < 16; lane++) publish(job, home, ((g / workers) << 4) | lane, rows + <usize>lane * size);
  const at = HEAD + (<usize>m << 2);
  const boxRows = word(job, 16);
  const A = boxes + <usize>g * (<usize>boxRows << 3);
  const norm = word(job, 17) != 0;
  for (let b = g; b < total; b++) {
    const shared = reinterpret<f32>(atomic.load<u32>(cell));
    if (shared > load<f32>(own, 48)) {
      store<f32>(own, shared, 48);
      store<u32>(own, NONE, 52);
    }
    const box = boxes + <usize>b * (<usize>boxRows << 3);
    if (boxRows > 0) {
      let ub = mostBetween(A, box, boxRows, norm, l1);
      if (tagged) ub = max(ub, 2);
      if (ub * grow + slack < load<f32>(own, 48)) continue;
    }
    const state = stateOf(job, b % workers);
    const local = <usize>(b / workers);
    const bounds = ptr(state, 1) + local * (<usize>m << 6);
    const ids = ptr(state, 3) + (local << 6);
    // Rows that the bounds leave, four at a time.
    let held: u32 = 0, looked: u32 = 0, spared: u32 = 0;
    let r0: usize = rows, r1 = r0, r2 = r0;
    for (let lane: u32 = 0; lane < 16; lane++) {
      const v = rows + <usize>lane * size;
      const id = load<u32>(v, 4);
      if (id == NONE) continue;
      // Where bounds spare few of a block's points they cost more than they save.
      if (m > 0 && (looked < LOOK || spared << 2 >= looked)) {
        looked++;
        spared++;
        let far = mostTo(box, v + HEAD, m, true, l1);
        if (tagged) far = max(far, 2);
        if (far * grow + slack < load<f32>(own, 48)) continue;
        let ub = upper(bounds, v + HEAD, m, l1);
        if (tagged) ub = max(ub, 2);
        if (ub * grow + slack < load<f32>(own, 48)) continue;
        spared--;
      }
      if (!records) {
        distances(ptr(state, 0) + local * stride, v + at, d, tagged, l1, limits, out);
        takeLargest(own, ids, id);
      } else if (!quantised) takeLanes(job, own, ids, id, 0xffff, l1);
      else {
        if (held == 0) r0 = v;
        else if (held == 1) r1 = v;
        else if (held == 2) r2 = v;
        else takeFour(job, own, state, local, r0, r1, r2, v, 4);
        held = (held + 1) & 3;
      }
    }
    if (held) takeFour(job, own, state, local, r0, r1, r2, r2, held);
  }
  raise(cell, load<f32>(own, 48));
}
