import { copheneticDistances, guard } from '@epochscope/core-wasm';
import { log } from '../../elementary.js';
import type { Engine } from '../../engine/types.js';
import { random } from '../../random.js';
import type { Figure } from '../../results/types.js';
import type { ClassTree, GeometrySpectrum } from './types.js';

/** A hierarchy of classes: nested lists of class names or indices, [["cat", "dog"], ["car", "truck"]]. */
export type Hierarchy = string | number | readonly Hierarchy[];

/** σ below this part of the largest one count as it, so that logarithms stay finite. */
const FLOOR = 1e-6;

/**
 * Mean log-spectrum of each class's inputs, Euclidean distances between classes, average linkage, and its cophenetic
 * correlation with a given hierarchy. null when fewer than two classes have inputs. Throws `argument` for a hierarchy
 * that does not name each class once.
 */
export async function classTree(
  engine: Pick<Engine, 'linkage'>,
  spectrum: Pick<GeometrySpectrum, 'snapshot' | 'to' | 'sigma' | 'k'>,
  labels: ArrayLike<number>,
  classes: readonly string[] | null,
  hierarchy: Hierarchy | null,
): Promise<ClassTree | null> {
  const { sigma, k, snapshot, to } = spectrum;
  const present = [...new Set(Array.from(labels))].sort((a, b) => a - b);
  const n = present.length;
  if (n < 2) return null;
  const largest = sigma.reduce((a, b) => Math.max(a, b), 0);
  const floor = largest > 0 ? FLOOR * largest : 1;
  const logSpectra = new Float64Array(n * k);
  const counts = new Uint32Array(n);
  for (let i = 0; i < labels.length; i++) {
    const row = present.indexOf(labels[i]!);
    counts[row]!++;
    for (let j = 0; j < k; j++)
      logSpectra[row * k + j]! += log(Math.max(sigma[i * k + j]!, floor)) / Math.LN10;
  }
  for (let row = 0; row < n; row++) for (let j = 0; j < k; j++) logSpectra[row * k + j]! /= counts[row]!;
  const data = new Float32Array(n * n);
  for (let a = 0; a < n; a++)
    for (let b = 0; b < n; b++) {
      let sum = 0;
      for (let j = 0; j < k; j++) sum += (logSpectra[a * k + j]! - logSpectra[b * k + j]!) ** 2;
      data[a * n + b] = Math.sqrt(sum);
    }
  const tree = await engine.linkage({ data, shape: [n, n] }, { method: 'average' });
  return {
    snapshot,
    to,
    classes: Uint32Array.from(present),
    counts,
    logSpectra,
    floor,
    left: tree.left,
    right: tree.right,
    heights: tree.heights,
    agreement: hierarchy
      ? correlation(copheneticDistances(tree), hierarchyDistances(hierarchy, present, classes))
      : { value: null, reason: 'no hierarchy was given' },
  };
}

/** How well a class tree and a hierarchy agree, and how often classes shuffled would agree as well. */
export interface HierarchyTest {
  /** Pearson correlation of cophenetic distances with the hierarchy's. */
  correlation: Figure;
  /** (1 + shuffles that correlate at least so) / (1 + shuffles): one-sided. */
  p: Figure;
  permutations: number;
}

/**
 * A permutation test of a class tree against a hierarchy: the classes' names are shuffled over the leaves, with a seed (Mantel 1967).
 * Throws `argument` for a hierarchy that does not name each class once.
 */
export function hierarchyTest(
  tree: Pick<ClassTree, 'classes' | 'left' | 'right' | 'heights'>,
  classes: readonly string[] | null,
  hierarchy: Hierarchy,
  { permutations = 9999, seed = 1 } = {},
): HierarchyTest {
  const present = Array.from(tree.classes);
  const n = present.length;
  const own = heightsOfPairs(tree, n);
  const given = hierarchyDistances(hierarchy, present, classes);
  const found = correlation(own, given);
  if (found.value === null)
    return { correlation: found, p: { value: null, reason: found.reason }, permutations };
  const source = random(seed, 0xc1a55);
  const at = (a: number, b: number) => {
    const [p, q] = a < b ? [a, b] : [b, a];
    return p * n - (p * (p + 1)) / 2 + q - p - 1;
  };
  const shuffled = new Float64Array(given.length);
  let asMuch = 0;
  for (let r = 0; r < permutations; r++) {
    const order = source.permutation(n);
    for (let a = 0; a < n; a++)
      for (let b = a + 1; b < n; b++) shuffled[at(a, b)] = given[at(order[a]!, order[b]!)]!;
    // Equal but for rounding counts as equal.
    if (correlation(own, shuffled).value! >= found.value - 1e-12) asMuch++;
  }
  return { correlation: found, p: { value: (1 + asMuch) / (1 + permutations) }, permutations };
}

