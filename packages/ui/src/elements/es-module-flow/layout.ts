import type { ModulesResult } from '@epochscope/analysis/results';
import { byPlace, type Shown, sharedUnits, shownClusters } from './clusters.js';

/** A block of one snapshot: a cluster, the rest, or the units without a cluster there. */
export interface FlowNode {
  snapshot: number;
  /** Place among the drawn clusters; −1 for units without a cluster. */
  place: number;
  units: number;
  /** Position and height along the column, in units of the drawing. */
  top: number;
  height: number;
}
export interface FlowLink {
  from: FlowNode;
  to: FlowNode;
  units: number;
  /** Offsets of the band within each block, and its thickness. */
  fromTop: number;
  toTop: number;
  thick: number;
}
export interface FlowLayout {
  shown: Shown[];
  nodes: FlowNode[];
  links: FlowLink[];
}

const GAP = 6;

/**
 * An alluvial drawing: one column a snapshot, a block as tall as its units are many, a band for every pair of blocks that share a unit. None is
 * left out: units that are in no cluster of a snapshot stand in a block of their own. Columns are ordered by where their units
 * come from, so that few bands cross.
 */
export function flowLayout(
  result: Pick<ModulesResult, 'snapshots' | 'transitions'>,
  most: number,
  height: number,
): FlowLayout {
  const { snapshots, transitions } = result;
  const shown = snapshots.map(({ clusters }) => shownClusters(clusters.length, most));
  // Units outside the clusters count as far as they are in one of a neighbour: others never move.
  const outside = snapshots.map((_, s) => {
    const before = s > 0 ? transitions[s - 1]!.left.reduce((a, b) => a + b, 0) : 0;
    const after = s < transitions.length ? transitions[s]!.joined.reduce((a, b) => a + b, 0) : 0;
    return Math.max(before, after);
  });
  const sizes = snapshots.map(({ clusters }, s) => [
    ...byPlace(
      clusters.map(({ size }) => size),
      shown[s]!,
    ),
    outside[s]!,
  ]);
  const scale = Math.min(
    ...sizes.map((column) => {
      const blocks = column.filter((units) => units > 0).length;
      const units = column.reduce((a, b) => a + b, 0);
      return units ? Math.max(1, height - GAP * (blocks - 1)) / units : Infinity;
    }),
  );

  const nodes: FlowNode[] = [];
  const links: FlowLink[] = [];
  let previous: FlowNode[] = [];
  for (const [s, column] of sizes.entries()) {
    const here = column.flatMap((units, place): FlowNode[] =>
      units
        ? [
            {
              snapshot: s,
              place: place === column.length - 1 ? -1 : place,
              units,
              top: 0,
              height: units * scale,
            },
          ]
        : [],
    );
    const t = transitions[s - 1];
    const pairs: { from: FlowNode; to: FlowNode; units: number }[] = [];
    if (t) {
      const width = shown[s]!.alone + 1;
      const at = (list: FlowNode[], place: number) => list.find((node) => node.place === place)!;
      for (const [key, units] of sharedUnits(t, shown[s - 1]!, shown[s]!))
        pairs.push({ from: at(previous, Math.floor(key / width)), to: at(here, key % width), units });
      for (const [place, units] of byPlace(t.left, shown[s - 1]!).entries())
        if (units) pairs.push({ from: at(previous, place), to: at(here, -1), units });
      for (const [place, units] of byPlace(t.joined, shown[s]!).entries())
        if (units) pairs.push({ from: at(previous, -1), to: at(here, place), units });
    }
    const origin = (node: FlowNode) => {
      const own = pairs.filter(({ to }) => to === node);
      const units = own.reduce((sum, p) => sum + p.units, 0);
      return units
        ? own.reduce((sum, p) => sum + p.units * (p.from.top + p.from.height / 2), 0) / units
        : Infinity;
    };
    const places = new Map(here.map((node) => [node, t ? origin(node) : node.place]));
    here.sort(
      (a, b) =>
        Number(a.place < 0) - Number(b.place < 0) || places.get(a)! - places.get(b)! || a.place - b.place,
    );
    let top = 0;
    for (const node of here) {
      node.top = top;
      top += node.height + GAP;
    }
    const out = new Map<FlowNode, number>();
    const into = new Map<FlowNode, number>();
    for (const pair of [...pairs].sort((a, b) => a.from.top - b.from.top || a.to.top - b.to.top)) {
      const thick = pair.units * scale;
      links.push({ ...pair, thick, fromTop: out.get(pair.from) ?? 0, toTop: 0 });
      out.set(pair.from, (out.get(pair.from) ?? 0) + thick);
    }
    for (const link of links.filter(({ to }) => to.snapshot === s).sort((a, b) => a.from.top - b.from.top)) {
      link.toTop = into.get(link.to) ?? 0;
      into.set(link.to, link.toTop + link.thick);
    }
    nodes.push(...here);
    previous = here;
  }
  return { shown, nodes, links };
}
