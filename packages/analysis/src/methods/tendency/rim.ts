import type { Figure } from '../../results/types.js';

/**
 * Do wrong samples sit at the rims of blocks? Area under the ROC curve of "nearer to the rim" for telling wrong from
 * right: 1 all wrong ones nearer, 0.5 no difference, 0 all farther. Nearness is min(p − start, end − 1 − p) / size within
 * the block; ties count half. Null with the reason when either kind is missing. O(n log n).
 */
export function rimScore(
  boundaries: Uint32Array,
  order: Uint32Array,
  correct: ArrayLike<boolean | number> | null,
): Figure {
  if (!correct) return { value: null, reason: 'there are no predictions' };
  const rows: { distance: number; wrong: boolean }[] = [];
  for (let b = 0; b + 1 < boundaries.length; b++) {
    const start = boundaries[b]!;
    const end = boundaries[b + 1]!;
    for (let p = start; p < end; p++)
      rows.push({ distance: Math.min(p - start, end - 1 - p) / (end - start), wrong: !correct[order[p]!] });
  }
  const wrong = rows.filter((row) => row.wrong).length;
  if (wrong === 0) return { value: null, reason: 'no sample is predicted wrongly' };
  if (wrong === rows.length) return { value: null, reason: 'every sample is predicted wrongly' };
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
