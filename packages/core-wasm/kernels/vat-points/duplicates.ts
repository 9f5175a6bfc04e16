import type { Rows } from './rows.js';

/** Points without those that are equal to an earlier one. */
export interface Distinct {
  /** uint32[m], rising: the first of each group of equal points. */
  first: Uint32Array;
  /** uint32[n]: the place in `first` of each point's group. */
  group: Uint32Array;
}

// Scaled coordinates differ by at least 2⁻⁷⁴ if none is smaller than this (but for 0): then no two different points are at distance 0.
const SMALLEST = (127 - 50) << 23;

/**
 * The distinct points; null if all are, if only one is, or if coordinates are so small that others than equal points could be at distance 0.
 * Equal points follow each other in a VAT order, in the order of their indices, with the first as parent: so the order of
 * the distinct ones tells all. Time O(n·d).
 */
export function distinctPoints(rows: Rows, n: number, d: number): Distinct | null {
  const row = new Float32Array(d);
  const other = new Float32Array(d);
  const bits = new Uint32Array(row.buffer);
  const size = 2 ** Math.ceil(Math.log2(2 * n + 2));
  const table = new Int32Array(size).fill(-1);
  const hashes = new Uint32Array(n);
  const first = new Uint32Array(n);
  const group = new Uint32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    rows.read(i, row);
    let hash = 0;
    for (let k = 0; k < d; k++) {
      const magnitude = bits[k]! & 0x7fffffff;
      if (magnitude === 0) hash = Math.imul(hash, 0x85ebca6b) + 1;
      else if (magnitude < SMALLEST) return null;
      else hash = Math.imul(hash ^ bits[k]!, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    hash >>>= 0;
    let at = hash & (size - 1);
    for (; table[at]! >= 0; at = (at + 1) & (size - 1)) {
      const g = table[at]!;
      if (hashes[g] !== hash) continue;
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
  return count === n || count < 2 ? null : { first: first.slice(0, count), group };
}

/** The same rows, distinct ones only. */
export function rowsOfDistinct(rows: Rows, { first }: Distinct): Rows {
  return {
    read: (i, out) => rows.read(first[i]!, out),
    zero: rows.zero && Uint8Array.from(first, (i) => rows.zero![i]!),
    unit: rows.unit,
  };
}
