import { chart, type Drawing, EsFigure, type FigureTable, type Frame, tableOf } from '../../figure/index.js';
import type { SceneItem } from '../../scene/index.js';
import { snapshotTitle } from '../../styles.js';

export interface OverviewCell {
  layer: string;
  snapshot: string;
  method: string;
  /** Headline figure, short: "10". */
  figure?: string;
  /** In words: "10 blocks". */
  text?: string;
}
export interface OverviewData {
  layers: readonly string[];
  snapshots: readonly { id: string; epoch: number | null; step: number | null }[];
  methods: readonly string[];
  cells: readonly OverviewCell[];
}

/** Told apart under common colour-vision deficiencies (Okabe and Ito), in the order methods come. */
export const METHOD_COLOURS = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#8c6d31',
  '#7f7f7f',
];
/** Columns drawn at most; with more snapshots, those with results are preferred and the rest drawn evenly. */
const COLUMNS = 60;
const ROW = 26;

/**
 * What of a run has been analysed: layers × snapshots, a square for each method that has something there, and its headline
 * figure where there is room. Choosing a cell chooses its layer and snapshot.
 * @fires es-select - `{ layer, snapshot }`.
 */
export class EsRunOverview extends EsFigure<OverviewData> {
  protected override emptyReason({ layers, snapshots }: OverviewData): string {
    if (!snapshots.length) return 'The run has no snapshot yet.';
    return layers.length ? '' : 'No layer has that name.';
  }
  protected override summary({ layers, snapshots, methods, cells }: OverviewData): string {
    return `Overview of ${layers.length} layers at ${snapshots.length} snapshots: ${methods.map((method) => `${method} at ${cells.filter((cell) => cell.method === method).length}`).join(', ') || 'nothing analysed'}`;
  }
  protected override hint({ snapshots }: OverviewData): string {
    return snapshots.length > COLUMNS ? `${COLUMNS} of ${snapshots.length} snapshots are drawn` : '';
  }
  protected override table({ cells }: OverviewData): FigureTable {
    return tableOf(['Layer', 'Snapshot', 'Method', 'Figure'], cells, (cell) => [
      cell.layer,
      cell.snapshot,
      cell.method,
      cell.text ?? null,
    ]);
  }

  /** Snapshots drawn: all, or those with results and others evenly, in their order. */
  private columns({ snapshots, cells }: OverviewData): OverviewData['snapshots'] {
    if (snapshots.length <= COLUMNS) return snapshots;
    const used = new Set(cells.map(({ snapshot }) => snapshot));
    const keep = new Set<number>();
    const take = (indices: number[], room: number) => {
      for (let i = 0; i < Math.min(room, indices.length); i++)
        keep.add(indices[Math.floor((i * indices.length) / Math.min(room, indices.length))]!);
    };
    const all = snapshots.map((_, i) => i);
    const chosen = snapshots.findIndex(({ id }) => id === this.selection.snapshot);
    if (chosen >= 0) keep.add(chosen);
    take(
      all.filter((i) => used.has(snapshots[i]!.id)),
      COLUMNS - 1,
    );
    take(
      all.filter((i) => !keep.has(i)),
      COLUMNS - keep.size,
    );
    return [...keep].sort((a, b) => a - b).map((i) => snapshots[i]!);
  }

  protected override draw(data: OverviewData, { width, measure }: Frame): Drawing {
    const { layers, methods, cells } = data;
    const columns = this.columns(data);
    const titles = new Map(columns.map((snapshot) => [snapshot.id, snapshotTitle(snapshot)]));
    const height = layers.length * ROW + 70;
    const layout = (full: number) =>
      chart({
        width,
        height: full,
        measure,
        grid: 'none',
        x: {
          domain: columns.map(({ id }) => id),
          padding: 0.08,
          format: ((id: string) => titles.get(id) ?? id) as never,
        },
        y: { domain: [...layers].reverse(), padding: 0.08 },
      });
    // The room that upright names need is added, so that rows keep their height.
    const first = layout(height);
    const grown = height + Math.max(0, layers.length * ROW - (first.bottom - first.top));
    const { axes, x, y } = layout(grown);
    const byPlace = new Map<string, OverviewCell[]>();
    for (const cell of cells) {
      const key = `${cell.layer}\n${cell.snapshot}`;
      byPlace.set(key, [...(byPlace.get(key) ?? []), cell]);
    }
    const shown = methods.filter((method) => cells.some((cell) => cell.method === method));
    const colourOf = (method: string) => METHOD_COLOURS[methods.indexOf(method) % METHOD_COLOURS.length]!;
    const dot = Math.min(9, (x.bandwidth - 8) / Math.max(1, shown.length) - 1);
    // Squares side by side; in narrow columns stripes, each method at its own height.
    const striped = dot < 5;
    const stripe = (y.bandwidth - 6) / Math.max(1, shown.length);
    const items: SceneItem[] = [axes];
    layers.forEach((layer, row) => {
      columns.forEach(({ id }, column) => {
        const here = byPlace.get(`${layer}\n${id}`) ?? [];
        const [left, top] = [x.at(id) - x.bandwidth / 2, y.at(layer) - y.bandwidth / 2];
        const figure = here.find((cell) => cell.figure)?.figure;
        const dots = shown.filter((method) => here.some((cell) => cell.method === method));
        const selected = this.selection.layer === layer && this.selection.snapshot === id;
        items.push({
          kind: 'rect',
          class: 'cell',
          x: left,
          y: top,
          width: x.bandwidth,
          height: y.bandwidth,
          radius: 3,
          fill: 'var(--_raised)',
          stroke: selected ? 'var(--_accent)' : 'var(--_surface)',
          strokeWidth: selected ? 2.5 : 1,
          mark: {
            label: `${layer}, ${titles.get(id)}: ${here.map((cell) => `${cell.method}${cell.text ? ` ${cell.text}` : ''}`).join(', ') || 'not analysed'}`,
            detail: { layer, snapshot: id },
            row,
            column,
            selected,
          },
        });
        dots.forEach((method, i) => {
          items.push({
            kind: 'rect',
            class: 'silent',
            x: striped ? left + 1 : left + 4 + i * (dot + 1),
            y: striped ? top + 3 + shown.indexOf(method) * stripe : y.at(layer) - dot / 2,
            width: striped ? Math.max(1, x.bandwidth - 2) : dot,
            height: striped ? Math.max(1, stripe - 1) : dot,
            fill: colourOf(method),
          });
        });
        if (figure && !striped && measure(figure, 11) < x.bandwidth - dots.length * (dot + 1) - 10)
          items.push({
            kind: 'text',
            x: left + x.bandwidth - 5,
            y: y.at(layer),
            text: figure,
            anchor: 'end',
            baseline: 'middle',
            size: 11,
          });
      });
    });
    return {
      width,
      height: grown,
      items: [{ kind: 'group', items }],
      legend: shown.map((method) => ({ name: method, colour: colourOf(method) })),
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-run-overview': EsRunOverview;
  }
}
