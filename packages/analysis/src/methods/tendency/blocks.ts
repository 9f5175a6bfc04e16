import { guard } from '@epochscope/core-wasm';
import { random } from '../../random.js';
import type { Blocks } from './types.js';

/** Resamples for the stability figure, and the share of samples each keeps. */
const RESAMPLES = 50;
const KEPT = 0.8;

/** Smallest block that counts, unless given: 2 % of the samples, at least 10, but never more than a quarter (at least 2). */
export const defaultMinimumSize = (n: number) =>
  Math.min(Math.max(10, Math.round(n / 50)), Math.max(2, Math.floor(n / 4)));

/** What counts as clusters clearly apart. */
const CLEAR_RATIO = 2;
const CLEAR_COVERED = 0.9;
/** Cuts that leave fewer samples than this share in blocks tell of crumbs, not of blocks. */
const LEAST_COVERED = 0.5;

/**
 * For r = 0 … n−1: how many runs of at least `minimum` positions are left when the r largest weights are cut (equal
 * weights: the later position first), and how many positions are in them. int32[n] each. O(n log n).
 */
export function blockCounts(
  weights: Float32Array,
  minimum: number,
): { counts: Int32Array; covered: Int32Array } {
  const n = weights.length + 1;
  const ascending = Uint32Array.from(weights, (_, i) => i).sort((a, b) => weights[a]! - weights[b]! || a - b);
  // Union of neighbouring runs, kept at both ends of each run: start[end of run] and end[start of run].
  const start = Uint32Array.from({ length: n }, (_, i) => i);
  const end = Uint32Array.from(start);
  const counts = new Int32Array(n);
  const covered = new Int32Array(n);
  let count = minimum <= 1 ? n : 0;
  let inside = minimum <= 1 ? n : 0;
  counts[n - 1] = count;
  covered[n - 1] = inside;
  for (let step = 0; step < n - 1; step++) {
    const at = ascending[step]!;
    const left = start[at]!;
    const right = end[at + 1]!;
    const a = at - left + 1;
    const b = right - at;
    count += Number(a + b >= minimum) - Number(a >= minimum) - Number(b >= minimum);
    inside += (a + b >= minimum ? a + b : 0) - (a >= minimum ? a : 0) - (b >= minimum ? b : 0);
    end[left] = right;
    start[right] = left;
    counts[n - 2 - step] = count;
    covered[n - 2 - step] = inside;
  }
  return { counts, covered };
}

/** The count that holds for the most cuts r with half the samples in blocks (the larger count wins ties), and the coarsest such cut. */
function mostPersistent({ counts, covered }: { counts: Int32Array; covered: Int32Array }): {
  count: number;
  cuts: number;
} {
  const held = new Map<number, number>();
  counts.forEach((count, r) => {
    if (count > 0 && covered[r]! >= LEAST_COVERED * counts.length)
      held.set(count, (held.get(count) ?? 0) + 1);
  });
  let best = 1;
  for (const [count, share] of held)
    if (share > (held.get(best) ?? 0) || (share === held.get(best) && count > best)) best = count;
  return { count: best, cuts: Math.max(0, counts.indexOf(best)) };
}

/**
 * The cut before the largest fall of the sorted weights, where it is a fall by half or more that leaves nine tenths of
 * the samples in two or more blocks: clusters so far apart that no plateau need be looked for. Else null.
 */
function clearGap(
  descending: Float32Array,
  { counts, covered }: { counts: Int32Array; covered: Int32Array },
): { count: number; cuts: number } | null {
  let best = 0;
  let ratio = CLEAR_RATIO;
  for (let r = 1; r < descending.length; r++) {
    const [above, below] = [descending[r - 1]!, descending[r]!];
    if (
      above > 0 &&
      above >= ratio * below &&
      counts[r]! >= 2 &&
      covered[r]! >= CLEAR_COVERED * counts.length
    ) {
      if (best && above === ratio * below) continue;
      best = r;
      ratio = below > 0 ? above / below : Number.POSITIVE_INFINITY;
      if (below === 0) break;
    }
  }
  return best ? { count: counts[best]!, cuts: best } : null;
}

