import type { Engine, JobOptions } from '../../engine/types.js';
import { random } from '../../random.js';
import type { Figure } from '../../results/types.js';
import type { TendencyInput } from './analyse.js';
import { blockLabels, findBlocks } from './blocks.js';
import { inputOfSamples, type TendencyMetric, vatOf } from './space.js';
import type { Blocks } from './types.js';

/** Share of the samples that each subset keeps. */
const KEPT = 0.8;

export interface StabilityOptions extends JobOptions {
  metric: TendencyMetric;
  core?: number;
  /** How many subsets. */
  subsets: number;
  /** A smallest size that was given rather than left to the rule: the same share of the samples counts in subsets. */
  smallest?: number;
  seed: number;
}

/**
 * Would other samples show the same blocks? For each of some seeded subsets of 80 % of the samples the tree is built anew
 * on the engine (the same tree cut down to the subset would test nothing: its paths pass through samples that are gone) and blocks are
 * found by the same rule. Each block, as far as the subset holds it, is compared with its best match there by
 * Jaccard's index |A ∩ B| / |A ∪ B|; the mean over blocks and subsets, 0 … 1. A subset without clear blocks counts as 0.
 * Null without blocks. Takes the time of as many smaller analyses, about 0.64 of the whole one each.
 */
export async function blockStability(
  engine: Pick<Engine, 'vat' | 'vatFromMatrix'>,
  input: TendencyInput,
  found: Pick<Blocks, 'ranges' | 'reason'>,
  order: Uint32Array,
  { metric, core, subsets, smallest, seed, signal, onProgress }: StabilityOptions,
): Promise<Figure> {
  if (!found.ranges.length) return { value: null, reason: found.reason ?? 'no blocks' };
  const n = order.length;
  const labels = blockLabels(found, order);
  const size = Math.round(KEPT * n);
  let sum = 0;
  for (let s = 0; s < subsets; s++) {
    onProgress?.(s, subsets);
    const samples = random(seed, s).subset(n, size);
    const vat = await vatOf(engine, inputOfSamples(input, samples), metric, { core, signal });
    const again = findBlocks(vat.weights, size, {
      smallest: smallest === undefined ? undefined : Math.max(2, Math.round(KEPT * smallest)),
      bySize: false,
    });
    sum += bestMatch(
      Int32Array.from(samples, (sample) => labels[sample]!),
      blockLabels(again, vat.order),
      found.ranges.length,
      again.count,
    );
  }
  return { value: sum / subsets };
}

/** Mean over the blocks of `a` of the best Jaccard index with a block of `b`; −1 is in none. */
function bestMatch(a: Int32Array, b: Int32Array, inA: number, inB: number): number {
  const both = new Uint32Array(inA * inB);
  const sizeA = new Uint32Array(inA);
  const sizeB = new Uint32Array(inB);
  for (let i = 0; i < a.length; i++) {
    if (a[i]! >= 0) sizeA[a[i]!]!++;
    if (b[i]! >= 0) sizeB[b[i]!]!++;
    if (a[i]! >= 0 && b[i]! >= 0) both[a[i]! * inB + b[i]!]!++;
  }
  let sum = 0;
  for (let p = 0; p < inA; p++) {
    let best = 0;
    for (let q = 0; q < inB; q++) {
      const shared = both[p * inB + q]!;
      best = Math.max(best, shared / Math.max(1, sizeA[p]! + sizeB[q]! - shared));
    }
    sum += best;
  }
  return sum / inA;
}
