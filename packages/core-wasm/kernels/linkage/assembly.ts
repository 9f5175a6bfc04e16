// linkage: nearest-neighbour chain on a full symmetric f32 matrix, which is used up.
// Columns are not written at a merge: a row fetches what changed when it is next looked at, from the rows of the clusters
// made since. That is two to three times fewer strided accesses, and they are loads.

const BLOCK: u32 = 256;
const NONE: u32 = 0xffffffff;

// Arrays of `stride` 4-byte words each, one after another in the work area. A slot is a column that may still be alive.
const ROW = 0; // row of the matrix that holds the slot
const ID = 1; // sample the slot is named after
const SIZE = 2; // f32
const DEAD = 3; // f32: 0 alive, +∞ dead
const SYNCED = 4; // length of the log when the slot's row was last brought up to date
const MADE = 5; // place in the log of the slot's last merge
const LOG = 6; // slots in the order of their merges
const CHAIN = 7;
const LEFT = 8;
const RIGHT = 9;
const HEIGHT = 10; // f32
const SCRATCH = 11;
const STATE = 12; // width, chain length, merges done, log length, first slot that may be alive

// @ts-ignore: decorator
@inline
function at(area: usize, stride: u32, array: u32, i: u32): usize {
  return area + ((<usize>array * stride + i) << 2);
}

/** Fills the work area for a new run. */
export function linkageStart(n: u32, area: usize): void {
  const stride = (n + 3) & ~3;
  for (let i: u32 = 0; i < n; i++) {
    store<u32>(at(area, stride, ROW, i), i);
    store<u32>(at(area, stride, ID, i), i);
    store<f32>(at(area, stride, SIZE, i), 1);
    store<f32>(at(area, stride, DEAD, i), 0);
    store<u32>(at(area, stride, SYNCED, i), 0);
    store<u32>(at(area, stride, MADE, i), NONE);
  }
  const state = at(area, stride, STATE, 0);
  store<u32>(state, n);
  for (let k: u32 = 1; k < 8; k++) store<u32>(state + (k << 2), 0);
}

/**
 * Goes on until `until` merges are done. method: 0 average, 1 single, 2 complete. Merges come in the order of the chain, as
 * (lower sample, higher sample, height) in LEFT, RIGHT and HEIGHT of the area; the wrapper sorts and labels them.
 * Ties as in SciPy: the chain starts at the lowest index, keeps the neighbour it came from, else takes the lowest index; the
 * joined cluster stands in the place of the higher one.
 */
export function linkageRun(d: usize, n: u32, area: usize, method: i32, until: u32): void {
  const stride = (n + 3) & ~3;
  const state = at(area, stride, STATE, 0);
  let width = load<u32>(state);
  let links = load<u32>(state, 4);
  let done = load<u32>(state, 8);
  let logged = load<u32>(state, 12);
  let first = load<u32>(state, 16);
  const chain = at(area, stride, CHAIN, 0);
  const dead = at(area, stride, DEAD, 0);
  while (done < until) {
    if (links == 0) {
      while (load<f32>(dead + (<usize>first << 2)) != 0) first++;
      store<u32>(chain, first);
      links = 1;
    }
    const x = load<u32>(chain + (<usize>(links - 1) << 2));
    const row = d + ((<usize>load<u32>(at(area, stride, ROW, x)) * n) << 2);
    catchUp(d, n, area, stride, x, row, logged);
    const y = nearest(row, dead, width, x);
    let best = load<f32>(row + (<usize>y << 2));
    let mate = y;
    if (links > 1) {
      const previous = load<u32>(chain + (<usize>(links - 2) << 2));
      const back = load<f32>(row + (<usize>previous << 2));
      if (!(best < back)) {
        best = back;
        mate = previous;
      }
      if (mate == previous) {
        // The chain may have come back to it after other merges.
        catchUp(d, n, area, stride, mate, d + ((<usize>load<u32>(at(area, stride, ROW, mate)) * n) << 2), logged);
        const low = min(x, mate), high = max(x, mate);
        const sizeLow = load<f32>(at(area, stride, SIZE, low)), sizeHigh = load<f32>(at(area, stride, SIZE, high));
        const to = d + ((<usize>load<u32>(at(area, stride, ROW, high)) * n) << 2);
        const other = d + ((<usize>load<u32>(at(area, stride, ROW, low)) * n) << 2);
        join(to, other, width, method, sizeLow / (sizeLow + sizeHigh));
        store<f32>(at(area, stride, SIZE, high), sizeLow + sizeHigh);
        store<f32>(at(area, stride, DEAD, low), Infinity);
        store<u32>(at(area, stride, MADE, low), NONE);
        store<u32>(at(area, stride, LOG, logged), high);
        store<u32>(at(area, stride, MADE, high), logged);
        logged++;
        store<u32>(at(area, stride, SYNCED, high), logged);
        store<u32>(at(area, stride, LEFT, done), load<u32>(at(area, stride, ID, low)));
        store<u32>(at(area, stride, RIGHT, done), load<u32>(at(area, stride, ID, high)));
        store<f32>(at(area, stride, HEIGHT, done), best);
        done++;
        links -= 2;
        const alive = n - done;
        if (width > 64 && alive * 4 <= width * 3) {
          logged = compact(d, n, area, stride, width, links, logged);
          width = alive;
          first = 0;
        }
        continue;
      }
    }
    store<u32>(chain + (<usize>links << 2), mate);
    links++;
  }
  store<u32>(state, width);
  store<u32>(state, links, 4);
  store<u32>(state, done, 8);
  store<u32>(state, logged, 12);
  store<u32>(state, first, 16);
}

