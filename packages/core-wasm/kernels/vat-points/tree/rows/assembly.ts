// A row of a round: one block's points against other blocks', and the pairs that may be light.
import { ptr, word } from "../../../../assembly/words";
import { HEAD, NONE, blockBytes, publish, record, stateOf } from "../../blocks/assembly";
import { leastBetween, leastTo } from "../../boxes/assembly";
import { distances } from "../../direct/assembly";
import { lanesUnder } from "../../living/assembly";
import { pairDistance } from "../../pairs/assembly";
import { lanesWithin, product, products, setLimits, whole, wholeBytes } from "../../quantised/assembly";
import { between } from "../light/assembly";

// Scatters the classes of block pairs.
const SCATTER: u32 = 0x9e3779b1;
// Points of a block compared by bounds before these are judged.
const LOOK: u32 = 2;
// Edges that a block pair may add.
const MOST: u32 = 256;

/** Row g of a round: its light pairs, as far as the last tree can tell, go to the worker's edges. False if these are full: call again then. */
// @ts-ignore: decorator
@inline
export function pairsOfRow(job: usize, state: usize, g: u32, round: u32, l1: bool): bool {
  const tree = ptr(job, 26), own = ptr(state, 27), total = word(job, 14), workers = word(job, 4);
  const rows = ptr(state, 16), size = ptr(job, 9);
  const home = stateOf(job, g % workers);
  for (let lane: u32 = 0; lane < 16; lane++) publish(job, home, ((g / workers) << 4) | lane, rows + <usize>lane * size);
  if (round == 0) {
    if (!room(own, 0)) return false;
    chain(job, state, g, l1);
    return true;
  }
  const spec = ptr(tree, 23) + <usize>round * 20;
  const resume = word(own, 9);
  if (word(spec, 4) && g >= resume) {
    if (!room(own, g)) return false;
    tile(job, state, g, g, word(spec, 4), l1);
  }
  if ((word(spec, 2) | word(spec, 3)) == 0) return done(own);
  levels(tree, own, g, total);
  if (word(spec, 3) && g + 1 < total && g + 1 >= resume) {
    if (!room(own, g + 1)) return false;
    tile(job, state, g, g + 1, word(spec, 3), l1);
  }
  const lanes = word(spec, 2);
  if (!lanes) return done(own);
  const mask = word(tree, 24), from = word(spec, 0), to = word(spec, 1);
  const shift = (g * SCATTER) & mask;
  for (let first = ((g + 2 + shift) & ~mask); ; first += mask + 1) {
    if (first + from >= total + shift) break;
    let b = first + from > g + 2 + shift ? first + from - shift : g + 2;
    const end = min(total, first + to > shift ? first + to - shift : 0);
    for (b = max(b, resume); b < end; b++) {
      if (!room(own, b)) return false;
      tile(job, state, g, b, lanes, l1);
    }
  }
  return done(own);
}

// Whether a block pair's edges fit; else the row goes on at block b when called again.
// @ts-ignore: decorator
@inline
function room(own: usize, b: u32): bool {
  if (word(own, 3) + MOST <= word(own, 4)) return true;
  store<u32>(own, b, 36);
  return false;
}

// @ts-ignore: decorator
@inline
function done(own: usize): bool {
  store<u32>(own, 0, 36);
  return true;
}

// M from the point that stands for block g to those of all blocks: the largest edge between them in the tree's order.
function levels(tree: usize, own: usize, g: u32, total: u32): void {
  const order = ptr(tree, 18), gaps = ptr(tree, 19), to = ptr(own, 5);
  const place = load<u32>(ptr(tree, 20) + (<usize>g << 2));
  let m: f32 = 0;
  for (let p = <usize>(place + 1) << 2; p < <usize>total << 2; p += 4) {
    m = max(m, load<f32>(gaps + p));
    store<f32>(to + (<usize>load<u32>(order + p) << 2), m);
  }
  m = 0;
  for (let p = <usize>place << 2; p > 0; p -= 4) {
    m = max(m, load<f32>(gaps + p));
    store<f32>(to + (<usize>load<u32>(order + p - 4) << 2), m);
  }
  store<f32>(to + (<usize>g << 2), 0);
}

// @ts-ignore: decorator
@inline
function emit(own: usize, i: u32, j: u32, x: f32): void {
  const count = word(own, 3);
  const to = ptr(own, 2) + <usize>count * 12;
  store<f32>(to, x);
  store<u32>(to, i, 4);
  store<u32>(to, j, 8);
  store<u32>(own, count + 1, 12);
}

// Edges from each point of a block to the next, and from the last to the first of the next block: with them any points are joined.
function chain(job: usize, state: usize, g: u32, l1: bool): void {
  const own = ptr(state, 27), rows = ptr(state, 16), size = ptr(job, 9), workers = word(job, 4);
  let last: usize = 0;
  for (let lane: u32 = 0; lane <= 16; lane++) {
    let v = rows + <usize>lane * size;
    if (lane == 16) {
      if (g + 1 >= word(job, 14)) break;
      // Not a lane of this block: its place is free, as there are sixteen candidates' places and the first is done with.
      v = rows;
      publish(job, stateOf(job, (g + 1) % workers), ((g + 1) / workers) << 4, v);
    }
    if (load<u32>(v, 4) == NONE) break;
    if (last != 0) emit(own, load<u32>(last, 4), load<u32>(v, 4), distance(job, state, last, v, g + (lane >> 4), lane & 15, l1));
    last = v;
  }
}

