// The rule of `findBlocks` written down from its definition, slowly and with nothing shared, for tests.

interface Node {
  start: number;
  end: number;
  /** At which its children unite; 0 for a single position. */
  weight: number;
  children: Node[];
}
interface Cluster {
  /** Where it begins. */
  node: Node;
  excess: number;
  children: Cluster[];
}

function treeOf(weights: ArrayLike<number>, start: number, end: number): Node {
  if (end - start === 1) return { start, end, weight: 0, children: [] };
  const inside = Array.from({ length: end - start - 1 }, (_, i) => weights[start + i]!);
  const weight = Math.max(...inside);
  const cuts = inside.flatMap((w, i) => (w === weight ? [start + i + 1] : []));
  const ends = [...cuts, end];
  return { start, end, weight, children: [start, ...cuts].map((from, i) => treeOf(weights, from, ends[i]!)) };
}
const sizeOf = ({ start, end }: Node) => end - start;
const runt = ({ children }: Node) => children.map(sizeOf).sort((a, b) => b - a)[1] ?? 0;
const largestRunt = (node: Node): number => Math.max(runt(node), ...node.children.map(largestRunt));

/** @param joins weight at which the cluster joins others; null for the root. */
function condense(node: Node, joins: number | null, smallest: number, epsilon: number): Cluster {
  const leaves: number[] = [];
  let at = node;
  for (;;) {
    const large = at.children.filter((child) => sizeOf(child) >= smallest);
    if (large.length !== 1) {
      for (let i = 0; i < sizeOf(at); i++) leaves.push(at.weight);
      return {
        node,
        excess:
          joins === null ? 0 : leaves.reduce((sum, h) => sum + Math.log(joins / Math.max(h, epsilon)), 0),
        children: large.map((child) => condense(child, at.weight, smallest, epsilon)),
      };
    }
    for (let i = sizeOf(large[0]!); i < sizeOf(at); i++) leaves.push(at.weight);
    at = large[0]!;
  }
}

/** The clusters chosen at or below one, and their excess. */
function choose(cluster: Cluster): { chosen: Node[]; excess: number } {
  const below = cluster.children.map(choose);
  const excess = below.reduce((sum, c) => sum + c.excess, 0);
  // Sums that are equal but for rounding are equal.
  return below.length && excess >= cluster.excess * (1 - 1e-9)
    ? { chosen: below.flatMap(({ chosen }) => chosen), excess }
    : { chosen: [cluster.node], excess: cluster.excess };
}

const quantile = (values: readonly number[], share: number) => {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (place - Math.floor(place)) * (high - low);
};

function parentOf(root: Node, node: Node): Node {
  let at = root;
  for (;;) {
    const next = at.children.find(({ start, end }) => start <= node.start && node.end <= end)!;
    if (next.start === node.start && next.end === node.end) return at;
    at = next;
  }
}

/** Blocks of the rule for n ≥ 40, those before the test for clearness as `candidates`. O(n²) time. */
export function referenceBlocks(weights: ArrayLike<number>, smallest: number) {
  const n = weights.length + 1;
  const root = treeOf(weights, 0, n);
  const positive = Array.from(weights).filter((w) => w > 0);
  const epsilon = Math.min(...positive) / 2;
  const whole = condense(root, null, smallest, epsilon);
  const parts = whole.children.map(choose);
  const candidates = parts
    .flatMap(({ chosen }) => chosen)
    .map((node) => {
      const inside = Array.from(weights)
        .slice(node.start, node.end - 1)
        .filter((w) => w > 0)
        .map(Math.log);
      const spread = inside.length ? (quantile(inside, 0.75) - quantile(inside, 0.25)) / 1.349 : 0;
      const joins = Math.log(parentOf(root, node).weight);
      const z = spread === 0 ? 6 : Math.min(6, (joins - quantile(inside, 0.5)) / spread);
      const clearness = z + Math.log2(sizeOf(node) / Math.max(1, largestRunt(node)));
      return { start: node.start, end: node.end, clearness };
    });
  const k = candidates.length;
  const mean = candidates.reduce((sum, { clearness }) => sum + clearness / k, 0);
  return {
    candidates,
    excess: parts.reduce((sum, { excess }) => sum + excess, 0),
    clear: k >= 2 && (mean - 3.3) * Math.sqrt(k) >= 1.9,
  };
}
