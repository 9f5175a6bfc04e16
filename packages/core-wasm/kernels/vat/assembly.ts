// vat: Prim's order of a full symmetric f32 matrix.
// Visited samples have a NaN key: pmin(key, row) keeps NaN, so no mask array is read.

// Elements of the blocks (4 KB) in which the least key is reduced first and located afterwards.
const BLOCK: u32 = 1024;
const NONE: u32 = 0xffffffff;

/**
 * Largest value of the upper triangle in rows [row0, row1), going on from best[0] (f32); best[1] (u32) is the first row that
 * holds it, best[2] (u32) becomes 1 when a NaN is met.
 */
export function vatFarthest(d: usize, n: u32, row0: u32, row1: u32, best: usize): void {
  let top = load<f32>(best);
  let at = load<u32>(best, 4);
  let bad = f32x4.splat(0);
  let badTail: bool = false;
  for (let i = row0; i < row1; i++) {
    const row = d + ((<usize>i * n) << 2);
    // From the multiple of four below: what lies under the diagonal was seen already and is never greater.
    let j: u32 = i & ~3;
    let a = f32x4.splat(0), b = a, c = a, e = a;
    for (; j + 16 <= n; j += 16) {
      const p = row + (<usize>j << 2);
      const x0 = v128.load(p), x1 = v128.load(p, 16), x2 = v128.load(p, 32), x3 = v128.load(p, 48);
      a = f32x4.pmax(a, x0);
      b = f32x4.pmax(b, x1);
      c = f32x4.pmax(c, x2);
      e = f32x4.pmax(e, x3);
      // NaN survives addition; +∞ shows in the maximum and −∞ is caught by the wrapper's own check.
      bad = v128.or(bad, v128.or(v128.or(f32x4.ne(x0, x0), f32x4.ne(x1, x1)), v128.or(f32x4.ne(x2, x2), f32x4.ne(x3, x3))));
    }
    a = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, e));
    let m = max(max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)), max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)));
    for (; j < n; j++) {
      const x = load<f32>(row + (<usize>j << 2));
      if (x > m) m = x;
      if (x != x) badTail = true;
    }
    if (m > top) {
      top = m;
      at = i;
    }
  }
  store<f32>(best, top);
  store<u32>(best, at, 4);
  if (badTail || v128.any_true(bad)) store<u32>(best, 1, 8);
}

/** First row in [row0, row1) with d[i,j] ≠ d[j,i] for some j > i, or a diagonal that is not 0, or a negative value; n if none. */
export function vatCheck(d: usize, n: u32, row0: u32, row1: u32): u32 {
  for (let i0 = row0; i0 < row1; i0 += 16) {
    const i1 = min(i0 + 16, row1);
    let bad = n;
    for (let j0: u32 = i0 & ~15; j0 < n; j0 += 16) {
      const j1 = min(j0 + 16, n);
      for (let i = i0; i < i1; i++) {
        for (let j = max(j0, i); j < j1; j++) {
          const x = load<f32>(d + ((<usize>i * n + j) << 2));
          const y = load<f32>(d + ((<usize>j * n + i) << 2));
          if (!(x == y && x >= 0 && (i != j || x == 0))) bad = min(bad, i);
        }
      }
    }
    if (bad < n) return bad;
  }
  return n;
}

/**
 * Steps [from, to) of 1..n. Step k scans the row of order[k-1], finds that sample's parent, and writes order[k] and weights[k-1]
 * (none at k = n). key: f32[n], +∞ before step 1.
 */
