import type { PruneResult, PruneRound } from '@epochscope/analysis/results';
import { css, html, nothing, type SVGTemplateResult, svg, type TemplateResult } from 'lit';
import { chart, EsFigure, extentOf, type FigureTable, linePath, mark, tableOf } from '../../figure/index.js';
import { METRIC_COLOURS } from '../../palette.js';

/** One pruning: a result has these fields. */
export interface PruneSeries {
  /** Shown where several are compared. */
  name: string;
  accuracyBefore: PruneResult['accuracyBefore'];
  rounds: readonly Pick<
    PruneRound,
    'round' | 'removed' | 'accuracyAfterRemoval' | 'accuracyAfterRetraining'
  >[];
}

const ACCURACY_HEIGHT = 220;
const REMOVED_HEIGHT = 150;
const percent = (value: number | null, digits = 2) =>
  value === null ? '–' : `${(100 * value).toFixed(digits)} %`;

/** Snapshot of a pruned run that a round wrote. */
export const roundSnapshot = (round: number): string =>
  round === 0 ? 'magnitude' : `round-${String(round).padStart(2, '0')}`;
const title = (round: number) => (round === 0 ? 'magnitude' : `round ${round}`);
const X_TITLE = 'round (0 is the magnitude step)';

interface Point {
  /** Snapshot id. */
  id: string;
  label: string;
  /** At the axis. */
  tick: string;
  removed: number;
  /** Right after removal (hollow) and after retraining. */
  cut: number | null;
  retrained: number | null;
}
function pointsOf({ accuracyBefore, rounds }: PruneSeries): Point[] {
  return [
    { id: 'before', label: 'before', tick: 'net', removed: 0, cut: null, retrained: accuracyBefore.value },
    ...rounds.map((r) => ({
      id: roundSnapshot(r.round),
      label: title(r.round),
      tick: String(r.round),
      removed: r.removed.overall,
      cut: r.accuracyAfterRemoval.value,
      retrained: r.accuracyAfterRetraining.value,
    })),
  ];
}

/**
 * Accuracy over pruning rounds, right after removal and after retraining, with the share of weights removed below; or, of
 * several prunings, accuracy after retraining over the share removed. Choosing a point chooses the round's snapshot.
 * @fires es-select - `{ snapshot, round }`.
 */
