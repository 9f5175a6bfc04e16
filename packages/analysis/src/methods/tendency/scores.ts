import { guard } from '@epochscope/core-wasm';
import { log } from '../../elementary.js';
import type { Figure } from '../../results/types.js';
import { type LabelScores, NO_CLASS } from './types.js';

/** How often each pair of labels stands together, and each label alone. */
interface Table {
  cells: Map<number, Map<number, number>>;
  rows: Map<number, number>;
  columns: Map<number, number>;
  n: number;
}

/** Contingency table of two labellings of the same samples. */
function contingency(a: ArrayLike<number>, b: ArrayLike<number>): Table {
  guard(
    a.length === b.length,
    'shape',
    () => `labellings of ${a.length} and ${b.length} samples cannot be compared`,
    { expected: a.length, got: b.length },
  );
  const cells: Table['cells'] = new Map();
  for (let i = 0; i < a.length; i++) {
    let row = cells.get(a[i]!);
    if (!row) cells.set(a[i]!, (row = new Map()));
    row.set(b[i]!, (row.get(b[i]!) ?? 0) + 1);
  }
  const rows = new Map<number, number>();
  const columns = new Map<number, number>();
  for (const [label, row] of cells)
    for (const [column, count] of row) {
      rows.set(label, (rows.get(label) ?? 0) + count);
      columns.set(column, (columns.get(column) ?? 0) + count);
    }
  return { cells, rows, columns, n: a.length };
}

function* counts({ cells }: Table): Generator<number> {
  for (const row of cells.values()) yield* row.values();
}

/** Adjusted Rand index (Hubert & Arabie 1985): 1 the same partition, 0 by chance. Null for fewer than 2 samples. */
export function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): Figure {
  return ariOf(contingency(a, b));
}

function ariOf(table: Table): Figure {
  const { rows, columns, n } = table;
  if (n < 2) return { value: null, reason: 'fewer than two samples' };
  const pairs = (counts: Iterable<number>) => {
    let sum = 0;
    for (const c of counts) sum += (c * (c - 1)) / 2;
    return sum;
  };
  const both = pairs(counts(table));
  const inRows = pairs(rows.values());
  const inColumns = pairs(columns.values());
  const expected = (inRows * inColumns) / ((n * (n - 1)) / 2);
  const most = (inRows + inColumns) / 2;
  // Both all in one, or both all alone: the same partition.
  return { value: most === expected ? 1 : (both - expected) / (most - expected) };
}

/** Normalised mutual information, arithmetic mean of the entropies. 1 when both have a single cluster. */
export function normalisedMutualInformation(a: ArrayLike<number>, b: ArrayLike<number>): Figure {
  return nmiOf(contingency(a, b));
}

function nmiOf({ cells, rows, columns, n }: Table): Figure {
  if (n === 0) return { value: null, reason: 'no samples' };
  const entropy = (counts: Iterable<number>) => {
    let sum = 0;
    for (const c of counts) sum -= (c / n) * log(c / n);
    return sum;
  };
  const ha = entropy(rows.values());
  const hb = entropy(columns.values());
  let mutual = 0;
  for (const [label, row] of cells)
    for (const [column, c] of row)
      mutual += (c / n) * log((c * n) / (rows.get(label)! * columns.get(column)!));
  return { value: ha + hb === 0 ? 1 : Math.min(1, Math.max(0, (2 * mutual) / (ha + hb))) };
}

/** Share of samples that belong to the commonest class of their cluster. */
export function purity(clusters: ArrayLike<number>, classes: ArrayLike<number>): Figure {
  return purityOf(contingency(clusters, classes));
}

function purityOf({ cells, n }: Table): Figure {
  if (n === 0) return { value: null, reason: 'no samples' };
  let sum = 0;
  for (const row of cells.values()) {
    let best = 0;
    for (const count of row.values()) best = Math.max(best, count);
    sum += best;
  }
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
  const table = contingency(of(blocks), of(labels));
  return { ari: ariOf(table), nmi: nmiOf(table), purity: purityOf(table) };
}
