// A row of a round: one block's points against other blocks'.
import { ptr, word } from "../../../../assembly/words";
import { HEAD, NONE, blockBytes, publish, stateOf } from "../../blocks/assembly";
import { leastBetween, mostBetween } from "../../boxes/assembly";
import { distances } from "../../direct/assembly";
import { pairDistance } from "../../pairs/assembly";
import { farLimit, publishBlock, tile } from "../../tiles/assembly";
import { emit } from "../edges/assembly";
import { between } from "../light/assembly";
import { Job, Tree, TreeWorker, Worker } from "../../memory";

// Scatters the classes of block pairs.
const SCATTER: u32 = 0x9e3779b1;
// Where a round takes fewer than one in so many of a row's block pairs, M is found for each, not for all blocks at once.
const FEW: u32 = 40;
// Edges that a block pair may add.
const MOST: u32 = 256;

/** Row g of a round: its light pairs, as far as the last tree can tell, go to the worker's edges. False if these are full: call again then. */
// @ts-ignore: decorator
@inline
export function pairsOfRow(job: usize, state: usize, g: u32, round: u32, l1: bool): bool {
  const tree = ptr(job, Job.tree), own = ptr(state, Worker.tree), total = word(job, Job.blocks);
  publishBlock(job, state, g);
  if (round == 0) {
    if (!room(own, 0)) return false;
    chain(job, state, g, l1);
    return true;
  }
  const spec = ptr(tree, Tree.table) + <usize>round * 20;
  const resume = word(own, TreeWorker.resume);
  if (word(spec, 4) && g >= resume) {
    if (!room(own, g)) return false;
    tile(job, state, g, g, word(spec, 4), 0, true, l1);
  }
  if ((word(spec, 2) | word(spec, 3)) == 0) return done(own);
  const lanes = word(spec, 2), mask = word(tree, Tree.mask), from = word(spec, 0), to = word(spec, 1);
  const few = (to - from) * FEW <= mask;
  if (!few) levels(tree, own, g, total);
  if (word(spec, 3) && g + 1 < total && g + 1 >= resume) {
    if (!room(own, g + 1)) return false;
    tile(job, state, g, g + 1, word(spec, 3), level(tree, own, g, g + 1, few), true, l1);
  }
  if (!lanes) return done(own);
  const shift = (g * SCATTER) & mask;
  for (let first = ((g + 2 + shift) & ~mask); ; first += mask + 1) {
    if (first + from >= total + shift) break;
    let b = first + from > g + 2 + shift ? first + from - shift : g + 2;
    const end = min(total, first + to > shift ? first + to - shift : 0);
    for (b = max(b, resume); b < end; b++) {
      if (!few && (b & 15) == 0 && b + 16 <= end && spared(job, state, g, b, l1)) {
        b += 15;
        continue;
      }
      if (!room(own, b)) return false;
      tile(job, state, g, b, lanes, level(tree, own, g, b, few), true, l1);
    }
  }
  return done(own);
}

// Whether the box of sixteen blocks from b on shows that none of their points is near to or far from those of block g.
// @ts-ignore: decorator
@inline
function spared(job: usize, state: usize, g: u32, b: u32, l1: bool): bool {
  const tree = ptr(job, Job.tree), rows = word(job, Job.boxRows);
  const growth = load<f32>(job, Job.grow << 2), slackness = load<f32>(job, Job.slack << 2);
  const levels = ptr(ptr(state, Worker.tree), TreeWorker.levels) + (<usize>b << 2);
  const four = f32x4.pmax(f32x4.pmax(v128.load(levels), v128.load(levels, 16)), f32x4.pmax(v128.load(levels, 32), v128.load(levels, 48)));
  const level = max(max(f32x4.extract_lane(four, 0), f32x4.extract_lane(four, 1)), max(f32x4.extract_lane(four, 2), f32x4.extract_lane(four, 3)));
  const top = max(level, max(load<f32>(ptr(tree, Tree.tops) + (<usize>g << 2)), load<f32>(ptr(tree, Tree.topsAround) + (<usize>(b >> 4) << 2))));
  const box = ptr(job, Job.boxes) + <usize>g * (<usize>rows << 3), all = ptr(job, Job.around) + <usize>(b >> 4) * (<usize>rows << 3);
  if (leastBetween(box, all, rows, l1) <= top * growth + slackness) return false;
  return mostBetween(box, all, rows, word(job, Job.lastRowIsNorm) != 0, l1) * growth + slackness < farLimit(job, state);
}

// Whether a block pair's edges fit; else the row goes on at block b when called again.
// @ts-ignore: decorator
@inline
function room(own: usize, b: u32): bool {
  if (word(own, TreeWorker.count) + MOST <= word(own, TreeWorker.room)) return true;
  store<u32>(own, b, TreeWorker.resume << 2)
  return false;
}

// @ts-ignore: decorator
@inline
function done(own: usize): bool {
  store<u32>(own, 0, TreeWorker.resume << 2)
  return true;
}

// M between the points that stand for two blocks.
// @ts-ignore: decorator
@inline
function level(tree: usize, own: usize, g: u32, b: u32, few: bool): f32 {
  if (!few) return load<f32>(ptr(own, TreeWorker.levels) + (<usize>b << 2));
  const standing = ptr(tree, Tree.standing);
  return between(tree, load<u32>(standing + (<usize>g << 2)), load<u32>(standing + (<usize>b << 2)));
}

// M from the point that stands for block g to those of all blocks: the largest edge between them in the tree's order.
function levels(tree: usize, own: usize, g: u32, total: u32): void {
  const order = ptr(tree, Tree.order), gaps = ptr(tree, Tree.gaps), to = ptr(own, TreeWorker.levels);
  const place = load<u32>(ptr(tree, Tree.place) + (<usize>g << 2));
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

// Edges from each point of a block to the next, and from the last to the first of the next block: with them any points are joined.
function chain(job: usize, state: usize, g: u32, l1: bool): void {
  const own = ptr(state, Worker.tree), rows = ptr(state, Worker.rows), size = ptr(job, Job.candidateBytes), workers = word(job, Job.workers);
  let last: usize = 0;
  for (let lane: u32 = 0; lane <= 16; lane++) {
    let v = rows + <usize>lane * size;
    if (lane == 16) {
      if (g + 1 >= word(job, Job.blocks)) break;
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
  if (word(job, Job.asRecords)) return l1 ? pairDistance(job, load<u32>(u, 4), load<u32>(v, 4), true, Infinity) : pairDistance(job, load<u32>(u, 4), load<u32>(v, 4), false, Infinity);
  const home = stateOf(job, b % word(job, Job.workers));
  const block = ptr(home, Worker.points) + <usize>(b / word(job, Job.workers)) * blockBytes(job);
  const row = u + HEAD + (<usize>word(job, Job.boundRows) << 2), out = ptr(state, Worker.out);
  const tagged = word(job, Job.tagRows) != 0;
  if (l1) distances(block, row, word(job, Job.d), tagged, true, ptr(state, Worker.infinities), out);
  else distances(block, row, word(job, Job.d), tagged, false, ptr(state, Worker.infinities), out);
  return load<f32>(out + (<usize>lane << 2));
}
