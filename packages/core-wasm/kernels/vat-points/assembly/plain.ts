// Plain Prim over points, all workers one step after the other: where so many pairs are equally far apart that their
// edges do not fit. A step computes the distances of the point visited to all unvisited ones, but where partial sums
// pass their keys early.
import { float, ptr, setFloat, setWord, word } from '../../../assembly/words';
import { Candidate, Job, Sync, Worker } from '../memory';
import { atBarrier } from './barrier';
import { NONE, blockBytes, gather, record, workerOf } from './blocks';
import { mutual } from './cores';
import { distances, recordDistance } from './distances';

// @ts-ignore: decorator
@inline
function candidate(job: usize, step: u32, worker: u32): usize {
  return ptr(job, Job.candidates) + <usize>((step & 1) * word(job, Job.workers) + worker) * (Candidate.size << 2);
}

/** All of a worker's points become unvisited, and the one that Prim starts from its candidate, if it has it. */
export function offerStart(job: usize, worker: u32, start: u32): void {
  const state = workerOf(job, worker),
    ids = ptr(state, Worker.ids),
    keys = ptr(state, Worker.keys),
    parents = ptr(state, Worker.parents);
  const to = candidate(job, 0, worker);
  setWord(to, Candidate.id, NONE);
  for (let b: u32 = 0; b < word(state, Worker.blocks); b++) {
    for (let lane: u32 = 0; lane < 16; lane++) {
      const at = (<usize>((b << 4) | lane)) << 2;
      const id = load<u32>(ids + at);
      store<f32>(keys + at, id == NONE ? <f32>-1 : <f32>Infinity);
      store<u32>(parents + at, NONE);
      if (id == start) offer(job, state, worker, b, lane, to);
    }
    refresh(state, b);
  }
}

/**
 * One step of Prim: the nearest of all workers' candidates, then each worker's next. 0: call again, 1: done, 2:
 * cancelled, 3: aborted.
 */
export function primStep(job: usize, worker: u32, l1: bool): u32 {
  const n = word(job, Job.n),
    workers = word(job, Job.workers),
    state = workerOf(job, worker),
    sync = ptr(job, Job.sync);
  const step = word(state, Worker.step);
  let winner = candidate(job, step, 0);
  for (let w: u32 = 1; w < workers; w++) {
    const c = candidate(job, step, w);
    if (
      before(float(c, Candidate.key), word(c, Candidate.id), float(winner, Candidate.key), word(winner, Candidate.id))
    )
      winner = c;
  }
  const id = word(winner, Candidate.id),
    slot = word(winner, Candidate.slot),
    block = slot >> 4;
  if (worker == 0) {
    store<u32>(ptr(job, Job.order) + ((<usize>step) << 2), id);
    if (step > 0) {
      const to = ptr(job, Job.weights) + ((<usize>(step - 1)) << 2);
      store<f32>(to, float(winner, Candidate.key));
      store<u32>(to + ((<usize>n) << 2), word(winner, Candidate.parent));
    }
  }
  if (block % workers == worker) {
    const own = block / workers;
    store<f32>(ptr(state, Worker.keys) + ((<usize>((own << 4) | (slot & 15))) << 2), -1);
    refresh(state, own);
  }
  const next = step + 1;
  setWord(state, Worker.step, next);
  if (next < n) lowerKeys(job, state, worker, id, slot, candidate(job, next, worker), l1);
  if (
    worker == 0 &&
    atomic.load<u32>(sync + (Sync.cancel << 2)) != 0 &&
    atomic.load<u32>(sync + (Sync.stopAfter << 2)) == 0
  )
    atomic.store<u32>(sync + (Sync.stopAfter << 2), next);
  if (!atBarrier(job, state)) return 3;
  if (next == n) return 1;
  // A step's number, not a flag: a slow worker may see the order to stop one step early and must still go to that
  // barrier.
  return atomic.load<u32>(sync + (Sync.stopAfter << 2)) == next ? 2 : 0;
}

