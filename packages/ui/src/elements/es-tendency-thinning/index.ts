import type { TendencyResult, Thinning } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import { type Drawing, EsFigure, type FigureTable, type Frame, tableOf } from '../../figure/index.js';
import { lineColour } from '../../palette.js';
import { snapshotTitle, titleOfId } from '../../styles.js';
import { linePlot } from '../es-tendency-scores/lines.js';

/** How agreement with all samples is measured. */
export const AGREEMENTS = {
  correlation: 'correlation of iVAT values',
  ari: 'adjusted Rand index of blocks',
} as const;
export type Agreement = keyof typeof AGREEMENTS;

const HEIGHT = 240;

/**
 * Agreement of smaller subsets with all samples, a line a panel, over their numbers of samples: what is needed to accept
 * or refuse an interval. The table holds both measures and the seconds.
 * @fires es-select - `{ snapshot, layer }`: a point was chosen.
 */
export class EsTendencyThinning extends EsFigure<Thinning, TendencyResult> {
  @property({ type: String }) agreement: Agreement = 'correlation';

  protected override pick({ thinning }: TendencyResult): Thinning {
    if (!thinning) throw new Error(`${this.src} holds no thinning; analyse with \`thin\``);
    return thinning;
  }
  protected override emptyReason({ steps, chosen }: Thinning): string {
    if (!steps.length) return chosen.reason ?? 'No subset was tried';
    return steps.every(({ agreement }) => agreement.every((a) => a[this.agreement].value === null))
      ? 'No agreement is defined: all iVAT values are equal'
      : '';
  }
  protected override summary({ reference, least, chosen, steps }: Thinning): string {
    const tried = `${AGREEMENTS[this.agreement]} of ${steps.map(({ size }) => size).join(', ')} samples along ${reference.layer}, ${titleOfId(reference.snapshot)}, with all`;
    if (least === null) return tried;
    return `${tried}; ${chosen.value === null ? `no interval agrees at least ${least}` : `interval ${chosen.value} is the largest that agrees at least ${least}`}`;
  }
  protected override hint({ least, chosen }: Thinning): string {
    if (least === null) return '';
    return chosen.value === null
      ? `No interval agrees at least ${least}: ${chosen.reason}`
      : `Largest interval that agrees at least ${least} in every panel: ${chosen.value}`;
  }
  protected override table({ steps }: Thinning): FigureTable {
    const rows = steps.flatMap((step) => step.agreement.map((agreement, i) => ({ step, agreement, i })));
    return tableOf(
      ['Samples', 'Interval', 'Layer', 'Snapshot', 'Blocks', 'ARI', 'iVAT correlation', 'Seconds', 'Of all'],
      rows,
      ({ step, agreement: a, i }) => [
        step.size,
        Number(step.interval.toFixed(2)),
        a.layer,
        titleOfId(a.snapshot),
        step.panels[i]!.blocks.count,
        a.ari.value ?? a.ari.reason,
        a.correlation.value ?? a.correlation.reason,
        Number(a.seconds.toFixed(3)),
        Number(a.fullSeconds.toFixed(3)),
      ],
    );
  }
  protected override get fileName(): string {
    return 'tendency-thinning';
  }

  protected override draw({ steps }: Thinning, { width, measure }: Frame): Drawing {
    const sizes = [...new Set(steps.map(({ size }) => size))].sort((a, b) => b - a);
    const panels = steps[0]!.panels;
    const layers = [...new Set(panels.map(({ layer }) => layer))];
    const title = AGREEMENTS[this.agreement];
    return linePlot({
      width,
      height: HEIGHT,
      measure,
      places: sizes.map((size) => ({ id: String(size), label: String(size) })),
      xTitle: 'samples',
      yTitle: title,
      range: [0, 1],
      lines: panels.map(({ snapshot, layer }, i) => {
        const name = `${layers.length > 1 ? `${layer}, ` : ''}${snapshotTitle(snapshot)}`;
        return {
          name,
          colour: lineColour(i),
          points: sizes.map((size) => {
            const agreement = steps
              .find((step) => step.size === size)!
              .agreement.find((a) => a.layer === layer && a.snapshot === snapshot.id)!;
            const { value } = agreement[this.agreement];
            return {
              x: String(size),
              value,
              label: `${layer}, ${snapshotTitle(snapshot)}, ${size} samples: ${title} ${value === null ? '–' : Number(value.toFixed(3))}`,
              detail: { snapshot: snapshot.id, layer },
              selected: this.selection.snapshot === snapshot.id && this.selection.layer === layer,
            };
          }),
        };
      }),
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-tendency-thinning': EsTendencyThinning;
  }
}
