// linkage, its log of merges: columns are not written at a merge. A row fetches what changed when it is next looked
// at, from the rows of the clusters made since, which are kept in blocks of sixteen with their values for one column
// side by side.

import { Area } from '../memory';

export const NONE: u32 = 0xffffffff;

// @ts-ignore: decorator
@inline
export function at(area: usize, stride: u32, array: u32, i: u32): usize {
  return area + ((<usize>array * stride + i) << 2);
}

/** Takes slot s's last merge out of the log. */
export function forget(area: usize, stride: u32, s: u32): void {
  const t = load<u32>(at(area, stride, Area.made, s));
  if (t == NONE) return;
  store<u32>(at(area, stride, Area.made, s), NONE);
  const block = at(area, stride, Area.count, t >> 4);
  const last = load<u32>(block) - 1;
  const entry = (s << 4) | (t & 15);
  let p = at(area, stride, Area.log, t & ~15);
  const moved = load<u32>(p + ((<usize>last) << 2));
  while (load<u32>(p) != entry) p += 4;
  store<u32>(p, moved);
  store<u32>(block, last);
}

/** Columns of a block that one row of the matrix takes, in whole cache lines. */
// @ts-ignore: decorator
@inline
function columnsEach(d: usize, n: u32): u32 {
  if (((d | ((<usize>n) << 2)) & 63) == 0) return n >> 4;
  return n < 15 ? 0 : (n - 15) >> 4;
}

/** The first cache line of a row. */
// @ts-ignore: decorator
@inline
function lines(d: usize, n: u32, row: u32): usize {
  return (d + ((<usize>row * n) << 2) + 63) & ~63;
}

/**
 * Lays the rows of the sixteen clusters made in log places t, t + 1, … side by side, sixteen values a column, in the
 * sixteen rows that their merges set free: so a row that catches up with them reads one cache line, not sixteen.
 */
export function closeBlock(d: usize, n: u32, area: usize, stride: u32, width: u32, t: u32): void {
  const freed = at(area, stride, Area.freed, t);
  // Places whose cluster has been joined since hold anything: no one reads them.
  const count = load<u32>(at(area, stride, Area.count, t >> 4));
  const any = at(area, stride, Area.scratch, 0);
  const bytes = (<usize>n) << 2;
  const log = at(area, stride, Area.log, t);
  for (let i: u32 = 0; i < 16; i++)
    store<usize>(
      any + ((<usize>i) << 2),
      d + <usize>load<u32>(at(area, stride, Area.row, load<u32>(log) >> 4)) * bytes,
    );
  for (let i: u32 = 0; i < count; i++) {
    const entry = load<u32>(log + ((<usize>i) << 2));
    store<usize>(
      any + ((<usize>(entry & 15)) << 2),
      d + <usize>load<u32>(at(area, stride, Area.row, entry >> 4)) * bytes,
    );
  }
  const each = columnsEach(d, n);
  for (let quarter: u32 = 0; quarter < 4; quarter++) {
    const four = any + ((<usize>quarter) << 4);
    let p0 = load<usize>(four),
      p1 = load<usize>(four, 4),
      p2 = load<usize>(four, 8),
      p3 = load<usize>(four, 12);
    for (let i: u32 = 0, c: u32 = 0; i < 16 && c < width; i++) {
      let q = lines(d, n, load<u32>(freed + ((<usize>i) << 2))) + ((<usize>quarter) << 4);
      const end = min(c + each, width);
      for (; c + 4 <= end; c += 4) {
        const a0 = v128.load(p0),
          a1 = v128.load(p1),
          a2 = v128.load(p2),
          a3 = v128.load(p3);
        const b0 = i32x4.shuffle(a0, a1, 0, 4, 1, 5),
          b1 = i32x4.shuffle(a0, a1, 2, 6, 3, 7);
        const b2 = i32x4.shuffle(a2, a3, 0, 4, 1, 5),
          b3 = i32x4.shuffle(a2, a3, 2, 6, 3, 7);
        v128.store(q, i64x2.shuffle(b0, b2, 0, 2));
        v128.store(q, i64x2.shuffle(b0, b2, 1, 3), 64);
        v128.store(q, i64x2.shuffle(b1, b3, 0, 2), 128);
        v128.store(q, i64x2.shuffle(b1, b3, 1, 3), 192);
        p0 += 16;
        p1 += 16;
        p2 += 16;
        p3 += 16;
        q += 256;
      }
      for (; c < end; c++) {
        store<f32>(q, load<f32>(p0));
        store<f32>(q, load<f32>(p1), 4);
        store<f32>(q, load<f32>(p2), 8);
        store<f32>(q, load<f32>(p3), 12);
        p0 += 4;
        p1 += 4;
        p2 += 4;
        p3 += 4;
        q += 64;
      }
    }
  }
}

/** Fetches the distances to clusters made since row x was last looked at. */
export function catchUp(d: usize, n: u32, area: usize, stride: u32, x: u32, row: usize, logged: u32): void {
  const synced = load<u32>(at(area, stride, Area.synced, x));
  if (synced == logged) return;
  store<u32>(at(area, stride, Area.synced, x), logged);
  const each = columnsEach(d, n);
  // The last columns of a matrix whose side is no multiple of sixteen have no place in the blocks: up to thirty.
  const closed = x < each << 4 ? logged & ~15 : 0;
  const piece = each ? x / each : 0;
  const place = (<usize>(x - piece * each)) << 6;
  const bytes = (<usize>n) << 2;
  // All lines first, so that they come together.
  for (let t = synced & ~15; t < closed; t += 16)
    load<u32>(lines(d, n, load<u32>(at(area, stride, Area.freed, t + piece))) + place);
  for (let t = synced & ~15; t < logged; t += 16) {
    let p = at(area, stride, Area.log, t);
    const end = p + ((<usize>load<u32>(at(area, stride, Area.count, t >> 4))) << 2);
    // Distances that x had before it was joined itself are out of date.
    const since = t < synced ? synced & 15 : 0;
    const line = t < closed ? lines(d, n, load<u32>(at(area, stride, Area.freed, t + piece))) + place : 0;
    for (; p < end; p += 4) {
      const entry = load<u32>(p);
      if ((entry & 15) < since) continue;
      const s = entry >> 4;
      const from = line
        ? line + ((<usize>(entry & 15)) << 2)
        : d + <usize>load<u32>(at(area, stride, Area.row, s)) * bytes + ((<usize>x) << 2);
      store<f32>(row + ((<usize>s) << 2), load<f32>(from));
    }
  }
}