export function vatSteps(d: usize, n: u32, key: usize, order: usize, weights: usize, parent: usize, from: u32, to: u32): void {
  for (let k = from; k < to; k++) {
    const v = load<u32>(order + (<usize>(k - 1) << 2));
    const w: f32 = k > 1 ? load<f32>(weights + (<usize>(k - 2) << 2)) : f32.NaN;
    store<f32>(key + (<usize>v << 2), f32.NaN);
    const row = d + ((<usize>v * n) << 2);
    const edge = f32x4.splat(w);
    let found = NONE;
    let best: f32 = Infinity;
    let bestBlock: u32 = 0;
    for (let start: u32 = 0; start < n; start += BLOCK) {
      const end = min(start + BLOCK, n);
      const whole = start + ((end - start) & ~15);
      const stop = row + (<usize>whole << 2);
      let p = row + (<usize>start << 2), q = key + (<usize>start << 2);
      let m0 = f32x4.splat(Infinity), m1 = m0;
      let hit = f32x4.splat(0), hit2 = hit;
      while (p < stop) {
        const r0 = v128.load(p), r1 = v128.load(p, 16), r2 = v128.load(p, 32), r3 = v128.load(p, 48);
        const k0 = f32x4.pmin(v128.load(q), r0), k1 = f32x4.pmin(v128.load(q, 16), r1);
        const k2 = f32x4.pmin(v128.load(q, 32), r2), k3 = f32x4.pmin(v128.load(q, 48), r3);
        v128.store(q, k0);
        v128.store(q, k1, 16);
        v128.store(q, k2, 32);
        v128.store(q, k3, 48);
        m0 = f32x4.pmin(m0, k0);
        m1 = f32x4.pmin(m1, k1);
        m0 = f32x4.pmin(m0, k2);
        m1 = f32x4.pmin(m1, k3);
        hit = v128.or(hit, v128.or(f32x4.eq(r0, edge), f32x4.eq(r1, edge)));
        hit2 = v128.or(hit2, v128.or(f32x4.eq(r2, edge), f32x4.eq(r3, edge)));
        p += 64;
        q += 64;
      }
      let any: bool = v128.any_true(v128.or(hit, hit2));
      m0 = f32x4.pmin(m0, m1);
      let m = min(min(f32x4.extract_lane(m0, 0), f32x4.extract_lane(m0, 1)), min(f32x4.extract_lane(m0, 2), f32x4.extract_lane(m0, 3)));
      for (let j = whole; j < end; j++) {
        const x = load<f32>(row + (<usize>j << 2));
        const q = key + (<usize>j << 2);
        let y = load<f32>(q);
        if (x < y) {
          y = x;
          store<f32>(q, x);
        }
        if (y < m) m = y;
        if (x == w) any = true;
      }
      if (m < best) {
        best = m;
        bestBlock = start;
      }
      if (any && found == NONE) found = visited(row, key, start, end, v, w);
    }
    if (k > 1) {
      if (found == NONE) {
        // Only a matrix that is not symmetric to the last bit comes here: the edge stands in the column.
        for (let i: u32 = 0; i < n; i++) {
          const y = load<f32>(key + (<usize>i << 2));
          if (y != y && i != v && load<f32>(d + ((<usize>i * n + v) << 2)) == w) {
            found = i;
            break;
          }
        }
      }
      store<u32>(parent + (<usize>(k - 2) << 2), found);
    }
    if (k == n) return;
    const j = first(key, bestBlock, min(bestBlock + BLOCK, n), best);
    store<u32>(order + (<usize>k << 2), j);
    store<f32>(weights + (<usize>(k - 1) << 2), best);
  }
}

// First position in [start, end) of `value`, which is there.
function first(x: usize, start: u32, end: u32, value: f32): u32 {
  const v = f32x4.splat(value);
  let j = start;
  for (; j + 16 <= end; j += 16) {
    const p = x + (<usize>j << 2);
    const any = v128.or(v128.or(f32x4.eq(v128.load(p), v), f32x4.eq(v128.load(p, 16), v)), v128.or(f32x4.eq(v128.load(p, 32), v), f32x4.eq(v128.load(p, 48), v)));
    if (v128.any_true(any)) break;
  }
  while (load<f32>(x + (<usize>j << 2)) != value) j++;
  return j;
}

// First visited sample but v in [start, end) at distance w of v; NONE if there is none.
function visited(row: usize, key: usize, start: u32, end: u32, v: u32, w: f32): u32 {
  const edge = f32x4.splat(w);
  let j = start;
  while (j < end) {
    if (j + 16 <= end) {
      const p = row + (<usize>j << 2);
      const any = v128.or(v128.or(f32x4.eq(v128.load(p), edge), f32x4.eq(v128.load(p, 16), edge)), v128.or(f32x4.eq(v128.load(p, 32), edge), f32x4.eq(v128.load(p, 48), edge)));
      if (!v128.any_true(any)) {
        j += 16;
        continue;
      }
    }
    const stop = min(j + 16, end);
    for (; j < stop; j++) {
      const y = load<f32>(key + (<usize>j << 2));
      if (y != y && j != v && load<f32>(row + (<usize>j << 2)) == w) return j;
    }
  }
  return NONE;
}
