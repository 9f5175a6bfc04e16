// A tile: the pairs of one block's points with another's. Those that may be light edges of the tree (../tree) are computed and kept, and those that
// may be the farthest pair (../search): one look for both, as mostly they need the same products.
//
// With whole numbers two filters follow the boxes: the lead, whole numbers of a point's first principal coordinates and of the norm of what these leave
// out, which gives bounds of both kinds for a fraction of a product; and, where it leaves many pairs, the whole points.
import { ptr, word } from "../../../assembly/words";
import { HEAD, NONE, blockBytes, publish, record, stateOf, term } from "../blocks/assembly";
import { leastBetween, mostBetween, rowsFar, rowsNear } from "../boxes/assembly";
import { distances } from "../direct/assembly";
import { lanesUnder } from "../living/assembly";
import { pairDistance } from "../pairs/assembly";
import { beyond, lanesOfAll, lanesOfLead, product, products, setLimits, whole, wholeBytes } from "../quantised/assembly";
import { largestKnown, takeLargest, takePair } from "../search/largest/assembly";
import { takeLight } from "../tree/edges/assembly";
import { Job, Tree, Worker } from "../memory";

// Points of a block compared by bounds before these are judged.
const LOOK: u32 = 2;
// So many pairs of a point with a block are computed at once; of more the whole numbers are compared first (measured).
const FEW: u32 = 2;

/** The block's points as rows, for its tiles. */
export function publishBlock(job: usize, state: usize, g: u32): void {
  const workers = word(job, Job.workers), home = stateOf(job, g % workers);
  const rows = ptr(state, Worker.rows), size = ptr(job, Job.candidateBytes);
  for (let lane: u32 = 0; lane < 16; lane++) {
    const v = rows + <usize>lane * size;
    publish(job, home, ((g / workers) << 4) | lane, v);
    store<usize>(v, record(job, load<u32>(v, 4)), 28);
  }
}

/** What an upper bound must reach to matter for the farthest pair. Zero vectors are at 2 from others, whatever their coordinates tell. */
// @ts-ignore: decorator
@inline
export function farLimit(job: usize, state: usize): f32 {
  const best = largestKnown(job, state);
  return word(job, Job.tagRows) != 0 && best <= 2 ? <f32>-1 : best;
}

/**
 * The pairs of some lanes of block g, whose points are published, with block b ≥ g, each once. Where `light`, `level` is M between the points that stand
 * for the two blocks.
 */
export function tile(job: usize, state: usize, g: u32, b: u32, which: u32, level: f32, light: bool, l1: bool): void {
  if (l1) tileOf(job, state, g, b, which, level, light, true);
  else tileOf(job, state, g, b, which, level, light, false);
}

