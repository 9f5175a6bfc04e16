// vat-points: Prim's order straight from points, on one worker or several over one memory. Nothing n×n is ever held.
//
// Points lie transposed in blocks of 16: row k of a block is coordinate k of its 16 points. Beside them lie a few bound rows a
// block: an orthonormal projection and the norm of what it leaves out (or chosen coordinates and the rest's L1 norm). From
// them follow lower and upper bounds of a distance; they only decide what need not be computed, with a margin for rounding, and
// so never change a result. A visited point's key is −1, and every so often the living are moved together in order.
//
// Memory contract (written by job.ts; u32 words). Job: 0 n, 1 d, 2 bound rows m, 3 L1, 4 workers, 5 tag rows (0 or 1), 6 order u32[n],
// 7 weights f32[n] and parents u32[n], 8 candidates, 9 bytes of one, 10 states, 11 sync, 12 f32 grow and 13 f32 slack (margin of the
// bounds), 14 blocks in all, 15 boxes. Worker state: 0 points, 1 bounds, 2 keys, 3 ids, 4 parents, 5 out f32[16], 6 least key
// and 7 its id per block, 8 blocks, 9 Prim's step, 10 row of the search, 11 epoch, 12 f32 largest distance and 13 its lowest index,
// 14 f32[16] of +∞, 15 living points, 16 scratch of 16 candidates. Sync, one a cache line: byte 0 arrivals, 64 sleepers,
// 128 cancel, 192 abort, 256 largest distance, 320 step to stop after. A candidate: key, id, parent, slot, bound row, coordinates.
// Global block g is block ⌊g / workers⌋ of worker g mod workers.

const NONE: u32 = 0xffffffff;
const SPIN: u32 = 100000;
const GROUP: u32 = 16;

// @ts-ignore: decorator
@inline
function word(base: usize, index: usize): u32 {
  return load<u32>(base + (index << 2));
}

// @ts-ignore: decorator
@inline
function ptr(job: usize, index: usize): usize {
  return <usize>load<u32>(job + (index << 2));
}

// @ts-ignore: decorator
@inline
function stateOf(job: usize, worker: u32): usize {
  return ptr(job, 10) + <usize>worker * 128;
}

// @ts-ignore: decorator
@inline
function candidate(job: usize, parity: u32, worker: u32): usize {
  return ptr(job, 8) + <usize>((parity & 1) * word(job, 4) + worker) * ptr(job, 9);
}

// One term of a distance: (x−y)² or |x−y|.
// @ts-ignore: decorator
@inline
function term(acc: v128, x: v128, y: v128, l1: bool): v128 {
  const t = f32x4.sub(x, y);
  return f32x4.add(acc, l1 ? f32x4.abs(t) : f32x4.mul(t, t));
}

// Distances (squared for L2) of point v (coordinates in a row at `v`) to a block's 16 points into out[16]; false, with out unfinished, once
// every partial sum is over the lane's limit. Sums only grow, so that nothing at or under its limit is ever given up.
// @ts-ignore: decorator
@inline
function distances(block: usize, v: usize, d: u32, tagged: bool, l1: bool, limits: usize, out: usize): bool {
  const K0 = v128.load(limits), K1 = v128.load(limits, 16), K2 = v128.load(limits, 32), K3 = v128.load(limits, 48);
  let a = f32x4.splat(0), b = a, c = a, e = a;
  let p = block;
  let q = v;
  let k: u32 = 0;
  while (k < d) {
    const end = min(k + GROUP, d);
    for (; k < end; k++) {
      const y = v128.load32_splat(q);
      a = term(a, v128.load(p), y, l1);
      b = term(b, v128.load(p, 16), y, l1);
      c = term(c, v128.load(p, 32), y, l1);
      e = term(e, v128.load(p, 48), y, l1);
      p += 64;
      q += 4;
    }
    const open = v128.or(v128.or(f32x4.le(a, K0), f32x4.le(b, K1)), v128.or(f32x4.le(c, K2), f32x4.le(e, K3)));
    if (!v128.any_true(open)) return false;
  }
  if (tagged) {
    // Zero vectors of cosine and correlation carry tag 1: at exactly 2 (distance 1) from all that do not.
    const y = v128.load32_splat(q);
    const two = f32x4.splat(2);
    a = v128.bitselect(a, two, f32x4.eq(v128.load(p), y));
    b = v128.bitselect(b, two, f32x4.eq(v128.load(p, 16), y));
    c = v128.bitselect(c, two, f32x4.eq(v128.load(p, 32), y));
    e = v128.bitselect(e, two, f32x4.eq(v128.load(p, 48), y));
  }
  v128.store(out, a);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, e, 48);
  return true;
}

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

