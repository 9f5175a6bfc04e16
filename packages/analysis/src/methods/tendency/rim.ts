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
  const rows: { distance: number; wrong: boolean }[] = [];
  for (const { start, end } of ranges) {
    for (let p = start; p < end; p++)
      rows.push({ distance: Math.min(p - start, end - 1 - p) / (end - start), wrong: !correct[order[p]!] });
  }
  const wrong = rows.filter((row) => row.wrong).length;
  if (wrong === 0) return { value: null, reason: 'no sample in a block is predicted wrongly' };
  if (wrong === rows.length) return { value: null, reason: 'every sample in a block is predicted wrongly' };
  rows.sort((a, b) => a.distance - b.distance);
  // Mann–Whitney: sum of mid-ranks of the wrong ones.
  let ranks = 0;
  for (let i = 0; i < rows.length; ) {
    let j = i;
    while (j < rows.length && rows[j]!.distance === rows[i]!.distance) j++;
    for (let k = i; k < j; k++) if (rows[k]!.wrong) ranks += (i + 1 + j) / 2;
    i = j;
  }
  const right = rows.length - wrong;
  return { value: 1 - (ranks - (wrong * (wrong + 1)) / 2) / (wrong * right) };
}