// @ts-ignore: decorator
@inline
function tileOf(job: usize, state: usize, g: u32, b: u32, which: u32, level: f32, light: bool, l1: bool): void {
  const tree = ptr(job, Job.tree), workers = word(job, Job.workers), m = word(job, Job.boundRows), boxRows = word(job, Job.boxRows);
  const growth = load<f32>(job, Job.grow << 2), slackness = load<f32>(job, Job.slack << 2);
  const tagged = word(job, Job.tagRows) != 0, records = word(job, Job.asRecords) != 0, quantised = !l1 && word(job, Job.quantised) != 0;
  const farthest = farLimit(job, state), best = load<f32>(state, Worker.largest << 2);
  const boxA = ptr(job, Job.boxes) + <usize>g * (<usize>boxRows << 3), box = ptr(job, Job.boxes) + <usize>b * (<usize>boxRows << 3);
  const norm = word(job, Job.lastRowIsNorm) != 0;
  let topB: f32 = 0;
  let near = light;
  if (light) {
    const tops = ptr(tree, Tree.tops);
    topB = load<f32>(tops + (<usize>b << 2));
    const top = max(level, max(load<f32>(tops + (<usize>g << 2)), topB)) * growth + slackness;
    near = b == g || leastBetween(boxA, box, boxRows, l1) <= top;
  }
  const far = mostBetween(boxA, box, boxRows, norm, l1) * growth + slackness >= farthest;
  if (!near && !far) return;
  const home = stateOf(job, b % workers);
  const local = <usize>(b / workers);
  const bounds = ptr(home, Worker.bounds) + local * (<usize>m << 6), ids = ptr(home, Worker.ids) + (local << 6);
  const S = ptr(state, Worker.tile), K = S, held = S + 448;
  const rows = ptr(state, Worker.rows), size = ptr(job, Job.candidateBytes);
  const reach = light ? ptr(tree, Tree.reach) : 0;
  const grow = f32x4.splat(growth), slack = f32x4.splat(slackness);
  // Which points of block g are near to or far from the box of block b.
  const wide = m > 0 ? m : word(job, Job.d), from = stateOf(job, g % workers), start = <usize>(g / workers);
  const own = m > 0 ? ptr(from, Worker.bounds) + start * (<usize>m << 6) : ptr(from, Worker.points) + start * blockBytes(job);
  let nearRows: u32 = 0, farRows: u32 = 0;
  if (near) {
    const r = reach + (<usize>g << 6), l = f32x4.splat(max(level, topB));
    const l0 = f32x4.add(f32x4.mul(f32x4.pmax(l, v128.load(r)), grow), slack), l4 = f32x4.add(f32x4.mul(f32x4.pmax(l, v128.load(r, 16)), grow), slack);
    const l8 = f32x4.add(f32x4.mul(f32x4.pmax(l, v128.load(r, 32)), grow), slack), l12 = f32x4.add(f32x4.mul(f32x4.pmax(l, v128.load(r, 48)), grow), slack);
    nearRows = rowsNear(box, own, wide, l1, l0, l4, l8, l12);
  }
  if (far) farRows = rowsFar(box, own, wide, norm, l1, grow, slack, f32x4.splat(farthest));
  which &= nearRows | farRows;
  if (!which) return;
  let looked: u32 = 0, spared: u32 = 0, count: u32 = 0;
  const limits = light && quantised ? ptr(tree, Tree.limits) : 0, L = limits + (<usize>b << 6);
  const leadBytes = <usize>word(job, Job.leadLength) << 1, leadAt = ptr(job, Job.leadAt), lead = ptr(home, Worker.leads) + local * (leadBytes << 4), leadNorms = ptr(home, Worker.leadNorms) + (local << 6);
  const worth = <f32>word(job, Job.leadLength) / <f32>word(job, Job.d);
  let odds: u32 = 0, farLimits = i32x4.splat(0);
  if (quantised) {
    // The level as a limit of whole numbers.
    splat16(K, level);
    setLimits(job, K, S + 64, grow, slack);
    odds = oddLanes(ptr(home, Worker.odd) + (local << 6));
    farLimits = beyond(job, best);
  }
  for (; which; which &= which - 1) {
    const lane = ctz(which);
    const v = rows + <usize>lane * size;
    const id = load<u32>(v, 4);
    if (id == NONE) break;
    const lanes: u32 = b == g ? (0xfffe << lane) & 0xffff : 0xffff;
    const mine = near ? max(level, load<f32>(reach + (<usize>(g << 4 | lane) << 2))) : <f32>0;
    let nearLanes = (nearRows >> lane) & 1 ? lanes : 0, farLanes = (farRows >> lane) & 1 ? lanes : 0;
    if (quantised) {
      const r = load<usize>(v, 28);
      // How often a lead left few pairs, of rows that seek the one, the other or both; where that is seldom it is tried now and then only.
      const use = S + 512 + (<usize>(u32(nearLanes != 0) | (u32(farLanes != 0) << 1)) << 3);
      const uses = load<u32>(use) + 1;
      store<u32>(use, uses);
      if (load<f32>(use, 4) > worth || (uses & 31) == 0) {
        const isOdd = load<u32>(r, 8) != 0;
        const left = lanesOfLead(lead, r + leadAt, leadBytes, leadNorms, load<i32>(r, 12), i32x4.max_s(v128.load(S, 64), v128.load32_splat(limits + (<usize>(g << 4 | lane) << 2))), L, farLimits);
        nearLanes &= left;
        if (!isOdd) farLanes &= odds | (left >> 16);
        const few = popcnt(nearLanes | farLanes) <= FEW;
        const mean = load<f32>(use, 4);
        store<f32>(use, mean + (<f32>(few ? 1 : 0) - mean) * 0.0625, 4);
        if (few) {
          if (!(nearLanes | farLanes)) continue;
          if (nearLanes) limits16(K, mine, reach + (<usize>b << 6));
          takeRow(job, state, ids, id, nearLanes, farLanes, K, false);
          continue;
        }
      }
      const h = held + (<usize>count << 4);
      store<usize>(h, v);
      store<u32>(h, nearLanes, 4);
      store<u32>(h, farLanes, 8);
      store<u32>(h, lane, 12);
      if (++count == 4) {
        takeFour(job, state, home, local, g, b, level, light, 4);
        count = 0;
      }
      continue;
    }
    if (nearLanes) limits16(K, mine, reach + (<usize>b << 6));
    // Where bounds spare few of a block's points they cost more than they save.
    if (m > 0 && (looked < LOOK || spared << 2 >= looked)) {
      looked++;
      if (nearLanes) nearLanes &= lanesUnder(bounds, v + HEAD, m, l1, K, grow, slack);
      if (farLanes) farLanes &= lanesAbove(bounds, v + HEAD, m, l1, grow, slack, f32x4.splat(farthest));
      if (!(nearLanes | farLanes)) {
        spared++;
        continue;
      }
    }
    if (records) takeRow(job, state, ids, id, nearLanes, farLanes, K, l1);
    else {
      const out = ptr(state, Worker.out), stride = blockBytes(job);
      const limits = farLanes ? ptr(state, Worker.infinities) : K;
      if (!distances(ptr(home, Worker.points) + local * stride, v + HEAD + (<usize>m << 2), word(job, Job.d), tagged, l1, limits, out)) continue;
      if (farLanes) takeLargest(state, out, ids, id, farLanes);
      if (nearLanes) nearLanes &= lanesAt(out, K);
      for (; nearLanes; nearLanes &= nearLanes - 1) {
        const o = <usize>ctz(nearLanes) << 2;
        takeLight(job, state, id, load<u32>(ids + o), load<f32>(out + o));
      }
    }
  }
  if (count) takeFour(job, state, home, local, g, b, level, light, count);
}

