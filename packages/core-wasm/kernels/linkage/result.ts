import { isFloat32, isUint32, nameOf } from '../../src/arguments.js';
import { guard } from '../../src/errors.js';
import { outside } from '../../src/memory.js';

/** How the dissimilarity of two clusters follows from those of their members: mean, least or largest. */
export type LinkageMethod = 'average' | 'single' | 'complete';
export const LINKAGE_METHODS: readonly LinkageMethod[] = ['average', 'single', 'complete'];

/**
 * A hierarchy of n samples: merge t joins clusters left[t] < right[t] into cluster n + t. Clusters 0 … n−1 are the
 * samples. The same as SciPy’s Z, column by column. The four columns are views of one buffer.
 */
export interface Linkage {
  readonly n: number;
  readonly method: LinkageMethod;
  /** uint32[n−1]. */
  readonly left: Uint32Array;
  readonly right: Uint32Array;
  /** float32[n−1], never falling. */
  readonly heights: Float32Array;
  /** uint32[n−1]: samples in the joined cluster. */
  readonly sizes: Uint32Array;
  /** float32[n−1]: largest dissimilarity between two samples of the joined cluster; only if asked for. */
  readonly diameters: Float32Array | null;
}

/**
 * Throws `shape` or `argument` unless `tree` is a hierarchy: each cluster but the last joined once, by a later merge.
 * O(n).
 */
export function checkTree(tree: Linkage): void {
  guard(
    Number.isSafeInteger(tree?.n) && tree.n >= 0,
    'argument',
    () => `tree: expected what linkage gives, got ${nameOf(tree)}`,
  );
  const { n, left, right, sizes, heights, diameters } = tree;
  const merges = Math.max(0, n - 1);
  const columns = { left, right, sizes, heights, ...(diameters ? { diameters } : {}) };
  for (const [name, column] of Object.entries(columns)) {
    const floats = name === 'heights' || name === 'diameters';
    guard(
      floats ? isFloat32(column) : isUint32(column),
      'argument',
      () => `tree: expected ${name} as ${floats ? 'Float32Array' : 'Uint32Array'}, got ${nameOf(column)}`,
    );
    guard(
      column.length === merges,
      'shape',
      () => `tree: ${n} samples need ${merges} ${name}, got ${column.length}`,
      { expected: merges, got: column.length },
    );
  }
  const joined = new Uint8Array(n + merges);
  const sizeOf = (node: number) => (node < n ? 1 : sizes[node - n]!);
  for (let t = 0; t < merges; t++) {
    const a = left[t]!;
    const b = right[t]!;
    const whole =
      a < n + t && b < n + t && a !== b && !joined[a] && !joined[b] && sizes[t] === sizeOf(a) + sizeOf(b);
    guard(whole, 'argument', () => `tree: merge ${t} of ${a} and ${b} into ${sizes[t]} samples cannot be`, {
      merge: t,
    });
    joined[a] = 1;
    joined[b] = 1;
  }
}

/** SciPy's Z: float64[(n−1) × 4] of left, right, height, size. */
export function linkageMatrix(tree: Linkage): Float64Array {
  checkTree(tree);
  const z = new Float64Array(4 * tree.left.length);
  for (let t = 0; t < tree.left.length; t++)
    z.set([tree.left[t]!, tree.right[t]!, tree.heights[t]!, tree.sizes[t]!], 4 * t);
  return z;
}

/**
 * The samples in the order of the drawn tree, left before right, so that every cluster is a range: uint32[n]. O(n).
 */
export function leafOrder(tree: Linkage): Uint32Array {
  checkTree(tree);
  const { n, left, right } = tree;
  const order = new Uint32Array(n);
  if (n === 0) return order;
  const stack = [2 * n - 2];
  for (let k = 0; k < n; ) {
    const node = stack.pop()!;
    if (node < n) order[k++] = node;
    else stack.push(right[node - n]!, left[node - n]!);
  }
  return order;
}

/** First leaf of every cluster in `leafOrder` and its number of leaves: uint32[2n−1] each; samples first. */
export function leafRanges(tree: Linkage): { start: Uint32Array; size: Uint32Array } {
  checkTree(tree);
  const { n, left, right, sizes } = tree;
  const all = Math.max(0, 2 * n - 1);
  const start = new Uint32Array(all);
  const size = new Uint32Array(all).fill(1);
  size.set(sizes, n);
  for (let t = n - 2; t >= 0; t--) {
    const a = left[t]!;
    start[a] = start[n + t]!;
    start[right[t]!] = start[n + t]! + size[a]!;
  }
  return { start, size };
}

