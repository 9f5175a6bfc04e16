import { guard } from '@epochscope/core-wasm';
import { log } from '../../elementary.js';
import { ExcessOfMass, type LinkageTree, linkageTree } from './linkage-tree.js';
import type { Block, Blocks } from './types.js';

/** Fewer samples show no block that could be told from chance. */
export const FEWEST_SAMPLES = 40;
/** The gate: blocks of k are clear if (mean clearness − 3.3)·√k is at least 1.9 (docs/decisions/0003). */
const NULL_CLEARNESS = 3.3;
const GATE = 1.9;
/** Beyond so many standard deviations, more says nothing more. */
const MOST_Z = 6;
/** Half of the normal distribution lies within so many standard deviations: IQR / 1.349 estimates one. */
const IQR_OF_NORMAL = 1.349;

/** Smallest block that counts, unless given: 2 % of the samples, at least 10, but never more than a quarter (at least 2). */
export const defaultSmallest = (n: number) =>
  Math.min(Math.max(10, Math.round(n / 50)), Math.max(2, Math.floor(n / 4)));

/** `Blocks` without the stability, for which subsets must be ordered anew. */
export type FoundBlocks = Omit<Blocks, 'stability'>;

/**
 * Dark blocks on the diagonal: the parts of VAT's single-linkage tree with the most excess of mass (`ExcessOfMass`), if
 * they are clear at all. Clearness of a block B is min(6, z) + log₂(|B| / max(1, M)), in which z = (ln b − median ln w) /
 * (IQR / 1.349) says how far the weight b that joins B to others lies above the positive weights w inside (6 where these
 * do not spread), and M, the largest runt at or below B, how evenly B falls apart further down. k blocks are clear if k ≥ 2 and
 * (mean clearness − 3.3)·√k ≥ 1.9; if not, there are none, with the reason. Fewer than 40 samples are too few.
 *
 * Each block is one node of the tree, so one range of the order; samples may be in none. Count and persistence stand for
 * every smallest size from 2 to n/2 too. O(n log n) time, about 150·n bytes. Nothing is random.
 *
 * @param weights float32[n−1] of a VAT order. Throws `argument` for a smallest size that is no integer ≥ 2, `not-finite`
 *   for weights that are NaN, infinite or negative.
 * @param options.bySize false leaves the other sizes out, which is faster.
 */
export function findBlocks(
  weights: Float32Array,
  n: number,
  options: { smallest?: number; bySize?: boolean } = {},
): FoundBlocks {
  const smallest = options.smallest ?? defaultSmallest(n);
  guard(
    Number.isInteger(smallest) && smallest >= 2,
    'argument',
    () => `smallest block: expected an integer ≥ 2, got ${smallest}`,
    { got: smallest },
  );
  const bad = weights.findIndex((w) => !(w >= 0 && w < Number.POSITIVE_INFINITY));
  guard(
    bad < 0,
    'not-finite',
    () => `weights of the order: expected finite numbers ≥ 0, got ${weights[bad]} at ${bad}`,
    { position: bad, got: weights[bad] },
  );
  if (n < FEWEST_SAMPLES)
    return none(
      smallest,
      n === 0 ? 'no samples' : `too few samples to count blocks: ${n}, at least ${FEWEST_SAMPLES} are needed`,
      sizesOf([]),
    );
  const tree = linkageTree(weights);
  const rule = new ExcessOfMass(tree);
  const clearness = clearnessOf(tree, weights);
  let nodes: Uint32Array = new Uint32Array(0);
  const rows: { smallest: number; count: number; persistence: number }[] = [];
  let before: Uint32Array | null = null;
  const last = Math.floor(n / 2);
  for (let m = options.bySize === false ? smallest : 2; m <= last; ) {
    const selection = rule.at(m);
    const from = m;
    m = selection.until + 1;
    if (from <= smallest && smallest < m) {
      nodes = selection.nodes.slice();
      if (options.bySize === false) break;
    }
    if (before && same(before, selection.nodes)) continue;
    before = selection.nodes;
    rows.push({
      smallest: from,
      count: isClear(selection.nodes, clearness) ? selection.nodes.length : 0,
      persistence: selection.excess / n,
    });
  }
  const bySize = sizesOf(rows);
  if (nodes.length < 2)
    return none(
      smallest,
      `no clear blocks: the samples never split into two parts of ${smallest} or more`,
      bySize,
    );
  const values = Array.from(nodes, clearness);
  if (!isClear(nodes, clearness)) {
    const needed = NULL_CLEARNESS + GATE / Math.sqrt(nodes.length);
    return none(
      smallest,
      `no clear blocks: ${nodes.length} candidates of mean clearness ${mean(values).toFixed(1)}, ${needed.toFixed(1)} is needed`,
      bySize,
    );
  }
  const ranges = values.map((value, b): Block => {
    const node = nodes[b]!;
    return { start: tree.start[node]!, end: tree.end[node]!, clearness: value };
  });
  const inside = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  return {
    count: ranges.length,
    ranges,
    shareInNone: (n - inside) / n,
    clearness: { value: mean(values) },
    smallest,
    bySize,
  };
}

