import type { TendencyPanel } from '@epochscope/analysis/results';

/** The block that holds a position; −1 for none. */
export function blockAt({ blocks }: TendencyPanel, position: number): number {
  return blocks.ranges.findIndex(({ start, end }) => start <= position && position < end);
}

/** The order as CSV: position, sample, weight of the edge that attached it, parent, block (empty for none). */
export function orderCsv(panel: TendencyPanel): string {
  const { order, weights, parent } = panel;
  let block = 0;
  const { ranges } = panel.blocks;
  const rows = [...order].map((sample, p) => {
    if (block < ranges.length && p >= ranges[block]!.end) block++;
    const held = block < ranges.length && p >= ranges[block]!.start;
    return `${p},${sample},${p ? weights[p - 1] : ''},${p ? parent[p - 1] : ''},${held ? block : ''}`;
  });
  return `position,sample,weight,parent,block\n${rows.join('\n')}\n`;
}