// @ts-ignore: decorator
@inline
function splat16(to: usize, x: f32): void {
  const k = f32x4.splat(x);
  v128.store(to, k);
  v128.store(to, k, 16);
  v128.store(to, k, 32);
  v128.store(to, k, 48);
}

// max(x, R) of 16 reaches.
// @ts-ignore: decorator
@inline
function limits16(to: usize, x: f32, R: usize): void {
  const k = f32x4.splat(x);
  v128.store(to, f32x4.pmax(k, v128.load(R)));
  v128.store(to, f32x4.pmax(k, v128.load(R, 16)), 16);
  v128.store(to, f32x4.pmax(k, v128.load(R, 32)), 32);
  v128.store(to, f32x4.pmax(k, v128.load(R, 48)), 48);
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

// Which of a block's 16 lanes have an upper bound at or over `limit`, with the margin: a bit each.
// @ts-ignore: decorator
@inline
function lanesAbove(bounds: usize, q: usize, m: u32, l1: bool, grow: v128, slack: v128, limit: v128): u32 {
  let a = f32x4.splat(0), c = a, e = a, f = a;
  let p = bounds;
  const last = q + (<usize>(m - 1) << 2);
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
    i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(a, grow), slack), limit)) |
    (i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(c, grow), slack), limit)) << 4) |
    (i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(e, grow), slack), limit)) << 8) |
    (i32x4.bitmask(f32x4.ge(f32x4.add(f32x4.mul(f, grow), slack), limit)) << 12)
  );
}

