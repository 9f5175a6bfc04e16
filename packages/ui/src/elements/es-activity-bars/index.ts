import type { ActivityPanel, ActivityResult } from '@epochscope/analysis/results';
import { css, html, nothing, type SVGTemplateResult, svg, type TemplateResult } from 'lit';
import { chart, EsFigure, type FigureTable, mark } from '../../figure/index.js';
import { format } from '../../styles.js';

/** Charts shown at once. */
const MOST = 32;
const HEIGHT = 118;
const NARROWEST = 190;

/**
 * What each filter responds to: a small chart a filter, a bar a class, one scale for all.
 * @fires es-select - `{ layer, unit, class }`: a bar was chosen.
 */
export class EsActivityBars extends EsFigure<ActivityPanel, ActivityResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .bar-of {
        fill: var(--_accent);
        opacity: 0.75;
      }
      .bar-of.now,
      .bar-of:hover {
        opacity: 1;
      }
      .bar-of[aria-pressed='true'] {
        stroke: var(--_text);
        stroke-width: 1.5;
      }
      .name {
        font-weight: 600;
      }
      .pages {
        display: flex;
        gap: 0.6rem;
        align-items: center;
      }
    `,
  ];
  static override properties = {
    ...EsFigure.properties,
    classes: { attribute: false },
    layer: { type: String },
    snapshot: { type: String },
    first: { type: Number },
  };
  declare classes: readonly string[] | null;
  /** With `src`: which panel; default the last. */
  declare layer: string;
  declare snapshot: string;
  /** First filter shown, where there are more than fit. */
  declare first: number;

  constructor() {
    super();
    this.classes = null;
    this.layer = '';
    this.snapshot = '';
    this.first = 0;
  }
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
    return `Activity of ${panel.filters} filters of ${panel.layer} by class at ${panel.snapshot.id}; median selectivity ${median.value === null ? 'undefined' : format(median.value)}${gone}`;
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

  protected override drawing(panel: ActivityPanel): TemplateResult {
    const first = Math.min(Math.max(0, this.first), Math.max(0, panel.filters - 1));
    const shown = Math.min(MOST, panel.filters - first);
    const across = Math.max(1, Math.min(shown, Math.floor(this.width / NARROWEST)));
    const wide = Math.floor(this.width / across);
    const charts = Array.from({ length: shown }, (_, i) => {
      const [left, top] = [(i % across) * wide, Math.floor(i / across) * HEIGHT];
      return svg`<g transform="translate(${left} ${top})">${this.chartOf(panel, first + i, wide - 10)}</g>`;
    });
    return html`${this.plot({
      width: this.width,
      height: HEIGHT * Math.ceil(shown / across),
      marks: true,
      svg: svg`${charts}`,
    })}
    ${
      panel.filters > shown
        ? html`<p class="note pages">Filters ${first} – ${first + shown - 1} of ${panel.filters}
          <button type="button" ?disabled=${first === 0} @click=${() => (this.first = Math.max(0, first - MOST))}>Before</button>
          <button type="button" ?disabled=${first + shown >= panel.filters} @click=${() => (this.first = first + MOST)}>Next</button></p>`
        : nothing
    }
    ${
      panel.undefinedClasses.length
        ? html`<p class="note">Without a bar: ${panel.undefinedClasses.map(({ class: c, reason }) => `${this.names(panel)[c]} (${reason})`).join(', ')}.</p>`
        : nothing
    }`;
  }

  private chartOf(panel: ActivityPanel, f: number, width: number): SVGTemplateResult {
    const names = this.names(panel);
    const classes = names.length;
    const { x, y, left, axes } = chart({
      width,
      height: HEIGHT - 14,
      measure: this.measure,
      x: { domain: names, padding: 0.2 },
      y: { domain: panel.activity, zero: true },
    });
    const ground = y.at(0);
    const { value } = panel.selectivity[f]!;
    return svg`<g transform="translate(0 12)">${axes}
      ${names.map((name, c) => {
        if (isUndefined(panel, c)) return nothing;
        const activity = panel.activity[f * classes + c]!;
        const at = y.at(activity);
        const selected = this.selection.class === c && (this.selection.unit ?? f) === f;
        return svg`<rect class=${`bar-of ${this.selection.class === c ? 'now' : ''}`} x=${x.at(name) - x.bandwidth / 2} width=${x.bandwidth} y=${Math.min(at, ground)} height=${Math.max(0.5, Math.abs(ground - at))} ${mark(
          {
            label: `${panel.layer} filter ${f}, class ${name}: ${format(activity)}`,
            detail: { layer: panel.layer, unit: f, class: c, snapshot: panel.snapshot.id },
            selected,
            row: f,
            column: c,
          },
        )} />`;
      })}</g>
      <text class="name" x=${left} y="12">filter ${f}<tspan class="tick" font-weight="400">${value === null ? '' : `  selectivity ${value.toFixed(2)}`}</tspan></text>`;
  }
}

const isUndefined = (panel: ActivityPanel, c: number) =>
  panel.undefinedClasses.some((one) => one.class === c);

declare global {
  interface HTMLElementTagNameMap {
    'es-activity-bars': EsActivityBars;
  }
}
