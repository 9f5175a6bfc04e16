// Sorting of pairs, u32 key and u32 value side by side, by the key: byte by byte from the lowest, equal keys in the
// order given.

/** Bytes of counts. */
export const COUNTS: usize = 4096;

export function clearCounts(counts: usize): void {
  for (let k: usize = 0; k < COUNTS; k += 16) v128.store(counts + k, i32x4.splat(0));
}

/** Counts a key: each pair's once, before they are sorted. */
// @ts-ignore: decorator
@inline
export function countKey(counts: usize, key: u32): void {
  raise(counts + ((<usize>(key & 0xff)) << 2));
  raise(counts + ((<usize>((key >> 8) & 0xff)) << 2) + 1024);
  raise(counts + ((<usize>((key >> 16) & 0xff)) << 2) + 2048);
  raise(counts + ((<usize>(key >> 24)) << 2) + 3072);
}

// @ts-ignore: decorator
@inline
function raise(p: usize): void {
  store<u32>(p, load<u32>(p) + 1);
}

/**
 * Sorts `bytes` of pairs at `pairs`, whose keys are counted; they stand there again. other: as much room. The counts
 * are used up.
 */
export function sortPairs(pairs: usize, other: usize, bytes: usize, counts: usize): void {
  for (let digit: u32 = 0; digit < 4; digit++) {
    const places = counts + ((<usize>digit) << 10);
    let sum = other;
    for (let k = places; k < places + 1024; k += 4) {
      const c = load<u32>(k);
      store<usize>(k, sum);
      sum += (<usize>c) << 3;
    }
    for (let p = pairs; p < pairs + bytes; p += 8) {
      const pair = load<u64>(p);
      const place = places + ((<usize>(pair >> (digit << 3)) & 0xff) << 2);
      const to = load<usize>(place);
      store<usize>(place, to + 8);
      store<u64>(to, pair);
    }
    const swap = pairs;
    pairs = other;
    other = swap;
  }
}
