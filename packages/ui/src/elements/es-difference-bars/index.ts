import {
  type DifferenceResult,
  longestBars,
  type Witness,
  witnessSentence,
} from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import {
  chart,
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  fitText,
  tableOf,
} from '../../figure/index.js';
import { lineColour } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { format, snapshotTitle } from '../../styles.js';

const ROW = 9;
const GAP = 26;

/** What a side is called beside the other: what tells them apart. */
export function sideName({ sides }: Pick<DifferenceResult, 'sides'>, side: 0 | 1): string {
  const [own, other] = [sides[side], sides[1 - side]!];
  if (own.source !== other.source) return own.source;
  return own.snapshot.id === other.snapshot.id ? own.layer : snapshotTitle(own.snapshot);
}

/**
 * What each of two pictures keeps apart that the other joins, as bars: from the height at which the other joins two groups to that at which
 * this one would, in multiples of each picture's scale. The longest of each side, below one another.
 * @fires es-select - `{ sample }`: one of the pair through which a chosen bar's groups are joined.
 */
export class EsDifferenceBars extends EsFigure<DifferenceResult, DifferenceResult> {
  /** Bars a side. */
  @property({ type: Number }) limit: number = 20;
  /** Samples that the smaller group of a bar has at least. Default as `longestBars`. */
  @property({ type: Number }) smallest!: number | undefined;

  private bars(data: DifferenceResult): Witness[][] {
    return this.kept('bars', [data, this.limit, this.smallest], () =>
      ([0, 1] as const).map((side) => longestBars(data, side, this.limit, this.smallest)),
    );
  }
  protected override emptyReason(data: DifferenceResult): string {
    if (data.distance.value === null) return `No distance: ${data.distance.reason}.`;
    return this.bars(data).some((bars) => bars.length)
      ? ''
      : 'Neither picture keeps apart what the other joins.';
  }
  protected override summary(data: DifferenceResult): string {
    const part = (side: 0 | 1) => `${sideName(data, side)} ${format(data.oneWay[side])}`;
    return `What each picture keeps apart that the other joins: ${part(0)}, ${part(1)}; the longest bars of each`;
  }
  protected override table(data: DifferenceResult): FigureTable {
    return tableOf(
      [
        'Kept apart by',
        'Joined by the other at',
        'Apart up to',
        'Samples',
        'From',
        'Joined through',
        'In words',
      ],
      this.bars(data).flat(),
      (bar) => [
        sideName(data, bar.side),
        bar.from,
        bar.to,
        bar.small.length,
        bar.large.length,
        bar.pair.join(' – '),
        witnessSentence(data, bar, data.samples, snapshotTitle),
      ],
    );
  }

  protected override draw(data: DifferenceResult, { width, measure }: Frame): Drawing {
    const sides = this.bars(data);
    const most = Math.max(...sides.flat().map(({ to }) => to));
    const rows = sides.map((bars) => bars.length * ROW + GAP);
    const height = rows[0]! + rows[1]! + 58;
    const { x, top, left, axes } = chart({
      width,
      height,
      measure,
      x: { domain: [0, most], title: 'height, in multiples of each picture’s scale' },
      y: { domain: [0, 1], hidden: true },
      grid: 'x',
    });
    const items: SceneItem[] = [axes];
    let y = top;
    sides.forEach((bars, side) => {
      const colour = lineColour(side);
      items.push({
        kind: 'text',
        x: left,
        y: y + 12,
        text: fitText(
          `kept apart: ${sideName(data, side as 0 | 1)} (${format(data.oneWay[side]!)} in all)`,
          width - left - 16,
          (text) => measure(text, 12, true),
        ),
        fill: colour,
        bold: true,
      });
      bars.forEach((bar, i) => {
        const at = y + GAP - 4 + i * ROW;
        const selected = bar.pair.includes(this.selection.sample ?? -1);
        items.push({
          kind: 'line',
          class: 'line',
          x1: x.at(bar.from),
          x2: Math.max(x.at(bar.to), x.at(bar.from) + 1),
          y1: at,
          y2: at,
          stroke: colour,
          strokeWidth: selected ? 6 : 4,
          mark: {
            label: witnessSentence(data, bar, data.samples, snapshotTitle),
            detail: { sample: bar.pair[0] },
            selected,
          },
        });
      });
      y += rows[side]!;
    });
    return { width, height, items };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-difference-bars': EsDifferenceBars;
  }
}
