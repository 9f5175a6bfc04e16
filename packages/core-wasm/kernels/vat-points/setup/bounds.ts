import type { Kernels } from '../../../src/load.js';
import { project, SAMPLE } from './project.js';
import type { Rows } from './rows.js';

/**
 * What distance bounds are made from. For points a, b with bound rows (p, ρ): |p_a − p_b|² + (ρ_a − ρ_b)² ≤ ‖a − b‖²
 * ≤ |p_a − p_b|² + (ρ_a + ρ_b)² where p are coordinates in an orthonormal basis of m−1 directions about the centroid
 * and ρ the norm of the rest; for L1 the p are m−1 of the coordinates themselves, ρ is the L1 norm of the others, and
 * the terms are not squared.
 */
export interface Bounds {
  /** Rows per point, ρ last; 0: none, where the distance itself is as cheap. */
  m: number;
  /** float32[n × m]. */
  values: Float32Array;
  /** Coordinates by falling variance: the order in which distances add them up, so that sums pass a limit early. */
  dimensions: Uint32Array;
  /** A lower bound over key·relative + absolute is a distance over key in spite of all rounding. */
  relative: number;
  absolute: number;
  /** float64[d]: the points' centre, roughly; any would do. */
  centre: Float64Array;
  /** float64[n]: squared distances from it; empty for L1 and where m is 0. */
  squares: Float64Array;
  /**
   * float32[n × prefix]: coordinates in more of these directions and the norm of the rest; empty for L1 and under 48
   * coordinates.
   */
  prefixes: Float32Array;
  prefix: number;
  /**
   * float32[n × width]: what points are sorted by in space and boxes are made of: the bound rows, or the coordinates
   * if there are none.
   */
  sort: { values: Float32Array; width: number };
}

/**
 * How many bound rows n points of d coordinates get (measured). Under 10 they would cost what the distance costs;
 * boxes then hold the coordinates.
 */
export function boundRows(n: number, d: number): number {
  if (d < 10) return 0;
  if (d < 48) return 8;
  if (d < 160) return 12;
  // Making them costs O(n·d·m), what they save O(n²·d).
  return n < 20_000 || d < 512 ? 24 : 40;
}

/**
 * Whether points of d coordinates also lie as records, beside quantised blocks (measured): twice the memory;
 * past 1 GB of points room for more of them is worth more. L1 distances have no quantised coordinates.
 */
export function asRecords(n: number, d: number, l1: boolean): boolean {
  return d >= (l1 ? 128 : 48) && n * d < 2 ** 28;
}

// Directions that a prefix has at least, and bound rows where there are prefixes.
const LEAST = 6;
const FEWEST = 8;

/** How many quantised numbers a point's prefix has at most, the norm of the rest included; even (measured). */
export function prefixRows(d: number): number {
  return d < 160 ? 32 : 48;
}

/**
 * The points' centre, roughly, and the coordinates by falling variance, from some thousand points; equal ones by
 * index.
 */
export interface Dimensions {
  centre: Float64Array;
  dimensions: Uint32Array;
}

/** Every so many-th of n points is looked at: 1024 of them, under twice as many at most. */
export const strideOf = (n: number): number => Math.max(1, Math.floor(n / 1024));

export function dimensionsOf(rows: Rows, n: number, d: number): Dimensions {
  const row = new Float32Array(d);
  const centre = new Float64Array(d);
  const variance = new Float64Array(d);
  const stride = strideOf(n);
  let seen = 0;
  for (let i = 0; i < n; i += stride, seen++) {
    rows.read(i, row);
    for (let k = 0; k < d; k++) {
      const x = row[k]!;
      centre[k] = centre[k]! + x;
      variance[k] = variance[k]! + x * x;
    }
  }
  for (let k = 0; k < d; k++) {
    const mean = centre[k]! / seen;
    centre[k] = mean;
    variance[k] = variance[k]! / seen - mean * mean;
  }
  return { centre, dimensions: byFallingValue(variance) };
}

