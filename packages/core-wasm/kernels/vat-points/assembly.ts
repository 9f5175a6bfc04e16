// vat-points: Prim's order straight from points, one barrier a step. ./blocks/assembly.ts says how the memory is laid out.
import { NONE, candidate, distances, gather, ptr, publish, stateOf, term, word } from "./blocks/assembly";
import { farthestRow } from "./search/assembly";

export { vatPointsProbe } from "./search/assembly";

// Some 0.1 ms: a sleep costs more than a step, so that short spinning makes several workers slower than one.
const SPIN: u32 = 100000;

// Whether some lower bound is at or under its lane's key, with the margin.
// @ts-ignore: decorator
@inline
function mayImprove(bounds: usize, v: usize, m: u32, l1: bool, keys: usize, grow: v128, slack: v128): bool {
  let a = f32x4.splat(0), b = a, c = a, e = a;
  let p = bounds;
  for (let k: u32 = 0; k < m; k++) {
    const y = v128.load32_splat(v + (<usize>k << 2));
    a = term(a, v128.load(p), y, l1);
    b = term(b, v128.load(p, 16), y, l1);
    c = term(c, v128.load(p, 32), y, l1);
    e = term(e, v128.load(p, 48), y, l1);
    p += 64;
  }
  const K0 = f32x4.add(f32x4.mul(v128.load(keys), grow), slack), K1 = f32x4.add(f32x4.mul(v128.load(keys, 16), grow), slack);
  const K2 = f32x4.add(f32x4.mul(v128.load(keys, 32), grow), slack), K3 = f32x4.add(f32x4.mul(v128.load(keys, 48), grow), slack);
  return v128.any_true(v128.or(v128.or(f32x4.le(a, K0), f32x4.le(b, K1)), v128.or(f32x4.le(c, K2), f32x4.le(e, K3))));
}

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

// Least key of a block's living lanes and, among equals, the lowest id.
function refresh(state: usize, block: u32): void {
  const keys = ptr(state, 2) + (<usize>block << 6);
  const ids = ptr(state, 3) + (<usize>block << 6);
  let best: f32 = Infinity;
  let id = NONE;
  for (let lane: usize = 0; lane < 64; lane += 4) {
    const key = load<f32>(keys + lane);
    if (key < 0) continue;
    const i = load<u32>(ids + lane);
    if (key < best || (key == best && i < id)) {
      best = key;
      id = i;
    }
  }
  store<f32>(ptr(state, 6) + (<usize>block << 2), best);
  store<u32>(ptr(state, 7) + (<usize>block << 2), id);
}

// Moves the living together, in order, and fills the last block with visited lanes.
function compact(job: usize, state: usize): void {
  const d = word(job, 1) + word(job, 5), m = word(job, 2);
  const slots = word(state, 8) << 4;
  const points = ptr(state, 0), bounds = ptr(state, 1), keys = ptr(state, 2), ids = ptr(state, 3), parents = ptr(state, 4);
  let to: u32 = 0;
  for (let from: u32 = 0; from < slots; from++) {
    const key = load<f32>(keys + (<usize>from << 2));
    if (key < 0) continue;
    if (to != from) {
      store<f32>(keys + (<usize>to << 2), key);
      store<u32>(ids + (<usize>to << 2), load<u32>(ids + (<usize>from << 2)));
      store<u32>(parents + (<usize>to << 2), load<u32>(parents + (<usize>from << 2)));
      moveColumn(points, d, from, to);
      moveColumn(bounds, m, from, to);
    }
    to++;
  }
  const blocks = (to + 15) >> 4;
  for (; to < blocks << 4; to++) store<f32>(keys + (<usize>to << 2), -1);
  store<u32>(state, blocks, 32);
  for (let b: u32 = 0; b < blocks; b++) refresh(state, b);
}

