import { exp, log } from '../../elementary.js';
import type { Figure } from '../../results/types.js';
import type { Dimensions, Spread } from './types.js';

/** Mean and sample standard deviation; sd is null for fewer than two values. */
export function spreadOf(values: ArrayLike<number>): Spread {
  const list = Float64Array.from(values);
  const n = list.length;
  const mean = n ? list.reduce((a, b) => a + b, 0) / n : 0;
  const sd: Figure =
    n < 2
      ? { value: null, reason: 'one input has no spread' }
      : { value: Math.sqrt(list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1)) };
  return { mean, sd, values: list };
}

/** exp(−Σ p log p), p = σ/Σσ; 0 when all σ are 0. */
export function effectiveRank(sigma: ArrayLike<number>): number {
  const all = Array.from(sigma);
  const sum = all.reduce((a, b) => a + b, 0);
  if (sum === 0) return 0;
  return exp(-all.reduce((h, s) => (s > 0 ? h + (s / sum) * log(s / sum) : h), 0));
}

/** (Σσ²)²/Σσ⁴; 0 when all σ are 0. */
export function participationRatio(sigma: ArrayLike<number>): number {
  const largest = Array.from(sigma).reduce((a, b) => Math.max(a, b), 0);
  if (largest === 0) return 0;
  let squares = 0;
  let fourths = 0;
  for (let i = 0; i < sigma.length; i++) {
    // Scaled, so that fourth powers stay in range.
    const s = (sigma[i]! / largest) ** 2;
    squares += s;
    fourths += s * s;
  }
  return (squares * squares) / fourths;
}

/** The three figures for each row of sigma[inputs × k]. */
export function dimensionsOf(sigma: Float64Array, inputs: number, k: number): Dimensions {
  const rows = Array.from({ length: inputs }, (_, i) => sigma.subarray(i * k, (i + 1) * k));
  return {
    atLeastOne: spreadOf(rows.map((row) => row.reduce((n, s) => n + Number(s >= 1), 0))),
    effectiveRank: spreadOf(rows.map(effectiveRank)),
    participationRatio: spreadOf(rows.map(participationRatio)),
  };
}

/** Mean and standard deviation of each column of values[rows × columns]; sd 0 for one row. */
export function columnStatistics(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
): { mean: Float64Array; sd: Float64Array } {
  const mean = new Float64Array(columns);
  const sd = new Float64Array(columns);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) mean[c]! += values[r * columns + c]! / rows;
  if (rows > 1) {
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) sd[c]! += (values[r * columns + c]! - mean[c]!) ** 2 / (rows - 1);
    for (let c = 0; c < columns; c++) sd[c] = Math.sqrt(sd[c]!);
  }
  return { mean, sd };
}
