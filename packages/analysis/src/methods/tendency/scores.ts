import { guard } from '@epochscope/core-wasm';
import { log } from '../../elementary.js';
import type { Figure } from '../../results/types.js';
import { type LabelScores, NO_CLASS } from './types.js';

/** Contingency table of two labellings of the same samples. */
function contingency(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { cells: Map<string, number>; rows: Map<number, number>; columns: Map<number, number>; n: number } {
  guard(
    a.length === b.length,
    'shape',
    () => `labellings of ${a.length} and ${b.length} samples cannot be compared`,
    { expected: a.length, got: b.length },
  );
  const cells = new Map<string, number>();
  const rows = new Map<number, number>();
  const columns = new Map<number, number>();
  for (let i = 0; i < a.length; i++) {
    const key = `${a[i]},${b[i]}`;
    cells.set(key, (cells.get(key) ?? 0) + 1);
    rows.set(a[i]!, (rows.get(a[i]!) ?? 0) + 1);
    columns.set(b[i]!, (columns.get(b[i]!) ?? 0) + 1);
  }
  return { cells, rows, columns, n: a.length };
}

/** Adjusted Rand index (Hubert & Arabie 1985): 1 the same partition, 0 by chance. Null for fewer than 2 samples. */
export function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): Figure {
  const { cells, rows, columns, n } = contingency(a, b);
  if (n < 2) return { value: null, reason: 'fewer than two samples' };
  const pairs = (counts: Iterable<number>) => {
    let sum = 0;
    for (const c of counts) sum += (c * (c - 1)) / 2;
    return sum;
  };
  const both = pairs(cells.values());
  const inRows = pairs(rows.values());
  const inColumns = pairs(columns.values());
  const expected = (inRows * inColumns) / ((n * (n - 1)) / 2);
  const most = (inRows + inColumns) / 2;
  // Both all in one, or both all alone: the same partition.
  return { value: most === expected ? 1 : (both - expected) / (most - expected) };
}

/** Normalised mutual information, arithmetic mean of the entropies. 1 when both have a single cluster. */
export function normalisedMutualInformation(a: ArrayLike<number>, b: ArrayLike<number>): Figure {
  const { cells, rows, columns, n } = contingency(a, b);
  if (n === 0) return { value: null, reason: 'no samples' };
  const entropy = (counts: Iterable<number>) => {
    let sum = 0;
    for (const c of counts) sum -= (c / n) * log(c / n);
    return sum;
  };
  const ha = entropy(rows.values());
  const hb = entropy(columns.values());
  let mutual = 0;
  for (const [key, c] of cells) {
    const [row, column] = key.split(',').map(Number) as [number, number];
    mutual += (c / n) * log((c * n) / (rows.get(row)! * columns.get(column)!));
  }
  return { value: ha + hb === 0 ? 1 : Math.min(1, Math.max(0, (2 * mutual) / (ha + hb))) };
}

/** Share of samples that belong to the commonest class of their cluster. */
export function purity(clusters: ArrayLike<number>, classes: ArrayLike<number>): Figure {
  const { cells, n } = contingency(clusters, classes);
  if (n === 0) return { value: null, reason: 'no samples' };
  const best = new Map<string, number>();
  for (const [key, c] of cells) {
    const cluster = key.slice(0, key.indexOf(','));
    best.set(cluster, Math.max(best.get(cluster) ?? 0, c));
  }
  let sum = 0;
  for (const c of best.values()) sum += c;
  return { value: sum / n };
}

/**
 * Agreement of blocks and labels over the samples that are in a block (not −1) and have a class (not `NO_CLASS`). All null,
 * with the reason, where there are no labels or no blocks.
 */
export function labelScores(
  blocks: Int32Array,
  labels: ArrayLike<number> | null,
  noBlocks: string | undefined,
): LabelScores {
  const reason = labels ? noBlocks : 'there are no labels';
  if (!labels || reason !== undefined) {
    const none: Figure = { value: null, reason: reason! };
    return { ari: none, nmi: none, purity: none };
  }
  const samples = Uint32Array.from(blocks.keys()).filter((i) => blocks[i]! >= 0 && labels[i] !== NO_CLASS);
  const of = (list: ArrayLike<number>) => Float64Array.from(samples, (i) => list[i]!);
  const [a, b] = [of(blocks), of(labels)];
  return { ari: adjustedRandIndex(a, b), nmi: normalisedMutualInformation(a, b), purity: purity(a, b) };
}
