import type { PruneResult, PruneRound } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import {
  chart,
  type Drawing,
  EsFigure,
  extentOf,
  type FigureTable,
  type Frame,
  linePath,
  tableOf,
} from '../../figure/index.js';
import { METRIC_COLOURS } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { percent as percentOf } from '../../styles.js';

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
const percent = (value: number | null, digits = 2) => percentOf(value, digits);

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
  /** What lies along x: rounds (one pruning), or the share removed (several). */
  @property({ type: String }) versus: 'round' | 'removed' = 'round';

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

  protected override draw(data: readonly PruneSeries[], frame: Frame): Drawing {
    const { width } = frame;
    if (this.versus === 'removed' || data.length > 1)
      return {
        width,
        height: ACCURACY_HEIGHT,
        items: this.curves(data, frame),
        legend: data.map(({ name }, i) => ({ name, colour: colourOf(i), kind: 'line' })),
      };
    const [series] = data as [PruneSeries];
    const accurate = pointsOf(series).some(({ cut, retrained }) => cut !== null || retrained !== null);
    const high = accurate ? ACCURACY_HEIGHT : 0;
    return {
      width,
      height: high + REMOVED_HEIGHT,
      items: [
        ...(accurate ? this.rounds(series, frame) : []),
        { kind: 'group', y: high, items: this.shares(series, frame) },
      ],
      legend: accurate
        ? [
            { name: 'after retraining', colour: colourOf(0), kind: 'line' },
            { name: 'right after removal', colour: colourOf(1), kind: 'dashed' },
            { name: 'weights removed', colour: colourOf(2), kind: 'line' },
          ]
        : [],
      ...(accurate ? {} : { note: `No accuracy: ${series.accuracyBefore.reason ?? 'not measured'}.` }),
    };
  }

  private dot(
    x: number,
    y: number,
    colour: string,
    hollow: boolean,
    point: Point,
    label: string,
  ): SceneItem[] {
    if (!Number.isFinite(x) || !Number.isFinite(y)) return [];
    const selected = point.id === this.selection.snapshot;
    const round = point.id === 'before' ? null : point.id === 'magnitude' ? 0 : Number(point.id.slice(6));
    return [
      {
        kind: 'circle',
        x,
        y,
        r: selected ? 6 : 4,
        fill: hollow ? 'var(--_surface)' : colour,
        ...(hollow ? { stroke: colour, strokeWidth: 1.5 } : {}),
        mark: { label, detail: { snapshot: point.id, round }, selected },
      },
    ];
  }

  private rounds(series: PruneSeries, { width, measure }: Frame): SceneItem[] {
    const points = pointsOf(series);
    const values = points.flatMap(({ cut, retrained }) => [cut ?? Number.NaN, retrained ?? Number.NaN]);
    const { axes, x, y, top, bottom } = chart({
      width,
      height: ACCURACY_HEIGHT,
      measure,
      x: { kind: 'point', domain: points.map(({ tick }) => tick), title: X_TITLE },
      y: { domain: values, title: 'test accuracy', format: (v: never) => percent(v, digitsFor(values)) },
    });
    const at = (point: Point, value: number | null) =>
      [x.at(point.tick), value === null ? Number.NaN : y.at(value)] as const;
    const solid = points.filter(({ retrained }) => retrained !== null);
    const dashed = points.filter(({ cut }) => cut !== null);
    const removed = (p: Point) => `${percent(p.removed, 1)} of weights removed`;
    return [
      axes,
      ...this.line(points, x, top, bottom),
      {
        kind: 'path',
        d: linePath(dashed.map((p) => at(p, p.cut))),
        stroke: colourOf(1),
        strokeWidth: 1.5,
        dash: [4, 3],
      },
      {
        kind: 'path',
        d: linePath(solid.map((p) => at(p, p.retrained))),
        stroke: colourOf(0),
        strokeWidth: 2,
      },
      ...dashed.flatMap((p) =>
        this.dot(
          ...at(p, p.cut),
          colourOf(1),
          true,
          p,
          `${p.label}: ${percent(p.cut)} right after removal, ${removed(p)}`,
        ),
      ),
      ...solid.flatMap((p) =>
        this.dot(
          ...at(p, p.retrained),
          colourOf(0),
          false,
          p,
          `${p.label}: ${percent(p.retrained)}${p.id === 'before' ? '' : ` after retraining, ${removed(p)}`}`,
        ),
      ),
    ];
  }

  private shares(series: PruneSeries, { width, measure }: Frame): SceneItem[] {
    const points = pointsOf(series);
    const { axes, x, y, top, bottom } = chart({
      width,
      height: REMOVED_HEIGHT,
      measure,
      x: { kind: 'point', domain: points.map(({ tick }) => tick), title: X_TITLE },
      y: { domain: [0, 1], title: 'removed', format: (v: never) => percent(v, 0) },
    });
    const at = (p: Point) => [x.at(p.tick), y.at(p.removed)] as const;
    return [
      axes,
      ...this.line(points, x, top, bottom),
      { kind: 'path', d: linePath(points.map(at)), stroke: colourOf(2), strokeWidth: 2 },
      ...points.flatMap((p) =>
        this.dot(...at(p), colourOf(2), false, p, `${p.label}: ${percent(p.removed, 1)} of weights removed`),
      ),
    ];
  }

  private curves(data: readonly PruneSeries[], { width, measure }: Frame): SceneItem[] {
    const all = data.map((series) => pointsOf(series).filter(({ retrained }) => retrained !== null));
    const values = all.flatMap((points) => points.map(({ retrained }) => retrained!));
    const { axes, x, y } = chart({
      width,
      height: ACCURACY_HEIGHT,
      measure,
      grid: 'both',
      x: {
        domain: [0, 1],
        title: 'share of weights removed',
        format: (v: never) => percent(v, 0),
        nice: false,
      },
      y: { domain: values, title: 'test accuracy', format: (v: never) => percent(v, digitsFor(values)) },
    });
    const at = (p: Point) => [x.at(p.removed), y.at(p.retrained!)] as const;
    return [
      axes,
      ...all.flatMap((points, i): SceneItem[] => [
        { kind: 'path', d: linePath(points.map(at)), stroke: colourOf(i), strokeWidth: 2 },
        ...points.flatMap((p) =>
          this.dot(
            ...at(p),
            colourOf(i),
            false,
            p,
            `${data[i]!.name}, ${p.label}: ${percent(p.retrained)} with ${percent(p.removed, 1)} removed`,
          ),
        ),
      ]),
    ];
  }

  private line(points: Point[], x: { at(value: string): number }, top: number, bottom: number): SceneItem[] {
    const now = points.find(({ id }) => id === this.selection.snapshot);
    if (!now) return [];
    const at = x.at(now.tick);
    return [{ kind: 'line', x1: at, x2: at, y1: top, y2: bottom, stroke: 'var(--_quiet)', dash: [3, 3] }];
  }
}

const colourOf = (i: number) => METRIC_COLOURS[i % METRIC_COLOURS.length]!;

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
