// linkage: nearest-neighbour chain on a full symmetric f32 matrix, which is used up.

import { fetch } from '../../../assembly/lanes';
import { at, catchUp, closeBlock, forget, NONE } from './log';
import { mean } from './mean';
import { Area, State } from '../memory';

const BLOCK: u32 = 512;

/** Fills the work area for a new run. */
export function linkageStart(n: u32, area: usize): void {
  const stride = (n + 3) & ~3;
  for (let i: u32 = 0; i < n; i++) {
    store<u32>(at(area, stride, Area.row, i), i);
    store<u32>(at(area, stride, Area.id, i), i);
    store<f32>(at(area, stride, Area.size, i), 1);
    store<f32>(at(area, stride, Area.dead, i), 0);
    store<u32>(at(area, stride, Area.synced, i), 0);
    store<u32>(at(area, stride, Area.made, i), NONE);
  }
  const state = at(area, stride, Area.state, 0);
  store<u32>(state, n);
  for (let k: u32 = 1; k < <u32>State.size; k++) store<u32>(state + (k << 2), 0);
}

/**
 * Goes on until `until` merges are done. method: 0 average, 1 single, 2 complete. Merges come in the order of the
 * chain, as (cluster, cluster, height) in LEFT, RIGHT and HEIGHT of the area: a sample, or n + the place of its
 * merge. `linkageLabel` sorts them. Ties as in SciPy: the chain starts at the lowest index, keeps the neighbour it
 * came from, else takes the lowest index; the joined cluster stands in the place of the higher one.
 */
export function linkageRun(d: usize, n: u32, area: usize, method: i32, until: u32): void {
  const stride = (n + 3) & ~3;
  const state = at(area, stride, Area.state, 0);
  let width = load<u32>(state);
  let links = load<u32>(state, State.chainLength << 2);
  let done = load<u32>(state, State.merges << 2);
  let logged = load<u32>(state, State.logLength << 2);
  let first = load<u32>(state, State.first << 2);
  const chain = at(area, stride, Area.chain, 0);
  const dead = at(area, stride, Area.dead, 0);
  while (done < until) {
    if (links == 0) {
      while (load<f32>(dead + ((<usize>first) << 2)) != 0) first++;
      store<u32>(chain, first);
      links = 1;
    }
    const x = load<u32>(chain + ((<usize>(links - 1)) << 2));
    const row = d + ((<usize>load<u32>(at(area, stride, Area.row, x)) * n) << 2);
    fetch(row, width << 2);
    catchUp(d, n, area, stride, x, row, logged);
    const y = nearest(row, dead, width, x);
    let best = load<f32>(row + ((<usize>y) << 2));
    let mate = y;
    if (links > 1) {
      const previous = load<u32>(chain + ((<usize>(links - 2)) << 2));
      const back = load<f32>(row + ((<usize>previous) << 2));
      if (!(best < back)) {
        best = back;
        mate = previous;
      }
      if (mate == previous) {
        // The chain may have come back to it after other merges.
        catchUp(d, n, area, stride, mate, d + ((<usize>load<u32>(at(area, stride, Area.row, mate)) * n) << 2), logged);
        const low = min(x, mate),
          high = max(x, mate);
        const sizeLow = load<f32>(at(area, stride, Area.size, low)),
          sizeHigh = load<f32>(at(area, stride, Area.size, high));
        const to = d + ((<usize>load<u32>(at(area, stride, Area.row, high)) * n) << 2);
        const other = d + ((<usize>load<u32>(at(area, stride, Area.row, low)) * n) << 2);
        join(to, other, width, method, sizeLow / (sizeLow + sizeHigh));
        store<f32>(at(area, stride, Area.size, high), sizeLow + sizeHigh);
        store<f32>(at(area, stride, Area.dead, low), Infinity);
        forget(area, stride, low);
        forget(area, stride, high);
        const block = at(area, stride, Area.count, logged >> 4);
        const held = logged & 15 ? load<u32>(block) : 0;
        store<u32>(at(area, stride, Area.log, (logged & ~15) + held), (high << 4) | (logged & 15));
        store<u32>(block, held + 1);
        store<u32>(at(area, stride, Area.made, high), logged);
        store<u32>(at(area, stride, Area.freed, logged), load<u32>(at(area, stride, Area.row, low)));
        logged++;
        if ((logged & 15) == 0) closeBlock(d, n, area, stride, width, logged - 16);
        store<u32>(at(area, stride, Area.synced, high), logged);
        store<u32>(at(area, stride, Area.left, done), load<u32>(at(area, stride, Area.id, low)));
        store<u32>(at(area, stride, Area.right, done), load<u32>(at(area, stride, Area.id, high)));
        store<f32>(at(area, stride, Area.height, done), best);
        store<u32>(at(area, stride, Area.id, high), n + done);
        done++;
        links -= 2;
        const alive = n - done;
        if (width > 64 && alive * 2 <= width) {
          compact(d, n, area, stride, width, links, logged);
          logged = 0;
          width = alive;
          first = 0;
        }
        continue;
      }
    }
    store<u32>(chain + ((<usize>links) << 2), mate);
    links++;
  }
  store<u32>(state, width);
  store<u32>(state, links, State.chainLength << 2);
  store<u32>(state, done, State.merges << 2);
  store<u32>(state, logged, State.logLength << 2);
  store<u32>(state, first, State.first << 2);
}

