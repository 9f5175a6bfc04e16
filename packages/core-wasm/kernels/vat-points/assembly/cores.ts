// Core distances: of each point the distance to its k-th nearest other one. The mutual reachability of two points is
// the largest of their distance and both core distances (Campello, Moulavi & Sander 2013). It is never below the
// distance, so that lower bounds of distances bound it too.
import { float, ptr, setWord, word } from '../../../assembly/words';
import { Job, Row, Stage, Tile, Worker } from '../memory';
import { atBarrier } from './barrier';
import { NONE, blockBytes, publishBlock, workerOf } from './blocks';
import { lanesUnder, leastBetween } from './boxes';
import { distances, pairDistance } from './distances';

/**
 * What is compared of points i and j at distance x: x itself or, where there are core distances, mutual reachability.
 */
// @ts-ignore: decorator
@inline
export function mutual(job: usize, x: f32, i: u32, j: u32): f32 {
  const cores = ptr(job, Job.cores);
  return cores ? max(x, max(load<f32>(cores + ((<usize>i) << 2)), load<f32>(cores + ((<usize>j) << 2)))) : x;
}

/** One unit of a worker's work: the core distances of a block's points. 0: call again, 3: aborted. */
export function coresUnit(job: usize, worker: u32, l1: bool): u32 {
  const state = workerOf(job, worker),
    workers = word(job, Job.workers),
    blocks = word(job, Job.blocks);
  const row = word(state, Worker.row),
    g = row * workers + worker;
  if (g < blocks) {
    if (l1) coresOfBlock(job, state, g, true);
    else coresOfBlock(job, state, g, false);
  }
  setWord(state, Worker.row, row + 1);
  if ((row + 1) * workers < blocks) return 0;
  setWord(state, Worker.row, 0);
  setWord(state, Worker.stage, word(job, Job.tree) ? Stage.tree : Stage.search);
  return atBarrier(job, state) ? 0 : 3;
}

// Its own block first, then sixteen blocks at a time, outwards: neighbours in the list are neighbours in space.
// @ts-ignore: decorator
@inline
function coresOfBlock(job: usize, state: usize, g: u32, l1: bool): void {
  publishBlock(job, state, g);
  const k = word(job, Job.core),
    lists = ptr(state, Worker.neighbours),
    rows = ptr(state, Worker.rows),
    size = ptr(job, Job.rowBytes);
  for (let lane: u32 = 0; lane < 16; lane++) {
    // Of lanes with no point nothing is ever near enough.
    clear(
      lists + ((<usize>lane * k) << 2),
      k,
      word(rows + <usize>lane * size, Row.id) == NONE ? <f32>-1 : <f32>Infinity,
    );
  }
  nearest(job, state, g, g, l1);
  const blocks = word(job, Job.blocks),
    groups = (blocks + 15) >> 4,
    home = g >> 4;
  const boxRows = word(job, Job.boxRows),
    boxBytes = (<usize>boxRows) << 3,
    box = ptr(job, Job.boxes) + <usize>g * boxBytes;
  for (let step: u32 = 0; step < groups << 1; step++) {
    const away = (step + 1) >> 1;
    if (step & 1 ? home + away >= groups : away > home) continue;
    const group = step & 1 ? home + away : home - away;
    if (leastBetween(box, ptr(job, Job.boxesOf16) + <usize>group * boxBytes, boxRows, l1) > limit(job, state)) continue;
    for (let b = group << 4; b < min(blocks, (group + 1) << 4); b++) {
      if (b != g && leastBetween(box, ptr(job, Job.boxes) + <usize>b * boxBytes, boxRows, l1) <= limit(job, state))
        nearest(job, state, g, b, l1);
    }
  }
  for (let lane: u32 = 0; lane < 16; lane++) {
    const id = word(rows + <usize>lane * size, Row.id);
    if (id != NONE)
      store<f32>(ptr(job, Job.cores) + ((<usize>id) << 2), load<f32>(lists + ((<usize>(lane + 1) * k - 1) << 2)));
  }
}

// What a lower bound must not pass for a point of the block to have a nearer neighbour there.
// @ts-ignore: decorator
@inline
function limit(job: usize, state: usize): f32 {
  const k = (<usize>word(job, Job.core)) << 2,
    lists = ptr(state, Worker.neighbours);
  let largest: f32 = -1;
  for (let last = lists + k - 4; last < lists + (k << 4); last += k) largest = max(largest, load<f32>(last));
  return largest * float(job, Job.relativeTolerance) + float(job, Job.absoluteTolerance);
}

// Takes the points of block b among the nearest of the block that is published, g.
// @ts-ignore: decorator
@inline
function nearest(job: usize, state: usize, g: u32, b: u32, l1: bool): void {
  const k = word(job, Job.core),
    m = word(job, Job.boundRows),
    workers = word(job, Job.workers),
    records = word(job, Job.asRecords) != 0;
  const home = workerOf(job, b % workers),
    local = <usize>(b / workers),
    ids = ptr(home, Worker.ids) + (local << 6);
  const bounds = ptr(home, Worker.bounds) + local * ((<usize>m) << 6),
    block = ptr(home, Worker.points) + local * blockBytes(job);
  const relative4 = f32x4.splat(float(job, Job.relativeTolerance)),
    absolute4 = f32x4.splat(float(job, Job.absoluteTolerance));
  const rows = ptr(state, Worker.rows),
    size = ptr(job, Job.rowBytes),
    out = ptr(state, Worker.out);
  const limits = ptr(state, Worker.tile) + (Tile.limits << 2);
  let list = ptr(state, Worker.neighbours);
  for (let lane: u32 = 0; lane < 16; lane++, list += (<usize>k) << 2) {
    const v = rows + <usize>lane * size,
      id = word(v, Row.id),
      values = v + (Row.size << 2);
    if (id == NONE) return;
    let kth = load<f32>(list + ((<usize>(k - 1)) << 2));
    for (let i: usize = 0; i < 64; i += 4) store<f32>(limits + i, kth);
    let lanes: u32 = m ? lanesUnder(bounds, values, m, l1, limits, relative4, absolute4) : 0xffff;
    if (b == g) lanes &= ~(1 << lane);
    if (!lanes) continue;
    if (
      !records &&
      !distances(block, values + ((<usize>m) << 2), word(job, Job.d), word(job, Job.tagRows) != 0, l1, limits, out)
    )
      continue;
    for (; lanes; lanes &= lanes - 1) {
      const o = (<usize>ctz(lanes)) << 2,
        j = load<u32>(ids + o);
      if (j != NONE) kth = insert(list, k, records ? pairDistance(job, id, j, l1, kth) : load<f32>(out + o));
    }
  }
}

/** A list of the `k` least numbers, with none yet that is below `value`. */
// @ts-ignore: decorator
@inline
export function clear(list: usize, k: u32, value: f32): void {
  for (const end = list + ((<usize>k) << 2); list < end; list += 4) store<f32>(list, value);
}

/** Takes x into the rising list of the `k` least; returns the largest of them. */
export function insert(list: usize, k: u32, x: f32): f32 {
  let at = list + ((<usize>(k - 1)) << 2);
  if (x < load<f32>(at)) {
    for (; at > list && load<f32>(at - 4) > x; at -= 4) store<f32>(at, load<f32>(at - 4));
    store<f32>(at, x);
  }
  return load<f32>(list + ((<usize>(k - 1)) << 2));
}
