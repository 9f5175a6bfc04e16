import type { Rows } from './rows.js';

/**
 * What distance bounds are made from. For points a, b with bound rows (p, ρ): |p_a − p_b|² + (ρ_a − ρ_b)² ≤ ‖a − b‖² ≤ |p_a − p_b|² + (ρ_a + ρ_b)²
 * where p are coordinates in an orthonormal basis of m−1 directions about the centroid and ρ the norm of the rest; for L1 the p are
 * m−1 of the coordinates themselves, ρ is the L1 norm of the others, and the terms are not squared.
 */
export interface Bounds {
  /** Rows per point, ρ last; 0: none, where the distance itself is as cheap. */
  m: number;
  /** float32[n × m]. */
  values: Float32Array;
  /** Coordinates by falling variance: the order in which distances add them up, so that sums pass a limit early. */
  dimensions: Uint32Array;
  /** A lower bound over key·grow + slack is a distance over key in spite of all rounding. */
  grow: number;
  slack: number;
  /**
   * |a|² + |b|² − 2a·b is off by at most this times |a|² + |b|², all rounding counted; 0: products are not to be used, because they
   * cost more than differences or the points lie so far from the origin that they would tell nothing.
   */
  products: number;
  /** float32[n × width]: what points are sorted by in space and boxes are made of: the bound rows, or the coordinates if there are none. */
  sort: { values: Float32Array; width: number };
}

const SAMPLE = 512;

/** How many bound rows n points of d coordinates get (measured). Under 10 they would cost what the distance costs; boxes then hold the coordinates. */
export function boundRows(n: number, d: number): number {
  if (d < 10) return 0;
  if (d < 48) return 8;
  if (d < 160) return 12;
  // Making them costs O(n·d·m), what they save O(n²·d).
  return n < 20_000 || d < 512 ? 24 : 40;
}

export function boundsOf(rows: Rows, n: number, d: number, l1: boolean): Bounds {
  const row = new Float32Array(d);
  const centre = new Float64Array(d);
  const variance = new Float64Array(d);
  const stride = Math.max(1, Math.floor(n / 4096));
  let seen = 0;
  for (let i = 0; i < n; i += stride, seen++) {
    rows.read(i, row);
    for (let k = 0; k < d; k++) {
      centre[k] = centre[k]! + row[k]!;
      variance[k] = variance[k]! + row[k]! * row[k]!;
    }
  }
  for (let k = 0; k < d; k++) {
    centre[k] = centre[k]! / seen;
    variance[k] = variance[k]! / seen - centre[k]! ** 2;
  }
  const dimensions = Uint32Array.from({ length: d }, (_, k) => k).sort(
    (a, b) => variance[b]! - variance[a]! || a - b,
  );
  const m = boundRows(n, d);
  // Two sums of d terms each, d·6e-8 off, and what is done with them.
  const margin = (d + 32) * 1.25e-7;
  let spread = 0;
  let square = 0;
  for (let k = 0; k < d; k++) {
    spread += Math.max(0, variance[k]!);
    square += centre[k]! ** 2 + Math.max(0, variance[k]!);
  }
  const products = !l1 && d >= 32 && d < 1e5 && margin * square < 0.02 * spread ? margin : 0;
  const grow = 1 + Math.max(1e-3, d * 2.4e-7);
  if (m === 0) {
    const width = d;
    const values = new Float32Array(n * width);
    for (let i = 0; i < n; i++) {
      rows.read(i, row);
      for (let k = 0; k < width; k++) values[i * width + k] = row[dimensions[k]!]!;
    }
    return { m, values: new Float32Array(0), dimensions, grow, slack: 0, products, sort: { values, width } };
  }
  const values = new Float32Array(n * m);
  // Largest norm: what the absolute rounding errors of the bound rows are relative to.
  let reach = 0;
  if (l1) {
    for (let i = 0; i < n; i++) {
      rows.read(i, row);
      let all = 0;
      let rest = 0;
      for (let k = 0; k < d; k++) {
        const dimension = dimensions[k]!;
        const y = row[dimension]! - centre[dimension]!;
        all += Math.abs(y);
        if (k < m - 1) values[i * m + k] = y;
        else rest += Math.abs(y);
      }
      values[i * m + m - 1] = rest;
      if (all > reach) reach = all;
    }
    // Each bound row is off by at most 6e-8·reach, m of them on both sides.
    return { m, values, dimensions, grow, slack: m * 2.4e-7 * reach, products, sort: { values, width: m } };
  }
  const basis = principal(rows, n, d, m - 1, centre);
  const y = new Float64Array(d);
  const parts = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    rows.read(i, row);
    let all = 0;
    for (let k = 0; k < d; k++) {
      y[k] = row[k]! - centre[k]!;
      all += y[k]! * y[k]!;
    }
    let rest = all;
    project(basis, m - 1, d, y, 0, parts);
    for (let j = 0; j < m - 1; j++) {
      values[i * m + j] = parts[j]!;
      rest -= parts[j]! ** 2;
    }
    values[i * m + m - 1] = Math.sqrt(Math.max(0, rest));
    if (all > reach) reach = all;
  }
  // Each bound row is off by 6e-8·√reach, so the bound's root by δ = 2e-7·√(m·reach); and (√key + δ)² ≤ grow·key + δ²(1 + 1/(grow − 1)).
  // ρ itself is a root of a float64 difference, off by at most √(1e-15·reach) = 3e-8·√reach.
  const slack = m * reach * 4e-14 * (1 + 1 / (grow - 1));
  return { m, values, dimensions, grow, slack, products, sort: { values, width: m } };
}

