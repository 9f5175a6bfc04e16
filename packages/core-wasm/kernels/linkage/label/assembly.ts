// linkage, its labels: merges sorted by height, clusters numbered.

import { at, HEIGHT, LEFT, RIGHT, SCRATCH, STATE } from "../log/assembly";

/**
 * Sorts the merges in LEFT, RIGHT and HEIGHT of the area by height, equal ones in the order given, and numbers the clusters as SciPy does:
 * the cluster made by the t-th merge in that order is n + t, and the lower number stands left. They come as left, right, height and size in
 * four arrays of the area from SCRATCH on; the rest of it is used up, and the 1024 words after its state.
 */
export function linkageLabel(n: u32, area: usize): void {
  const stride = (n + 3) & ~3;
  const m = <usize>(n - 1) << 2, bytes = <usize>stride << 2;
  const left = at(area, stride, LEFT, 0), right = at(area, stride, RIGHT, 0), height = at(area, stride, HEIGHT, 0);
  // Pairs of bits and merge, sorted byte by byte from the lowest. The bits of heights rise as they do; the highest is that of −0, which becomes 0.
  let pairs = area, other = at(area, stride, 2, 0);
  const counts = at(area, stride, STATE, 8);
  for (let k: usize = 0; k < 4096; k += 16) v128.store(counts + k, i32x4.splat(0));
  for (let t: usize = 0; t < m; t += 4) {
    const bits = load<u32>(height + t) & 0x7fffffff;
    store<u32>(pairs + 2 * t, bits);
    store<usize>(pairs + 2 * t, t, 4);
    count(counts + (<usize>(bits & 0xff) << 2));
    count(counts + (<usize>((bits >> 8) & 0xff) << 2) + 1024);
    count(counts + (<usize>((bits >> 16) & 0xff) << 2) + 2048);
    count(counts + (<usize>(bits >> 24) << 2) + 3072);
  }
  for (let digit: u32 = 0; digit < 4; digit++) {
    const places = counts + (<usize>digit << 10);
    let sum = other;
    for (let k = places; k < places + 1024; k += 4) {
      const c = load<u32>(k);
      store<usize>(k, sum);
      sum += <usize>c << 3;
    }
    for (let p = pairs; p < pairs + 2 * m; p += 8) {
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
  const out = at(area, stride, SCRATCH, 0);
  // Union–find; the pairs stand in the first two arrays again. above: u32[2n], size: u32[2n].
  const above = at(area, stride, 2, 0), size = at(area, stride, 4, 0);
  for (let i: usize = 0; i < <usize>n << 3; i += 4) {
    store<u32>(above + i, u32(i >> 2));
    store<u32>(size + i, 1);
  }
  for (let t: usize = 0; t < m; t += 4) {
    const merge = load<usize>(area + 2 * t, 4);
    const x = root(above, load<u32>(left + merge)), y = root(above, load<u32>(right + merge));
    const made = n + u32(t >> 2);
    store<u32>(above + (<usize>x << 2), made);
    store<u32>(above + (<usize>y << 2), made);
    const both = load<u32>(size + (<usize>x << 2)) + load<u32>(size + (<usize>y << 2));
    store<u32>(size + (<usize>made << 2), both);
    const to = out + t;
    store<u32>(to, min(x, y));
    store<u32>(to + bytes, max(x, y));
    store<u32>(to + 2 * bytes, load<u32>(area + 2 * t));
    store<u32>(to + 3 * bytes, both);
  }
}

// @ts-ignore: decorator
@inline
function count(p: usize): void {
  store<u32>(p, load<u32>(p) + 1);
}

/** The cluster that i is in now. */
function root(above: usize, i: u32): u32 {
  let top = i;
  for (let next = load<u32>(above + (<usize>top << 2)); next != top; next = load<u32>(above + (<usize>top << 2))) top = next;
  while (i != top) {
    const p = above + (<usize>i << 2);
    i = load<u32>(p);
    store<u32>(p, top);
  }
  return top;
}
