// linkage, its log of merges: columns are not written at a merge. A row fetches what changed when it is next looked at, from the
// rows of the clusters made since, which are kept in blocks of sixteen with their values for one column side by side.

export const NONE: u32 = 0xffffffff;

// Arrays of `stride` 4-byte words each, one after another in the work area. A slot is a column that may still be alive.
export const ROW: u32 = 0; // row of the matrix that holds the slot
export const ID: u32 = 1; // cluster in the slot: a sample, or n + its merge's place in the chain's order
export const SIZE: u32 = 2; // f32
export const DEAD: u32 = 3; // f32: 0 alive, +∞ dead
export const SYNCED: u32 = 4; // length of the log when the slot's row was last brought up to date
export const MADE: u32 = 5; // place in the log of the slot's last merge
export const LOG: u32 = 6; // for each block of 16 merges the entries that still hold, slot << 4 | place in the block
export const CHAIN: u32 = 7;
export const LEFT: u32 = 8;
export const RIGHT: u32 = 9;
export const HEIGHT: u32 = 10; // f32
export const SCRATCH: u32 = 11;
export const FREED: u32 = 12; // row of the matrix that each merge in the log set free
export const COUNT: u32 = 13; // entries of each block of the log that still hold
export const CONTROL: u32 = 14; // sixteen bytes for four columns: how compact() moves them
export const ADVANCE: u32 = 15; // and how many bytes of them are kept
export const STATE: u32 = 16; // width, chain length, merges done, log length, first slot that may be alive

// @ts-ignore: decorator
@inline
export function at(area: usize, stride: u32, array: u32, i: u32): usize {
  return area + ((<usize>array * stride + i) << 2);
}

/** Takes slot s's last merge out of the log. */
export function forget(area: usize, stride: u32, s: u32): void {
  const t = load<u32>(at(area, stride, MADE, s));
  if (t == NONE) return;
  store<u32>(at(area, stride, MADE, s), NONE);
  const block = at(area, stride, COUNT, t >> 4);
  const last = load<u32>(block) - 1;
  const entry = (s << 4) | (t & 15);
  let p = at(area, stride, LOG, t & ~15);
  const moved = load<u32>(p + (<usize>last << 2));
  while (load<u32>(p) != entry) p += 4;
  store<u32>(p, moved);
  store<u32>(block, last);
}

/** Columns of a block that one row of the matrix takes, in whole cache lines. */
// @ts-ignore: decorator
@inline
function columnsEach(d: usize, n: u32): u32 {
  if (((d | (<usize>n << 2)) & 63) == 0) return n >> 4;
  return n < 15 ? 0 : (n - 15) >> 4;
}

/** The first cache line of a row. */
// @ts-ignore: decorator
@inline
function lines(d: usize, n: u32, row: u32): usize {
  return (d + ((<usize>row * n) << 2) + 63) & ~63;
}

/**
 * Lays the rows of the sixteen clusters made in log places t, t + 1, … side by side, sixteen values a column, in the sixteen rows that
 * their merges set free: so a row that catches up with them reads one cache line, not sixteen.
 */
export function closeBlock(d: usize, n: u32, area: usize, stride: u32, width: u32, t: u32): void {
  const freed = at(area, stride, FREED, t);
  // Places whose cluster has been joined since hold anything: no one reads them.
  const count = load<u32>(at(area, stride, COUNT, t >> 4));
  const any = at(area, stride, SCRATCH, 0);
  const bytes = <usize>n << 2;
  const log = at(area, stride, LOG, t);
  for (let i: u32 = 0; i < 16; i++) store<usize>(any + (<usize>i << 2), d + <usize>load<u32>(at(area, stride, ROW, load<u32>(log) >> 4)) * bytes);
  for (let i: u32 = 0; i < count; i++) {
    const entry = load<u32>(log + (<usize>i << 2));
    store<usize>(any + (<usize>(entry & 15) << 2), d + <usize>load<u32>(at(area, stride, ROW, entry >> 4)) * bytes);
  }
  const each = columnsEach(d, n);
  for (let quarter: u32 = 0; quarter < 4; quarter++) {
    const four = any + (<usize>quarter << 4);
    let p0 = load<usize>(four), p1 = load<usize>(four, 4), p2 = load<usize>(four, 8), p3 = load<usize>(four, 12);
    for (let i: u32 = 0, c: u32 = 0; i < 16 && c < width; i++) {
      let q = lines(d, n, load<u32>(freed + (<usize>i << 2))) + (<usize>quarter << 4);
      const end = min(c + each, width);
      for (; c + 4 <= end; c += 4) {
        const a0 = v128.load(p0), a1 = v128.load(p1), a2 = v128.load(p2), a3 = v128.load(p3);
        const b0 = i32x4.shuffle(a0, a1, 0, 4, 1, 5), b1 = i32x4.shuffle(a0, a1, 2, 6, 3, 7);
        const b2 = i32x4.shuffle(a2, a3, 0, 4, 1, 5), b3 = i32x4.shuffle(a2, a3, 2, 6, 3, 7);
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
  const synced = load<u32>(at(area, stride, SYNCED, x));
  if (synced == logged) return;
  store<u32>(at(area, stride, SYNCED, x), logged);
  const each = columnsEach(d, n);
  // The last columns of a matrix whose side is no multiple of sixteen have no place in the blocks: up to thirty.
  const closed = x < each << 4 ? logged & ~15 : 0;
  const piece = each ? x / each : 0;
  const place = <usize>(x - piece * each) << 6;
  const bytes = <usize>n << 2;
  // All lines first, so that they come together.
  for (let t = synced & ~15; t < closed; t += 16) load<u32>(lines(d, n, load<u32>(at(area, stride, FREED, t + piece))) + place);
  for (let t = synced & ~15; t < logged; t += 16) {
    let p = at(area, stride, LOG, t);
    const end = p + (<usize>load<u32>(at(area, stride, COUNT, t >> 4)) << 2);
    // Distances that x had before it was joined itself are out of date.
    const since = t < synced ? synced & 15 : 0;
    const line = t < closed ? lines(d, n, load<u32>(at(area, stride, FREED, t + piece))) + place : 0;
    for (; p < end; p += 4) {
      const entry = load<u32>(p);
      if ((entry & 15) < since) continue;
      const s = entry >> 4;
      const from = line ? line + (<usize>(entry & 15) << 2) : d + <usize>load<u32>(at(area, stride, ROW, s)) * bytes + (<usize>x << 2);
      store<f32>(row + (<usize>s << 2), load<f32>(from));
    }
  }
}
