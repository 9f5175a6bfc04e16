import type { PruneResult, RemovalShares } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import { chart, type Drawing, EsFigure, type FigureTable, type Frame, tableOf } from '../../figure/index.js';
import type { SceneItem } from '../../scene/index.js';

const BINS = 20;
const HEIGHT = 220;
const LOW = 'light-dark(#2a62b0, #7fb0f5)';
const BETWEEN = 'light-dark(#9aa4ae, #78838e)';
const HIGH = 'light-dark(#c2570c, #f5a35c)';
const percent = (value: number, digits = 0) => `${(100 * value).toFixed(digits)} %`;

/**
 * How many units lost which share of their weights, with the shares of units under 40 % and over 90 % (the two groups of
 * Takehana & Ozaki). A unit at a bin's edge counts in the bin above; 100 % in the last.
 */
export class EsRemovalHistogram extends EsFigure<RemovalShares, PruneResult> {
  /** With `src`: round of the result; −1 is the last. */
  @property({ type: Number }) round: number = -1;

  protected override pick({ rounds }: PruneResult): RemovalShares {
    const found =
      this.round === -1 ? rounds[rounds.length - 1] : rounds.find(({ round }) => round === this.round);
    if (!found) throw new Error(`The result has no round ${this.round}`);
    return found.removed;
  }
  protected override get pickedBy(): readonly string[] {
    return ['round'];
  }
  protected override get fileName(): string {
    return 'removed-per-unit';
  }
  protected override emptyReason({ perUnit }: RemovalShares): string {
    return perUnit.length ? '' : 'The layer has no units.';
  }
  protected override summary({ perUnit, overall, over90, under40 }: RemovalShares): string {
    return `${perUnit.length} units by the share of weights they lost: ${percent(over90)} of them over 90 %, ${percent(under40)} under 40 %; ${percent(overall, 1)} of all weights are removed`;
  }
  private counts({ perUnit }: RemovalShares): number[] {
    const counts = new Array<number>(BINS).fill(0);
    // A share is a whole number of weights over another: what rounding leaves below an edge belongs on it.
    for (const value of perUnit) counts[Math.min(BINS - 1, Math.floor(value * BINS + 1e-9))]!++;
    return counts;
  }
  protected override table(data: RemovalShares): FigureTable {
    return tableOf(['Removed', 'Units'], this.counts(data), (count, i) => [
      `${percent(i / BINS)} to ${percent((i + 1) / BINS)}`,
      count,
    ]);
  }

  protected override draw(data: RemovalShares, { width, measure }: Frame): Drawing {
    const counts = this.counts(data);
    const { axes, x, y, top, bottom } = chart({
      width,
      height: HEIGHT,
      measure,
      x: { domain: [0, 1], title: 'share of weights removed', format: (v: never) => percent(v), nice: false },
      y: { domain: counts, zero: true, title: 'units' },
    });
    const fillOf = (i: number) => ((i + 1) / BINS <= 0.4 ? LOW : i / BINS >= 0.9 ? HIGH : BETWEEN);
    return {
      width,
      height: HEIGHT,
      items: [
        axes,
        ...[0.4, 0.9].map(
          (at): SceneItem => ({
            kind: 'line',
            x1: x.at(at),
            x2: x.at(at),
            y1: top,
            y2: bottom,
            stroke: 'var(--_quiet)',
            dash: [3, 3],
          }),
        ),
        ...counts.map((count, i): SceneItem => {
          const [from, to] = [x.at(i / BINS) + 1, x.at((i + 1) / BINS) - 1];
          return {
            kind: 'rect',
            class: 'fill',
            x: from,
            y: y.at(count),
            width: Math.max(1, to - from),
            height: bottom - y.at(count),
            fill: fillOf(i),
            mark: {
              label: `${count} ${count === 1 ? 'unit' : 'units'} lost ${percent(i / BINS)} to ${percent((i + 1) / BINS)}`,
            },
          };
        }),
      ],
      legend: [
        { name: `under 40 %: ${percent(data.under40)} of units`, colour: LOW },
        { name: `between: ${percent(Math.max(0, 1 - data.under40 - data.over90))}`, colour: BETWEEN },
        { name: `over 90 %: ${percent(data.over90)}`, colour: HIGH },
      ],
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-removal-histogram': EsRemovalHistogram;
  }
}