/** Number of blocks and the cut that gives them. */
function chooseCut(weights: Float32Array, minimum: number): { count: number; cuts: number } {
  const profile = blockCounts(weights, minimum);
  return clearGap(weights.slice().sort().reverse(), profile) ?? mostPersistent(profile);
}

/**
 * Dark blocks on the diagonal, from the weight profile alone. Cutting the r largest weights leaves runs of positions;
 * those of at least `minimum` samples are blocks. The number of blocks is the one that holds for the most r, among those
 * that leave half the samples in blocks: the longest plateau, as an eye sees it. Where the sorted weights fall by half or
 * more at once, with nine tenths of the samples in blocks, that gap decides instead. It is cut where it first appears, and each smaller run joins the neighbour across the lower
 * weight, so that the blocks share out all positions.
 * Stability: the share of 50 seeded subsets of 80 % of the samples in which the same rule finds the same number
 * (paths may still pass through samples left out, so no distance is computed anew).
 * n = 0: no block; n = 1, or all weights equal: one block. O(n log n).
 */
export function findBlocks(
  weights: Float32Array,
  n: number,
  options: { minimum?: number; seed: number },
): Blocks {
  const minimum = options.minimum ?? defaultMinimumSize(n);
  guard(
    Number.isInteger(minimum) && minimum >= 1,
    'argument',
    () => `smallest block: expected a whole number ≥ 1, got ${minimum}`,
  );
  if (n === 0)
    return {
      count: 0,
      boundaries: Uint32Array.of(0),
      threshold: 0,
      stability: { value: null, reason: 'no samples' },
    };
  if (n === 1)
    return {
      count: 1,
      boundaries: Uint32Array.of(0, 1),
      threshold: 0,
      stability: { value: null, reason: 'one sample' },
    };
  const { count, cuts } = chooseCut(weights, minimum);
  const descending = Uint32Array.from(weights, (_, i) => i).sort(
    (a, b) => weights[b]! - weights[a]! || b - a,
  );
  const cut = [...descending.subarray(0, cuts)].map((i) => i + 1).sort((a, b) => a - b);
  const boundaries = joinSmall([0, ...cut, n], weights, minimum);
  let same = 0;
  for (let r = 0; r < RESAMPLES; r++) {
    const kept = random(options.seed, r)
      .permutation(n)
      .subarray(0, Math.max(2, Math.round(KEPT * n)))
      .sort();
    if (
      mostPersistent(blockCounts(restrict(weights, kept), Math.max(1, Math.round(KEPT * minimum)))).count ===
      count
    )
      same++;
  }
  return {
    count: boundaries.length - 1,
    boundaries: Uint32Array.from(boundaries),
    threshold: cuts ? weights[descending[cuts - 1]!]! : weights[descending[0]!]!,
    stability: { value: same / RESAMPLES },
  };
}

/** Weights between the kept positions (ascending): the largest on the way. */
function restrict(weights: Float32Array, kept: Uint32Array): Float32Array {
  const out = new Float32Array(kept.length - 1);
  for (let i = 0; i < out.length; i++)
    for (let k = kept[i]!; k < kept[i + 1]!; k++) out[i] = Math.max(out[i]!, weights[k]!);
  return out;
}

/** Joins runs shorter than `minimum` to the neighbour across the lower weight, lowest weight first. */
function joinSmall(boundaries: number[], weights: Float32Array, minimum: number): number[] {
  const left = [...boundaries];
  for (;;) {
    let drop = -1;
    for (let b = 0; b + 1 < left.length && left.length > 2; b++) {
      if (left[b + 1]! - left[b]! >= minimum) continue;
      for (const edge of [b, b + 1]) {
        if (edge === 0 || edge === left.length - 1) continue;
        if (drop < 0 || weights[left[edge]! - 1]! < weights[left[drop]! - 1]!) drop = edge;
      }
    }
    if (drop < 0) return left;
    left.splice(drop, 1);
  }
}

/** Block number of every sample, by sample index. */
export function blockLabels(boundaries: Uint32Array, order: Uint32Array): Uint32Array {
  const labels = new Uint32Array(order.length);
  for (let b = 0; b + 1 < boundaries.length; b++)
    for (let p = boundaries[b]!; p < boundaries[b + 1]!; p++) labels[order[p]!] = b;
  return labels;
}
