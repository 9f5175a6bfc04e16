import type { ModuleSnapshot } from '@epochscope/analysis/results';

/** A vertical or horizontal stroke between two points of (place along the leaves, height). */
export interface Branch {
  node: number;
  left: number;
  right: number;
  /** Height of the merge, and of the two below it (0 for what is not opened further). */
  height: number;
  leftHeight: number;
  rightHeight: number;
  size: number;
  /** Cluster of the cut this merge lies in; null above the cut. */
  cluster: number | null;
}
/** What stands at the bottom: a unit, or a subtree drawn closed. */
export interface Leaf {
  place: number;
  size: number;
  height: number;
  /** null where a closed subtree holds several clusters. */
  cluster: number | null;
}
export interface DendrogramLayout {
  branches: Branch[];
  leaves: Leaf[];
  /** Height at which a level cut goes through; null for branch. */
  cutHeight: number | null;
}

/** The upper part of the tree: at most `most` leaves, opened from the top; the rest closed. O(n). */
export function dendrogramLayout(s: ModuleSnapshot, most: number): DendrogramLayout {
  const { left, right, heights, sizes } = s.tree;
  const merges = left.length;
  const n = s.kept.length;
  if (!n) return { branches: [], leaves: [], cutHeight: null };
  const cluster = clusterOfNodes(s);
  const open = (node: number) => node >= n && node - n >= merges - (most - 1);
  const branches: Branch[] = [];
  const leaves: Leaf[] = [];
  // Depth first without recursion: a tree may be a chain.
  const place = new Map<number, number>();
  const stack: [node: number, done: boolean][] = [[n + merges - 1, false]];
  if (!merges) stack[0] = [0, false];
  const heightOf = (node: number) => (node < n ? 0 : heights[node - n]!);
  while (stack.length) {
    const [node, done] = stack.pop()!;
    if (!open(node)) {
      place.set(node, leaves.length);
      leaves.push({
        place: leaves.length,
        size: node < n ? 1 : sizes[node - n]!,
        height: heightOf(node),
        cluster: cluster[node]! < 0 ? null : cluster[node]!,
      });
      continue;
    }
    const t = node - n;
    if (!done) {
      stack.push([node, true], [right[t]!, false], [left[t]!, false]);
      continue;
    }
    const [a, b] = [place.get(left[t]!)!, place.get(right[t]!)!];
    place.set(node, (a + b) / 2);
    branches.push({
      node,
      left: a,
      right: b,
      height: heights[t]!,
      leftHeight: open(left[t]!) ? heightOf(left[t]!) : 0,
      rightHeight: open(right[t]!) ? heightOf(right[t]!) : 0,
      size: sizes[t]!,
      cluster: cluster[node]! < 0 ? null : cluster[node]!,
    });
  }
  const kept = n - s.clusters.length;
  const cutHeight =
    s.cut === 'level' && kept < merges
      ? kept
        ? (heights[kept - 1]! + heights[kept]!) / 2
        : heights[0]! / 2
      : null;
  return { branches, leaves, cutHeight };
}

/** Cluster of each node of the tree; −1 where it holds several. */
function clusterOfNodes({ kept, labels, tree }: ModuleSnapshot): Int32Array {
  const n = kept.length;
  const out = new Int32Array(n + tree.left.length);
  out.set(labels);
  for (let t = 0; t < tree.left.length; t++) {
    const [a, b] = [out[tree.left[t]!]!, out[tree.right[t]!]!];
    out[n + t] = a === b ? a : -1;
  }
  return out;
}
