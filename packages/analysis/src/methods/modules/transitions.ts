import type { ModuleSnapshot, Transition } from './types.js';

/**
 * How the units of each cluster of `a` spread over the clusters of `b`: R[i, j] = |A_i ∩ B_j| / |A_i| by unit identity (Watanabe, §3).
 * A unit that one of them removed is in no cluster there: counted in `left` or `joined`. O(units + clusters).
 */
export function transitionOf(a: ModuleSnapshot, b: ModuleSnapshot): Transition {
  const fromSizes = Uint32Array.from(a.clusters, ({ size }) => size);
  const toSizes = Uint32Array.from(b.clusters, ({ size }) => size);
  const left = new Uint32Array(fromSizes.length);
  const joined = new Uint32Array(toSizes.length);
  const cells = new Map<number, number>();
  const width = Math.max(1, toSizes.length);
  let p = 0;
  let q = 0;
  while (p < a.kept.length || q < b.kept.length) {
    const u = a.kept[p] ?? Infinity;
    const v = b.kept[q] ?? Infinity;
    if (u < v) left[a.labels[p++]!]!++;
    else if (v < u) joined[b.labels[q++]!]!++;
    else {
      const cell = a.labels[p++]! * width + b.labels[q++]!;
      cells.set(cell, (cells.get(cell) ?? 0) + 1);
    }
  }
  const keys = Float64Array.from(cells.keys()).sort();
  const row = Uint32Array.from(keys, (key) => Math.floor(key / width));
  const column = Uint32Array.from(keys, (key) => key % width);
  const count = Uint32Array.from(keys, (key) => cells.get(key)!);

  const largest = new Uint32Array(fromSizes.length);
  for (const [k, r] of row.entries()) largest[r] = Math.max(largest[r]!, count[k]!);
  let stay = 0;
  let inLargest = 0;
  let rows = 0;
  let split = 0;
  for (const [r, size] of fromSizes.entries()) {
    const here = size - left[r]!;
    stay += here;
    inLargest += largest[r]!;
    if (here < 2) continue;
    rows++;
    if (largest[r]! < here / 2) split++;
  }
  return {
    from: a.snapshot.id,
    to: b.snapshot.id,
    row,
    column,
    count,
    fromSizes,
    toSizes,
    left,
    joined,
    concentration: stay ? { value: inLargest / stay } : { value: null, reason: 'no unit is in both' },
    splitRows: rows
      ? { value: split / rows }
      : { value: null, reason: 'no cluster has two units that are in both' },
  };
}

/** R as float64[rows × columns], and the share of each row that left: rows of R and `left` sum to 1. */
export function transitionMatrix(t: Transition): { matrix: Float64Array; left: Float64Array } {
  const columns = t.toSizes.length;
  const matrix = new Float64Array(t.fromSizes.length * columns);
  for (const [k, r] of t.row.entries()) matrix[r * columns + t.column[k]!] = t.count[k]! / t.fromSizes[r]!;
  return { matrix, left: Float64Array.from(t.left, (units, r) => units / t.fromSizes[r]!) };
}

/**
 * Gives clusters the track of the earlier cluster they overlap most, for stable colours: pairs by falling Jaccard index |A ∩ B| / |A ∪ B|,
 * each cluster once; the rest begin a new track. Changes `track` in place. Ties by number.
 */
export function matchClusters(
  snapshots: readonly ModuleSnapshot[],
  transitions: readonly Transition[],
): void {
  let next = 0;
  for (const [s, { clusters }] of snapshots.entries()) {
    const taken = new Set<number>();
    const given = new Set<number>();
    const t = transitions[s - 1];
    if (t) {
      const jaccard = (k: number) =>
        t.count[k]! / (t.fromSizes[t.row[k]!]! + t.toSizes[t.column[k]!]! - t.count[k]!);
      for (const k of [...t.row.keys()].sort((x, y) => jaccard(y) - jaccard(x) || x - y)) {
        const [r, c] = [t.row[k]!, t.column[k]!];
        if (taken.has(r) || given.has(c)) continue;
        taken.add(r);
        given.add(c);
        clusters[c]!.track = snapshots[s - 1]!.clusters[r]!.track;
      }
    }
    for (const [c, cluster] of clusters.entries()) if (!given.has(c)) cluster.track = next++;
  }
}