/** The unmerged slot other than x with the least distance, the lowest of equals. */
function nearest(row: usize, dead: usize, width: u32, x: u32): u32 {
  store<f32>(dead + ((<usize>x) << 2), Infinity);
  let best: f32 = Infinity;
  let block: u32 = 0;
  for (let start: u32 = 0; start < width; start += BLOCK) {
    const end = min(start + BLOCK, width);
    let m0 = f32x4.splat(Infinity),
      m1 = m0,
      m2 = m0,
      m3 = m0;
    let j = start;
    for (; j + 16 <= end; j += 16) {
      const p = row + ((<usize>j) << 2),
        q = dead + ((<usize>j) << 2);
      m0 = f32x4.pmin(m0, f32x4.pmax(v128.load(p), v128.load(q)));
      m1 = f32x4.pmin(m1, f32x4.pmax(v128.load(p, 16), v128.load(q, 16)));
      m2 = f32x4.pmin(m2, f32x4.pmax(v128.load(p, 32), v128.load(q, 32)));
      m3 = f32x4.pmin(m3, f32x4.pmax(v128.load(p, 48), v128.load(q, 48)));
    }
    m0 = f32x4.pmin(f32x4.pmin(m0, m1), f32x4.pmin(m2, m3));
    let m = min(
      min(f32x4.extract_lane(m0, 0), f32x4.extract_lane(m0, 1)),
      min(f32x4.extract_lane(m0, 2), f32x4.extract_lane(m0, 3)),
    );
    for (; j < end; j++) m = min(m, max(load<f32>(row + ((<usize>j) << 2)), load<f32>(dead + ((<usize>j) << 2))));
    if (m < best) {
      best = m;
      block = start;
    }
  }
  // The first that has it, sixteen at a time.
  const v = f32x4.splat(best);
  for (; block + 16 <= width; block += 16) {
    const p = row + ((<usize>block) << 2),
      q = dead + ((<usize>block) << 2);
    const a = f32x4.eq(f32x4.pmax(v128.load(p), v128.load(q)), v),
      b = f32x4.eq(f32x4.pmax(v128.load(p, 16), v128.load(q, 16)), v);
    const c = f32x4.eq(f32x4.pmax(v128.load(p, 32), v128.load(q, 32)), v),
      e = f32x4.eq(f32x4.pmax(v128.load(p, 48), v128.load(q, 48)), v);
    const bits = i32x4.bitmask(a) | (i32x4.bitmask(b) << 4) | (i32x4.bitmask(c) << 8) | (i32x4.bitmask(e) << 12);
    if (bits) {
      block += ctz(bits);
      break;
    }
  }
  while (max(load<f32>(row + ((<usize>block) << 2)), load<f32>(dead + ((<usize>block) << 2))) != best) block++;
  store<f32>(dead + ((<usize>x) << 2), 0);
  return block;
}