/** Fetches the distances to clusters made since row x was last looked at. */
function catchUp(d: usize, n: u32, area: usize, stride: u32, x: u32, row: usize, logged: u32): void {
  for (let t = load<u32>(at(area, stride, SYNCED, x)); t < logged; t++) {
    const s = load<u32>(at(area, stride, LOG, t));
    if (load<u32>(at(area, stride, MADE, s)) != t) continue;
    const from = d + ((<usize>load<u32>(at(area, stride, ROW, s)) * n + x) << 2);
    store<f32>(row + (<usize>s << 2), load<f32>(from));
  }
  store<u32>(at(area, stride, SYNCED, x), logged);
}

/** The living slot other than x with the least distance, the lowest of equals. */
function nearest(row: usize, dead: usize, width: u32, x: u32): u32 {
  store<f32>(dead + (<usize>x << 2), Infinity);
  let best: f32 = Infinity;
  let block: u32 = 0;
  for (let start: u32 = 0; start < width; start += BLOCK) {
    const end = min(start + BLOCK, width);
    let m0 = f32x4.splat(Infinity), m1 = m0, m2 = m0, m3 = m0;
    let j = start;
    for (; j + 16 <= end; j += 16) {
      const p = row + (<usize>j << 2), q = dead + (<usize>j << 2);
      m0 = f32x4.pmin(m0, f32x4.pmax(v128.load(p), v128.load(q)));
      m1 = f32x4.pmin(m1, f32x4.pmax(v128.load(p, 16), v128.load(q, 16)));
      m2 = f32x4.pmin(m2, f32x4.pmax(v128.load(p, 32), v128.load(q, 32)));
      m3 = f32x4.pmin(m3, f32x4.pmax(v128.load(p, 48), v128.load(q, 48)));
    }
    m0 = f32x4.pmin(f32x4.pmin(m0, m1), f32x4.pmin(m2, m3));
    let m = min(min(f32x4.extract_lane(m0, 0), f32x4.extract_lane(m0, 1)), min(f32x4.extract_lane(m0, 2), f32x4.extract_lane(m0, 3)));
    for (; j < end; j++) m = min(m, max(load<f32>(row + (<usize>j << 2)), load<f32>(dead + (<usize>j << 2))));
    if (m < best) {
      best = m;
      block = start;
    }
  }
  while (max(load<f32>(row + (<usize>block << 2)), load<f32>(dead + (<usize>block << 2))) != best) block++;
  store<f32>(dead + (<usize>x << 2), 0);
  return block;
}

/**
 * Lance–Williams: row `to` of the joined cluster. share: of the other one in its size. The average never falls below the lower of the
 * two, rounding included: then the chain's order and the heights' order hold exactly.
 */
function join(to: usize, other: usize, width: u32, method: i32, share: f32): void {
  const w = f32x4.splat(share);
  let j: u32 = 0;
  for (; j + 4 <= width; j += 4) {
    const p = to + (<usize>j << 2);
    const a = v128.load(p), b = v128.load(other + (<usize>j << 2));
    if (method == 0) v128.store(p, f32x4.pmax(f32x4.add(a, f32x4.mul(w, f32x4.sub(b, a))), f32x4.pmin(a, b)));
    else if (method == 1) v128.store(p, f32x4.pmin(a, b));
    else v128.store(p, f32x4.pmax(a, b));
  }
  for (; j < width; j++) {
    const p = to + (<usize>j << 2);
    const a = load<f32>(p), b = load<f32>(other + (<usize>j << 2));
    store<f32>(p, method == 0 ? max<f32>(a + share * (b - a), min<f32>(a, b)) : method == 1 ? min<f32>(a, b) : max<f32>(a, b));
  }
}

