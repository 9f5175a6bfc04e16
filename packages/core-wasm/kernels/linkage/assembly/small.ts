// linkage of a matrix that fits a cache: the same chain as in ../assembly.ts, with a plain list of merges in place of
// the log in blocks. A row fetches the distances to clusters made since it was last looked at, each from the row of
// that cluster; a matrix in a cache hands single values out fast enough. Distances of joined clusters are the same to
// the last bit: the same sums in the same order.

import { at } from './log';
import { mean } from './mean';
import { Area } from '../memory';

// Merges between two clearings of the list.
const CLEAR: u32 = 15;
// Narrower matrices are not closed up.
const NARROW: u32 = 32;

/**
 * All merges of the n samples (4 … 65535), as `linkageRun` leaves them in the area: (cluster, cluster, height) in the
 * order of the chain. The area needs no start.
 */
export function linkageSmall(d: usize, n: u32, area: usize, method: i32): void {
  const stride = (n + 3) & ~3;
  const id = at(area, stride, Area.id, 0),
    size = at(area, stride, Area.size, 0),
    dead = at(area, stride, Area.dead, 0);
  const synced = at(area, stride, Area.synced, 0),
    made = at(area, stride, Area.made, 0),
    chain = at(area, stride, Area.chain, 0);
  const left = at(area, stride, Area.left, 0),
    right = at(area, stride, Area.right, 0),
    height = at(area, stride, Area.height, 0);
  // Entries time << 16 | slot, of rising time; before them one of time 0. Entries whose slot was joined since do no
  // harm: what is fetched for them is not looked at, or fetched again.
  const list = at(area, stride, Area.log, 0);
  let width = n;
  // From one row to the next.
  let bytes = (<usize>n) << 2;
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    store<u32>(id + i, u32(i >> 2));
    store<f32>(size + i, 1);
    store<f32>(dead + i, 0);
    store<u32>(synced + i, 1);
    store<u32>(made + i, 0);
    // No cluster is its own neighbour.
    store<f32>(d + (i >> 2) * bytes + i, Infinity);
  }
  store<u32>(list, 0);
  let end = list;
  let links: usize = 0;
  let first: usize = 0;
  let alive = n;
  for (let time: u32 = 1; time < n; ) {
    if (links == 0) {
      while (load<f32>(dead + first) != 0) first += 4;
      store<usize>(chain, first >> 2);
      links = 4;
    }
    const x = load<u32>(chain + links - 4);
    const row = d + x * bytes;
    fetchMade(d, bytes, synced, x, row, end, time);
    const y = nearest(row, dead, width);
    let best = load<f32>(row + ((<usize>y) << 2));
    let mate = y;
    if (links > 4) {
      const previous = load<u32>(chain + links - 8);
      const back = load<f32>(row + ((<usize>previous) << 2));
      if (!(best < back)) {
        best = back;
        mate = previous;
      }
      if (mate == previous) {
        // The chain may have come back to it after other merges.
        fetchMade(d, bytes, synced, mate, d + mate * bytes, end, time);
        const low = (<usize>min(x, mate)) << 2,
          high = (<usize>max(x, mate)) << 2;
        const sizeLow = load<f32>(size + low),
          sizeHigh = load<f32>(size + high);
        const to = d + (high >> 2) * bytes;
        join(to, d + (low >> 2) * bytes, width, method, sizeLow / (sizeLow + sizeHigh));
        store<f32>(to + high, Infinity);
        store<f32>(size + high, sizeLow + sizeHigh);
        store<f32>(dead + low, Infinity);
        store<u32>(made + low, 0);
        store<u32>(made + high, time);
        store<u32>(synced + high, time + 1);
        const merge = (<usize>(time - 1)) << 2;
        store<u32>(left + merge, load<u32>(id + low));
        store<u32>(right + merge, load<u32>(id + high));
        store<f32>(height + merge, best);
        store<u32>(id + high, n + time - 1);
        end += 4;
        store<u32>(end, (time << 16) | u32(high >> 2));
        if ((time & CLEAR) == 0) end = clear(list, end, made);
        time++;
        alive--;
        links -= 8;
        if (alive * 2 <= width && width > NARROW) {
          end = clear(list, end, made);
          bytes = closeUp(d, bytes, area, stride, width, links, end);
          width = u32(bytes >> 2);
          first = 0;
        }
        continue;
      }
    }
    store<u32>(chain + links, mate);
    links += 4;
  }
}

