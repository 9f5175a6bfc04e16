import { describe, expect, it } from 'vitest';
import { modulesResult, modulesSnapshot } from '../../gallery/modules.js';
import { dendrogramLayout } from '../es-module-dendrogram/layout.js';
import { followedPairs, relatives, shownClusters } from './clusters.js';
import { flowLayout } from './layout.js';

describe('flowLayout', () => {
  it('draws a band for every pair that shares a unit, and for every unit that leaves or joins', () => {
    for (const most of [3, 8, 100]) {
      const result = modulesResult(200, [6, 9, 30]);
      const { links, nodes, shown } = flowLayout(result, most, 400);
      for (const [s, t] of result.transitions.entries()) {
        const here = links.filter(({ from }) => from.snapshot === s);
        const sum = (list: ArrayLike<number>) => Array.from(list).reduce((a, b) => a + b, 0);
        expect(here.reduce((units, link) => units + link.units, 0)).toBe(
          sum(t.count) + sum(t.left) + sum(t.joined),
        );
        // Pairs of blocks, by definition.
        const pairs = new Set<string>();
        const place = (c: number, at: number) => Math.min(c, shown[at]!.alone);
        for (const [k, r] of t.row.entries()) pairs.add(`${place(r, s)},${place(t.column[k]!, s + 1)}`);
        for (const [r, units] of t.left.entries()) if (units) pairs.add(`${place(r, s)},-1`);
        for (const [c, units] of t.joined.entries()) if (units) pairs.add(`-1,${place(c, s + 1)}`);
        expect(new Set(here.map(({ from, to }) => `${from.place},${to.place}`))).toEqual(pairs);
        expect(here.length).toBe(pairs.size);
      }
      for (const node of nodes) {
        const out = links.filter(({ from }) => from === node);
        const into = links.filter(({ to }) => to === node);
        for (const [list, top] of [
          [out, 'fromTop'],
          [into, 'toTop'],
        ] as const) {
          const bands = [...list].sort((a, b) => a[top] - b[top]);
          // Side by side, without covering one another, inside the block.
          for (const [i, band] of bands.entries())
            expect(band[top]).toBeCloseTo(i ? bands[i - 1]![top] + bands[i - 1]!.thick : 0, 6);
          expect((bands.at(-1)?.[top] ?? 0) + (bands.at(-1)?.thick ?? 0)).toBeLessThanOrEqual(
            node.height + 1e-6,
          );
        }
        expect(node.top + node.height).toBeLessThanOrEqual(400 + 1e-6);
      }
      for (const [s] of result.snapshots.entries()) {
        const column = nodes.filter(({ snapshot }) => snapshot === s).sort((a, b) => a.top - b.top);
        for (let i = 1; i < column.length; i++)
          expect(column[i]!.top).toBeGreaterThan(column[i - 1]!.top + column[i - 1]!.height);
      }
    }
  });

  it('puts the smaller clusters together, but never one alone', () => {
    expect(shownClusters(5, 20)).toEqual({ alone: 5, rest: 0 });
    expect(shownClusters(21, 20)).toEqual({ alone: 21, rest: 0 });
    expect(shownClusters(22, 20)).toEqual({ alone: 20, rest: 2 });
  });

  it('follows the units of a cluster', () => {
    const result = modulesResult(120, [5, 7]);
    const shares = relatives(result, { snapshot: 'epoch-0001', cluster: 2 })!;
    expect([...shares.get('epoch-0001')!]).toEqual([[2, result.snapshots[0]!.clusters[2]!.size]]);
    const t = result.transitions[0]!;
    const wanted = [...t.row.keys()].filter((k) => t.row[k] === 2).map((k) => [t.column[k], t.count[k]]);
    expect([...shares.get('epoch-0010')!].sort((a, b) => a[0] - b[0])).toEqual(wanted);
    const { shown } = flowLayout(result, 3, 400);
    const pairs = followedPairs(result, { snapshot: 'epoch-0001', cluster: 2 }, shown)!;
    expect([...pairs.values()].reduce((a, b) => a + b, 0)).toBe(result.snapshots[0]!.clusters[2]!.size);
    for (const [key, units] of pairs) {
      const [s, from, to] = key.split(',').map(Number);
      expect([s, from]).toEqual([0, 2]);
      const there = [...t.row.keys()].filter(
        (k) => t.row[k] === 2 && Math.min(t.column[k]!, shown[1]!.alone) === to,
      );
      expect(units).toBe(to === -1 ? t.left[2] : there.reduce((sum, k) => sum + t.count[k]!, 0));
    }
    expect(followedPairs(result, null, shown)).toBeNull();
    expect(relatives(result, null)).toBeNull();
    expect(relatives(result, { snapshot: 'epoch-0001', cluster: 99 })).toBeNull();
  });
});

describe('dendrogramLayout', () => {
  it('opens the tree from the top, keeps every unit, and orders leaves so that no branches cross', () => {
    for (const most of [2, 9, 40, 1000]) {
      const s = modulesSnapshot(150, 7, 10);
      const n = s.kept.length;
      const { branches, leaves, cutHeight } = dendrogramLayout(s, most);
      expect(leaves.length).toBe(Math.min(most, n));
      expect(branches.length).toBe(leaves.length - 1);
      expect(leaves.reduce((sum, { size }) => sum + size, 0)).toBe(n);
      for (const b of branches) {
        expect(b.left).toBeLessThan(b.right);
        expect(b.height).toBeGreaterThanOrEqual(Math.max(b.leftHeight, b.rightHeight));
      }
      const merges = s.tree.heights;
      expect(merges.filter((h) => h <= cutHeight!).length).toBe(n - s.clusters.length);
    }
  });

  it('takes no unit, one, and a chain of thousands', () => {
    const s = modulesSnapshot(150, 7, 10);
    const none = { ...s, kept: new Uint32Array(0) };
    expect(dendrogramLayout(none, 10)).toEqual({ branches: [], leaves: [], cutHeight: null });
    const n = 20_000;
    const chain = {
      ...s,
      kept: Uint32Array.from({ length: n }, (_, i) => i),
      labels: new Uint32Array(n),
      clusters: s.clusters.slice(0, 1),
      tree: {
        left: Uint32Array.from({ length: n - 1 }, (_, t) => (t ? t + 1 : 0)),
        right: Uint32Array.from({ length: n - 1 }, (_, t) => (t ? n + t - 1 : 1)),
        heights: Float32Array.from({ length: n - 1 }, (_, t) => t),
        sizes: Uint32Array.from({ length: n - 1 }, (_, t) => t + 2),
        diameters: new Float32Array(n - 1),
      },
    };
    expect(dendrogramLayout(chain, n).leaves.length).toBe(n);
    expect(
      dendrogramLayout(chain, 5)
        .leaves.map(({ size }) => size)
        .sort((a, b) => a - b),
    ).toEqual([1, 1, 1, 1, n - 4]);
  });
});