/**
 * Lance–Williams: row `to` of the joined cluster. share: of the other one in its size. The average never falls below
 * the lower of the two, rounding included: then the chain's order and the heights' order hold exactly.
 */
function join(to: usize, other: usize, width: u32, method: i32, share: f32): void {
  const w = f32x4.splat(share);
  let j: u32 = 0;
  for (; j + 4 <= width; j += 4) {
    const p = to + ((<usize>j) << 2);
    const a = v128.load(p),
      b = v128.load(other + ((<usize>j) << 2));
    if (method == 0) v128.store(p, mean(a, b, w));
    else if (method == 1) v128.store(p, f32x4.pmin(a, b));
    else v128.store(p, f32x4.pmax(a, b));
  }
  for (; j < width; j++) {
    const p = to + ((<usize>j) << 2);
    const a = load<f32>(p),
      b = load<f32>(other + ((<usize>j) << 2));
    store<f32>(
      p,
      method == 0 ? max<f32>(a + share * (b - a), min<f32>(a, b)) : method == 1 ? min<f32>(a, b) : max<f32>(a, b),
    );
  }
}

// Whether slot x was joined at the log's place `open` or later.
// @ts-ignore: decorator
@inline
function isIn(area: usize, stride: u32, x: u32, open: u32): bool {
  const made = load<u32>(at(area, stride, Area.made, x));
  return made != NONE && made >= open;
}

/**
 * Brings the unmerged rows up to date and closes up their columns, in their order; the log is empty then. Rows stay
 * where they are.
 */
function compact(d: usize, n: u32, area: usize, stride: u32, width: u32, links: u32, logged: u32): void {
  const scratch = at(area, stride, Area.scratch, 0);
  const dead = at(area, stride, Area.dead, 0);
  // scratch: the unmerged slots in order.
  let alive: u32 = 0;
  for (let s: u32 = 0; s < width; s++) {
    if (load<f32>(dead + ((<usize>s) << 2)) != 0) continue;
    store<u32>(scratch + ((<usize>alive) << 2), s);
    alive++;
  }
  const fours = width >> 2;
  const control = at(area, stride, Area.control, 0),
    advance = at(area, stride, Area.advance, 0);
  for (let g: u32 = 0; g < fours; g++) {
    let kept: usize = 0;
    for (let lane: u32 = 0; lane < 4; lane++) {
      if (load<f32>(dead + ((<usize>(4 * g + lane)) << 2)) != 0) continue;
      store<u32>(control + ((<usize>g) << 4) + kept, 0x03020100 + lane * 0x04040404);
      kept += 4;
    }
    store<usize>(advance + ((<usize>g) << 2), kept);
  }
  // The log's open block is read from the rows of its clusters. So these rows are closed up last, and know of each
  // other before. The columns outside the blocks are read there too, but closing up leaves the end of a row as it
  // was.
  const open = logged & ~15;
  for (let k: u32 = 0; k < alive; k++) {
    const x = load<u32>(scratch + ((<usize>k) << 2));
    if (isIn(area, stride, x, open))
      catchUp(d, n, area, stride, x, d + ((<usize>load<u32>(at(area, stride, Area.row, x)) * n) << 2), logged);
  }
  for (let last = 0; last < 2; last++) {
    for (let k: u32 = 0; k < alive; k++) {
      const x = load<u32>(scratch + ((<usize>k) << 2));
      if (u32(isIn(area, stride, x, open)) != last) continue;
      const row = d + ((<usize>load<u32>(at(area, stride, Area.row, x)) * n) << 2);
      fetch(row, width << 2);
      catchUp(d, n, area, stride, x, row, logged);
      // What is written lies at or before what was read.
      let to = row;
      for (let g: u32 = 0; g < fours; g++) {
        v128.store(to, i8x16.swizzle(v128.load(row + ((<usize>g) << 4)), v128.load(control + ((<usize>g) << 4))));
        to += load<usize>(advance + ((<usize>g) << 2));
      }
      for (let c = fours << 2; c < width; c++) {
        if (load<f32>(dead + ((<usize>c) << 2)) != 0) continue;
        store<f32>(to, load<f32>(row + ((<usize>c) << 2)));
        to += 4;
      }
    }
  }
  for (let k: u32 = 0; k < alive; k++) {
    const s = load<u32>(scratch + ((<usize>k) << 2));
    store<u32>(at(area, stride, Area.row, k), load<u32>(at(area, stride, Area.row, s)));
    store<u32>(at(area, stride, Area.id, k), load<u32>(at(area, stride, Area.id, s)));
    store<f32>(at(area, stride, Area.size, k), load<f32>(at(area, stride, Area.size, s)));
    store<u32>(at(area, stride, Area.synced, k), 0);
    store<u32>(at(area, stride, Area.made, k), NONE);
    store<f32>(at(area, stride, Area.dead, k), 0);
  }
  // The chain is short: each of its slots is found by halving.
  for (let c: u32 = 0; c < links; c++) {
    const p = at(area, stride, Area.chain, c);
    const s = load<u32>(p);
    let low: u32 = 0,
      high = alive;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (load<u32>(scratch + ((<usize>middle) << 2)) <= s) low = middle;
      else high = middle;
    }
    store<u32>(p, low);
  }
}