/** Fetches row x's distances to clusters made since it was last looked at. */
// @ts-ignore: decorator
@inline
function fetchMade(d: usize, bytes: usize, synced: usize, x: u32, row: usize, end: usize, time: u32): void {
  const p = synced + ((<usize>x) << 2);
  const since = load<u32>(p) << 16;
  store<u32>(p, time);
  const column = d + ((<usize>x) << 2);
  for (;;) {
    const entry = load<u32>(end);
    if (entry < since) break;
    const s = <usize>(entry & 0xffff);
    store<f32>(row + (s << 2), load<f32>(column + s * bytes));
    end -= 4;
  }
}

/** The unmerged slot with the least distance, the lowest of equals. width: at least four. */
function nearest(row: usize, dead: usize, width: u32): u32 {
  const whole = (<usize>(width & ~15)) << 2,
    last = (<usize>(width - 4)) << 2;
  // The last four overlap those before them. Garbage where a slot is dead may be NaN: dead goes first.
  let m0 = f32x4.pmax(v128.load(dead + last), v128.load(row + last)),
    m1 = m0,
    m2 = m0,
    m3 = m0;
  let o: usize = 0;
  for (; o < whole; o += 64) {
    const p = row + o,
      q = dead + o;
    m0 = f32x4.pmin(m0, f32x4.pmax(v128.load(q), v128.load(p)));
    m1 = f32x4.pmin(m1, f32x4.pmax(v128.load(q, 16), v128.load(p, 16)));
    m2 = f32x4.pmin(m2, f32x4.pmax(v128.load(q, 32), v128.load(p, 32)));
    m3 = f32x4.pmin(m3, f32x4.pmax(v128.load(q, 48), v128.load(p, 48)));
  }
  for (; o < last; o += 16) m0 = f32x4.pmin(m0, f32x4.pmax(v128.load(dead + o), v128.load(row + o)));
  m0 = f32x4.pmin(f32x4.pmin(m0, m1), f32x4.pmin(m2, m3));
  m0 = f32x4.pmin(m0, i32x4.shuffle(m0, m0, 2, 3, 0, 1));
  m0 = f32x4.pmin(m0, i32x4.shuffle(m0, m0, 1, 0, 3, 2));
  // The first that has it, sixteen at a time.
  for (o = 0; o < whole; o += 64) {
    const p = row + o,
      q = dead + o;
    const a = f32x4.eq(m0, f32x4.pmax(v128.load(q), v128.load(p))),
      b = f32x4.eq(m0, f32x4.pmax(v128.load(q, 16), v128.load(p, 16)));
    const c = f32x4.eq(m0, f32x4.pmax(v128.load(q, 32), v128.load(p, 32))),
      e = f32x4.eq(m0, f32x4.pmax(v128.load(q, 48), v128.load(p, 48)));
    const bits = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, e)));
    if (bits) return u32(o >> 2) + ctz(bits);
  }
  for (; o < last; o += 16) {
    const bits = i32x4.bitmask(f32x4.eq(m0, f32x4.pmax(v128.load(dead + o), v128.load(row + o))));
    if (bits) return u32(o >> 2) + ctz(bits);
  }
  return u32(last >> 2) + ctz(i32x4.bitmask(f32x4.eq(m0, f32x4.pmax(v128.load(dead + last), v128.load(row + last)))));
}

