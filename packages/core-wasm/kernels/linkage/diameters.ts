import type { Kernels } from '../../src/load.js';
import { CHUNK, progress, type Stage } from './merges.js';
import { type Linkage, leafOrder, leafRanges } from './result.js';

interface DiameterExports {
  linkageDiameterRow(
    upper: number,
    i: number,
    n: number,
    position: number,
    parent: number,
    from: number,
    to: number,
    row: number,
    diameter: number,
  ): void;
}

/** Bytes of the tables: positions, parents, two ends of the sibling, a row, the diameters; and a row of input. */
export const diameterBytes = (n: number) => 4 * (10 * n + 28);

/** Cluster diameters from the rows of the upper triangle. O(n) memory beside them, O(n) time a row. */
export function* diametersOf(
  kernels: Kernels,
  tree: Linkage,
  upper: (i: number) => Float32Array,
  stage: Stage,
): Generator<[number, number], Float32Array, void> {
  const { arena } = kernels;
  const { n, left, right } = tree;
  const fn = kernels.exports as unknown as DiameterExports;
  const all = 2 * n - 1;
  const words = [n, all, all, all, n, n, n].map((length) => Math.ceil(length / 4) * 4);
  const base = arena.alloc(4 * words.reduce((a, b) => a + b));
  try {
    let at = base;
    const [position, parent, from, to, row, diameter, input] = words.map((length) => {
      at += 4 * length;
      return at - 4 * length;
    }) as [number, number, number, number, number, number, number];
    const positions = arena.u32(position, n);
    for (const [k, leaf] of leafOrder(tree).entries()) positions[leaf] = k;
    const { start, size } = leafRanges(tree);
    const parents = arena.u32(parent, all);
    const begins = arena.u32(from, all);
    const ends = arena.u32(to, all);
    const beside = (node: number, sibling: number, t: number) => {
      parents[node] = t;
      begins[node] = start[sibling]!;
      ends[node] = start[sibling]! + size[sibling]!;
    };
    for (let t = 0; t < n - 1; t++) {
      beside(left[t]!, right[t]!, t);
      beside(right[t]!, left[t]!, t);
    }
    arena.f32(diameter, n - 1).fill(0);
    arena.f32(row, n).fill(0);
    const rows = Math.max(1, Math.floor(CHUNK / 4 / n));
    for (let i = 0; i < n; i++) {
      if (i % rows === 0) yield progress(stage, i / n);
      const values = upper(i);
      const inside = values.buffer === kernels.memory.buffer;
      if (!inside) arena.f32(input, values.length).set(values);
      fn.linkageDiameterRow(
        inside ? values.byteOffset : input,
        i,
        n,
        position,
        parent,
        from,
        to,
        row,
        diameter,
      );
    }
    const out = arena.f32(diameter, n - 1).slice();
    for (let t = 0; t < n - 1; t++)
      for (const child of [left[t]!, right[t]!])
        if (child >= n && out[child - n]! > out[t]!) out[t] = out[child - n]!;
    return out;
  } finally {
    arena.dealloc(base);
  }
}