/** Closes up the living columns, in their order; returns the log's new length. Rows stay where they are. */
function compact(d: usize, n: u32, area: usize, stride: u32, width: u32, links: u32, logged: u32): u32 {
  const scratch = at(area, stride, SCRATCH, 0);
  // The log keeps its valid entries; scratch[t] = how many of them come before t, so that SYNCED can follow.
  let kept: u32 = 0;
  for (let t: u32 = 0; t < logged; t++) {
    const s = load<u32>(at(area, stride, LOG, t));
    const valid = load<u32>(at(area, stride, MADE, s)) == t;
    store<u32>(scratch + (<usize>t << 2), kept);
    if (!valid) continue;
    store<u32>(at(area, stride, LOG, kept), s);
    store<u32>(at(area, stride, MADE, s), kept);
    kept++;
  }
  for (let s: u32 = 0; s < width; s++) {
    const p = at(area, stride, SYNCED, s);
    const t = load<u32>(p);
    store<u32>(p, t == logged ? kept : load<u32>(scratch + (<usize>t << 2)));
  }
  // scratch becomes the living slots in order; ID of a dead slot is free, and holds nothing anyone needs.
  let alive: u32 = 0;
  for (let s: u32 = 0; s < width; s++) {
    if (load<f32>(at(area, stride, DEAD, s)) != 0) continue;
    store<u32>(scratch + (<usize>alive << 2), s);
    alive++;
  }
  for (let k: u32 = 0; k < alive; k++) {
    const row = d + ((<usize>load<u32>(at(area, stride, ROW, load<u32>(scratch + (<usize>k << 2)))) * n) << 2);
    for (let c: u32 = 0; c < alive; c++) {
      store<f32>(row + (<usize>c << 2), load<f32>(row + (<usize>load<u32>(scratch + (<usize>c << 2)) << 2)));
    }
  }
  for (let k: u32 = 0; k < alive; k++) {
    const s = load<u32>(scratch + (<usize>k << 2));
    store<u32>(at(area, stride, ROW, k), load<u32>(at(area, stride, ROW, s)));
    store<u32>(at(area, stride, ID, k), load<u32>(at(area, stride, ID, s)));
    store<f32>(at(area, stride, SIZE, k), load<f32>(at(area, stride, SIZE, s)));
    store<u32>(at(area, stride, SYNCED, k), load<u32>(at(area, stride, SYNCED, s)));
    const made = load<u32>(at(area, stride, MADE, s));
    store<u32>(at(area, stride, MADE, k), made);
    if (made != NONE) store<u32>(at(area, stride, LOG, made), k);
    store<f32>(at(area, stride, DEAD, k), 0);
  }
  // The chain is short: each of its slots is found by halving.
  for (let c: u32 = 0; c < links; c++) {
    const p = at(area, stride, CHAIN, c);
    const s = load<u32>(p);
    let low: u32 = 0, high = alive;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (load<u32>(scratch + (<usize>middle << 2)) <= s) low = middle;
      else high = middle;
    }
    store<u32>(p, low);
  }
  return kept;
}

/** First row in [row0, row1) whose upper triangle holds a NaN, an infinity or a negative value; n if none. */
export function linkageCheck(d: usize, n: u32, row0: u32, row1: u32): u32 {
  const zero = f32x4.splat(0), top = f32x4.splat(f32.MAX_VALUE);
  for (let i = row0; i < row1; i++) {
    let bad = zero;
    let badTail: bool = false;
    let j = i + 1;
    for (; j + 4 <= n; j += 4) {
      const x = v128.load(d + ((<usize>i * n + j) << 2));
      bad = v128.or(bad, v128.not(v128.and(f32x4.ge(x, zero), f32x4.le(x, top))));
    }
    for (; j < n; j++) {
      const x = load<f32>(d + ((<usize>i * n + j) << 2));
      if (!(x >= 0 && x <= f32.MAX_VALUE)) badTail = true;
    }
    if (badTail || v128.any_true(bad)) return i;
  }
  return n;
}

/**
 * Takes row i's distances to the samples after it (upper: f32[n−1−i]) into the diameters of the clusters that join them: leaf i
 * and the leaves of a sibling subtree lie in one place of the leaves' order, so each is a maximum over a range.
 * position: u32[n]; parent, from, to: u32[2n−1], parent as a merge's number and [from, to) the sibling's leaves; row: f32[n] scratch.
 */
export function linkageDiameterRow(upper: usize, i: u32, n: u32, position: usize, parent: usize, from: usize, to: usize, row: usize, diameter: usize): void {
  memory.fill(row, 0, <usize>n << 2);
  for (let j = i + 1; j < n; j++) {
    store<f32>(row + (<usize>load<u32>(position + (<usize>j << 2)) << 2), load<f32>(upper));
    upper += 4;
  }
  let node = i;
  const root = 2 * n - 2;
  while (node != root) {
    const p = <usize>node << 2;
    const end = row + (<usize>load<u32>(to + p) << 2);
    let q = row + (<usize>load<u32>(from + p) << 2);
    let m = f32x4.splat(0);
    for (; q + 16 <= end; q += 16) m = f32x4.pmax(m, v128.load(q));
    let best = max(max(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1)), max(f32x4.extract_lane(m, 2), f32x4.extract_lane(m, 3)));
    for (; q < end; q += 4) best = max(best, load<f32>(q));
    const merge = load<u32>(parent + p);
    const place = diameter + (<usize>merge << 2);
    if (best > load<f32>(place)) store<f32>(place, best);
    node = n + merge;
  }
}
