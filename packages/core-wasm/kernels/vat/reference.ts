import type { VatResult } from './result.js';

/** Prim's order by definition, over any symmetric distance function; ties to the lowest index. O(n²) calls. */
export function vatReference(n: number, distance: (i: number, j: number) => number): VatResult {
  const order: number[] = [];
  const weights: number[] = [];
  const parent: number[] = [];
  const visited = new Array<boolean>(n).fill(false);
  const key = new Array<number>(n).fill(Infinity);
  const from = new Array<number>(n).fill(-1);
  let next = 0;
  let largest = 0;
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++)
      if (distance(i, j) > largest) {
        largest = distance(i, j);
        next = i;
      }
  for (let k = 0; k < n; k++) {
    if (k > 0) {
      next = -1;
      for (let j = 0; j < n; j++) if (!visited[j] && (next < 0 || key[j]! < key[next]!)) next = j;
      weights.push(key[next]!);
      parent.push(from[next]!);
    }
    visited[next] = true;
    order.push(next);
    for (let j = 0; j < n; j++) {
      if (visited[j]) continue;
      const w = distance(next, j);
      if (w < key[j]! || (w === key[j]! && next < from[j]!)) {
        key[j] = w;
        from[j] = next;
      }
    }
  }
  return {
    order: Uint32Array.from(order),
    weights: Float32Array.from(weights),
    parent: Uint32Array.from(parent),
  };
}
