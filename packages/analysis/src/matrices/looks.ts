import { toFloat64 } from '../formats/dtypes.js';
import { rowsOfCondensed } from './dissimilarities.js';
import type { RowSource } from './rows.js';

/** Says where points look like dissimilarities, by their first rows. */
export async function looksPrecomputed(rows: RowSource): Promise<string[]> {
  const [n, d] = rows.shape;
  const condensed = d === 1 && n > 1000 ? rowsOfCondensed(n) : null;
  if (condensed !== null)
    return [
      `${n} numbers in one column may be a condensed matrix of ${condensed} × ${condensed} dissimilarities: if so, give \`metric: precomputed\``,
    ];
  if (n !== d || n < 3) return [];
  const some = Math.min(n, 64);
  const values = toFloat64(await rows.rows(0, some));
  let spread = false;
  for (let i = 0; i < some; i++)
    for (let j = 0; j <= i; j++) {
      const value = values[i * n + j]!;
      if (value < 0 || (i === j ? value !== 0 : Math.abs(value - values[j * n + i]!) > 1e-6 * value))
        return [];
      spread ||= value > 0;
    }
  return spread
    ? [
        'a square symmetric matrix with zeros on its diagonal, taken as points: if it holds dissimilarities, give `metric: precomputed`',
      ]
    : [];
}
