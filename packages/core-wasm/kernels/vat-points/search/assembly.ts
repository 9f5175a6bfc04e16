// The farthest pair of vat-points: the largest distance and the lowest index that has it. Each worker takes its blocks in turn against
// all later ones; boxes and bound rows give upper bounds. A pair is skipped only if it is surely below the largest distance
// known, so that the answer does not depend on who looked first.
import { HEAD, NONE, candidate, distances, gather, ptr, publish, stateOf, term, word } from "../blocks/assembly";
import { largest, products } from "../products/assembly";

// The shared largest distance so far; non-negative floats order like their bits.
export function raise(sync: usize, value: f32): void {
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
  const coordinates = v + HEAD + (<usize>word(job, 2) << 2);
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

// Takes the distances of the first `count` of four points to a block into the worker's largest, where their products leave it possible.
function takeFour(job: usize, own: usize, block: usize, ids: usize, norms: usize, r0: usize, r1: usize, r2: usize, r3: usize, count: u32): void {
  const d = word(job, 1), at = HEAD + (<usize>word(job, 2) << 2), tagged = word(job, 5) != 0;
  const grow = load<f32>(job, 48), slack = load<f32>(job, 52);
  const wide = f32x4.splat(1 + load<f32>(job, 84));
  const to = ptr(own, 23);
  products(block, r0 + at, r1 + at, r2 + at, r3 + at, d, to, f32x4.splat(0));
  for (let i: u32 = 0; i < count; i++) {
    const v = i == 0 ? r0 : i == 1 ? r1 : i == 2 ? r2 : r3;
    let ub = largest(to + (<usize>i << 6), norms, load<f32>(v, 20), wide);
    if (tagged) ub = max(ub, 2);
    if (ub * grow + slack < load<f32>(own, 48)) continue;
    distances(block, v + at, d, tagged, false, ptr(own, 14), ptr(own, 5));
    takeLargest(own, ids, load<u32>(v, 4));
  }
}

// All pairs of block g with itself and later blocks that could hold the largest distance.
// @ts-ignore: decorator
@inline
export function farthestRow(job: usize, own: usize, g: u32, l1: bool): void {
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
  const at = HEAD + (<usize>m << 2);
  const dots = !l1 && word(job, 20) != 0;
  const boxRows = word(job, 16);
  const A = boxes + <usize>g * (<usize>boxRows << 3);
  const norm: usize = word(job, 17) ? <usize>(boxRows - 1) << 3 : -1;
  for (let b = g; b < total; b++) {
    const shared = reinterpret<f32>(atomic.load<u32>(sync, 256));
    if (shared > load<f32>(own, 48)) {
      store<f32>(own, shared, 48);
      store<u32>(own, NONE, 52);
    }
    if (boxRows > 0) {
      const B = boxes + <usize>b * (<usize>boxRows << 3);
      let ub: f32 = 0;
      for (let k: usize = 0; k < <usize>boxRows << 3; k += 8) {
        const lo = load<f32>(A + k), hi = load<f32>(A + k, 4), lo2 = load<f32>(B + k), hi2 = load<f32>(B + k, 4);
        // The last row holds norms of what the projection leaves out: at worst they point apart.
        const t = k == norm ? hi + hi2 : max(hi - lo2, hi2 - lo);
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
    const norms = ptr(state, 22) + (local << 6);
    // Rows that the bounds leave, four at a time.
    let held: u32 = 0;
    let r0: usize = rows, r1 = r0, r2 = r0, r3 = r0;
    for (let lane: u32 = 0; lane < 16; lane++) {
      const v = rows + <usize>lane * size;
      if (load<u32>(v, 4) == NONE) continue;
      if (m > 0 && upper(bounds, v + HEAD, m, l1, tagged) * grow + slack < load<f32>(own, 48)) continue;
      if (!dots) {
        distances(block, v + at, d, tagged, l1, limits, out);
        takeLargest(own, ids, load<u32>(v, 4));
        continue;
      }
      if (held == 0) r0 = v;
      else if (held == 1) r1 = v;
      else if (held == 2) r2 = v;
      else r3 = v;
      if (++held < 4) continue;
      held = 0;
      takeFour(job, own, block, ids, norms, r0, r1, r2, r3, 4);
    }
    if (held == 1) {
      distances(block, r0 + at, d, tagged, l1, limits, out);
      takeLargest(own, ids, load<u32>(r0, 4));
    } else if (held > 1) takeFour(job, own, block, ids, norms, r0, r1, r2, r2, held);
  }
  raise(sync, load<f32>(own, 48));
}

// The largest upper bound of the distance from bound rows at `q` to a block's 16 points.
// @ts-ignore: decorator
@inline
function upper(bounds: usize, q: usize, m: u32, l1: bool, tagged: bool): f32 {
  let a = f32x4.splat(0), c = a, e = a, f = a;
  let p = bounds;
  const last = q + (<usize>(m - 1) << 2);
  for (; q < last; q += 4) {
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
  const ub = max(max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)), max(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)));
  return tagged ? max(ub, 2) : ub;
}