// Writes slot's point as a worker's candidate: key, id, parent, slot, bound row, coordinates.
function publish(job: usize, state: usize, slot: u32, to: usize): void {
  const d = word(job, 1) + word(job, 5), m = word(job, 2);
  const at = <usize>slot << 2;
  store<f32>(to, load<f32>(ptr(state, 2) + at));
  store<u32>(to, load<u32>(ptr(state, 3) + at), 4);
  store<u32>(to, load<u32>(ptr(state, 4) + at), 8);
  store<u32>(to, slot, 12);
  gather(ptr(state, 1), m, slot, to + 16);
  gather(ptr(state, 0), d, slot, to + 16 + (<usize>m << 2));
}

function gather(base: usize, rows: u32, slot: u32, to: usize): void {
  let p = base + <usize>(slot >> 4) * (<usize>rows << 6) + (<usize>(slot & 15) << 2);
  for (let k: u32 = 0; k < rows; k++) {
    store<f32>(to, load<f32>(p));
    p += 64;
    to += 4;
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

// All workers meet; false if the job was aborted meanwhile. The counter only grows, so that it is its own epoch.
function barrier(job: usize, state: usize): bool {
  const workers = word(job, 4);
  if (workers == 1) return true;
  const sync = ptr(job, 11);
  const target = word(state, 11) + workers;
  store<u32>(state, target, 44);
  atomic.add<u32>(sync, 1);
  if (atomic.load<u32>(sync, 64) != 0) atomic.notify(sync, -1);
  // A sleep costs more than a step, so that short spinning makes several workers slower than one.
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

// The shared largest distance so far; non-negative floats order like their bits.
function raise(sync: usize, value: f32): void {
  const bits = reinterpret<u32>(value);
  let seen = atomic.load<u32>(sync, 256);
  while (bits > seen) {
    const old = atomic.cmpxchg<u32>(sync, seen, bits, 256);
    if (old == seen) return;
    seen = old;
  }
}

// Takes the distances of point `id` to a block into the worker's largest (state word 12) and its lowest index (word 13).
function takeLargest(state: usize, ids: usize, id: u32): void {
  const out = ptr(state, 5);
  let best = load<f32>(state, 48);
  const B = f32x4.splat(best);
  const reaches = v128.or(
    v128.or(f32x4.ge(v128.load(out), B), f32x4.ge(v128.load(out, 16), B)),
    v128.or(f32x4.ge(v128.load(out, 32), B), f32x4.ge(v128.load(out, 48), B)),
  );
  if (!v128.any_true(reaches)) return;
  let start = word(state, 13);
  for (let lane: usize = 0; lane < 64; lane += 4) {
    const i = load<u32>(ids + lane);
    if (i == NONE) continue;
    const x = load<f32>(out + lane);
    if (x > best) {
      best = x;
      start = min(i, id);
    } else if (x == best) start = min(start, min(i, id));
  }
  store<f32>(state, best, 48);
  store<u32>(state, start, 52);
}

/** Distances of one stored point (a worker's slot) to all, for a first guess of the largest; answers global block · 16 + lane of the farthest. */
export function vatPointsProbe(job: usize, from: u32): u32 {
  const workers = word(job, 4), d = word(job, 1), stride = <usize>(d + word(job, 5)) << 6;
  const own = stateOf(job, 0);
  const v = candidate(job, 1, 0);
  const g = from >> 4;
  publish(job, stateOf(job, g % workers), ((g / workers) << 4) | (from & 15), v);
  const id = load<u32>(v, 4);
  const coordinates = v + 16 + (<usize>word(job, 2) << 2);
  const limits = ptr(own, 14);
  const out = ptr(own, 5);
  let far: f32 = -1;
  let at: u32 = from;
  const total = word(job, 14);
  for (let b: u32 = 0; b < total; b++) {
    const state = stateOf(job, b % workers);
    const local = <usize>(b / workers);
    const block = ptr(state, 0) + local * stride;
    if (word(job, 3)) distances(block, coordinates, d, word(job, 5) != 0, true, limits, out);
    else distances(block, coordinates, d, word(job, 5) != 0, false, limits, out);
    const ids = ptr(state, 3) + (local << 6);
    takeLargest(own, ids, id);
    for (let lane: u32 = 0; lane < 16; lane++) {
      const x = load<f32>(out + (<usize>lane << 2));
      if (x > far && load<u32>(ids + (<usize>lane << 2)) != NONE) {
        far = x;
        at = (b << 4) | lane;
      }
    }
  }
  raise(ptr(job, 11), load<f32>(own, 48));
  return at;
}

// All pairs of block g with itself and later blocks that could hold the largest distance.
// @ts-ignore: decorator
@inline
function farthestRow(job: usize, own: usize, g: u32, l1: bool): void {
  const workers = word(job, 4), d = word(job, 1), m = word(job, 2), total = word(job, 14);
  const tagged = word(job, 5) != 0;
  const stride = <usize>(d + word(job, 5)) << 6;
  const boxes = ptr(job, 15);
  const grow = load<f32>(job, 48), slack = load<f32>(job, 52);
  const sync = ptr(job, 11);
  const limits = ptr(own, 14), out = ptr(own, 5);
  const home = stateOf(job, g % workers);
  // The block's points as rows.
  const rows = ptr(own, 16), size = ptr(job, 9);
  for (let lane: u32 = 0; lane < 16; lane++) publish(job, home, ((g / workers) << 4) | lane, rows + <usize>lane * size);
  // Boxes: per block, per bound row, lowest and highest value.
  const A = boxes + <usize>g * (<usize>m << 3);
  for (let b = g; b < total; b++) {
    const shared = reinterpret<f32>(atomic.load<u32>(sync, 256));
    if (shared > load<f32>(own, 48)) {
      store<f32>(own, shared, 48);
      store<u32>(own, NONE, 52);
    }
    if (m > 0) {
      const B = boxes + <usize>b * (<usize>m << 3);
      let ub: f32 = 0;
      for (let k: usize = 0; k < <usize>m << 3; k += 8) {
        const lo = load<f32>(A + k), hi = load<f32>(A + k, 4), lo2 = load<f32>(B + k), hi2 = load<f32>(B + k, 4);
        // The last row holds norms of what the projection leaves out: at worst they point apart.
        const t = k == (<usize>(m - 1) << 3) ? hi + hi2 : max(hi - lo2, hi2 - lo);
        ub += l1 ? t : t * t;
      }
      if (tagged) ub = max(ub, 2);
      if (ub * grow + slack < load<f32>(own, 48)) continue;
    }
    const state = stateOf(job, b % workers);
    const local = <usize>(b / workers);
    const block = ptr(state, 0) + local * stride;
    const bounds = ptr(state, 1) + local * (<usize>m << 6);
    const ids = ptr(state, 3) + (local << 6);
    for (let lane: u32 = 0; lane < 16; lane++) {
      const v = rows + <usize>lane * size;
      const id = load<u32>(v, 4);
      if (id == NONE) continue;
      if (m > 0) {
        let a = f32x4.splat(0), c = a, e = a, f = a;
        let p = bounds;
        const last = v + 16 + (<usize>(m - 1) << 2);
        for (let q = v + 16; q < last; q += 4) {
          const y = v128.load32_splat(q);
          a = term(a, v128.load(p), y, l1);
          c = term(c, v128.load(p, 16), y, l1);
          e = term(e, v128.load(p, 32), y, l1);
          f = term(f, v128.load(p, 48), y, l1);
          p += 64;
        }
        const y = f32x4.splat(-load<f32>(last));
        a = term(a, v128.load(p), y, l1);
        c = term(c, v128.load(p, 16), y, l1);
        e = term(e, v128.load(p, 32), y, l1);
        f = term(f, v128.load(p, 48), y, l1);
        const top = f32x4.max(f32x4.max(a, c), f32x4.max(e, f));
        let ub = max(max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)), max(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)));
        if (tagged) ub = max(ub, 2);
        if (ub * grow + slack < load<f32>(own, 48)) continue;
      }
      distances(block, v + 16 + (<usize>m << 2), d, tagged, l1, limits, out);
      takeLargest(own, ids, id);
    }
  }
  raise(sync, load<f32>(own, 48));
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
