import { guard } from '@epochscope/core-wasm';
import { random } from '../../random.js';
import { ascendingOrder, blockCounts, type Profile, runsAfterCuts } from './profile.js';
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

/** The count that holds for the most cuts r with half the samples in blocks (the larger count wins ties), and the coarsest such cut. */
function mostPersistent({ counts, covered }: Profile): { count: number; cuts: number } {
  const held = new Int32Array(counts.reduce((a, b) => Math.max(a, b), 1) + 1);
  for (let r = 0; r < counts.length; r++)
    if (covered[r]! >= LEAST_COVERED * counts.length) held[counts[r]!]!++;
  let best = 1;
  for (let count = 1; count < held.length; count++)
    if (held[count]! > 0 && held[count]! >= held[best]!) best = count;
  return { count: best, cuts: Math.max(0, counts.indexOf(best)) };
}

/**
 * The cut before the largest fall of the sorted weights, where it is a fall by half or more that leaves nine tenths of
 * the samples in two or more blocks: clusters so far apart that no plateau need be looked for. Else null.
 */
function clearGap({ counts, covered, sorted }: Profile): { count: number; cuts: number } | null {
  let best = 0;
  let ratio = CLEAR_RATIO;
  const last = sorted.length - 1;
  for (let r = 1; r <= last; r++) {
    const above = sorted[last - r + 1]!;
    const below = sorted[last - r]!;
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
const chooseCut = (profile: Profile) => clearGap(profile) ?? mostPersistent(profile);

/**
 * Dark blocks on the diagonal, from the weight profile alone. Cutting the r largest weights leaves runs of positions;
 * those of at least `minimum` samples are blocks. The number of blocks is the one that holds for the most r, among those
 * that leave half the samples in blocks: the longest plateau, as an eye sees it. Where the sorted weights fall by half or
 * more at once, with nine tenths of the samples in blocks, that gap decides instead. It is cut where it first appears,
 * and smaller runs join a neighbour, lowest weight first, so that the blocks share out all positions; they never make one of their own.
 * Stability: the share of 50 seeded subsets of 80 % of the samples in which the same rule finds the same number
 * (paths may still pass through samples left out, so no distance is computed anew).
 * n = 0: no block; n = 1, or all weights equal: one block. O(n) for each subset, with one sort in all.
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
  const ascending = ascendingOrder(weights);
  const { count, cuts } = chooseCut(blockCounts(weights, minimum, ascending));
  const boundaries = runsAfterCuts(weights, ascending, cuts, minimum);
  const size = Math.max(2, Math.round(KEPT * n));
  const smallest = Math.max(1, Math.round(KEPT * minimum));
  let same = 0;
  for (let r = 0; r < RESAMPLES; r++) {
    const kept = random(options.seed, r).subset(n, size);
    if (chooseCut(blockCounts(weights, smallest, ascending, kept)).count === count) same++;
  }
  return {
    count: boundaries.length - 1,
    boundaries,
    threshold: weights[ascending[n - 1 - Math.max(1, cuts)]!]!,
    stability: { value: same / RESAMPLES },
  };
}

/** Block number of every sample, by sample index. */
export function blockLabels(boundaries: Uint32Array, order: Uint32Array): Uint32Array {
  const labels = new Uint32Array(order.length);
  for (let b = 0; b + 1 < boundaries.length; b++)
    for (let p = boundaries[b]!; p < boundaries[b + 1]!; p++) labels[order[p]!] = b;
  return labels;
}
