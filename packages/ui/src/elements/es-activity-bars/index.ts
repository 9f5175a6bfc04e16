import type { ActivityPanel, ActivityResult } from '@epochscope/analysis/results';
import { css, html, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { chart, type Drawing, EsFigure, type FigureTable, type Frame } from '../../figure/index.js';
import { classColour } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { format, snapshotTitle } from '../../styles.js';

const HEIGHT = 118;
const NARROWEST = 190;
/** More classes without a bar than this are counted, not named. */
const MOST_NAMED = 6;

/**
 * What each filter responds to: a small chart a filter, a bar a class, one scale for all.
 * @fires es-select - `{ layer, unit, class }`: a bar was chosen.
 */
export class EsActivityBars extends EsFigure<ActivityPanel, ActivityResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .pages {
        display: flex;
        gap: 0.6rem;
        align-items: center;
      }
    `,
  ];
  @property({ attribute: false }) classes: readonly string[] | null = null;
  /** With `src`: which panel; default the last. */
  @property({ type: String }) layer: string = '';
  @property({ type: String }) snapshot: string = '';
  /** First filter shown, where there are more than fit. */
  @property({ type: Number }) first: number = 0;
  /** Charts shown at once; default 32. */
  @property({ type: Number }) most: number = 32;
  protected override get pickedBy(): readonly string[] {
    return ['layer', 'snapshot'];
  }
  protected override pick(result: ActivityResult): ActivityPanel {
    const found = result.panels.findLast(
      (p) => (!this.layer || p.layer === this.layer) && (!this.snapshot || p.snapshot.id === this.snapshot),
    );
    if (!found)
      throw new Error(
        `The result has no panel of ${this.layer || 'a layer'} at ${this.snapshot || 'a snapshot'}`,
      );
    this.classes ??= result.classes;
    return found;
  }
  private names(panel: ActivityPanel): string[] {
    return Array.from(panel.used, (_, c) => this.classes?.[c] ?? String(c));
  }
  protected override emptyReason(panel: ActivityPanel): string {
    if (!panel.filters) return `${panel.layer} has no filters.`;
    return panel.undefinedClasses.length === panel.used.length
      ? `No class has an activity: ${panel.undefinedClasses[0]?.reason ?? 'there is none'}.`
      : '';
  }
  protected override summary(panel: ActivityPanel): string {
    const { median } = panel.distribution;
    const gone = panel.undefinedClasses.length ? `, ${panel.undefinedClasses.length} classes undefined` : '';
    return `Activity of ${panel.filters} filters of ${panel.layer} by class at ${snapshotTitle(panel.snapshot)}; median selectivity ${median.value === null ? 'undefined' : format(median.value)}${gone}`;
  }
  protected override table(panel: ActivityPanel): FigureTable {
    const classes = panel.used.length;
    return {
      columns: ['Filter', ...this.names(panel), 'Selectivity'],
      length: panel.filters,
      row: (f) => [
        f,
        ...Array.from(panel.used, (used, c) =>
          used && !isUndefined(panel, c) ? panel.activity[f * classes + c]! : null,
        ),
        panel.selectivity[f]!.value,
      ],
    };
  }
  protected override get fileName(): string {
    return `activity-${this.data?.layer}-${this.data?.snapshot.id}`;
  }

  private page({ filters }: ActivityPanel): { first: number; shown: number } {
    const first = Math.min(Math.max(0, this.first), Math.max(0, filters - 1));
    return { first, shown: Math.min(this.most, filters - first) };
  }
  protected override draw(panel: ActivityPanel, frame: Frame): Drawing {
    const { first, shown } = this.page(panel);
    const across = Math.max(1, Math.min(shown, Math.floor(frame.width / NARROWEST)));
    const wide = Math.floor(frame.width / across);
    const gone = this.gone(panel);
    return {
      width: frame.width,
      height: HEIGHT * Math.ceil(shown / across),
      items: Array.from({ length: shown }, (_, i) => ({
        kind: 'group' as const,
        x: (i % across) * wide,
        y: Math.floor(i / across) * HEIGHT,
        items: this.chartOf(panel, first + i, { ...frame, width: wide - 10 }),
      })),
      ...(gone ? { note: `Without a bar: ${gone}.` } : {}),
    };
  }
  /** Classes that have no bar, with the reason; many of one reason are counted. */
  private gone({ undefinedClasses, ...panel }: ActivityPanel): string {
    const names = this.names(panel as ActivityPanel);
    const reasons = new Map<string, number[]>();
    for (const { class: c, reason } of undefinedClasses)
      reasons.set(reason, [...(reasons.get(reason) ?? []), c]);
    return [...reasons]
      .map(([reason, classes]) =>
        classes.length > MOST_NAMED
          ? `${classes.length} classes (${reason})`
          : classes.map((c) => `${names[c]} (${reason})`).join(', '),
      )
      .join(', ');
  }
  protected override controls(panel: ActivityPanel): unknown {
    const { first, shown } = this.page(panel);
    if (panel.filters <= shown) return nothing;
    return html`<p class="note pages">Filters ${first} – ${first + shown - 1} of ${panel.filters}
      <button type="button" ?disabled=${first === 0} @click=${() => (this.first = Math.max(0, first - this.most))}>Before</button>
      <button type="button" ?disabled=${first + shown >= panel.filters} @click=${() => (this.first = first + this.most)}>Next</button></p>`;
  }

  private chartOf(panel: ActivityPanel, f: number, { width, measure }: Frame): SceneItem[] {
    const names = this.names(panel);
    const classes = names.length;
    const { x, y, left, axes } = chart({
      width,
      height: HEIGHT - 14,
      measure,
      x: { domain: names, padding: 0.2 },
      y: { domain: panel.activity, zero: true },
    });
    const ground = y.at(0);
    const { value } = panel.selectivity[f]!;
    const title = `filter ${f}`;
    const bars = names.flatMap((name, c): SceneItem[] => {
      if (isUndefined(panel, c)) return [];
      const activity = panel.activity[f * classes + c]!;
      const at = y.at(activity);
      const chosen = this.selection.class === c;
      const selected = chosen && (this.selection.unit ?? f) === f;
      return [
        {
          kind: 'rect',
          class: 'fill',
          x: x.at(name) - x.bandwidth / 2,
          width: x.bandwidth,
          y: Math.min(at, ground),
          height: Math.max(0.5, Math.abs(ground - at)),
          fill: classColour(c),
          opacity: typeof this.selection.class === 'number' && !chosen ? 0.45 : 1,
          ...(selected ? { stroke: 'var(--_text)', strokeWidth: 1.5 } : {}),
          mark: {
            label: `${panel.layer} filter ${f}, class ${name}: ${format(activity)}`,
            detail: { layer: panel.layer, unit: f, class: c, snapshot: panel.snapshot.id },
            selected,
            row: f,
            column: c,
          },
        },
      ];
    });
    return [
      { kind: 'group', y: 12, items: [axes, ...bars] },
      { kind: 'text', x: left, y: 12, text: title, bold: true },
      ...(value === null
        ? []
        : [
            {
              kind: 'text' as const,
              x: left + measure(title, 12, true) + 8,
              y: 12,
              text: `selectivity ${value.toFixed(2)}`,
              fill: 'var(--_quiet)',
            },
          ]),
    ];
  }
}

const isUndefined = (panel: ActivityPanel, c: number) =>
  panel.undefinedClasses.some((one) => one.class === c);

declare global {
  interface HTMLElementTagNameMap {
    'es-activity-bars': EsActivityBars;
  }
}