/**
 * Cophenetic distances: the height at which two samples are joined; condensed like SciPy's `cophenet`,
 * float32[n(n−1)/2].
 * Time and memory O(n²): 2n² bytes.
 */
export function copheneticDistances(tree: Linkage): Float32Array {
  checkTree(tree);
  const { n, left, right, heights } = tree;
  const pairs = (n * (n - 1)) / 2;
  guard(
    pairs <= 2 ** 30,
    'memory',
    () => `cophenetic distances: ${pairs} values are over the limit of ${2 ** 30}; cut the tree instead`,
    { n, size: pairs },
  );
  const out = outside('cophenetic distances', 4 * pairs, () => new Float32Array(pairs));
  const order = leafOrder(tree);
  const { start, size } = leafRanges(tree);
  for (let t = 0; t < n - 1; t++) {
    const a = left[t]!;
    const b = right[t]!;
    for (let p = start[a]!; p < start[a]! + size[a]!; p++) {
      for (let q = start[b]!; q < start[b]! + size[b]!; q++) {
        const i = Math.min(order[p]!, order[q]!);
        const j = Math.max(order[p]!, order[q]!);
        out[i * n - (i * (i + 1)) / 2 + j - i - 1] = heights[t]!;
      }
    }
  }
  return out;
}

/** A partition: labels uint32[n] in 0 … count−1, numbered by the lowest sample of each cluster. */
export interface Cut {
  readonly labels: Uint32Array;
  readonly count: number;
  /** The cluster of the hierarchy (sample or n + merge) behind each label. */
  readonly nodes: Uint32Array;
}

/** Keeps the merges for which `keep` holds; a kept merge must have kept merges below it. */
function cutBy(tree: Linkage, keep: (t: number) => boolean): Cut {
  const { n, left, right } = tree;
  const top = new Uint32Array(Math.max(0, 2 * n - 1)).map((_, i) => i);
  for (let t = n - 2; t >= 0; t--) {
    if (!keep(t)) continue;
    top[left[t]!] = top[n + t]!;
    top[right[t]!] = top[n + t]!;
  }
  const label = new Map<number, number>();
  const labels = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const node = top[i]!;
    if (!label.has(node)) label.set(node, label.size);
    labels[i] = label.get(node)!;
  }
  return { labels, count: label.size, nodes: Uint32Array.from(label.keys()) };
}

function checkNumber(name: string, value: number): void {
  guard(
    typeof value === 'number' && !Number.isNaN(value),
    'argument',
    () => `${name}: expected a number, got ${nameOf(value)}`,
  );
}

/**
 * Clusters whose merges lie at heights ≤ `height` (SciPy's fcluster with criterion "distance"). Heights are float32,
 * and so is what they are held against: a merge at 0.3 is within 0.3, although float32's 0.3 is a hair over
 * float64's.
 */
export function cutByHeight(tree: Linkage, height: number): Cut {
  checkTree(tree);
  checkNumber('height', height);
  const limit = Math.fround(height);
  return cutBy(tree, (t) => tree.heights[t]! <= limit);
}

/** The level of the merge sequence with `count` clusters: the first n − count merges, equal heights in their order. */
export function cutByCount(tree: Linkage, count: number): Cut {
  checkTree(tree);
  guard(
    Number.isInteger(count) && count >= Math.min(1, tree.n) && count <= tree.n,
    'argument',
    () => `count: expected an integer 1 … ${tree.n}, got ${nameOf(count)}`,
    { count, n: tree.n },
  );
  return cutBy(tree, (t) => t < tree.n - count);
}

/**
 * Clusters in which no two samples are further apart than `theta`. level: the coarsest level of the merge sequence,
 * as a whole, that keeps this; branch: each branch at its own coarsest admissible cluster (never fewer samples
 * together than level). theta is rounded to float32, as `cutByHeight` does. Needs `diameters`; complete linkage has
 * them as its heights. Source: METHODS.md, modules, step 3.
 */
export function cutByDiameter(tree: Linkage, theta: number, rule: 'level' | 'branch' = 'level'): Cut {
  checkTree(tree);
  checkNumber('theta', theta);
  guard(
    rule === 'level' || rule === 'branch',
    'argument',
    () => `rule: expected level or branch, got ${rule}`,
  );
  const diameters = tree.diameters ?? (tree.method === 'complete' ? tree.heights : null);
  guard(diameters, 'argument', 'the tree has no diameters: ask linkage for them ({ diameters: true })');
  const limit = Math.fround(theta);
  if (rule === 'branch') return cutBy(tree, (t) => diameters[t]! <= limit);
  const first = diameters.findIndex((d) => !(d <= limit));
  return cutBy(tree, (t) => first < 0 || t < first);
}
