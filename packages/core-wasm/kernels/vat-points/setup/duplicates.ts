import type { Bounds } from './bounds.js';
import type { Rows } from './rows.js';

/** Points without those that are equal to an earlier one. */
export interface Distinct {
  /** uint32[m], rising: the first of each group of equal points. */
  first: Uint32Array;
  /** uint32[n]: the place in `first` of each point's group. */
  group: Uint32Array;
}

// Scaled coordinates differ by at least 2⁻⁷⁴ if none but 0 is smaller than this: then no two different points are at
// distance 0.
const SMALLEST = 2 ** -50;
// Comparisons of whole points, for each point: more are needed only where bounds tell nothing.
const PATIENCE = 8;

/**
 * The distinct points, by the values that `bounds` sorts them by; null if all are, if only one is, or if coordinates
 * are so small that others than equal points could be at distance 0. Equal points follow each other in a VAT order,
 * in the order of their indices, with the first as parent: so the order of the distinct ones tells all. Time O(n·m),
 * and O(n·d) where there are equal points.
 */
export function distinctPoints(
  rows: Rows,
  { sort: { values, width } }: Bounds,
  n: number,
  d: number,
): Distinct | null {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const row = new Float32Array(d);
  const other = new Float32Array(d);
  const size = 2 ** Math.ceil(Math.log2(2 * n + 2));
  const table = new Int32Array(size).fill(-1);
  const hashes = new Uint32Array(n);
  const first = new Uint32Array(n);
  const group = new Uint32Array(n);
  let count = 0;
  let compared = 0;
  for (let i = 0; i < n; i++) {
    let hash = 0;
    for (let k = i * width; k < (i + 1) * width; k++) {
      // Zeros of either sign are one.
      hash = Math.imul(hash ^ (values[k] === 0 ? 0 : bits[k]!), 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    hash >>>= 0;
    let at = hash & (size - 1);
    let read = false;
    for (; table[at]! >= 0; at = (at + 1) & (size - 1)) {
      const g = table[at]!;
      if (hashes[g] !== hash) continue;
      if (++compared > PATIENCE * n) return null;
      if (!read) rows.read(i, row);
      read = true;
      rows.read(first[g]!, other);
      let k = 0;
      while (k < d && row[k] === other[k]) k++;
      if (k === d) break;
    }
    if (table[at]! < 0) {
      table[at] = count;
      hashes[count] = hash;
      first[count++] = i;
    }
    group[i] = table[at]!;
  }
  if (count === n || count < 2) return null;
  for (let g = 0; g < count; g++) {
    rows.read(first[g]!, row);
    for (let k = 0; k < d; k++) if (row[k] !== 0 && Math.abs(row[k]!) < SMALLEST) return null;
  }
  return { first: first.slice(0, count), group };
}

/** The same rows, of the distinct points only. */
export function rowsOfDistinct(rows: Rows, { first }: Distinct): Rows {
  return {
    read: (i, out) => rows.read(first[i]!, out),
    zero: rows.zero && Uint8Array.from(first, (i) => rows.zero![i]!),
    unit: rows.unit,
  };
}

/** The same bounds, of the distinct points only. */
export function boundsOfDistinct(bounds: Bounds, { first }: Distinct): Bounds {
  const { width } = bounds.sort;
  const values = pick(bounds.sort.values, width, first);
  return {
    ...bounds,
    values: bounds.m > 0 ? values : bounds.values,
    squares: bounds.squares.length ? Float64Array.from(first, (i) => bounds.squares[i]!) : bounds.squares,
    prefixes: pick(bounds.prefixes, bounds.prefix, first),
    sort: { values, width },
  };
}

function pick(values: Float32Array, width: number, first: Uint32Array): Float32Array {
  const picked = new Float32Array(first.length * width);
  first.forEach((i, to) => {
    picked.set(values.subarray(i * width, (i + 1) * width), to * width);
  });
  return picked;
}
