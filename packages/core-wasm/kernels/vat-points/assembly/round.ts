// A row of a round: one block's points against other blocks'.
import { float, ptr, setWord, word } from '../../../assembly/words';
import { Job, Round, Row, Tree, TreeWorker, Worker } from '../memory';
import { NONE, publish, publishBlock, workerOf } from './blocks';
import { leastBetween, mostBetween } from './boxes';
import { mutual } from './cores';
import { rowDistance } from './distances';
import { emit } from './edges';
import { between } from './light';
import { farLimit, tile } from './tile';

// Scatters the classes of block pairs.
const SCATTER: u32 = 0x9e3779b1;
// Where a round takes fewer than one in so many of a row's block pairs, their bottleneck distances are found one by
// one, not for all blocks at once.
const FEW: u32 = 40;
// Edges that a block pair may add.
const MOST: u32 = 256;

/**
 * Row g of a round: its light pairs, as far as the last tree can tell, go to the worker's edges. False if these are
 * full: call again then.
 */
// @ts-ignore: decorator
@inline
export function pairsOfRow(job: usize, state: usize, g: u32, round: u32, l1: bool): bool {
  const tree = ptr(job, Job.tree),
    own = ptr(state, Worker.tree),
    total = word(job, Job.blocks);
  publishBlock(job, state, g);
  if (round == 0) {
    if (!room(own, 0)) return false;
    chain(job, state, g, l1);
    return true;
  }
  const spec = ptr(tree, Tree.roundTable) + <usize>round * (Round.size << 2);
  const resume = word(own, TreeWorker.resumeBlock);
  if (word(spec, Round.self) && g >= resume) {
    if (!room(own, g)) return false;
    tile(job, state, g, g, word(spec, Round.self), 0, true, l1);
  }
  if ((word(spec, Round.others) | word(spec, Round.next)) == 0) return done(own);
  const lanes = word(spec, Round.others),
    mask = word(tree, Tree.classMask),
    from = word(spec, Round.first),
    to = word(spec, Round.last);
  const few = (to - from) * FEW <= mask;
  if (!few) levels(tree, own, g, total);
  if (word(spec, Round.next) && g + 1 < total && g + 1 >= resume) {
    if (!room(own, g + 1)) return false;
    tile(job, state, g, g + 1, word(spec, Round.next), level(tree, own, g, g + 1, few), true, l1);
  }
  if (!lanes) return done(own);
  const shift = (g * SCATTER) & mask;
  for (let first = (g + 2 + shift) & ~mask; ; first += mask + 1) {
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
  const tree = ptr(job, Job.tree),
    rows = word(job, Job.boxRows);
  const relative = float(job, Job.relativeTolerance),
    absolute = float(job, Job.absoluteTolerance);
  const levels = ptr(ptr(state, Worker.tree), TreeWorker.levels) + ((<usize>b) << 2);
  const four = f32x4.pmax(
    f32x4.pmax(v128.load(levels), v128.load(levels, 16)),
    f32x4.pmax(v128.load(levels, 32), v128.load(levels, 48)),
  );
  const level = max(
    max(f32x4.extract_lane(four, 0), f32x4.extract_lane(four, 1)),
    max(f32x4.extract_lane(four, 2), f32x4.extract_lane(four, 3)),
  );
  const top = max(
    level,
    max(
      load<f32>(ptr(tree, Tree.maxReach) + ((<usize>g) << 2)),
      load<f32>(ptr(tree, Tree.maxReachOf16) + ((<usize>(b >> 4)) << 2)),
    ),
  );
  const box = ptr(job, Job.boxes) + <usize>g * ((<usize>rows) << 3),
    all = ptr(job, Job.boxesOf16) + <usize>(b >> 4) * ((<usize>rows) << 3);
  if (leastBetween(box, all, rows, l1) <= top * relative + absolute) return false;
  return (
    mostBetween(box, all, rows, word(job, Job.lastRowIsNorm) != 0, l1) * relative + absolute < farLimit(job, state)
  );
}

// Whether a block pair's edges fit; else the row goes on at block b when called again.
// @ts-ignore: decorator
@inline
function room(own: usize, b: u32): bool {
  if (word(own, TreeWorker.count) + MOST <= word(own, TreeWorker.room)) return true;
  setWord(own, TreeWorker.resumeBlock, b);
  return false;
}

// @ts-ignore: decorator
@inline
function done(own: usize): bool {
  setWord(own, TreeWorker.resumeBlock, 0);
  return true;
}

// Bottleneck distance between the representatives of two blocks.
// @ts-ignore: decorator
@inline
function level(tree: usize, own: usize, g: u32, b: u32, few: bool): f32 {
  if (!few) return load<f32>(ptr(own, TreeWorker.levels) + ((<usize>b) << 2));
  const representatives = ptr(tree, Tree.representatives);
  return between(tree, load<u32>(representatives + ((<usize>g) << 2)), load<u32>(representatives + ((<usize>b) << 2)));
}

// The same from block g to all blocks: the largest edge between them in the tree's order.
function levels(tree: usize, own: usize, g: u32, total: u32): void {
  const order = ptr(tree, Tree.blockOrder),
    gaps = ptr(tree, Tree.blockGaps),
    to = ptr(own, TreeWorker.levels);
  const place = load<u32>(ptr(tree, Tree.blockPlace) + ((<usize>g) << 2));
  let m: f32 = 0;
  for (let p = (<usize>(place + 1)) << 2; p < (<usize>total) << 2; p += 4) {
    m = max(m, load<f32>(gaps + p));
    store<f32>(to + ((<usize>load<u32>(order + p)) << 2), m);
  }
  m = 0;
  for (let p = (<usize>place) << 2; p > 0; p -= 4) {
    m = max(m, load<f32>(gaps + p));
    store<f32>(to + ((<usize>load<u32>(order + p - 4)) << 2), m);
  }
  store<f32>(to + ((<usize>g) << 2), 0);
}

// Edges from each point of a block to the next, and from the last to the first of the next block: with them any
// points are joined.
function chain(job: usize, state: usize, g: u32, l1: bool): void {
  const own = ptr(state, Worker.tree),
    rows = ptr(state, Worker.rows),
    size = ptr(job, Job.rowBytes),
    workers = word(job, Job.workers);
  let last: usize = 0;
  for (let lane: u32 = 0; lane <= 16; lane++) {
    let v = rows + <usize>lane * size;
    if (lane == 16) {
      if (g + 1 >= word(job, Job.blocks)) break;
      // Not a lane of this block: its place is free, as there are sixteen candidates' places and the first is done
      // with.
      v = rows;
      publish(job, workerOf(job, (g + 1) % workers), ((g + 1) / workers) << 4, v);
    }
    const j = word(v, Row.id);
    if (j == NONE) break;
    if (last != 0) {
      const i = word(last, Row.id);
      emit(own, i, j, mutual(job, rowDistance(job, state, last, v, g + (lane >> 4), lane & 15, l1), i, j));
    }
    last = v;
  }
}