const none = (smallest: number, reason: string, bySize: Blocks['bySize']): FoundBlocks => ({
  count: 0,
  reason,
  ranges: [],
  shareInNone: 1,
  clearness: { value: null, reason },
  smallest,
  bySize,
});
const sizesOf = (rows: readonly { smallest: number; count: number; persistence: number }[]) => ({
  smallest: Uint32Array.from(rows, (row) => row.smallest),
  count: Uint32Array.from(rows, (row) => row.count),
  persistence: Float64Array.from(rows, (row) => row.persistence),
});
const same = (a: Uint32Array, b: Uint32Array) => a.length === b.length && a.every((v, i) => v === b[i]);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

function isClear(nodes: Uint32Array, clearness: (node: number) => number): boolean {
  const k = nodes.length;
  if (k < 2) return false;
  let sum = 0;
  for (const node of nodes) sum += clearness(node);
  return (sum / k - NULL_CLEARNESS) * Math.sqrt(k) >= GATE;
}

/** Clearness of a node, kept once worked out. O(size log size). */
function clearnessOf(tree: LinkageTree, weights: Float32Array): (node: number) => number {
  const known = new Float64Array(tree.weight.length).fill(Number.NaN);
  return (node) => {
    if (!Number.isNaN(known[node]!)) return known[node]!;
    const [start, end] = [tree.start[node]!, tree.end[node]!];
    const inside = weights.slice(start, end - 1).sort();
    const zeros = inside.findIndex((w) => w > 0);
    const positive = zeros < 0 ? inside.subarray(0, 0) : inside.subarray(zeros);
    const at = (share: number) => logQuantile(positive, share);
    const spread = positive.length ? (at(0.75) - at(0.25)) / IQR_OF_NORMAL : 0;
    const joins = log(tree.weight[tree.parent[node]!]!);
    const z = spread > 0 ? Math.min(MOST_Z, (joins - at(0.5)) / spread) : MOST_Z;
    const evenness = log((end - start) / Math.max(1, tree.largestRunt[node]!)) / Math.LN2;
    known[node] = z + evenness;
    return known[node]!;
  };
}

/** Quantile of the logarithms of ascending numbers > 0, by linear interpolation. */
function logQuantile(sorted: Float32Array, share: number): number {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const at = log(sorted[low]!);
  return place === low ? at : at + (place - low) * (log(sorted[low + 1]!) - at);
}

/** Block of every sample, by sample index; −1 for those in none. */
export function blockLabels({ ranges }: Pick<Blocks, 'ranges'>, order: Uint32Array): Int32Array {
  const labels = new Int32Array(order.length).fill(-1);
  ranges.forEach(({ start, end }, b) => {
    for (let p = start; p < end; p++) labels[order[p]!] = b;
  });
  return labels;
}