/** Indices by falling value, equal ones by index: a merge sort; `sort` with a comparison takes eight times as long. */
function byFallingValue(values: Float64Array): Uint32Array {
  const n = values.length;
  let from = new Uint32Array(n);
  let to = new Uint32Array(n);
  for (let i = 0; i < n; i++) from[i] = i;
  for (let run = 1; run < n; run *= 2) {
    for (let start = 0; start < n; start += 2 * run) {
      const middle = Math.min(start + run, n);
      const end = Math.min(middle + run, n);
      for (let at = start, a = start, b = middle; at < end; at++)
        to[at] = b >= end || (a < middle && values[from[a]!]! >= values[from[b]!]!) ? from[a++]! : from[b++]!;
    }
    [from, to] = [to, from];
  }
  return from;
}

export function boundsOf(
  kernels: Kernels,
  rows: Rows,
  { centre, dimensions }: Dimensions,
  n: number,
  l1: boolean,
): Bounds {
  const d = dimensions.length;
  const row = new Float32Array(d);
  let m = boundRows(n, d);
  const relative = 1 + Math.max(1e-3, d * 2.4e-7);
  const squares = new Float64Array(l1 || m === 0 ? 0 : n);
  if (m === 0) {
    const width = d;
    const values = new Float32Array(n * width);
    for (let i = 0; i < n; i++) {
      rows.read(i, row);
      for (let k = 0; k < width; k++) values[i * width + k] = row[dimensions[k]!]!;
    }
    return {
      m,
      values: new Float32Array(0),
      dimensions,
      relative,
      absolute: 0,
      centre,
      squares,
      prefixes: new Float32Array(0),
      prefix: 0,
      sort: { values, width },
    };
  }
  // Largest norm: what the absolute rounding errors of the bound rows are relative to.
  let reach = 0;
  if (l1) {
    const values = new Float32Array(n * m);
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
    return {
      m,
      values,
      dimensions,
      relative,
      absolute: m * 2.4e-7 * reach,
      centre,
      squares,
      prefixes: new Float32Array(0),
      prefix: 0,
      sort: { values, width: m },
    };
  }
  const most = asRecords(n, d, l1) ? prefixRows(d) : 0;
  let prefix = 0;
  let directions = 0;
  let prefixes = new Float32Array(0);
  let values = prefixes;
  let at = 0;
  let to = 0;
  project(
    kernels,
    rows,
    n,
    centre,
    Math.max(m, most) - 1,
    (variances, rest) => {
      if (most) {
        // Directions that hold more than noise alone would show in a sample (Marchenko & Pastur 1967).
        const noise = (1 + Math.sqrt(d / Math.min(n, SAMPLE))) ** 2;
        let j = variances.length - 1;
        for (let left = rest; j > LEAST && variances[j]! * (d - j - 1) <= noise * left; j--)
          left += variances[j]!;
        prefix = Math.min(most, j + 2 + (j & 1));
        prefixes = new Float32Array(n * prefix);
        m = Math.min(m, Math.max(FEWEST, prefix));
      }
      values = new Float32Array(n * m);
      directions = Math.max(m, prefix) - 1;
      return directions;
    },
    (i, parts) => {
      const all = parts[directions]!;
      squares[i] = all;
      let rest = all;
      for (let j = 0; j <= directions; j++) {
        const part = parts[j]!;
        if (j < m - 1) values[at + j] = part;
        else if (j === m - 1) values[at + j] = Math.sqrt(Math.max(0, rest));
        if (j < prefix - 1) prefixes[to + j] = part;
        else if (j === prefix - 1) prefixes[to + j] = Math.sqrt(Math.max(0, rest));
        rest -= part * part;
      }
      at += m;
      to += prefix;
      if (all > reach) reach = all;
    },
  );
  // Each bound row is off by 6e-8·√reach, so the bound's root by δ = 2e-7·√(m·reach); and (√key + δ)² ≤ relative·key
  // + δ²(1 + 1/(relative − 1)). ρ itself is a root of a float64 difference, off by at most √(1e-15·reach) =
  // 3e-8·√reach.
  const absolute = (directions + 1) * reach * 4e-14 * (1 + 1 / (relative - 1));
  return {
    m,
    values,
    dimensions,
    relative,
    absolute,
    centre,
    squares,
    prefixes,
    prefix,
    sort: { values, width: m },
  };
}
