import type { PruneResult, RemovalShares } from '@epochscope/analysis/results';
import { css, html, svg, type TemplateResult } from 'lit';
import { chart, EsFigure, type FigureTable, mark, tableOf } from '../../figure/index.js';

const BINS = 20;
const HEIGHT = 220;
const percent = (value: number, digits = 0) => `${(100 * value).toFixed(digits)} %`;

/**
 * How many units lost which share of their weights, with the shares of units under 40 % and over 90 % (the two groups of
 * Takehana & Ozaki). A unit at a bin's edge counts in the bin above; 100 % in the last.
 */
export class EsRemovalHistogram extends EsFigure<RemovalShares, PruneResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .low {
        fill: light-dark(#2a62b0, #7fb0f5);
      }
      .between {
        fill: light-dark(#9aa4ae, #78838e);
      }
      .high {
        fill: light-dark(#c2570c, #f5a35c);
      }
      .edge {
        stroke: var(--_quiet);
        stroke-dasharray: 3 3;
      }
      .groups {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1.2rem;
        font-variant-numeric: tabular-nums;
      }
      .groups svg {
        inline-size: 0.8em;
        block-size: 0.8em;
        margin-inline-end: 0.35em;
      }
    `,
  ];
  static override properties = { ...EsFigure.properties, round: { type: Number } };
  /** With `src`: round of the result; −1 is the last. */
  declare round: number;

  constructor() {
    super();
    this.round = -1;
  }

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

  protected override drawing(data: RemovalShares): TemplateResult {
    const counts = this.counts(data);
    const { axes, x, y, top, bottom } = chart({
      width: this.width,
      height: HEIGHT,
      measure: this.measure,
      x: { domain: [0, 1], title: 'share of weights removed', format: (v: never) => percent(v), nice: false },
      y: { domain: counts, zero: true, title: 'units' },
    });
    const kind = (i: number) => ((i + 1) / BINS <= 0.4 ? 'low' : i / BINS >= 0.9 ? 'high' : 'between');
    const key = (name: string, text: string) =>
      html`<span part="item"><svg viewBox="0 0 10 10" aria-hidden="true"><rect class=${name} width="10" height="10" /></svg>${text}</span>`;
    return html`${this.plot({
      width: this.width,
      height: HEIGHT,
      marks: true,
      svg: svg`${axes}
        ${[0.4, 0.9].map((at) => svg`<line class="edge" x1=${x.at(at)} x2=${x.at(at)} y1=${top} y2=${bottom} />`)}
        ${counts.map((count, i) => {
          const [from, to] = [x.at(i / BINS) + 1, x.at((i + 1) / BINS) - 1];
          const high = bottom - y.at(count);
          return svg`<rect class=${kind(i)} x=${from} y=${bottom - high} width=${Math.max(1, to - from)} height=${high} ${mark(
            {
              label: `${count} ${count === 1 ? 'unit' : 'units'} lost ${percent(i / BINS)} to ${percent((i + 1) / BINS)}`,
            },
          )} />`;
        })}`,
    })}
    <div class="groups">
      ${key('low', `under 40 %: ${percent(data.under40)} of units`)} ${key('between', `between: ${percent(Math.max(0, 1 - data.under40 - data.over90))}`)}
      ${key('high', `over 90 %: ${percent(data.over90)}`)}
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-removal-histogram': EsRemovalHistogram;
  }
}