// Computes the pairs of point `id` with a block's `near` and `far` lanes.
// @ts-ignore: decorator
@inline
function takeRow(job: usize, state: usize, ids: usize, id: u32, near: u32, far: u32, limits: usize, l1: bool): void {
  for (let lanes = near | far; lanes; lanes &= lanes - 1) {
    const lane = ctz(lanes);
    const o = <usize>lane << 2;
    const j = load<u32>(ids + o);
    if (j == NONE) continue;
    const isNear = ((near >> lane) & 1) != 0, isFar = ((far >> lane) & 1) != 0;
    const limit = isNear ? load<f32>(limits + o) : <f32>-1;
    const x = pairDistance(job, id, j, l1, isFar ? <f32>Infinity : limit);
    if (isFar) takePair(state, x, id, j);
    if (x <= limit) takeLight(job, state, id, j, x);
  }
}

// Which lanes of a block hold points that may lie farther from others than their whole numbers tell.
// @ts-ignore: decorator
@inline
function oddLanes(odd: usize): u32 {
  const none = i32x4.splat(0);
  return (
    i32x4.bitmask(i32x4.ne(v128.load(odd), none)) |
    (i32x4.bitmask(i32x4.ne(v128.load(odd, 16), none)) << 4) |
    (i32x4.bitmask(i32x4.ne(v128.load(odd, 32), none)) << 8) |
    (i32x4.bitmask(i32x4.ne(v128.load(odd, 48), none)) << 12)
  );
}

// The held points with a block's 16, of which their whole numbers tell which pairs to compute.
function takeFour(job: usize, state: usize, home: usize, local: usize, g: u32, b: u32, level: f32, light: bool, count: u32): void {
  const tree = ptr(job, Job.tree), S = ptr(state, Worker.tile), K = S, flat = v128.load(S, 64), out = S + 192, held = S + 448;
  const ids = ptr(home, Worker.ids) + (local << 6), norms = ptr(home, Worker.norms) + (local << 6);
  const odds = oddLanes(ptr(home, Worker.odd) + (local << 6));
  const limits = light ? ptr(tree, Tree.limits) : 0, L = limits + (<usize>b << 6), R = light ? ptr(tree, Tree.reach) : 0;
  const limit = beyond(job, load<f32>(state, Worker.largest << 2));
  const bytes = wholeBytes(job), at = whole(job), block = ptr(home, Worker.points) + local * (bytes << 4);
  const q0 = load<usize>(load<usize>(held), 28) + at;
  if (count == 1) product(block, q0, bytes, out, i32x4.splat(0));
  else {
    const q1 = load<usize>(load<usize>(held, 16), 28) + at;
    const q2 = count > 2 ? load<usize>(load<usize>(held, 32), 28) + at : q1;
    const q3 = count > 3 ? load<usize>(load<usize>(held, 48), 28) + at : q1;
    products(block, q0, q1, q2, q3, bytes, out, i32x4.splat(0));
  }
  for (let i: u32 = 0; i < count; i++) {
    const h = held + (<usize>i << 4), v = load<usize>(h), to = out + (<usize>i << 6), norm = load<i32>(v, 20);
    let near = load<u32>(h, 4), far = load<u32>(h, 8);
    const slot = <usize>(g << 4 | load<u32>(h, 12)) << 2;
    const lanes = lanesOfAll(to, norms, norm, i32x4.max_s(flat, v128.load32_splat(limits + slot)), L, limit);
    near &= lanes;
    if (!load<u32>(v, 24)) far &= odds | (lanes >> 16);
    if (!(near | far)) continue;
    if (near) limits16(K, max(level, load<f32>(R + slot)), R + (<usize>b << 6));
    takeRow(job, state, ids, load<u32>(v, 4), near, far, K, false);
  }
}
