import type { Figure, ModuleSnapshot, ModulesResult, ThetaStep } from '@epochscope/analysis/results';
import { css, html, nothing, svg, type TemplateResult } from 'lit';
import { chart, EsFigure, type FigureTable, linePath, mark, tableOf } from '../../figure/index.js';
import { lineColour } from '../../palette.js';
import { format } from '../../styles.js';
import { pickSnapshot } from '../es-module-dendrogram/index.js';
import { titleOf } from '../es-module-flow/clusters.js';

const SCORES: [keyof ThetaStep & ('silhouette' | 'coherence' | 'stability'), string][] = [
  ['silhouette', 'silhouette'],
  ['coherence', 'coherence'],
  ['stability', 'stability'],
];
const HEIGHT = 210;

/**
 * What each threshold θ gives: the number of clusters, and silhouette, coherence and stability. A line marks the θ used, another the one proposed.
 */
export class EsThetaSweep extends EsFigure<ModuleSnapshot, ModulesResult> {
  static override properties = { ...EsFigure.properties, snapshot: { type: String } };
  static override styles = [
    ...EsFigure.styles,
    css`
      .names {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1rem;
      }
      .names i {
        display: inline-block;
        inline-size: 1.2em;
        border-block-start: 3px solid;
        vertical-align: middle;
        margin-inline-end: 0.4em;
      }
      .why {
        color: var(--_quiet);
        margin: 0.2rem 0 0;
      }
    `,
  ];
  /** With `src`: the snapshot drawn; default the last. */
  declare snapshot: string;

  constructor() {
    super();
    this.snapshot = '';
  }

  protected override get pickedBy(): readonly string[] {
    return ['snapshot'];
  }
  protected override pick(result: ModulesResult): ModuleSnapshot {
    return pickSnapshot(result, this.snapshot);
  }
  protected override emptyReason({ sweep }: ModuleSnapshot): string {
    return sweep?.steps.length ? '' : 'Thresholds were not tried for this snapshot.';
  }
  protected override summary(s: ModuleSnapshot): string {
    const { proposal } = s.sweep!;
    return `Thresholds tried at ${titleOf(s)}: ${s.theta} gives ${s.clusters.length} clusters; proposed is ${proposal.value ?? `none: ${proposal.reason}`}`;
  }
  protected override table({ sweep }: ModuleSnapshot): FigureTable {
    const cell = (f: Figure) => f.value ?? f.reason;
    return tableOf(
      ['θ', 'Clusters', 'Of one unit', 'Silhouette', 'Coherence', 'Stability'],
      sweep!.steps,
      (s) => [s.theta, s.clusters, s.singletons, cell(s.silhouette), cell(s.coherence), cell(s.stability)],
    );
  }

  protected override drawing(s: ModuleSnapshot): TemplateResult {
    const { steps, proposal, why } = s.sweep!;
    const across = this.width >= 620 ? 2 : 1;
    const wide = Math.floor(this.width / across);
    const theta = steps.map((step) => step.theta);
    const panel = (
      title: string,
      y: { domain: number[]; kind?: 'log'; zero?: boolean },
      lines: { name: string; colour: string; value: (step: ThetaStep) => number | null }[],
      row: number,
    ) => {
      const c = chart({
        width: wide - (across > 1 ? 10 : 0),
        height: HEIGHT,
        measure: this.measure,
        x: { domain: theta, title: 'θ', nice: false },
        y: { ...y, title },
      });
      const upright = (at: number, colour: string, dash: string) =>
        svg`<line x1=${c.x.at(at)} x2=${c.x.at(at)} y1=${c.top} y2=${c.bottom} stroke=${colour} stroke-width="1.5" stroke-dasharray=${dash}></line>`;
      return svg`${c.axes}${upright(s.theta, 'var(--_text)', 'none')}
        ${proposal.value === null ? nothing : upright(proposal.value, 'var(--_accent)', '5 4')}
        ${lines.map(({ name, colour, value }, l) => {
          const points = steps.map(
            (step) => [c.x.at(step.theta), c.y.at(value(step) ?? Number.NaN)] as const,
          );
          return svg`<path d=${linePath(points)} fill="none" stroke=${colour} stroke-width="1.5"></path>
            ${steps.map((step, i) => {
              const v = value(step);
              return v === null
                ? nothing
                : svg`<circle cx=${points[i]![0]} cy=${points[i]![1]} r="3" fill=${colour} ${mark({ label: `θ ${step.theta}: ${name} ${format(v)}`, row: row + l, column: i })}></circle>`;
            })}`;
        })}`;
    };
    const counts = panel(
      'clusters',
      { domain: steps.map(({ clusters }) => Math.max(1, clusters)), kind: 'log' },
      [{ name: 'clusters', colour: 'var(--_accent)', value: ({ clusters }) => clusters }],
      0,
    );
    const scores = panel(
      'score',
      { domain: [0, 1, ...steps.flatMap((step) => SCORES.map(([key]) => step[key].value ?? 0))] },
      SCORES.map(([key, name], i) => ({ name, colour: lineColour(i), value: (step) => step[key].value })),
      1,
    );
    return html`${this.plot({
      width: this.width,
      height: across > 1 ? HEIGHT : 2 * HEIGHT,
      marks: true,
      svg: svg`<g>${counts}</g><g transform="translate(${across > 1 ? `${wide} 0` : `0 ${HEIGHT}`})">${scores}</g>`,
    })}
    <div class="names">${SCORES.map(([, name], i) => html`<span part="item"><i style="border-color:${lineColour(i)}"></i>${name}</span>`)}
      <span part="item"><i style="border-color:var(--_text)"></i>θ used: ${s.theta}</span>
      ${proposal.value === null ? nothing : html`<span part="item"><i style="border-color:var(--_accent);border-block-start-style:dashed"></i>proposed: ${proposal.value}</span>`}</div>
    <p class="why">${proposal.value === null ? `No θ is proposed: ${proposal.reason}.` : `Proposed: ${why}.`}</p>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-theta-sweep': EsThetaSweep;
  }
}
