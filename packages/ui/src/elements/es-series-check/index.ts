import { SERIES_EXCESS, type SeriesCheckResult, type SeriesFinding } from '@epochscope/analysis/results';
import {
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  fitText,
  linePath,
  tableOf,
} from '../../figure/index.js';
import { WRONG_COLOUR } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { format, snapshotTitle } from '../../styles.js';

const [LEFT, RIGHT, TOP] = [46, 12, 14];
/** Height of the curve, and of the time line's row with its names. */
const [CURVE, ROW, NAMES] = [84, 30, 30];
/** An arc between copies rises so far at most. */
const ARC = 44;
/** Above this the curve is cut. */
const HIGHEST = 4;

/** Snapshots that a finding is about, the one to look at last. */
export const snapshotsIn = (finding: SeriesFinding): readonly string[] =>
  'snapshots' in finding ? finding.snapshots : 'snapshot' in finding ? [finding.snapshot] : [];

/** A snapshot, or numbers that an even series leaves out. */
interface Stop {
  /** Place among the snapshots; −1 for a gap. */
  at: number;
  missing: number;
}

/**
 * The time line of a series with what its check found: above it how far the way over each snapshot is longer than the way past it, on it the
 * snapshots, those with a fault ringed, gaps left open, and below it an arc between copies. Numbers count evenly along it.
 * @fires es-select - `{ snapshot }`.
 */
export class EsSeriesCheck extends EsFigure<SeriesCheckResult, SeriesCheckResult> {
  protected override emptyReason({ snapshots }: SeriesCheckResult): string {
    return snapshots.length ? '' : 'The run has no snapshot yet.';
  }
  protected override summary({ findings, snapshots }: SeriesCheckResult): string {
    const faults = findings.filter(({ grade }) => grade === 'fault').length;
    return `Is the series of ${snapshots.length} snapshots what it says? ${findings.length ? `${faults} ${faults === 1 ? 'fault' : 'faults'}, ${findings.length - faults} ${findings.length - faults === 1 ? 'note' : 'notes'}: ${findings.map(({ text }) => text).join('; ')}` : 'Nothing odd was found'}`;
  }
  protected override table(data: SeriesCheckResult): FigureTable {
    return tableOf(['Snapshot', 'Excess', 'Found'], [...data.snapshots.keys()], (i) => {
      const { id } = data.snapshots[i]!;
      const own = data.findings.filter((finding) => snapshotsIn(finding).at(-1) === id);
      return [id, data.excess[i] ?? null, own.map(({ text }) => text).join('; ')];
    });
  }

  /** Snapshots and gaps in their order. */
  private stops({ snapshots, findings }: SeriesCheckResult): Stop[] {
    const gap = findings.find((one) => one.kind === 'gap');
    return snapshots.flatMap((snapshot, at): Stop[] => {
      const here = gap ? snapshot[gap.of] : null;
      const next = gap ? snapshots[at + 1]?.[gap.of] : null;
      const missing =
        gap && here != null && next != null ? gap.numbers.filter((n) => n > here && n < next).length : 0;
      return missing
        ? [
            { at, missing: 0 },
            { at: -1, missing },
          ]
        : [{ at, missing: 0 }];
    });
  }

