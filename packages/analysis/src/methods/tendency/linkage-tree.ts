import { log } from '../../elementary.js';

/**
 * The single-linkage tree of a VAT order. Uniting neighbouring runs of positions by rising weight, all equal weights at
 * once, makes nodes that are ranges of positions. Nodes are numbered from left to right, children before parents, so that
 * the last is the root; single positions have no number.
 */
export interface LinkageTree {
  /** Positions start … end − 1 of each node. */
  start: Uint32Array;
  end: Uint32Array;
  /** Weight at which its children unite. */
  weight: Float32Array;
  /** −1 for the root. */
  parent: Int32Array;
  /** Size of the largest child, and its number: −1 for a single position. The leftmost of equal ones. */
  largest: Uint32Array;
  heavy: Int32Array;
  /** Size of the second-largest child. */
  runt: Uint32Array;
  /** Largest runt at or below the node. */
  largestRunt: Uint32Array;
}

/** @param weights float32[n−1] of a VAT order, finite and ≥ 0. O(n) time, 48·n bytes: a stack of nodes that are still open. */
export function linkageTree(weights: Float32Array): LinkageTree {
  const most = weights.length;
  const start = new Uint32Array(most);
  const end = new Uint32Array(most);
  const weight = new Float32Array(most);
  const parent = new Int32Array(most).fill(-1);
  const largest = new Uint32Array(most);
  const heavy = new Int32Array(most).fill(-1);
  const runt = new Uint32Array(most);
  const largestRunt = new Uint32Array(most);
  // Open nodes, by falling weight, and on a stack of their own the children so far: a node's number, or −1 − position.
  const openStart = new Uint32Array(most);
  const openWeight = new Float32Array(most);
  const firstChild = new Uint32Array(most);
  const children = new Int32Array(most + 1);
  let open = 0;
  let waiting = 0;
  let nodes = 0;
  /** Closes the innermost open node, whose last child ends before `to`. */
  const close = (to: number): number => {
    const node = nodes++;
    open--;
    start[node] = openStart[open]!;
    end[node] = to;
    weight[node] = openWeight[open]!;
    for (let i = firstChild[open]!; i < waiting; i++) {
      const child = children[i]!;
      const size = child < 0 ? 1 : end[child]! - start[child]!;
      if (child >= 0) {
        parent[child] = node;
        largestRunt[node] = Math.max(largestRunt[node]!, largestRunt[child]!);
      }
      if (size > largest[node]!) {
        runt[node] = largest[node]!;
        largest[node] = size;
        heavy[node] = Math.max(-1, child);
      } else runt[node] = Math.max(runt[node]!, size);
    }
    largestRunt[node] = Math.max(largestRunt[node]!, runt[node]!);
    waiting = firstChild[open]!;
    return node;
  };
  for (let p = 0; p <= most; p++) {
    // What ends at position p, to be put under the weight that follows; past the end everything closes.
    let child = -1 - p;
    const next = p < most ? weights[p]! : Number.POSITIVE_INFINITY;
    while (open > 0 && openWeight[open - 1]! < next) {
      children[waiting++] = child;
      child = close(p + 1);
    }
    if (p === most) break;
    if (open === 0 || openWeight[open - 1] !== next) {
      openStart[open] = child < 0 ? p : start[child]!;
      openWeight[open] = next;
      firstChild[open++] = waiting;
    }
    children[waiting++] = child;
  }
  const cut = <T extends { subarray(from: number, to: number): T }>(list: T) => list.subarray(0, nodes);
  return {
    start: cut(start),
    end: cut(end),
    weight: cut(weight),
    parent: cut(parent),
    largest: cut(largest),
    heavy: cut(heavy),
    runt: cut(runt),
    largestRunt: cut(largestRunt),
  };
}

/** Blocks of most excess mass for one smallest size. */
export interface Selection {
  /** Their nodes, from left to right. */
  nodes: Uint32Array;
  /** Their excess of mass, summed. */
  excess: number;
  /** Up to this smallest size nothing changes. */
  until: number;
}

/** Sums of logarithms that are equal but for rounding differ by less. */
const ROUNDING = 1e-9;

/**
 * Excess of mass (Hartigan & Mohanty 1992; Stuetzle 2003; HDBSCAN*: Campello, Moulavi & Sander 2013) on log weights, for
 * rising smallest sizes m. The tree is condensed from the root: where one child of a node holds at least m positions, the
 * cluster goes on in it, where two or more do, it splits into them, where none does, it ends; smaller children fall out.
 * E(C) = Σ over its positions of ln(b / max(h, ε)): b the weight at which C joins others, h the one at which the position
 * leaves C, ε half the smallest positive weight. From below, the children of a cluster are kept if their sum is at least
 * its own E; the root is never chosen.
 *
 * Only splits of at least m are looked at, at most n/m, so all sizes together take O(n log n). 44·n bytes.
 */
