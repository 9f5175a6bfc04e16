import type { Figure, ModuleSnapshot, ModulesResult, ThetaStep } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import {
  chart,
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  linePath,
  tableOf,
} from '../../figure/index.js';
import { lineColour } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
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
  /** With `src`: the snapshot drawn; default the last. */
  @property({ type: String }) snapshot: string = '';

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

  protected override draw(s: ModuleSnapshot, { width, measure }: Frame): Drawing {
    const { steps, proposal, why } = s.sweep!;
    const across = width >= 620 ? 2 : 1;
    const wide = Math.floor(width / across);
    const theta = steps.map((step) => step.theta);
    const panel = (
      title: string,
      y: { domain: number[]; kind?: 'log'; zero?: boolean },
      lines: { name: string; colour: string; value: (step: ThetaStep) => number | null }[],
      row: number,
    ): SceneItem[] => {
      const c = chart({
        width: wide - (across > 1 ? 10 : 0),
        height: HEIGHT,
        measure,
        x: { domain: theta, title: 'θ', nice: false },
        y: { ...y, title },
      });
      const upright = (at: number, stroke: string, dash?: number[]): SceneItem => ({
        kind: 'line',
        x1: c.x.at(at),
        x2: c.x.at(at),
        y1: c.top,
        y2: c.bottom,
        stroke,
        strokeWidth: 1.5,
        ...(dash ? { dash } : {}),
      });
      return [
        c.axes,
        upright(s.theta, 'var(--_text)'),
        ...(proposal.value === null ? [] : [upright(proposal.value, 'var(--_accent)', [5, 4])]),
        ...lines.flatMap(({ name, colour, value }, l): SceneItem[] => {
          const points = steps.map(
            (step) => [c.x.at(step.theta), c.y.at(value(step) ?? Number.NaN)] as const,
          );
          return [
            { kind: 'path', d: linePath(points), stroke: colour, strokeWidth: 1.5 },
            ...steps.flatMap((step, i): SceneItem[] => {
              const v = value(step);
              if (v === null) return [];
              return [
                {
                  kind: 'circle',
                  x: points[i]![0],
                  y: points[i]![1],
                  r: 3,
                  fill: colour,
                  mark: { label: `θ ${step.theta}: ${name} ${format(v)}`, row: row + l, column: i },
                },
              ];
            }),
          ];
        }),
      ];
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
    return {
      width,
      height: across > 1 ? HEIGHT : 2 * HEIGHT,
      items: [
        { kind: 'group', items: counts },
        across > 1 ? { kind: 'group', x: wide, items: scores } : { kind: 'group', y: HEIGHT, items: scores },
      ],
      legend: [
        ...SCORES.map(([, name], i) => ({ name, colour: lineColour(i), kind: 'line' as const })),
        { name: `θ used: ${s.theta}`, colour: 'var(--_text)', kind: 'line' },
        ...(proposal.value === null
          ? []
          : [{ name: `proposed: ${proposal.value}`, colour: 'var(--_accent)', kind: 'dashed' as const }]),
      ],
      note: proposal.value === null ? `No θ is proposed: ${proposal.reason}.` : `Proposed: ${why}.`,
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-theta-sweep': EsThetaSweep;
  }
}