// Distance of the points published at u and v; v is lane `lane` of block b.
function distance(job: usize, state: usize, u: usize, v: usize, b: u32, lane: u32, l1: bool): f32 {
  if (word(job, 19)) return l1 ? pairDistance(job, load<u32>(u, 4), load<u32>(v, 4), true, Infinity) : pairDistance(job, load<u32>(u, 4), load<u32>(v, 4), false, Infinity);
  const home = stateOf(job, b % word(job, 4));
  const block = ptr(home, 0) + <usize>(b / word(job, 4)) * blockBytes(job);
  const row = u + HEAD + (<usize>word(job, 2) << 2), out = ptr(state, 5);
  const tagged = word(job, 5) != 0;
  if (l1) distances(block, row, word(job, 1), tagged, true, ptr(state, 14), out);
  else distances(block, row, word(job, 1), tagged, false, ptr(state, 14), out);
  return load<f32>(out + (<usize>lane << 2));
}

// The pairs of some lanes of block g, whose points are published, with block b ≥ g.
function tile(job: usize, state: usize, g: u32, b: u32, which: u32, l1: bool): void {
  const tree = ptr(job, 26), own = ptr(state, 27), workers = word(job, 4), m = word(job, 2), d = word(job, 1);
  const growth = load<f32>(job, 48), slackness = load<f32>(job, 52);
  const records = word(job, 19) != 0, quantised = !l1 && word(job, 20) != 0;
  const reach = ptr(tree, 16), tops = ptr(tree, 21);
  const level = b == g ? <f32>0 : load<f32>(ptr(own, 5) + (<usize>b << 2));
  const top = max(level, max(load<f32>(tops + (<usize>g << 2)), load<f32>(tops + (<usize>b << 2)))) * growth + slackness;
  const boxRows = word(job, 16);
  const boxes = ptr(job, 15);
  const box = boxes + <usize>b * (<usize>boxRows << 3);
  const least = b == g ? <f32>0 : leastBetween(boxes + <usize>g * (<usize>boxRows << 3), box, boxRows, l1);
  if (least > top) return;
  const home = stateOf(job, b % workers);
  const local = <usize>(b / workers);
  const bounds = ptr(home, 1) + local * (<usize>m << 6), ids = ptr(home, 3) + (local << 6);
  const block = ptr(home, 0) + local * blockBytes(job);
  const R = reach + (<usize>b << 6), K = ptr(own, 6), out = ptr(state, 5);
  const rows = ptr(state, 16), size = ptr(job, 9);
  const grow = f32x4.splat(growth), slack = f32x4.splat(slackness);
  const at = HEAD + (<usize>m << 2);
  let looked: u32 = 0, spared: u32 = 0;
  if (quantised) {
    // The level as a limit of whole numbers.
    const l = f32x4.splat(level);
    v128.store(K, l);
    v128.store(K, l, 16);
    v128.store(K, l, 32);
    v128.store(K, l, 48);
    setLimits(job, K, K + 64, grow, slack);
  }
  let held: u32 = 0, lanes0: u32 = 0, lanes1: u32 = 0, lanes2: u32 = 0;
  let r0: usize = rows, r1 = r0, r2 = r0;
  for (let lane: u32 = 0; lane < 16; lane++) {
    const v = rows + <usize>lane * size;
    const id = load<u32>(v, 4);
    if (id == NONE) break;
    if (((which >> lane) & 1) == 0) continue;
    let lanes: u32 = b == g ? (0xfffe << lane) & 0xffff : 0xffff;
    const mine = max(level, load<f32>(reach + (<usize>(g << 4 | lane) << 2)));
    // Where bounds spare few of a block's points they cost more than they save.
    const look = m > 0 && (looked < LOOK || spared << 2 >= looked);
    if (look) {
      looked++;
      if (leastTo(box, v + HEAD, m, l1) > max(mine, load<f32>(tops + (<usize>b << 2))) * growth + slackness) {
        spared++;
        continue;
      }
    }
    const k = f32x4.splat(mine);
    v128.store(K, f32x4.pmax(k, v128.load(R)));
    v128.store(K, f32x4.pmax(k, v128.load(R, 16)), 16);
    v128.store(K, f32x4.pmax(k, v128.load(R, 32)), 32);
    v128.store(K, f32x4.pmax(k, v128.load(R, 48)), 48);
    if (look) {
      lanes &= lanesUnder(bounds, v + HEAD, m, l1, K, grow, slack);
      if (!lanes) {
        spared++;
        continue;
      }
    }
    if (!records) {
      if (!distances(block, v + at, d, word(job, 5) != 0, l1, K, out)) continue;
      lanes &= lanesAt(out, K);
      for (; lanes; lanes &= lanes - 1) {
        const o = <usize>ctz(lanes) << 2;
        takeLight(job, own, id, load<u32>(ids + o), load<f32>(out + o));
      }
    } else if (!quantised) takeRow(job, own, ids, id, lanes, K, l1);
    else {
      // Its limit and lanes are found again by the lane in the published point's unused word.
      store<u32>(v, lane, 28);
      if (held == 0) {
        r0 = v;
        lanes0 = lanes;
      } else if (held == 1) {
        r1 = v;
        lanes1 = lanes;
      } else if (held == 2) {
        r2 = v;
        lanes2 = lanes;
      } else takeFour(job, own, home, local, g, b, level, r0, r1, r2, v, lanes0, lanes1, lanes2, lanes, 4);
      held = (held + 1) & 3;
    }
  }
  if (held) takeFour(job, own, home, local, g, b, level, r0, r1, r2, r2, lanes0, lanes1, lanes2, 0, held);
}

