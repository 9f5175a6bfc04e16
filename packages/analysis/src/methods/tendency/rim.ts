import type { Figure } from '../../results/types.js';
import type { Blocks } from './types.js';

/**
 * Do wrong samples sit at the rims of blocks? Area under the ROC curve of "nearer to the rim" for telling wrong from
 * right, over the samples in blocks: 1 all wrong ones nearer, 0.5 no difference, 0 all farther. Nearness is
 * min(p − start, end − 1 − p) / size within the block; ties count half. Null with the reason when there is no block or either
 * kind is missing in them. O(n log n).
 */
export function rimScore(
  { ranges, reason }: Pick<Blocks, 'ranges' | 'reason'>,
  order: Uint32Array,
  correct: ArrayLike<boolean | number> | null,
): Figure {
  if (!correct) return { value: null, reason: 'there are no predictions' };
  if (!ranges.length) return { value: null, reason: reason ?? 'no blocks' };
  const distances = new Float64Array(ranges.reduce((sum, { start, end }) => sum + end - start, 0));
  let count = 0;
  let wrong = 0;
  // Those of the wrong ones first.
  for (const wanted of [true, false]) {
    for (const { start, end } of ranges)
      for (let p = start; p < end; p++)
        if (!correct[order[p]!] === wanted)
          distances[count++] = Math.min(p - start, end - 1 - p) / (end - start);
    if (wanted) wrong = count;
  }
  if (wrong === 0) return { value: null, reason: 'no sample in a block is predicted wrongly' };
  if (wrong === count) return { value: null, reason: 'every sample in a block is predicted wrongly' };
  const ofWrong = distances.slice(0, wrong).sort();
  distances.sort();
  // Mann–Whitney: sum of mid-ranks of the wrong ones.
  let ranks = 0;
  for (let w = 0, i = 0; w < wrong; ) {
    const distance = ofWrong[w]!;
    while (distances[i]! < distance) i++;
    let j = i;
    while (distances[j] === distance) j++;
    for (; ofWrong[w] === distance; w++) ranks += (i + 1 + j) / 2;
    i = j;
  }
  const right = count - wrong;
  return { value: 1 - (ranks - (wrong * (wrong + 1)) / 2) / (wrong * right) };
}