/** Row `to` of the joined cluster. share: of the other one in its size. */
function join(to: usize, other: usize, width: u32, method: i32, share: f32): void {
  const w = f32x4.splat(share);
  const by = other - to;
  // The last four overlap those before them: from the values as they were.
  const last = to + ((<usize>(width - 4)) << 2);
  const a = v128.load(last),
    b = v128.load(last + by);
  if (method == 0) {
    for (; to < last; to += 16) v128.store(to, mean(v128.load(to), v128.load(to + by), w));
    v128.store(last, mean(a, b, w));
  } else if (method == 1) {
    for (; to < last; to += 16) v128.store(to, f32x4.pmin(v128.load(to), v128.load(to + by)));
    v128.store(last, f32x4.pmin(a, b));
  } else {
    for (; to < last; to += 16) v128.store(to, f32x4.pmax(v128.load(to), v128.load(to + by)));
    v128.store(last, f32x4.pmax(a, b));
  }
}

/** Takes entries whose slot was joined since out of the list; returns its new end. */
function clear(list: usize, end: usize, made: usize): usize {
  let to = list + 4;
  for (let p = to; p <= end; p += 4) {
    const entry = load<u32>(p);
    store<u32>(to, entry);
    to += (<usize>(load<u32>(made + ((<usize>(entry & 0xffff)) << 2)) == entry >> 16)) << 2;
  }
  return to - 4;
}

/**
 * Closes up the rows and columns that are alive, in their order; what a row has not fetched yet it fetches later from
 * where it is then. Returns the new bytes of a row, a multiple of 16: columns that fill it up are dead.
 */
function closeUp(d: usize, bytes: usize, area: usize, stride: u32, width: u32, links: usize, end: usize): usize {
  const dead = at(area, stride, Area.dead, 0),
    from = at(area, stride, Area.scratch, 0),
    place = at(area, stride, Area.freed, 0);
  let alive: usize = 0;
  for (let s: usize = 0; s < (<usize>width) << 2; s += 4) {
    store<usize>(place + s, alive >> 2);
    store<usize>(from + alive, s);
    alive += (<usize>(load<f32>(dead + s) == 0)) << 2;
  }
  const wide = (alive + 15) & ~15;
  let to = d;
  for (let k: usize = 0; k < alive; k += 4) {
    const row = d + (load<usize>(from + k) >> 2) * bytes;
    let c: usize = 0;
    for (; c + 16 <= alive; c += 16) {
      const p = from + c,
        q = to + c;
      store<f32>(q, load<f32>(row + load<usize>(p)));
      store<f32>(q, load<f32>(row + load<usize>(p, 4)), 4);
      store<f32>(q, load<f32>(row + load<usize>(p, 8)), 8);
      store<f32>(q, load<f32>(row + load<usize>(p, 12)), 12);
    }
    for (; c < alive; c += 4) store<f32>(to + c, load<f32>(row + load<usize>(from + c)));
    to += wide;
  }
  for (let k: usize = 0; k < alive; k += 4) {
    const s = load<usize>(from + k);
    store<u32>(at(area, stride, Area.id, 0) + k, load<u32>(at(area, stride, Area.id, 0) + s));
    store<f32>(at(area, stride, Area.size, 0) + k, load<f32>(at(area, stride, Area.size, 0) + s));
    store<u32>(at(area, stride, Area.synced, 0) + k, load<u32>(at(area, stride, Area.synced, 0) + s));
    store<u32>(at(area, stride, Area.made, 0) + k, load<u32>(at(area, stride, Area.made, 0) + s));
    store<f32>(dead + k, 0);
  }
  for (let k = alive; k < wide; k += 4) store<f32>(dead + k, Infinity);
  for (let p = at(area, stride, Area.log, 1); p <= end; p += 4) {
    const entry = load<u32>(p);
    store<u32>(p, (entry & 0xffff0000) | load<u32>(place + ((<usize>(entry & 0xffff)) << 2)));
  }
  const chain = at(area, stride, Area.chain, 0);
  for (let p = chain; p < chain + links; p += 4) store<u32>(p, load<u32>(place + ((<usize>load<u32>(p)) << 2)));
  return wide;
}