// @ts-ignore: decorator
@inline
function lanesAt(out: usize, limits: usize): u32 {
  return (
    i32x4.bitmask(f32x4.le(v128.load(out), v128.load(limits))) |
    (i32x4.bitmask(f32x4.le(v128.load(out, 16), v128.load(limits, 16))) << 4) |
    (i32x4.bitmask(f32x4.le(v128.load(out, 32), v128.load(limits, 32))) << 8) |
    (i32x4.bitmask(f32x4.le(v128.load(out, 48), v128.load(limits, 48))) << 12)
  );
}

function takeLight(job: usize, own: usize, i: u32, j: u32, x: f32): void {
  if (j != NONE && x <= between(ptr(job, 26), i, j)) emit(own, i, j, x);
}

function takeRow(job: usize, own: usize, ids: usize, id: u32, lanes: u32, limits: usize, l1: bool): void {
  for (; lanes; lanes &= lanes - 1) {
    const o = <usize>ctz(lanes) << 2;
    const j = load<u32>(ids + o);
    if (j == NONE) continue;
    const limit = load<f32>(limits + o);
    const x = l1 ? pairDistance(job, id, j, true, limit) : pairDistance(job, id, j, false, limit);
    if (x <= limit) takeLight(job, own, id, j, x);
  }
}

// The pairs of up to four published points with a block's 16 that their whole numbers leave.
function takeFour(job: usize, own: usize, home: usize, local: usize, g: u32, b: u32, level: f32, r0: usize, r1: usize, r2: usize, r3: usize, lanes0: u32, lanes1: u32, lanes2: u32, lanes3: u32, count: u32): void {
  const tree = ptr(job, 26), K = ptr(own, 6), limits = K + 64, mine = K + 128, out = K + 192;
  const norms = ptr(home, 22) + (local << 6), ids = ptr(home, 3) + (local << 6);
  const bytes = wholeBytes(job);
  const block = ptr(home, 0) + local * (bytes << 4);
  const at = whole(job);
  if (count == 1) product(block, record(job, load<u32>(r0, 4)) + at, bytes, out, i32x4.splat(0));
  else {
    const q0 = record(job, load<u32>(r0, 4)), q1 = record(job, load<u32>(r1, 4)), q2 = record(job, load<u32>(r2, 4)), q3 = record(job, load<u32>(r3, 4));
    products(block, q0 + at, q1 + at, q2 + at, q3 + at, bytes, out, i32x4.splat(0));
  }
  const L = ptr(tree, 17) + (<usize>b << 6), reach = ptr(tree, 16), R = reach + (<usize>b << 6);
  const flat = v128.load(limits);
  for (let i: u32 = 0; i < count; i++) {
    const v = i == 0 ? r0 : i == 1 ? r1 : i == 2 ? r2 : r3;
    let lanes = i == 0 ? lanes0 : i == 1 ? lanes1 : i == 2 ? lanes2 : lanes3;
    const slot = <usize>(g << 4 | load<u32>(v, 28)) << 2;
    const l = i32x4.max_s(flat, v128.load32_splat(ptr(tree, 17) + slot));
    v128.store(mine, i32x4.max_s(l, v128.load(L)));
    v128.store(mine, i32x4.max_s(l, v128.load(L, 16)), 16);
    v128.store(mine, i32x4.max_s(l, v128.load(L, 32)), 32);
    v128.store(mine, i32x4.max_s(l, v128.load(L, 48)), 48);
    lanes &= lanesWithin(out + (<usize>i << 6), norms, load<i32>(v, 20), mine);
    if (!lanes) continue;
    const id = load<u32>(v, 4);
    const most = max(level, load<f32>(reach + slot));
    for (; lanes; lanes &= lanes - 1) {
      const o = <usize>ctz(lanes) << 2;
      const j = load<u32>(ids + o);
      if (j == NONE) continue;
      const limit = max(most, load<f32>(R + o));
      const x = pairDistance(job, id, j, false, limit);
      if (x <= limit) takeLight(job, own, id, j, x);
    }
  }
}