export class ExcessOfMass {
  /** Nodes at which some cluster begins, as long as m is at most `until`: their own size and the runt of their parent's. */
  private readonly tops: Uint32Array;
  private clusters = 0;
  private readonly until: Uint32Array;
  /** ln max(weight, ε). */
  private readonly height: Float64Array;
  /** Σ (positions that fall out · height) down the largest children. */
  private readonly fallen: Float64Array;
  /** The way down the largest children: shortened over nodes that no longer split. */
  private readonly down: Int32Array;
  /** Last node of that way, and from there the last one with at least m positions. */
  private readonly bottom: Uint32Array;
  private readonly lowest: Uint32Array;
  /** Excess of the clusters chosen below a split. */
  private readonly below: Float64Array;
  /** By place in `tops`: excess of what is chosen at or below, and whether that is the cluster itself. */
  private readonly excess: Float64Array;
  private readonly kept: Uint8Array;
  private smallest = 0;

  constructor(private readonly tree: LinkageTree) {
    const { start, end, weight, parent, largest, heavy, runt } = tree;
    const nodes = weight.length;
    let least = Number.POSITIVE_INFINITY;
    for (const w of weight) if (w > 0 && w < least) least = w;
    this.until = new Uint32Array(nodes);
    this.height = new Float64Array(nodes);
    this.fallen = new Float64Array(nodes);
    this.down = heavy.slice();
    this.bottom = new Uint32Array(nodes);
    this.below = new Float64Array(nodes);
    this.tops = new Uint32Array(nodes);
    this.lowest = Uint32Array.from(this.tops.keys());
    for (let v = 0; v < nodes; v++) {
      const size = end[v]! - start[v]!;
      const child = heavy[v]!;
      this.height[v] = log(Math.max(weight[v]!, least / 2));
      this.fallen[v] = (size - largest[v]!) * this.height[v]! + (child < 0 ? 0 : this.fallen[child]!);
      this.bottom[v] = child < 0 ? v : this.bottom[child]!;
      if (parent[v]! >= 0) this.until[v] = Math.min(size, runt[parent[v]!]!);
      if (this.until[v]! >= 2) this.tops[this.clusters++] = v;
    }
    this.excess = new Float64Array(this.clusters);
    this.kept = new Uint8Array(this.clusters);
  }

  /** Blocks for a smallest size ≥ 2 that is no smaller than the one asked for before. */
  at(smallest: number): Selection {
    this.smallest = Math.max(this.smallest, smallest);
    const { tree, tops, until, below, excess, kept } = this;
    const { start, end, parent } = tree;
    let clusters = 0;
    let unchanged = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.clusters; i++) {
      const v = tops[i]!;
      if (until[v]! < this.smallest) continue;
      tops[clusters++] = v;
      below[parent[v]!] = 0;
      unchanged = Math.min(unchanged, until[v]!);
    }
    this.clusters = clusters;
    for (let i = 0; i < clusters; i++) {
      const v = tops[i]!;
      const split = this.splitBelow(v);
      const t = split >= 0 ? split : this.endBelow(v);
      if (split < 0) unchanged = Math.min(unchanged, end[t]! - start[t]!);
      const own = this.excessOf(v, t);
      const inner = split >= 0 ? below[split]! : Number.NEGATIVE_INFINITY;
      kept[i] = Number(inner < own - ROUNDING * Math.abs(own));
      excess[i] = kept[i] ? own : inner;
      below[parent[v]!]! += excess[i]!;
    }
    // From the right, parents before children: what lies within a block that is kept is passed over.
    const chosen: number[] = [];
    let total = 0;
    let limit = Number.POSITIVE_INFINITY;
    for (let i = clusters - 1; i >= 0; i--)
      if (kept[i] && end[tops[i]!]! <= limit) {
        limit = start[tops[i]!]!;
        total += excess[i]!;
        chosen.push(tops[i]!);
      }
    return { nodes: Uint32Array.from(chosen.reverse()), excess: total, until: unchanged };
  }

  /** E of the cluster that begins at v and splits or ends at t. */
  private excessOf(v: number, t: number): number {
    const { start, end, parent } = this.tree;
    const size = (node: number) => end[node]! - start[node]!;
    const left = this.fallen[v]! - this.fallen[t]! + size(t) * this.height[t]!;
    return size(v) * this.height[parent[v]!]! - left;
  }

  /** The first node from v down the largest children that splits; −1 for none. */
  private splitBelow(v: number): number {
    const { down, smallest } = this;
    const { runt } = this.tree;
    let t = v;
    while (t >= 0 && runt[t]! < smallest) t = down[t]!;
    for (let u = v; u !== t; ) {
      const next = down[u]!;
      down[u] = t;
      u = next;
    }
    return t;
  }

  /** The last node from v down the largest children that holds at least the smallest size. */
  private endBelow(v: number): number {
    const { start, end, parent } = this.tree;
    const path = this.bottom[v]!;
    let t = this.lowest[path]!;
    while (end[t]! - start[t]! < this.smallest) t = parent[t]!;
    this.lowest[path] = t;
    return t;
  }
}
