import type { Edges, Joins } from './types.js';

/**
 * For each edge of the common tree, by rising height, where a side's own tree joins its two groups: the least height a such that the side's
 * edges up to a, with the common edges before, join them. The common edges enter the side's tree one by one; each takes the place of the
 * longest of the side's edges on the cycle it closes, and that edge's height is a. So every edge of the side answers one of the common tree,
 * and the sum of a − height is the difference of the trees' lengths. O(n log n) time, some 50·n bytes.
 */
export function heightsApart(n: number, side: Edges, { from, to }: Pick<Joins, 'from' | 'to'>): Float64Array {
  const edges = from.length;
  const apart = new Float64Array(edges);
  // Nodes 0 … n − 1 are samples; node n + k is the side's k-th edge, and later the common edge that took its place.
  const forest = new PathForest(n, side.height);
  for (let k = 0; k < edges; k++) {
    forest.link(side.from[k]!, n + k);
    forest.link(side.to[k]!, n + k);
  }
  for (let k = 0; k < edges; k++) {
    const [u, v] = [from[k]!, to[k]!];
    const longest = forest.longest(u, v);
    apart[k] = side.height[longest - n]!;
    forest.cut(side.from[longest - n]!, longest);
    forest.cut(side.to[longest - n]!, longest);
    forest.rest(longest);
    // A node of a common edge: never the longest again, so its ends need not be known.
    forest.link(u, longest);
    forest.link(v, longest);
  }
  return apart;
}

/**
 * A forest under link and cut that tells the highest node of a path (Sleator and Tarjan 1983, with splay trees): O(log n) each, amortised.
 * A splay tree holds one path, its nodes by depth; `up` of its root leads to the path above.
 */
class PathForest {
  private readonly up: Int32Array;
  private readonly left: Int32Array;
  private readonly right: Int32Array;
  /** 1: left and right of everything below are to be taken the other way round. */
  private readonly turned: Uint8Array;
  /** Heights by node; samples and common edges have −1, lower than any. */
  private readonly height: Float64Array;
  /** The node of greatest height in the splay subtree. */
  private readonly best: Int32Array;
  private readonly stack: number[] = [];

  constructor(samples: number, heights: Float64Array) {
    const nodes = samples + heights.length;
    this.up = new Int32Array(nodes).fill(-1);
    this.left = new Int32Array(nodes).fill(-1);
    this.right = new Int32Array(nodes).fill(-1);
    this.turned = new Uint8Array(nodes);
    this.height = new Float64Array(nodes).fill(-1);
    this.height.set(heights, samples);
    this.best = Int32Array.from({ length: nodes }, (_, i) => i);
  }

  /** Two nodes of different trees become neighbours. */
  link(x: number, y: number): void {
    this.toRoot(x);
    this.up[x] = y;
  }

  /** Two neighbours no longer are. */
  cut(x: number, y: number): void {
    this.toRoot(x);
    this.access(y);
    this.left[y] = -1;
    this.up[x] = -1;
    this.update(y);
  }

  /** The node of greatest height on the path between two nodes of one tree. */
  longest(x: number, y: number): number {
    this.toRoot(x);
    this.access(y);
    return this.best[y]!;
  }

  /** A node alone is from now on lower than any. */
  rest(x: number): void {
    this.height[x] = -1;
    this.best[x] = x;
  }

  private toRoot(x: number): void {
    this.access(x);
    this.turned[x]! ^= 1;
  }

  /** Makes the path from the tree's root to x one splay tree, with x at its top and nothing below x. */
  private access(x: number): void {
    let below = -1;
    for (let node = x; node >= 0; node = this.up[node]!) {
      this.splay(node);
      this.right[node] = below;
      this.update(node);
      below = node;
    }
    this.splay(x);
  }

  private splay(x: number): void {
    const { up, stack } = this;
    stack.length = 0;
    let node = x;
    for (stack.push(node); this.isInner(node); stack.push(node)) node = up[node]!;
    while (stack.length) this.pushDown(stack.pop()!);
    while (this.isInner(x)) {
      const y = up[x]!;
      if (this.isInner(y)) this.rotate((this.left[up[y]!] === y) === (this.left[y] === x) ? y : x);
      this.rotate(x);
    }
  }

  private rotate(x: number): void {
    const { up, left, right } = this;
    const y = up[x]!;
    const z = up[y]!;
    if (this.isInner(y)) {
      if (left[z] === y) left[z] = x;
      else right[z] = x;
    }
    const [near, far] = left[y] === x ? [left, right] : [right, left];
    const moved = far[x]!;
    near[y] = moved;
    if (moved >= 0) up[moved] = y;
    far[x] = y;
    up[y] = x;
    up[x] = z;
    this.update(y);
    this.update(x);
  }

  /** Whether x is below another node of its splay tree. */
  private isInner(x: number): boolean {
    const above = this.up[x]!;
    return above >= 0 && (this.left[above] === x || this.right[above] === x);
  }

  private pushDown(x: number): void {
    if (!this.turned[x]) return;
    const [l, r] = [this.left[x]!, this.right[x]!];
    this.left[x] = r;
    this.right[x] = l;
    if (l >= 0) this.turned[l]! ^= 1;
    if (r >= 0) this.turned[r]! ^= 1;
    this.turned[x] = 0;
  }

  private update(x: number): void {
    let best = x;
    for (const child of [this.left[x]!, this.right[x]!]) {
      if (child >= 0 && this.height[this.best[child]!]! > this.height[best]!) best = this.best[child]!;
    }
    this.best[x] = best;
  }
}