/** Condensed distances: at which height two leaves of a tree (SciPy's numbering) come together. */
function heightsOfPairs(
  { left, right, heights }: Pick<ClassTree, 'left' | 'right' | 'heights'>,
  n: number,
): Float64Array {
  const out = new Float64Array((n * (n - 1)) / 2);
  const members: number[][] = Array.from({ length: n }, (_, i) => [i]);
  heights.forEach((height, m) => {
    const [a, b] = [members[left[m]!]!, members[right[m]!]!];
    for (const i of a)
      for (const j of b) {
        const [p, q] = i < j ? [i, j] : [j, i];
        out[p * n - (p * (p + 1)) / 2 + q - p - 1] = height;
      }
    members.push([...a, ...b]);
  });
  return out;
}

/** Condensed distances: how high above the two classes their lowest common group stands (1 = a group of classes alone). */
export function hierarchyDistances(
  hierarchy: Hierarchy,
  present: readonly number[],
  classes: readonly string[] | null,
): Float64Array {
  const n = present.length;
  const out = new Float64Array((n * (n - 1)) / 2);
  const seen = new Set<number>();
  const indexOf = (leaf: string | number) => {
    const index = typeof leaf === 'number' ? leaf : (classes?.indexOf(leaf) ?? -1);
    guard(
      index >= 0 && (!classes || index < classes.length),
      'argument',
      () =>
        `hierarchy: expected classes${classes ? ` (${classes.join(', ')})` : ''}, got ${JSON.stringify(leaf)}`,
      { got: String(leaf) },
    );
    guard(!seen.has(index), 'argument', () => `hierarchy: class ${leaf} stands twice`, { got: String(leaf) });
    seen.add(index);
    return present.indexOf(index);
  };
  const walk = (node: Hierarchy): { height: number; members: number[] } => {
    if (!Array.isArray(node)) return { height: 0, members: [indexOf(node as string | number)] };
    const parts = node.map(walk);
    const height = 1 + Math.max(0, ...parts.map((part) => part.height));
    parts.forEach((part, i) => {
      for (const other of parts.slice(i + 1))
        for (const a of part.members)
          for (const b of other.members) {
            if (a < 0 || b < 0) continue;
            const [p, q] = a < b ? [a, b] : [b, a];
            out[p * n - (p * (p + 1)) / 2 + q - p - 1] = height;
          }
    });
    return { height, members: parts.flatMap((part) => part.members) };
  };
  walk(hierarchy);
  const missing = present.filter((index) => !seen.has(index));
  guard(
    missing.length === 0,
    'argument',
    () => `hierarchy: it leaves out ${missing.map((index) => classes?.[index] ?? index).join(', ')}`,
  );
  return out;
}

function correlation(a: ArrayLike<number>, b: ArrayLike<number>): Figure {
  const n = a.length;
  // By the values themselves: sums of squares about a rounded mean need not be 0.
  const equal = (x: ArrayLike<number>) => Array.from(x).every((value) => value === x[0]);
  for (const [x, where] of [
    [a, 'spectra'],
    [b, 'hierarchy'],
  ] as const)
    if (equal(x)) return { value: null, reason: `all distances are equal in the ${where}` };
  let [ma, mb] = [0, 0];
  for (let i = 0; i < n; i++) {
    ma += a[i]! / n;
    mb += b[i]! / n;
  }
  let [saa, sbb, sab] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    saa += (a[i]! - ma) ** 2;
    sbb += (b[i]! - mb) ** 2;
    sab += (a[i]! - ma) * (b[i]! - mb);
  }
  return { value: sab / Math.sqrt(saa * sbb) };
}
