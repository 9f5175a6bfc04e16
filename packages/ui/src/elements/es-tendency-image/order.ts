import type { TendencyPanel } from '@epochscope/analysis/results';

/** The block that holds a position; looked for from block `from` on. */
export function blockAt({ blocks }: TendencyPanel, position: number, from = 0): number {
  let block = from;
  while (block + 2 < blocks.boundaries.length && blocks.boundaries[block + 1]! <= position) block++;
  return block;
}

/** The order as CSV: position, sample, weight of the edge that attached it, parent, block. */
export function orderCsv(panel: TendencyPanel): string {
  const { order, weights, parent } = panel;
  let block = 0;
  const rows = [...order].map((sample, p) => {
    block = blockAt(panel, p, block);
    return `${p},${sample},${p ? weights[p - 1] : ''},${p ? parent[p - 1] : ''},${block}`;
  });
  return `position,sample,weight,parent,block\n${rows.join('\n')}\n`;
}
