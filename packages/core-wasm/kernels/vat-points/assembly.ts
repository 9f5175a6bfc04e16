// vat-points: Prim's order straight from points, one barrier a step. ./blocks says how the memory is laid out, ./search finds the farthest
// pair, ./direct, ./sieve and ./debts are the three ways to take a visited point in.
import { ptr, word } from "../../assembly/words";
import { DEBTS, NONE, SIEVE, candidate, publish, stateOf } from "./blocks/assembly";
import { nextKey, payDue } from "./debts/assembly";
import { lower } from "./direct/assembly";
import { compact, refresh, slotOf } from "./living/assembly";
import { farthestRow } from "./search/assembly";
import { allLimits, sift } from "./sieve/assembly";

export { vatPointsFill, vatPointsFillWhole } from "./fill/assembly";
export { vatPointsCombine, vatPointsProject } from "./project/assembly";
export { vatPointsProbe } from "./search/assembly";

// Some 0.1 ms: a sleep costs more than a step, so that short spinning makes several workers slower than one.
const SPIN: u32 = 100000;

// All workers meet; false if the job was aborted meanwhile. The counter only grows, so that it is its own epoch.
function barrier(job: usize, state: usize): bool {
  const workers = word(job, 4);
  if (workers == 1) return true;
  const sync = ptr(job, 11);
  const target = word(state, 11) + workers;
  store<u32>(state, target, 44);
  atomic.add<u32>(sync, 1);
  if (atomic.load<u32>(sync, 64) != 0) atomic.notify(sync, -1);
  for (let i: u32 = 0; i < SPIN; i++) if (<i32>(atomic.load<u32>(sync) - target) >= 0) return true;
  atomic.add<u32>(sync, 1, 64);
  let ok = true;
  for (;;) {
    const seen = atomic.load<u32>(sync);
    if (<i32>(seen - target) >= 0) break;
    if (atomic.load<u32>(sync, 192) != 0) {
      ok = false;
      break;
    }
    atomic.wait<i32>(sync, seen, 20000000);
  }
  atomic.sub<u32>(sync, 1, 64);
  return ok;
}

// Takes the visited point at `v`, number `last` of the order, into a worker's keys, as far as they could decide, and publishes its best candidate.
// @ts-ignore: decorator
@inline
function sweep(job: usize, state: usize, v: usize, last: u32, to: usize, l1: bool): void {
  let best: f32 = Infinity;
  const way = word(job, 19);
  if (way == SIEVE) best = sift(job, state, v);
  else if (way == DEBTS) best = payDue(job, state, v, last, l1);
  else {
    const blocks = word(state, 8), blockKey = ptr(state, 6), blockId = ptr(state, 7);
    const grow = f32x4.splat(load<f32>(job, 48)), slack = f32x4.splat(load<f32>(job, 52));
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
  if (way == DEBTS && word(job, 4) > 1) store<f32>(to, nextKey(state, slot), 16);
}

/**
 * Does up to `steps` units of a worker's work and answers 0 to be called again, 1 at the end, 2 cancelled, 3 aborted. First the rows
 * of the search for the farthest pair, shared out in turn, as many for each worker; then Prim's steps, all workers together. All
 * workers must be called with the same `steps`; they return after the same one.
 */
export function vatPointsRun(job: usize, worker: u32, steps: u32): u32 {
  const n = word(job, 0), workers = word(job, 4), total = word(job, 14);
  const l1 = word(job, 3) != 0;
  const state = stateOf(job, worker);
  const sync = ptr(job, 11);
  const rows = (total + workers - 1) / workers;
  for (; steps > 0; steps--) {
    let row = word(state, 10);
    if (row < rows) {
      const g = row * workers + worker;
      if (g < total) {
        if (l1) farthestRow(job, state, g, true);
        else farthestRow(job, state, g, false);
      }
      store<u32>(state, ++row, 40);
      if (row == rows) {
        // Every worker reads every result: the largest distance, and the lowest index that has it.
        if (!barrier(job, state)) return 3;
        let best: f32 = -1;
        let start = NONE;
        for (let w: u32 = 0; w < workers; w++) {
          const other = stateOf(job, w);
          const x = load<f32>(other, 48);
          const s = word(other, 13);
          if (s != NONE && (x > best || (x == best && s < start))) {
            best = x;
            start = s;
          }
        }
        const to = candidate(job, 0, worker);
        store<u32>(to, NONE, 4);
        store<f32>(to, Infinity, 16);
        const slots = word(state, 8) << 4;
        for (let slot: u32 = 0; slot < slots; slot++) {
          if (load<u32>(ptr(state, 3) + (<usize>slot << 2)) == start) publish(job, state, slot, to);
        }
        if (word(job, 19) == SIEVE) allLimits(job, state);
        if (!barrier(job, state)) return 3;
      }
    } else {
      const k = word(state, 9);
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
        store<u32>(ptr(job, 6) + (<usize>k << 2), id);
        if (k > 0) {
          store<f32>(ptr(job, 7) + (<usize>(k - 1) << 2), load<f32>(winner));
          store<u32>(ptr(job, 7) + (<usize>(n + k - 1) << 2), load<u32>(winner, 8));
        }
      }
      if (owner == worker) {
        const row = ptr(job, 18) + <usize>k * ptr(job, 9);
        if (word(job, 19) == DEBTS) for (let i: usize = 0; i < ptr(job, 9); i += 16) v128.store(row + i, v128.load(winner + i));
        const slot = load<u32>(winner, 12);
        store<f32>(ptr(state, 2) + (<usize>slot << 2), -1);
        refresh(state, slot >> 4);
      }
      const next = k + 1;
      store<u32>(state, next, 36);
      // All workers after the same step, so that none waits for another's moving.
      if ((n - next) * 5 < word(state, 24) * 4 && n - next > workers << 5) {
        compact(job, state);
        if (word(job, 19) == SIEVE) allLimits(job, state);
        store<u32>(state, n - next, 96);
      }
      if (next < n) {
        const to = candidate(job, next, worker);
        if (l1) sweep(job, state, winner, k, to, true);
        else sweep(job, state, winner, k, to, false);
      }
      if (worker == 0 && atomic.load<u32>(sync, 128) != 0 && atomic.load<u32>(sync, 320) == 0) atomic.store<u32>(sync, next, 320);
      if (!barrier(job, state)) return 3;
      if (next >= n) return 1;
      // A step number, not a flag: a slow worker may see the order to stop one step early and must still go to that barrier.
      if (atomic.load<u32>(sync, 320) == next) return 2;
    }
  }
  return 0;
}