  protected override draw(data: SeriesCheckResult, { width, measure }: Frame): Drawing {
    const { snapshots, findings, excess } = data;
    const stops = this.stops(data);
    const step = (width - LEFT - RIGHT) / stops.length;
    const x = (k: number) => LEFT + (k + 0.5) * step;
    const places = new Map(
      stops.flatMap(({ at }, k) => (at >= 0 ? [[snapshots[at]!.id, x(k)] as const] : [])),
    );
    const row = TOP + CURVE + ROW / 2 + 6;
    const y = (value: number) => TOP + CURVE * (1 - Math.min(value, HIGHEST) / HIGHEST);
    const faults = findings.filter(({ grade }) => grade === 'fault');
    const items: SceneItem[] = [];

    // How much longer the way over a snapshot is.
    for (const value of [1, SERIES_EXCESS.whole, HIGHEST]) {
      const limit = value === SERIES_EXCESS.whole;
      items.push(
        {
          kind: 'line',
          x1: LEFT,
          x2: width - RIGHT,
          y1: y(value),
          y2: y(value),
          stroke: limit ? WRONG_COLOUR : 'var(--_line)',
          ...(limit ? { dash: [4, 3] } : {}),
        },
        {
          kind: 'text',
          x: LEFT - 6,
          y: y(value),
          text: value === HIGHEST ? `≥ ${value}` : String(value),
          anchor: 'end',
          baseline: 'middle',
          size: 10,
          fill: 'var(--_quiet)',
        },
      );
    }
    items.push({
      kind: 'text',
      x: 12,
      y: TOP + CURVE / 2,
      text: 'detour',
      rotate: -90,
      anchor: 'middle',
      size: 11,
      fill: 'var(--_quiet)',
    });
    const points = stops.flatMap(({ at }, k): [number, number][] =>
      at >= 0 && excess[at] != null ? [[x(k), y(excess[at]!)]] : [],
    );
    if (points.length > 1)
      items.push({ kind: 'path', d: linePath(points), stroke: 'var(--_text)', strokeWidth: 1.5 });

    // The time line: gaps open, snapshots as dots.
    items.push({
      kind: 'line',
      x1: x(0),
      x2: x(stops.length - 1),
      y1: row,
      y2: row,
      stroke: 'var(--_line)',
      strokeWidth: 2,
    });
    const r = Math.max(1.5, Math.min(5, step / 3));
    let end = Number.NEGATIVE_INFINITY;
    for (const [k, { at, missing }] of stops.entries()) {
      if (at < 0) {
        items.push({
          kind: 'rect',
          x: x(k) - Math.min(9, step * 0.45),
          y: row - 6,
          width: Math.min(18, step * 0.9),
          height: 12,
          radius: 3,
          fill: 'var(--_surface)',
          stroke: 'var(--_quiet)',
          dash: [2, 2],
          mark: { label: `${missing} missing here` },
        });
        continue;
      }
      const snapshot = snapshots[at]!;
      const own = findings.filter((finding) => snapshotsIn(finding).at(-1) === snapshot.id);
      const fault = own.some(({ grade }) => grade === 'fault');
      const selected = this.selection.snapshot === snapshot.id;
      const title = snapshotTitle(snapshot);
      if (fault)
        items.push({
          kind: 'line',
          x1: x(k),
          x2: x(k),
          y1: TOP,
          y2: row,
          stroke: WRONG_COLOUR,
          dash: [2, 3],
        });
      items.push({
        kind: 'circle',
        x: x(k),
        y: row,
        r: fault ? r + 3 : r,
        fill: fault || own.length ? 'var(--_surface)' : 'var(--_quiet)',
        stroke: fault ? WRONG_COLOUR : selected ? 'var(--_accent)' : 'var(--_quiet)',
        strokeWidth: fault || selected ? 2.5 : 1,
        mark: {
          label: [
            title,
            ...(excess[at] != null ? [`detour ${format(excess[at]!)}`] : []),
            ...own.map(({ text }) => text),
          ].join('; '),
          detail: { snapshot: snapshot.id },
          selected,
        },
      });
      const text = title.replace(/^(epoch|step|round) /, '');
      const half = measure(text, 10) / 2;
      if (x(k) - half > end || fault) {
        // A fault's name is written even where it stands close to another.
        if (x(k) - half <= end) continue;
        items.push({
          kind: 'text',
          x: x(k),
          y: row + 22,
          text: fitText(text, Math.max(40, step * 3), (t) => measure(t, 10)),
          anchor: 'middle',
          size: 10,
          bold: fault,
          fill: fault ? 'var(--_text)' : 'var(--_quiet)',
        });
        end = x(k) + half + 8;
      }
    }

    // Copies.
    let depth = 0;
    for (const finding of findings) {
      if (!('snapshots' in finding)) continue;
      const [a, b] = finding.snapshots.map((id) => places.get(id));
      if (a === undefined || b === undefined) continue;
      const rise = Math.min(ARC, 10 + Math.abs(b - a) / 5);
      depth = Math.max(depth, rise);
      const from = row + NAMES;
      items.push({
        kind: 'path',
        d: `M${a} ${from}C${a} ${from + rise} ${b} ${from + rise} ${b} ${from}`,
        stroke: finding.grade === 'fault' ? WRONG_COLOUR : 'var(--_quiet)',
        strokeWidth: 2,
        ...(finding.kind === 'copy' ? {} : { dash: [4, 3] }),
        mark: { label: finding.text, detail: { snapshot: finding.snapshots[1] } },
      });
    }
    const bottom = row + NAMES + depth * 0.8 + 4;
    const numbered =
      snapshots.some(({ step: own }) => own !== null) && !snapshots.every(({ epoch }) => epoch !== null);
    items.push({
      kind: 'text',
      x: width - RIGHT,
      y: bottom + 12,
      text: numbered ? 'step' : 'epoch',
      anchor: 'end',
      size: 11,
      fill: 'var(--_quiet)',
    });
    return {
      width,
      height: bottom + 18,
      items,
      legend: faults.length ? [{ name: 'fault', colour: WRONG_COLOUR, kind: 'line' }] : [],
      note: findings.some(({ kind }) => kind === 'copy')
        ? 'an arc joins copies, a dashed one parts of snapshots'
        : '',
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-series-check': EsSeriesCheck;
  }
}
