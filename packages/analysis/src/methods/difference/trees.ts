import { ascendingOrder } from '../tendency/ascending.js';
import type { TendencyPanel } from '../tendency/types.js';
import type { Edges, Joins } from './types.js';

/** The n − 1 edges of a VAT tree, its weights divided by `scale`; equal weights in the order of VAT. O(n). */
export function edgesOf(
  { order, weights, parent }: Pick<TendencyPanel, 'order' | 'weights' | 'parent'>,
  scale: number,
): Edges {
  const rising = ascendingOrder(weights);
  return {
    from: Uint32Array.from(rising, (k) => parent[k]!),
    to: Uint32Array.from(rising, (k) => order[k + 1]!),
    height: Float64Array.from(rising, (k) => weights[k]! / scale),
  };
}

/**
 * Minimum spanning tree of min(A, B), from the trees of A and B, with no dissimilarity looked at: an edge that is in neither tree closes,
 * in the tree of the side whose value it has, a cycle of edges that are no longer, and those edges are no longer in min(A, B) either. So
 * the common tree is that of the 2(n − 1) edges of both, each with its own side's height. Kruskal's way; at equal heights A's edges first.
 * O(n α(n)) time, some 60·n bytes. Without edges on a side there are no joins.
 */
export function commonTree(
  n: number,
  a: Edges,
  b: Edges,
): { order: Uint32Array; joins: Omit<Joins, 'apart'> } {
  const edges = a.height.length && b.height.length ? n - 1 : 0;
  const joins = {
    height: new Float64Array(edges),
    from: new Uint32Array(edges),
    to: new Uint32Array(edges),
    by: new Uint8Array(edges),
    start: new Uint32Array(edges),
    middle: new Uint32Array(edges),
    end: new Uint32Array(edges),
  };
  const groups = new Groups(n);
  const sizes = new Uint32Array(edges * 2);
  let [i, j, k] = [0, 0, 0];
  while (k < edges) {
    const by = j >= edges || (i < edges && a.height[i]! <= b.height[j]!) ? 0 : 1;
    const side = by === 0 ? a : b;
    const at = by === 0 ? i++ : j++;
    const [u, v] = [side.from[at]!, side.to[at]!];
    const [x, y] = [groups.of(u), groups.of(v)];
    if (x === y) continue;
    joins.height[k] = side.height[at]!;
    joins.by[k] = by;
    joins.from[k] = u;
    joins.to[k] = v;
    // Samples at the heads of the two groups; positions are known at the end.
    joins.start[k] = groups.head[x]!;
    joins.middle[k] = groups.head[y]!;
    sizes[2 * k] = groups.size[x]!;
    sizes[2 * k + 1] = groups.size[y]!;
    groups.join(x, y);
    k++;
  }
  const order = groups.order();
  const position = new Uint32Array(n);
  order.forEach((sample, p) => {
    position[sample] = p;
  });
  for (k = 0; k < edges; k++) {
    joins.start[k] = position[joins.start[k]!]!;
    joins.middle[k] = position[joins.middle[k]!]!;
    joins.end[k] = joins.middle[k]! + sizes[2 * k + 1]!;
  }
  return { order, joins };
}

/**
 * The length of the common tree alone, summed as `commonTree` gives its heights. `roots`: n numbers of scratch, for many calls. O(n α(n))
 * time; both sides have edges.
 */
export function commonLength(a: Edges, b: Edges, roots: Int32Array): number {
  const edges = roots.length - 1;
  // A root holds minus the size of its group.
  roots.fill(-1);
  const rootOf = (sample: number): number => {
    let root = sample;
    for (let up = roots[root]!; up >= 0; up = roots[root]!) {
      const above = roots[up]!;
      if (above >= 0) roots[root] = above;
      root = up;
    }
    return root;
  };
  let length = 0;
  for (let i = 0, j = 0, joined = 0; joined < edges; ) {
    const ofA = j >= edges || (i < edges && a.height[i]! <= b.height[j]!);
    const side = ofA ? a : b;
    const at = ofA ? i++ : j++;
    const [x, y] = [rootOf(side.from[at]!), rootOf(side.to[at]!)];
    if (x === y) continue;
    const [larger, smaller] = roots[x]! <= roots[y]! ? [x, y] : [y, x];
    roots[larger]! += roots[smaller]!;
    roots[smaller] = larger;
    length += side.height[at]!;
    joined++;
  }
  return length;
}

/** Disjoint sets whose members stand in lists, the second's after the first's when two are joined. */
class Groups {
  private readonly up: Uint32Array;
  private readonly next: Int32Array;
  private readonly tail: Uint32Array;
  readonly head: Uint32Array;
  readonly size: Uint32Array;

  constructor(n: number) {
    this.up = Uint32Array.from({ length: n }, (_, i) => i);
    this.head = this.up.slice();
    this.tail = this.up.slice();
    this.next = new Int32Array(n).fill(-1);
    this.size = new Uint32Array(n).fill(1);
  }

  of(sample: number): number {
    const { up } = this;
    let root = sample;
    while (up[root] !== root) {
      up[root] = up[up[root]!]!;
      root = up[root]!;
    }
    return root;
  }

  join(x: number, y: number): void {
    const { up, head, tail, next, size } = this;
    next[tail[x]!] = head[y]!;
    const [root, other] = size[x]! >= size[y]! ? [x, y] : [y, x];
    up[other] = root;
    size[root]! += size[other]!;
    [head[root], tail[root]] = [head[x]!, tail[y]!];
  }

  /** Group after group. */
  order(): Uint32Array {
    const order = new Uint32Array(this.up.length);
    let p = 0;
    for (let root = 0; root < order.length; root++) {
      if (this.up[root] !== root) continue;
      for (let sample = this.head[root]!; sample >= 0; sample = this.next[sample]!) order[p++] = sample;
    }
    return order;
  }
}