function moveColumn(base: usize, rows: u32, from: u32, to: u32): void {
  let p = base + <usize>(from >> 4) * (<usize>rows << 6) + (<usize>(from & 15) << 2);
  let q = base + <usize>(to >> 4) * (<usize>rows << 6) + (<usize>(to & 15) << 2);
  for (let k: u32 = 0; k < rows; k++) {
    store<f32>(q, load<f32>(p));
    p += 64;
    q += 64;
  }
}

// Lowers the keys of a worker's points by the distance to the point `v` with index `id`, and publishes its best candidate.
// @ts-ignore: decorator
@inline
function sweep(job: usize, state: usize, v: usize, id: u32, to: usize, l1: bool): void {
  const d = word(job, 1), m = word(job, 2);
  const tagged = word(job, 5) != 0;
  const stride = <usize>(d + word(job, 5)) << 6;
  const blocks = word(state, 8);
  const points = ptr(state, 0), bounds = ptr(state, 1), keys = ptr(state, 2), ids = ptr(state, 3), parents = ptr(state, 4);
  const blockKey = ptr(state, 6), blockId = ptr(state, 7), out = ptr(state, 5);
  const grow = f32x4.splat(load<f32>(job, 48)), slack = f32x4.splat(load<f32>(job, 52));
  const coordinates = v + (<usize>m << 2);
  let best: f32 = Infinity;
  let bestId = NONE;
  let bestBlock: u32 = 0;
  for (let b: u32 = 0; b < blocks; b++) {
    let at = load<u32>(blockId + (<usize>b << 2));
    if (at == NONE) continue;
    const K = keys + (<usize>b << 6);
    if (
      (m == 0 || mayImprove(bounds + <usize>b * (<usize>m << 6), v, m, l1, K, grow, slack)) &&
      distances(points + <usize>b * stride, coordinates, d, tagged, l1, K, out)
    ) {
      const better = v128.or(
        v128.or(f32x4.le(v128.load(out), v128.load(K)), f32x4.le(v128.load(out, 16), v128.load(K, 16))),
        v128.or(f32x4.le(v128.load(out, 32), v128.load(K, 32)), f32x4.le(v128.load(out, 48), v128.load(K, 48))),
      );
      if (v128.any_true(better)) {
        const P = parents + (<usize>b << 6);
        for (let lane: usize = 0; lane < 64; lane += 4) {
          const x = load<f32>(out + lane), key = load<f32>(K + lane);
          if (x < key) {
            store<f32>(K + lane, x);
            store<u32>(P + lane, id);
          } else if (x == key && id < load<u32>(P + lane)) store<u32>(P + lane, id);
        }
        refresh(state, b);
        at = load<u32>(blockId + (<usize>b << 2));
      }
    }
    const key = load<f32>(blockKey + (<usize>b << 2));
    if (key < best || (key == best && at < bestId)) {
      best = key;
      bestId = at;
      bestBlock = b;
    }
  }
  if (bestId == NONE) {
    store<u32>(to, NONE, 4);
    return;
  }
  let slot = bestBlock << 4;
  while (load<u32>(ids + (<usize>slot << 2)) != bestId || load<f32>(keys + (<usize>slot << 2)) < 0) slot++;
  publish(job, state, slot, to);
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
        const slots = word(state, 8) << 4;
        for (let slot: u32 = 0; slot < slots; slot++) {
          if (load<u32>(ptr(state, 3) + (<usize>slot << 2)) == start) publish(job, state, slot, to);
        }
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
        const slot = load<u32>(winner, 12);
        store<f32>(ptr(state, 2) + (<usize>slot << 2), -1);
        refresh(state, slot >> 4);
        const living = word(state, 15) - 1;
        store<u32>(state, living, 60);
        if (living * 5 < (word(state, 8) << 4) * 4 && word(state, 8) > 2) compact(job, state);
      }
      const next = k + 1;
      store<u32>(state, next, 36);
      if (next < n) {
        const to = candidate(job, next, worker);
        if (l1) sweep(job, state, winner + 16, id, to, true);
        else sweep(job, state, winner + 16, id, to, false);
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