// Leading principal directions of a sample, by subspace iteration from fixed pseudo-random vectors: float64[count × d], orthonormal.
// Any orthonormal basis gives right bounds; a good one gives tight ones, so that few iterations do.
function principal(rows: Rows, n: number, d: number, count: number, centre: Float64Array): Float64Array {
  const size = Math.min(n, SAMPLE);
  const sample = new Float64Array(size * d);
  const row = new Float32Array(d);
  for (let i = 0; i < size; i++) {
    rows.read(Math.floor((i * n) / size), row);
    for (let k = 0; k < d; k++) sample[i * d + k] = row[k]! - centre[k]!;
  }
  const v = new Float64Array(count * d);
  let state = 12345;
  for (let k = 0; k < v.length; k++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    v[k] = state / 2 ** 31 - 1;
  }
  orthonormalise(v, count, d);
  const next = new Float64Array(count * d);
  const parts = new Float64Array(count);
  for (let round = 0; round < 4; round++) {
    next.fill(0);
    for (let i = 0; i < size; i++) {
      const x = i * d;
      project(v, count, d, sample, x, parts);
      for (let j = 0; j < count; j++) {
        const at = j * d;
        const s = parts[j]!;
        for (let k = 0; k < d; k++) next[at + k] = next[at + k]! + s * sample[x + k]!;
      }
    }
    v.set(next);
    orthonormalise(v, count, d);
  }
  return v;
}

// out[j] = Σ basis[j,k]·x[from+k]. Four sums at a time: one alone waits for its own additions.
function project(
  basis: Float64Array,
  count: number,
  d: number,
  x: Float64Array,
  from: number,
  out: Float64Array,
): void {
  let j = 0;
  for (; j + 4 <= count; j += 4) {
    const [a, b, c, e] = [j * d, (j + 1) * d, (j + 2) * d, (j + 3) * d];
    let [p, q, r, s] = [0, 0, 0, 0];
    for (let k = 0; k < d; k++) {
      const y = x[from + k]!;
      p += basis[a + k]! * y;
      q += basis[b + k]! * y;
      r += basis[c + k]! * y;
      s += basis[e + k]! * y;
    }
    out[j] = p;
    out[j + 1] = q;
    out[j + 2] = r;
    out[j + 3] = s;
  }
  for (; j < count; j++) {
    let s = 0;
    for (let k = 0; k < d; k++) s += basis[j * d + k]! * x[from + k]!;
    out[j] = s;
  }
}

// Gram–Schmidt, twice; a vector that vanishes (the sample spans less) becomes 0, which leaves the bounds right.
function orthonormalise(v: Float64Array, count: number, d: number): void {
  for (let j = 0; j < count; j++) {
    const at = j * d;
    let before = 0;
    for (let k = 0; k < d; k++) before += v[at + k]! ** 2;
    for (let pass = 0; pass < 2; pass++)
      for (let i = 0; i < j; i++) {
        let s = 0;
        for (let k = 0; k < d; k++) s += v[at + k]! * v[i * d + k]!;
        for (let k = 0; k < d; k++) v[at + k] = v[at + k]! - s * v[i * d + k]!;
      }
    let after = 0;
    for (let k = 0; k < d; k++) after += v[at + k]! ** 2;
    const f = after > 1e-12 * before ? 1 / Math.sqrt(after) : 0;
    for (let k = 0; k < d; k++) v[at + k] = v[at + k]! * f;
  }
}

/** Indices 0..n−1 so that neighbours in the list are neighbours in space: halved along the widest of `width` values, at multiples of 16. */
export function spatialOrder(values: Float32Array, width: number, n: number): Uint32Array {
  const index = Uint32Array.from({ length: n }, (_, i) => i);
  const stack: [number, number][] = [[0, n]];
  while (stack.length) {
    const [lo, hi] = stack.pop()!;
    if (hi - lo <= 16) continue;
    let widest = 0;
    let spread = 0;
    for (let k = 0; k < width; k++) {
      let low = Infinity;
      let high = -Infinity;
      for (let i = lo; i < hi; i++) {
        const x = values[index[i]! * width + k]!;
        if (x < low) low = x;
        if (x > high) high = x;
      }
      if (high - low > spread) {
        spread = high - low;
        widest = k;
      }
    }
    if (spread === 0) continue;
    const mid = lo + Math.max(16, Math.round((hi - lo) / 32) * 16);
    if (mid >= hi) continue;
    select(index, lo, hi - 1, mid, (i) => values[i * width + widest]!);
    stack.push([lo, mid], [mid, hi]);
  }
  return index;
}

// Hoare's selection: afterwards no key before `at` is greater than one at or after it.
function select(
  index: Uint32Array,
  first: number,
  last: number,
  at: number,
  key: (i: number) => number,
): void {
  let lo = first;
  let hi = last;
  while (lo < hi) {
    const pivot = key(index[(lo + hi) >> 1]!);
    let i = lo;
    let j = hi;
    while (i <= j) {
      while (key(index[i]!) < pivot) i++;
      while (key(index[j]!) > pivot) j--;
      if (i <= j) {
        const t = index[i]!;
        index[i++] = index[j]!;
        index[j--] = t;
      }
    }
    if (at <= j) hi = j;
    else if (at >= i) lo = i;
    else return;
  }
}
