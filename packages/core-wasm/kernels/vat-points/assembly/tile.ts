// A tile: the pairs of one block's points with another's. Those that may be light edges of the tree (./tree) are
// computed and kept, and those that may be the farthest pair (./farthest): one look for both, as mostly they need the
// same products.
//
// Of quantised points two filters follow the boxes: the prefix, quantised first principal coordinates and the norm of
// the others, which gives bounds of both kinds for a fraction of a product; and, where it leaves many pairs, all
// coordinates.
import { float, ptr, setWord, word } from '../../../assembly/words';
import { Held, Job, PointRecord, Row, Tile, Tree, Use, Worker } from '../memory';
import { NONE, blockBytes, workerOf } from './blocks';
import { lanesAbove, lanesUnder, leastBetween, mostBetween, rowsFar, rowsNear } from './boxes';
import { distances, pairDistance } from './distances';
import { takeLight } from './edges';
import { largestKnown, takeLargest, takePair } from './farthest';
import {
  beyond,
  lanesOfAll,
  lanesOfPrefix,
  product,
  products,
  quantisedAt,
  quantisedBytes,
  setLimits,
} from './quantised';

// Points of a block compared by bounds before it is judged whether these pay.
const LOOK: u32 = 2;
// So many pairs of a point with a block are computed at once; of more the quantised coordinates are compared first
// (measured).
const FEW: u32 = 2;

/**
 * What an upper bound must reach to matter for the farthest pair. Zero vectors are at 2 from others, whatever their
 * coordinates tell.
 */
// @ts-ignore: decorator
@inline
export function farLimit(job: usize, state: usize): f32 {
  const best = largestKnown(job, state);
  return word(job, Job.tagRows) != 0 && best <= 2 ? <f32>-1 : best;
}

/**
 * The pairs of some lanes of block g, whose points are published, with block b ≥ g, each once. Where `light`, `level`
 * is the bottleneck distance between the two blocks' representatives.
 */
export function tile(job: usize, state: usize, g: u32, b: u32, which: u32, level: f32, light: bool, l1: bool): void {
  if (l1) tileOf(job, state, g, b, which, level, light, true);
  else tileOf(job, state, g, b, which, level, light, false);
}

