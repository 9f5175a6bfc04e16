// vat-points: Prim's order straight from points. ./blocks says how the memory is laid out. ./tree finds the few edges that matter and, on its way, the
// farthest pair, and orders these edges; where there are few points, or too many equal edges, ./search finds the farthest pair and Prim takes all
// points step by step, one barrier a step: ./direct and ./debts take a visited point in.
import { ptr, word } from "../../assembly/words";
import { atBarrier } from "./barrier/assembly";
import { NONE, candidate, publish, stateOf } from "./blocks/assembly";
import { nextKey, payDue } from "./debts/assembly";
import { lower } from "./direct/assembly";
import { compact, refresh, slotOf } from "./living/assembly";
import { farthestRow } from "./search/assembly";
import { startOf } from "./search/largest/assembly";
import { treeUnit } from "./tree/assembly";

export { vatPointsFill, vatPointsFillBounds, vatPointsFillWhole } from "./fill/assembly";
export { vatPointsCombine, vatPointsProject } from "./project/assembly";
export { vatPointsProbe } from "./search/assembly";
export { vatPointsSpatialOrder } from "./spatial-order/assembly";
import { Job, Worker } from "./memory";

// Takes the visited point at `v`, number `last` of the order, into a worker's keys, as far as they could decide, and publishes its best candidate.
// @ts-ignore: decorator
@inline
function sweep(job: usize, state: usize, v: usize, last: u32, to: usize, l1: bool): void {
  let best: f32 = Infinity;
  const records = word(job, Job.asRecords) != 0;
  if (records) best = payDue(job, state, v, last, l1);
  else {
    const blocks = word(state, Worker.blocks), blockKey = ptr(state, Worker.blockKey), blockId = ptr(state, Worker.blockId);
    const grow = f32x4.splat(load<f32>(job, Job.grow << 2)), slack = f32x4.splat(load<f32>(job, Job.slack << 2));
    for (let b: u32 = 0; b < blocks; b++) {
      if (load<u32>(blockId + (<usize>b << 2)) == NONE) continue;
      if (lower(job, state, b, v, l1, grow, slack)) refresh(state, b);
      best = min(best, load<f32>(blockKey + (<usize>b << 2)));
    }
  }
  const slot = slotOf(state, best);
  if (slot == NONE) {
    store<u32>(to, NONE, 4);
    return;
  }
  publish(job, state, slot, to);
  if (records && word(job, Job.workers) > 1) store<f32>(to, nextKey(state, slot), 16);
}

/**
 * Does up to `steps` units of a worker's work and answers 0 to be called again, 1 at the end, 2 cancelled, 3 aborted. First the
 * tree's rounds; where there is no tree or it was given up, the rows of the search for the farthest pair, shared out in turn, as many for each worker,
 * and then Prim's steps, all workers together. All workers must be called with the same `steps`; they return after the same one.
 */
export function vatPointsRun(job: usize, worker: u32, steps: u32): u32 {
  const n = word(job, Job.n), workers = word(job, Job.workers), total = word(job, Job.blocks);
  const l1 = word(job, Job.l1) != 0;
  const state = stateOf(job, worker);
  const sync = ptr(job, Job.sync);
  const rows = (total + workers - 1) / workers;
  for (; steps > 0; steps--) {
    if (word(state, Worker.byTree)) {
      const end = treeUnit(job, worker, l1);
      if (end == 0) continue;
      store<u32>(state, 0, Worker.byTree << 2)
      // Where the edges did not fit, Prim's own steps follow.
      if (end == 4) continue;
      if (end == 1) store<u32>(state, n, Worker.step << 2)
      return end;
    }
    let row = word(state, Worker.searchRow);
    if (row < rows) {
      const g = row * workers + worker;
      if (g < total) farthestRow(job, state, g, l1);
      store<u32>(state, ++row, Worker.searchRow << 2)
      if (row == rows) {
        // Every worker reads every result: the largest distance, and the lowest index that has it.
        if (!atBarrier(job, state)) return 3;
        const start = startOf(job);
        const to = candidate(job, 0, worker);
        store<u32>(to, NONE, 4);
        store<f32>(to, Infinity, 16);
        const slots = word(state, Worker.blocks) << 4;
        for (let slot: u32 = 0; slot < slots; slot++) {
          if (load<u32>(ptr(state, Worker.ids) + (<usize>slot << 2)) == start) publish(job, state, slot, to);
        }
        if (!atBarrier(job, state)) return 3;
      }
    } else {
      const k = word(state, Worker.step);
      if (k >= n) return 1;
      let winner: usize = 0;
      let owner: u32 = 0;
      for (let w: u32 = 0; w < workers; w++) {
        const c = candidate(job, k, w);
        if (load<u32>(c, 4) == NONE) continue;
        if (winner == 0 || load<f32>(c) < load<f32>(winner) || (load<f32>(c) == load<f32>(winner) && load<u32>(c, 4) < load<u32>(winner, 4))) {
          winner = c;
          owner = w;
        }
      }
      const id = load<u32>(winner, 4);
      if (worker == 0) {
        store<u32>(ptr(job, Job.order) + (<usize>k << 2), id);
        if (k > 0) {
          store<f32>(ptr(job, Job.weights) + (<usize>(k - 1) << 2), load<f32>(winner));
          store<u32>(ptr(job, Job.weights) + (<usize>(n + k - 1) << 2), load<u32>(winner, 8));
        }
      }
      if (owner == worker) {
        const row = ptr(job, Job.visited) + <usize>k * ptr(job, Job.candidateBytes);
        if (word(job, Job.asRecords)) for (let i: usize = 0; i < ptr(job, Job.candidateBytes); i += 16) v128.store(row + i, v128.load(winner + i));
        const slot = load<u32>(winner, 12);
        store<f32>(ptr(state, Worker.keys) + (<usize>slot << 2), -1);
        refresh(state, slot >> 4);
      }
      const next = k + 1;
      store<u32>(state, next, Worker.step << 2)
      // All workers after the same step, so that none waits for another's moving.
      if ((n - next) * 5 < word(state, Worker.left) * 4 && n - next > workers << 5) {
        compact(job, state);
        store<u32>(state, n - next, Worker.left << 2)
      }
      if (next < n) {
        const to = candidate(job, next, worker);
        if (l1) sweep(job, state, winner, k, to, true);
        else sweep(job, state, winner, k, to, false);
      }
      if (worker == 0 && atomic.load<u32>(sync, 128) != 0 && atomic.load<u32>(sync, 320) == 0) atomic.store<u32>(sync, next, 320);
      if (!atBarrier(job, state)) return 3;
      if (next >= n) return 1;
      // A step number, not a flag: a slow worker may see the order to stop one step early and must still go to that barrier.
      if (atomic.load<u32>(sync, 320) == next) return 2;
    }
  }
  return 0;
}
