import { toFloat64 } from '../formats/dtypes.js';
import { rowsOfCondensed } from './dissimilarities.js';
import type { RowSource } from './rows.js';

/** Fewer numbers in a column than this are a matrix of so few rows that its picture says little. */
const LEAST_CONDENSED = 45;
/** Triples of rows tried. */
const TRIPLES = 2000;

/** Says where points look like dissimilarities, by their first rows. */
export async function looksPrecomputed(rows: RowSource): Promise<string[]> {
  const [n, d] = rows.shape;
  const condensed = d === 1 && n >= LEAST_CONDENSED ? rowsOfCondensed(n) : null;
  if (condensed !== null)
    return (await looksCondensed(rows, condensed))
      ? [
          `${n} numbers in one column may be a condensed matrix of ${condensed} × ${condensed} dissimilarities, and are taken as points: if they are one, give \`metric: precomputed\``,
        ]
      : [];
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

/** Whether no triple of the first rows goes against the triangle inequality, and no value is below 0. */
async function looksCondensed(rows: RowSource, n: number): Promise<boolean> {
  // Of three rows among the first 25 there are more than are tried.
  const values = toFloat64(await rows.rows(0, Math.min(rows.shape[0], 25 * n)));
  const at = (i: number, j: number) => values[n * i - (i * (i + 1)) / 2 + j - i - 1]!;
  let tried = 0;
  for (let c = 2; c < n; c++)
    for (let b = 1; b < c; b++)
      for (let a = 0; a < b; a++) {
        const [x, y, z] = [at(a, b), at(a, c), at(b, c)];
        const largest = Math.max(x, y, z);
        if (!(Math.min(x, y, z) >= 0 && 2 * largest <= (x + y + z) * (1 + 1e-6))) return false;
        if (++tried === TRIPLES) return true;
      }
  return true;
}