// @ts-ignore: decorator
@inline
function tileOf(job: usize, state: usize, g: u32, b: u32, which: u32, level: f32, light: bool, l1: bool): void {
  const tree = ptr(job, Job.tree),
    workers = word(job, Job.workers),
    m = word(job, Job.boundRows),
    boxRows = word(job, Job.boxRows);
  const relative = float(job, Job.relativeTolerance),
    absolute = float(job, Job.absoluteTolerance);
  const tagged = word(job, Job.tagRows) != 0,
    records = word(job, Job.asRecords) != 0,
    quantised = !l1 && word(job, Job.quantised) != 0;
  const farthest = farLimit(job, state),
    best = float(state, Worker.largest);
  const boxA = ptr(job, Job.boxes) + <usize>g * ((<usize>boxRows) << 3),
    box = ptr(job, Job.boxes) + <usize>b * ((<usize>boxRows) << 3);
  const norm = word(job, Job.lastRowIsNorm) != 0;
  let topB: f32 = 0;
  let near = light;
  if (light) {
    const tops = ptr(tree, Tree.maxReach);
    topB = load<f32>(tops + ((<usize>b) << 2));
    const top = max(level, max(load<f32>(tops + ((<usize>g) << 2)), topB)) * relative + absolute;
    near = b == g || leastBetween(boxA, box, boxRows, l1) <= top;
  }
  const far = mostBetween(boxA, box, boxRows, norm, l1) * relative + absolute >= farthest;
  if (!near && !far) return;
  const home = workerOf(job, b % workers);
  const local = <usize>(b / workers);
  const bounds = ptr(home, Worker.bounds) + local * ((<usize>m) << 6),
    ids = ptr(home, Worker.ids) + (local << 6);
  const scratch = ptr(state, Worker.tile),
    K = scratch + (Tile.limits << 2),
    levels = scratch + (Tile.level << 2),
    held = scratch + (Tile.held << 2);
  const rows = ptr(state, Worker.rows),
    size = ptr(job, Job.rowBytes);
  const reach = light ? ptr(tree, Tree.reach) : 0;
  const relative4 = f32x4.splat(relative),
    absolute4 = f32x4.splat(absolute);
  // Which points of block g are near to or far from the box of block b.
  const wide = m > 0 ? m : word(job, Job.d),
    from = workerOf(job, g % workers),
    start = <usize>(g / workers);
  const own =
    m > 0 ? ptr(from, Worker.bounds) + start * ((<usize>m) << 6) : ptr(from, Worker.points) + start * blockBytes(job);
  let nearRows: u32 = 0,
    farRows: u32 = 0;
  if (near) {
    const r = reach + ((<usize>g) << 6),
      l = f32x4.splat(max(level, topB));
    const l0 = f32x4.add(f32x4.mul(f32x4.pmax(l, v128.load(r)), relative4), absolute4),
      l4 = f32x4.add(f32x4.mul(f32x4.pmax(l, v128.load(r, 16)), relative4), absolute4);
    const l8 = f32x4.add(f32x4.mul(f32x4.pmax(l, v128.load(r, 32)), relative4), absolute4),
      l12 = f32x4.add(f32x4.mul(f32x4.pmax(l, v128.load(r, 48)), relative4), absolute4);
    nearRows = rowsNear(box, own, wide, l1, l0, l4, l8, l12);
  }
  if (far) farRows = rowsFar(box, own, wide, norm, l1, relative4, absolute4, f32x4.splat(farthest));
  which &= nearRows | farRows;
  if (!which) return;
  let looked: u32 = 0,
    spared: u32 = 0,
    count: u32 = 0;
  const limits = light && quantised ? ptr(tree, Tree.reachLimits) : 0,
    L = limits + ((<usize>b) << 6);
  const prefixBytes = (<usize>word(job, Job.prefixLength)) << 1,
    prefixAt = ptr(job, Job.prefixAt);
  const prefixes = ptr(home, Worker.prefixes) + local * (prefixBytes << 4),
    prefixNorms = ptr(home, Worker.prefixNorms) + (local << 6);
  const worth = <f32>word(job, Job.prefixLength) / <f32>word(job, Job.d);
  let odds: u32 = 0,
    farLimits = i32x4.splat(0);
  if (quantised) {
    // The level as a limit of quantised distances.
    splat16(K, level);
    setLimits(job, K, levels, relative4, absolute4);
    odds = oddLanes(ptr(home, Worker.odd) + (local << 6));
    farLimits = beyond(job, best);
  }
  for (; which; which &= which - 1) {
    const lane = ctz(which);
    const v = rows + <usize>lane * size;
    const id = word(v, Row.id);
    if (id == NONE) break;
    const lanes: u32 = b == g ? (0xfffe << lane) & 0xffff : 0xffff;
    const mine = near ? max(level, load<f32>(reach + ((<usize>((g << 4) | lane)) << 2))) : <f32>0;
    let nearLanes = (nearRows >> lane) & 1 ? lanes : 0,
      farLanes = (farRows >> lane) & 1 ? lanes : 0;
    if (quantised) {
      const r = ptr(v, Row.record);
      // How often a prefix left few pairs, of rows that seek the one, the other or both; where that is seldom it is
      // tried now and then only.
      const use = scratch + (Tile.uses << 2) + ((<usize>(u32(nearLanes != 0) | (u32(farLanes != 0) << 1))) << 3);
      const uses = load<u32>(use, Use.count << 2) + 1;
      store<u32>(use, uses, Use.count << 2);
      if (load<f32>(use, Use.few << 2) > worth || (uses & 31) == 0) {
        const isOdd = word(r, PointRecord.odd) != 0;
        const level4 = i32x4.max_s(v128.load(levels), v128.load32_splat(limits + ((<usize>((g << 4) | lane)) << 2)));
        const left = lanesOfPrefix(
          prefixes,
          r + prefixAt,
          prefixBytes,
          prefixNorms,
          word(r, PointRecord.prefixNorm),
          level4,
          L,
          farLimits,
        );
        nearLanes &= left;
        if (!isOdd) farLanes &= odds | (left >> 16);
        const few = popcnt(nearLanes | farLanes) <= FEW;
        const mean = load<f32>(use, Use.few << 2);
        store<f32>(use, mean + (<f32>(few ? 1 : 0) - mean) * 0.0625, Use.few << 2);
        if (few) {
          if (!(nearLanes | farLanes)) continue;
          if (nearLanes) limits16(K, mine, reach + ((<usize>b) << 6));
          takeRow(job, state, ids, id, nearLanes, farLanes, K, false);
          continue;
        }
      }
      const h = held + <usize>count * (Held.size << 2);
      setWord(h, Held.row, <u32>v);
      setWord(h, Held.near, nearLanes);
      setWord(h, Held.far, farLanes);
      setWord(h, Held.lane, lane);
      if (++count == 4) {
        takeFour(job, state, home, local, g, b, level, light, 4);
        count = 0;
      }
      continue;
    }
    if (nearLanes) limits16(K, mine, reach + ((<usize>b) << 6));
    // Where bounds spare few of a block's points they cost more than they save.
    if (m > 0 && (looked < LOOK || spared << 2 >= looked)) {
      looked++;
      const values = v + (Row.size << 2);
      if (nearLanes) nearLanes &= lanesUnder(bounds, values, m, l1, K, relative4, absolute4);
      if (farLanes) farLanes &= lanesAbove(bounds, values, m, l1, relative4, absolute4, f32x4.splat(farthest));
      if (!(nearLanes | farLanes)) {
        spared++;
        continue;
      }
    }
    if (records) takeRow(job, state, ids, id, nearLanes, farLanes, K, l1);
    else {
      const out = ptr(state, Worker.out),
        stride = blockBytes(job);
      const limits = farLanes ? ptr(state, Worker.infinities) : K;
      if (
        !distances(
          ptr(home, Worker.points) + local * stride,
          v + (Row.size << 2) + ((<usize>m) << 2),
          word(job, Job.d),
          tagged,
          l1,
          limits,
          out,
        )
      )
        continue;
      if (farLanes) takeLargest(state, out, ids, id, farLanes);
      if (nearLanes) nearLanes &= lanesAt(out, K);
      for (; nearLanes; nearLanes &= nearLanes - 1) {
        const o = (<usize>ctz(nearLanes)) << 2;
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

// Computes the pairs of point `id` with a block's `near` and `far` lanes.
// @ts-ignore: decorator
@inline
function takeRow(job: usize, state: usize, ids: usize, id: u32, near: u32, far: u32, limits: usize, l1: bool): void {
  for (let lanes = near | far; lanes; lanes &= lanes - 1) {
    const lane = ctz(lanes);
    const o = (<usize>lane) << 2;
    const j = load<u32>(ids + o);
    if (j == NONE) continue;
    const isNear = ((near >> lane) & 1) != 0,
      isFar = ((far >> lane) & 1) != 0;
    const limit = isNear ? load<f32>(limits + o) : <f32>-1;
    const x = pairDistance(job, id, j, l1, isFar ? <f32>Infinity : limit);
    if (isFar) takePair(state, x, id, j);
    if (x <= limit) takeLight(job, state, id, j, x);
  }
}

// Which lanes of a block hold points that may lie farther from others than their quantised coordinates show.
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

// The held points with a block's 16: their quantised coordinates decide which pairs to compute.
function takeFour(
  job: usize,
  state: usize,
  home: usize,
  local: usize,
  g: u32,
  b: u32,
  level: f32,
  light: bool,
  count: u32,
): void {
  const tree = ptr(job, Job.tree),
    scratch = ptr(state, Worker.tile),
    K = scratch + (Tile.limits << 2),
    flat = v128.load(scratch + (Tile.level << 2));
  const out = scratch + (Tile.products << 2),
    held = scratch + (Tile.held << 2);
  const ids = ptr(home, Worker.ids) + (local << 6),
    norms = ptr(home, Worker.norms) + (local << 6);
  const odds = oddLanes(ptr(home, Worker.odd) + (local << 6));
  const limits = light ? ptr(tree, Tree.reachLimits) : 0,
    L = limits + ((<usize>b) << 6),
    R = light ? ptr(tree, Tree.reach) : 0;
  const limit = beyond(job, float(state, Worker.largest));
  const bytes = quantisedBytes(job),
    at = quantisedAt(job),
    block = ptr(home, Worker.points) + local * (bytes << 4);
  const q0 = recordOf(held, 0) + at;
  if (count == 1) product(block, q0, bytes, out, i32x4.splat(0));
  else {
    const q1 = recordOf(held, 1) + at;
    const q2 = count > 2 ? recordOf(held, 2) + at : q1;
    const q3 = count > 3 ? recordOf(held, 3) + at : q1;
    products(block, q0, q1, q2, q3, bytes, out, i32x4.splat(0));
  }
  for (let i: u32 = 0; i < count; i++) {
    const h = held + <usize>i * (Held.size << 2),
      v = ptr(h, Held.row),
      to = out + ((<usize>i) << 6),
      norm = word(v, Row.norm);
    let near = word(h, Held.near),
      far = word(h, Held.far);
    const slot = (<usize>((g << 4) | word(h, Held.lane))) << 2;
    const lanes = lanesOfAll(to, norms, norm, i32x4.max_s(flat, v128.load32_splat(limits + slot)), L, limit);
    near &= lanes;
    if (!word(v, Row.odd)) far &= odds | (lanes >> 16);
    if (!(near | far)) continue;
    if (near) limits16(K, max(level, load<f32>(R + slot)), R + ((<usize>b) << 6));
    takeRow(job, state, ids, word(v, Row.id), near, far, K, false);
  }
}

// The record of a held row.
// @ts-ignore: decorator
@inline
function recordOf(held: usize, i: usize): usize {
  return ptr(ptr(held + i * (Held.size << 2), Held.row), Row.record);
}
