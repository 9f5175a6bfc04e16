import type { WatchResult } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import { type Drawing, EsFigure, type FigureTable, type Frame, tableOf } from '../../figure/index.js';
import { lineColour, WRONG_COLOUR } from '../../palette.js';
import { format, snapshotTitle } from '../../styles.js';
import { snapshotPlaces } from '../es-tendency-scores/index.js';
import { type Line, linePlot } from '../es-tendency-scores/lines.js';

/** A rule and the snapshots it was judged at. */
export interface RuleData {
  rule: WatchResult['rules'][number];
  snapshots: WatchResult['snapshots'];
}

const HEIGHT = 220;
/** Along the axis there is room for the figure's short name, which rules take too; the rule says the whole. */
const short = (figure: string) => figure.replace('difference to the last snapshot', 'difference');

/**
 * The figure that a rule looks at over the snapshots, its limit if it has one, and in the colour of what is wrong the snapshots at which it holds.
 * A figure that is not defined leaves a gap.
 * @fires es-select - `{ snapshot }`.
 */
export class EsRule extends EsFigure<RuleData, WatchResult> {
  /** Which rule of a loaded result. */
  @property({ type: Number }) at = 0;

  protected override get pickedBy(): readonly string[] {
    return ['at'];
  }
  protected override pick({ rules, snapshots }: WatchResult): RuleData {
    const rule = rules[this.at];
    if (!rule) throw new Error(`there is no rule ${this.at}: the result has ${rules.length}`);
    return { rule, snapshots };
  }
  protected override emptyReason({ rule }: RuleData): string {
    const { values } = rule;
    return values.every(({ value }) => value === null)
      ? `${rule.figure}: ${values[0]?.reason ?? 'no snapshot'}`
      : '';
  }
  protected override summary({ rule, snapshots }: RuleData): string {
    const where = rule.holds.map((s) => snapshotTitle(snapshots[s]!));
    return `Rule “${rule.text}”: ${where.length ? `holds at ${where.join(', ')}` : `holds at none of ${snapshots.length} snapshots`}`;
  }
  protected override table({ rule, snapshots }: RuleData): FigureTable {
    return tableOf(['Snapshot', rule.figure, 'Holds'], [...snapshots.keys()], (s) => [
      snapshotTitle(snapshots[s]!),
      rule.values[s]!.value ?? rule.values[s]!.reason,
      rule.holds.includes(s) ? 'yes' : '',
    ]);
  }

  protected override draw({ rule, snapshots }: RuleData, { width, measure }: Frame): Drawing {
    const { places, title } = snapshotPlaces(snapshots);
    const limited = rule.change === 'over' || rule.change === 'under';
    const line = (
      name: string,
      colour: string,
      figureAt: (s: number) => number | null,
      as?: Line['as'],
    ): Line => ({
      name,
      colour,
      ...(as ? { as } : {}),
      points: snapshots.map((snapshot, s) => {
        const value = figureAt(s);
        return {
          x: snapshot.id,
          value,
          label: `${snapshotTitle(snapshot)}: ${rule.figure} ${value === null ? '–' : format(value)}${as === 'points' ? ', the rule holds' : ''}`,
          detail: { snapshot: snapshot.id },
          selected: this.selection.snapshot === snapshot.id,
        };
      }),
    });
    return linePlot({
      width,
      height: HEIGHT,
      measure,
      places,
      xTitle: title,
      yTitle: short(rule.figure),
      lines: [
        ...(limited
          ? [line(`${rule.change} ${format(rule.by)}`, 'var(--_quiet)', () => rule.by, 'limit')]
          : []),
        line('figure', lineColour(0), (s) => rule.values[s]!.value),
        ...(rule.holds.length
          ? [
              line(
                'holds',
                WRONG_COLOUR,
                (s) => (rule.holds.includes(s) ? rule.values[s]!.value : null),
                'points',
              ),
            ]
          : []),
      ],
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-rule': EsRule;
  }
}
