// linkage, its labels: merges sorted by height, clusters numbered.

import { clearCounts, countKey, sortPairs } from '../../../assembly/sort';
import { at } from './log';
import { Area, State } from '../memory';

/**
 * Sorts the merges in LEFT, RIGHT and HEIGHT of the area by height, equal ones in the order given, and numbers the
 * clusters as SciPy does: the cluster made by the t-th merge in that order is n + t, and the lower number stands
 * left. LEFT and RIGHT name a sample 0 … n−1, or n + the place of an earlier merge no higher than theirs. They come
 * as left, right, height and size in four arrays of the area from SCRATCH on; the rest of it is used up, and the 1024
 * words after its state.
 */
export function linkageLabel(n: u32, area: usize): void {
  const stride = (n + 3) & ~3;
  const m = (<usize>(n - 1)) << 2,
    bytes = (<usize>stride) << 2;
  const left = at(area, stride, Area.left, 0),
    right = at(area, stride, Area.right, 0),
    height = at(area, stride, Area.height, 0);
  // Pairs of bits and merge, sorted byte by byte from the lowest. The bits of heights rise as they do; the highest is
  // that of −0, which becomes 0.
  const pairs = area;
  const counts = at(area, stride, Area.state, State.size);
  clearCounts(counts);
  for (let t: usize = 0; t < m; t += 4) {
    const bits = load<u32>(height + t) & 0x7fffffff;
    store<u32>(pairs + 2 * t, bits);
    store<usize>(pairs + 2 * t, t, 4);
    countKey(counts, bits);
  }
  sortPairs(pairs, at(area, stride, 2, 0), 2 * m, counts);
  // The pairs stand in the first two arrays again. Of every cluster as given, number and size: u32[2n] each.
  const out = at(area, stride, Area.scratch, 0);
  const number = at(area, stride, 2, 0),
    size = at(area, stride, 4, 0);
  for (let i: u32 = 0; i < n; i++) {
    store<u32>(number + ((<usize>i) << 2), i);
    store<u32>(size + ((<usize>i) << 2), 1);
  }
  for (let t: usize = 0; t < m; t += 4) {
    const merge = load<usize>(area + 2 * t, 4),
      to = out + t;
    const a = (<usize>load<u32>(left + merge)) << 2,
      b = (<usize>load<u32>(right + merge)) << 2,
      c = ((<usize>n) << 2) + merge;
    const x = load<u32>(number + a),
      y = load<u32>(number + b),
      both = load<u32>(size + a) + load<u32>(size + b);
    store<u32>(number + c, n + u32(t >> 2));
    store<u32>(size + c, both);
    store<u32>(to, min(x, y));
    store<u32>(to + bytes, max(x, y));
    store<u32>(to + 2 * bytes, load<u32>(area + 2 * t));
    store<u32>(to + 3 * bytes, both);
  }
}
