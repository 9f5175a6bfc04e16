import type { Linkage, LinkageMethod } from './result.js';

/**
 * Linkage by its definition: at every step the least dissimilarity over all pairs of clusters, from all pairs of
 * samples. O(n⁴), float64.
 */
export function linkageReference(
  n: number,
  distance: (i: number, j: number) => number,
  method: LinkageMethod = 'average',
): { left: number[]; right: number[]; heights: number[]; sizes: number[]; diameters: number[] } {
  const clusters = new Map<number, number[]>();
  for (let i = 0; i < n; i++) clusters.set(i, [i]);
  const out = {
    left: [] as number[],
    right: [] as number[],
    heights: [] as number[],
    sizes: [] as number[],
    diameters: [] as number[],
  };
  for (let t = 0; t < n - 1; t++) {
    let best = Infinity;
    let pair: [number, number] = [0, 0];
    const names = [...clusters.keys()].sort((a, b) => a - b);
    for (let p = 0; p < names.length; p++)
      for (let q = p + 1; q < names.length; q++) {
        const h = between(clusters.get(names[p]!)!, clusters.get(names[q]!)!, distance, method);
        if (h < best) {
          best = h;
          pair = [names[p]!, names[q]!];
        }
      }
    const members = [...clusters.get(pair[0])!, ...clusters.get(pair[1])!];
    clusters.delete(pair[0]);
    clusters.delete(pair[1]);
    clusters.set(n + t, members);
    out.left.push(pair[0]);
    out.right.push(pair[1]);
    out.heights.push(best);
    out.sizes.push(members.length);
    out.diameters.push(between(members, members, distance, 'complete'));
  }
  return out;
}

/** Dissimilarity of two clusters from those of their samples. */
export function between(
  a: number[],
  b: number[],
  distance: (i: number, j: number) => number,
  method: LinkageMethod,
): number {
  let sum = 0;
  let least = Infinity;
  let largest = 0;
  for (const i of a)
    for (const j of b) {
      const d = distance(i, j);
      sum += d;
      least = Math.min(least, d);
      largest = Math.max(largest, d);
    }
  return method === 'average' ? sum / (a.length * b.length) : method === 'single' ? least : largest;
}

/**
 * Sorts merges given as (sample of the one, sample of the other, height) by height, equal ones in the order given,
 * and numbers the clusters as SciPy does: the cluster made by the t-th merge in that order is n + t, and the lower
 * number stands left.
 */
export function labelMerges(
  n: number,
  merges: readonly (readonly [a: number, b: number, height: number])[],
  method: LinkageMethod,
): Linkage {
  const sorted = [...merges].sort((p, q) => p[2] - q[2]);
  const cluster = Array.from({ length: n }, (_, i) => i);
  const out: [number, number, number, number][] = [];
  for (const [t, [a, b, height]] of sorted.entries()) {
    const pair = [cluster[a]!, cluster[b]!];
    let size = 0;
    for (let i = 0; i < n; i++) {
      if (!pair.includes(cluster[i]!)) continue;
      cluster[i] = n + t;
      size++;
    }
    out.push([Math.min(...pair), Math.max(...pair), height, size]);
  }
  return {
    n,
    method,
    left: Uint32Array.from(out, (row) => row[0]),
    right: Uint32Array.from(out, (row) => row[1]),
    heights: Float32Array.from(out, (row) => row[2]),
    sizes: Uint32Array.from(out, (row) => row[3]),
    diameters: null,
  };
}