/**
 * Takes row i's distances to the samples after it (upper: f32[n−1−i]) into the diameters of the clusters that join
 * them: leaf i and the leaves of a sibling subtree lie in one place of the leaves' order, so each is a maximum over a
 * range. position: u32[n]; parent, from, to: u32[2n−1], parent as a merge's number and [from, to) the sibling's
 * leaves; row: f32[n] scratch, 0 before sample 0; samples come in order, so that what a row has no value for is 0
 * already.
 */
export function linkageDiameterRow(
  upper: usize,
  i: u32,
  n: u32,
  position: usize,
  parent: usize,
  from: usize,
  to: usize,
  row: usize,
  diameter: usize,
): void {
  let p = position + ((<usize>i) << 2);
  const stop = position + ((<usize>n) << 2);
  store<f32>(row + ((<usize>load<u32>(p)) << 2), 0);
  p += 4;
  for (; p + 16 <= stop; p += 16) {
    store<f32>(row + ((<usize>load<u32>(p)) << 2), load<f32>(upper));
    store<f32>(row + ((<usize>load<u32>(p, 4)) << 2), load<f32>(upper, 4));
    store<f32>(row + ((<usize>load<u32>(p, 8)) << 2), load<f32>(upper, 8));
    store<f32>(row + ((<usize>load<u32>(p, 12)) << 2), load<f32>(upper, 12));
    upper += 16;
  }
  for (; p < stop; p += 4) {
    store<f32>(row + ((<usize>load<u32>(p)) << 2), load<f32>(upper));
    upper += 4;
  }
  let node = i;
  const root = 2 * n - 2;
  while (node != root) {
    const p = (<usize>node) << 2;
    const end = row + ((<usize>load<u32>(to + p)) << 2);
    let q = row + ((<usize>load<u32>(from + p)) << 2);
    let m = f32x4.splat(0);
    for (; q + 16 <= end; q += 16) m = f32x4.pmax(m, v128.load(q));
    let best = max(
      max(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1)),
      max(f32x4.extract_lane(m, 2), f32x4.extract_lane(m, 3)),
    );
    for (; q < end; q += 4) best = max(best, load<f32>(q));
    const merge = load<u32>(parent + p);
    const place = diameter + ((<usize>merge) << 2);
    if (best > load<f32>(place)) store<f32>(place, best);
    node = n + merge;
  }
}
