import type { TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import type { Cell, FigureTable } from '../../figure/table.js';

/** The block that holds a position; −1 for none. */
export function blockAt({ blocks }: TendencyPanel, position: number): number {
  return blocks.ranges.findIndex(({ start, end }) => start <= position && position < end);
}

type Samples = TendencyResult['samples'];

/**
 * The order as a table: position, sample (its number in the run or file where some were chosen), weight of the edge that attached it, the
 * sample it was attached to, block (empty for none); with the samples of its result also their names and classes, where they have any.
 */
export function orderTable(panel: TendencyPanel, samples?: Samples): FigureTable {
  const { order, weights, parent } = panel;
  const { ranges } = panel.blocks;
  const numberOf = (sample: number) => samples?.indices?.[sample] ?? sample;
  const own: [string, (sample: number) => Cell][] = [];
  if (samples?.names) own.push(['name', (sample) => samples.names![sample]]);
  if (samples?.labels) own.push(['class', (sample) => classOf(samples, sample)]);
  return {
    columns: ['position', 'sample', 'weight', 'parent', 'block', ...own.map(([name]) => name)],
    length: order.length,
    row(p) {
      const sample = order[p]!;
      const block = ranges.findIndex(({ start, end }) => p >= start && p < end);
      return [
        p,
        numberOf(sample),
        p ? weights[p - 1] : null,
        p ? numberOf(parent[p - 1]!) : null,
        block < 0 ? null : block,
        ...own.map(([, cell]) => cell(sample)),
      ];
    },
  };
}

/** Empty for a sample that has none. */
function classOf({ labels, classes }: Samples, sample: number): Cell {
  const label = labels![sample]!;
  return label === 0xffffffff ? null : (classes?.[label] ?? label);
}