export class EsPruneRounds extends EsFigure<readonly PruneSeries[], PruneResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .names {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1.2rem;
      }
      .names svg {
        inline-size: 1.8em;
        block-size: 0.8em;
        margin-inline-end: 0.35em;
        vertical-align: middle;
      }
      .now {
        stroke: var(--_quiet);
        stroke-dasharray: 3 3;
      }
      .cut {
        stroke-dasharray: 4 3;
      }
      .hollow {
        fill: var(--_surface);
        stroke-width: 1.5;
      }
    `,
  ];
  static override properties = { ...EsFigure.properties, versus: { type: String } };
  /** What lies along x: rounds (one pruning), or the share removed (several). */
  declare versus: 'round' | 'removed';

  constructor() {
    super();
    this.versus = 'round';
  }

  protected override pick(result: PruneResult): readonly PruneSeries[] {
    return [{ ...result, name: result.options.ranking }];
  }
  protected override get fileName(): string {
    return 'pruning-rounds';
  }
  protected override emptyReason(data: readonly PruneSeries[]): string {
    return data.some(({ rounds }) => rounds.length) ? '' : 'There is no round.';
  }
  protected override summary(data: readonly PruneSeries[]): string {
    const said = data.map((series) => {
      const last = series.rounds[series.rounds.length - 1];
      const after = last?.accuracyAfterRetraining.value ?? last?.accuracyAfterRemoval.value ?? null;
      const name = data.length > 1 ? `${series.name}: ` : '';
      return last
        ? `${name}${percent(series.accuracyBefore.value)} before, ${percent(after)} with ${percent(last.removed.overall, 1)} of the weights removed`
        : `${name}no round`;
    });
    return `Accuracy over pruning rounds: ${said.join('; ')}`;
  }
  protected override table(data: readonly PruneSeries[]): FigureTable {
    const rows = data.flatMap((series) => pointsOf(series).map((point) => ({ name: series.name, point })));
    return tableOf(
      ['Pruning', 'Round', 'Removed', 'After removal', 'After retraining'],
      rows,
      ({ name, point }) => [
        name,
        point.label,
        percent(point.removed, 1),
        percent(point.cut),
        percent(point.retrained),
      ],
    );
  }

  protected override drawing(data: readonly PruneSeries[]): TemplateResult {
    const accurate = data.some((series) =>
      pointsOf(series).some(({ cut, retrained }) => cut !== null || retrained !== null),
    );
    const over = this.versus === 'removed' || data.length > 1;
    const upper = accurate ? (over ? this.curves(data) : this.rounds(data[0]!)) : nothing;
    const lower = over ? nothing : this.shares(data[0]!);
    const high = accurate ? ACCURACY_HEIGHT : 0;
    const sample = (style: string, text: string, inside = svg``) =>
      html`<span part="item"><svg viewBox="0 0 36 16" aria-hidden="true"><line x1="0" x2="36" y1="8" y2="8" style=${style} stroke-width="2.5" />${inside}</svg>${text}</span>`;
    const keys = over
      ? data.map((s, i) => sample(`stroke:${METRIC_COLOURS[i % METRIC_COLOURS.length]}`, s.name))
      : accurate
        ? [
            sample(`stroke:${METRIC_COLOURS[0]}`, 'after retraining'),
            sample(`stroke:${METRIC_COLOURS[1]};stroke-dasharray:6 5`, 'right after removal'),
          ]
        : [html`<span>No accuracy: ${data[0]!.accuracyBefore.reason ?? 'not measured'}.</span>`];
    return html`${this.plot({
      width: this.width,
      height: high + (over ? 0 : REMOVED_HEIGHT),
      marks: true,
      svg: svg`${upper}<g transform="translate(0 ${high})">${lower}</g>`,
    })}
    <div class="names">${keys}</div>`;
  }

  private dot(cx: number, cy: number, colour: string, hollow: boolean, point: Point, label: string) {
    if (!Number.isFinite(cx) || !Number.isFinite(cy)) return nothing;
    const chosen = point.id === this.selection.snapshot;
    const round = point.id === 'before' ? null : point.id === 'magnitude' ? 0 : Number(point.id.slice(6));
    return svg`<circle class=${hollow ? 'hollow' : ''} cx=${cx} cy=${cy} r=${chosen ? 6 : 4}
      style=${hollow ? `stroke:${colour}` : `fill:${colour}`} ${mark({
        label,
        detail: { snapshot: point.id, round },
        selected: chosen,
      })} />`;
  }

  private rounds(series: PruneSeries): SVGTemplateResult {
    const points = pointsOf(series);
    const values = points.flatMap(({ cut, retrained }) => [cut ?? Number.NaN, retrained ?? Number.NaN]);
    const { axes, x, y, top, bottom } = chart({
      width: this.width,
      height: ACCURACY_HEIGHT,
      measure: this.measure,
      x: { kind: 'point', domain: points.map(({ tick }) => tick), title: X_TITLE },
      y: { domain: values, title: 'test accuracy', format: (v: never) => percent(v, digitsFor(values)) },
    });
    const at = (point: Point, value: number | null) =>
      [x.at(point.tick), value === null ? Number.NaN : y.at(value)] as const;
    const solid = points.filter(({ retrained }) => retrained !== null);
    const dashed = points.filter(({ cut }) => cut !== null);
    return svg`${axes}${this.line(points, x, top, bottom)}
      <path class="cut" d=${linePath(dashed.map((p) => at(p, p.cut)))} fill="none" style="stroke:${METRIC_COLOURS[1]};stroke-width:1.5" />
      <path d=${linePath(solid.map((p) => at(p, p.retrained)))} fill="none" style="stroke:${METRIC_COLOURS[0]};stroke-width:2" />
      ${dashed.map((p) => this.dot(...at(p, p.cut), METRIC_COLOURS[1]!, true, p, `${p.label}: ${percent(p.cut)} right after removal, ${percent(p.removed, 1)} of weights removed`))}
      ${solid.map((p) => this.dot(...at(p, p.retrained), METRIC_COLOURS[0]!, false, p, `${p.label}: ${percent(p.retrained)}${p.id === 'before' ? '' : ` after retraining, ${percent(p.removed, 1)} of weights removed`}`))}`;
  }

  private shares(series: PruneSeries): SVGTemplateResult {
    const points = pointsOf(series);
    const { axes, x, y, top, bottom } = chart({
      width: this.width,
      height: REMOVED_HEIGHT,
      measure: this.measure,
      x: { kind: 'point', domain: points.map(({ tick }) => tick), title: X_TITLE },
      y: { domain: [0, 1], title: 'removed', format: (v: never) => percent(v, 0) },
    });
    return svg`${axes}${this.line(points, x, top, bottom)}
      <path d=${linePath(points.map((p) => [x.at(p.tick), y.at(p.removed)] as const))} fill="none" style="stroke:${METRIC_COLOURS[2]};stroke-width:2" />
      ${points.map((p) => this.dot(x.at(p.tick), y.at(p.removed), METRIC_COLOURS[2]!, false, p, `${p.label}: ${percent(p.removed, 1)} of weights removed`))}`;
  }

  private curves(data: readonly PruneSeries[]): SVGTemplateResult {
    const all = data.map((series) => pointsOf(series).filter(({ retrained }) => retrained !== null));
    const values = all.flatMap((points) => points.map(({ retrained }) => retrained!));
    const { axes, x, y } = chart({
      width: this.width,
      height: ACCURACY_HEIGHT,
      measure: this.measure,
      grid: 'both',
      x: {
        domain: [0, 1],
        title: 'share of weights removed',
        format: (v: never) => percent(v, 0),
        nice: false,
      },
      y: {
        domain: values,
        title: 'test accuracy',
        format: (v: never) => percent(v, digitsFor(values)),
      },
    });
    return svg`${axes}${all.map((points, i) => {
      const colour = METRIC_COLOURS[i % METRIC_COLOURS.length]!;
      const at = (p: Point) => [x.at(p.removed), y.at(p.retrained!)] as const;
      return svg`<path d=${linePath(points.map(at))} fill="none" style="stroke:${colour};stroke-width:2" />
        ${points.map((p) => this.dot(...at(p), colour, false, p, `${data[i]!.name}, ${p.label}: ${percent(p.retrained)} with ${percent(p.removed, 1)} removed`))}`;
    })}`;
  }

  private line(points: Point[], x: { at(value: string): number }, top: number, bottom: number) {
    const now = points.find(({ id }) => id === this.selection.snapshot);
    if (!now) return nothing;
    return svg`<line class="now" x1=${x.at(now.tick)} x2=${x.at(now.tick)} y1=${top} y2=${bottom} />`;
  }
}

/** Decimals of a percentage that keep neighbouring ticks apart. */
function digitsFor(values: readonly number[]): number {
  const [low, high] = extentOf(values);
  return high - low < 0.005 ? 2 : high - low < 0.05 ? 1 : 0;
}

declare global {
  interface HTMLElementTagNameMap {
    'es-prune-rounds': EsPruneRounds;
  }
}