// Lowers a worker's keys by the distances to the point just visited, and offers its nearest.
// @ts-ignore: decorator
@inline
function lowerKeys(job: usize, state: usize, worker: u32, id: u32, slot: u32, to: usize, l1: bool): void {
  const d = word(job, Job.d),
    tagRows = word(job, Job.tagRows),
    workers = word(job, Job.workers),
    records = word(job, Job.asRecords) != 0;
  const keys = ptr(state, Worker.keys),
    ids = ptr(state, Worker.ids),
    parents = ptr(state, Worker.parents),
    points = ptr(state, Worker.points);
  const blockKey = ptr(state, Worker.blockKey),
    blockId = ptr(state, Worker.blockId),
    out = ptr(state, Worker.out),
    row = ptr(state, Worker.rows);
  const own = records ? record(job, id) : 0,
    stride = blockBytes(job);
  const home = workerOf(job, (slot >> 4) % workers);
  if (!records) gather(ptr(home, Worker.points), d + tagRows, (((slot >> 4) / workers) << 4) | (slot & 15), row);
  let key: f32 = Infinity;
  let least = NONE,
    block: u32 = 0;
  for (let b: u32 = 0; b < word(state, Worker.blocks); b++) {
    const at = (<usize>b) << 2;
    if (load<u32>(blockId + at) == NONE) continue;
    const K = keys + (at << 4),
      I = ids + (at << 4),
      P = parents + (at << 4);
    let changed = false;
    if (records || distances(points + <usize>b * stride, row, d, tagRows != 0, l1, K, out)) {
      for (let lane: usize = 0; lane < 64; lane += 4) {
        const before = load<f32>(K + lane);
        if (before < 0) continue;
        const j = load<u32>(I + lane);
        const x = mutual(
          job,
          records ? recordDistance(own, record(job, j), d, l1, before) : load<f32>(out + lane),
          id,
          j,
        );
        if (x < before || (x == before && id < load<u32>(P + lane))) {
          store<f32>(K + lane, x);
          store<u32>(P + lane, id);
          changed = true;
        }
      }
    }
    if (changed) refresh(state, b);
    if (before(load<f32>(blockKey + at), load<u32>(blockId + at), key, least)) {
      key = load<f32>(blockKey + at);
      least = load<u32>(blockId + at);
      block = b;
    }
  }
  setWord(to, Candidate.id, NONE);
  if (least == NONE) return;
  let lane: u32 = 0;
  while (load<u32>(ids + ((<usize>((block << 4) | lane)) << 2)) != least) lane++;
  offer(job, state, worker, block, lane, to);
}

// Whether a candidate comes before another: the lower key, of equal ones the lower index; NONE is none.
// @ts-ignore: decorator
@inline
function before(key: f32, id: u32, otherKey: f32, other: u32): bool {
  return id != NONE && (other == NONE || key < otherKey || (key == otherKey && id < other));
}

function offer(job: usize, state: usize, worker: u32, block: u32, lane: u32, to: usize): void {
  const at = (<usize>((block << 4) | lane)) << 2;
  setFloat(to, Candidate.key, load<f32>(ptr(state, Worker.keys) + at));
  setWord(to, Candidate.id, load<u32>(ptr(state, Worker.ids) + at));
  setWord(to, Candidate.parent, load<u32>(ptr(state, Worker.parents) + at));
  setWord(to, Candidate.slot, ((block * word(job, Job.workers) + worker) << 4) | lane);
}

// Least key of a block's unvisited points and, among equals, the lowest id.
function refresh(state: usize, block: u32): void {
  const keys = ptr(state, Worker.keys) + ((<usize>block) << 6),
    ids = ptr(state, Worker.ids) + ((<usize>block) << 6);
  let best: f32 = Infinity;
  let id = NONE;
  for (let lane: usize = 0; lane < 64; lane += 4) {
    const key = load<f32>(keys + lane),
      i = load<u32>(ids + lane);
    if (key >= 0 && before(key, i, best, id)) {
      best = key;
      id = i;
    }
  }
  store<f32>(ptr(state, Worker.blockKey) + ((<usize>block) << 2), best);
  store<u32>(ptr(state, Worker.blockId) + ((<usize>block) << 2), id);
}
