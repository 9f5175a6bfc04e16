import type { ModulesResult, Transition } from '@epochscope/analysis/results';
import { html, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import {
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  hexColour,
  inkOn,
  sequential,
  tableOf,
} from '../../figure/index.js';
import type { SceneItem } from '../../scene/index.js';
import { titleOfId } from '../../styles.js';
import {
  byPlace,
  type ChosenCluster,
  clusterName,
  percent,
  sharedUnits,
  shownClusters,
} from '../es-module-flow/clusters.js';

const BOTTOM = 8;

/**
 * R[a, b] = |A ∩ B| / |A| between two snapshots: a row a cluster of the first with its size, a column a cluster of the second, and a last
 * column for units that have no cluster there. Rows sum to 1.
 * @fires es-select - `{ snapshot, cluster }`: a cell's row (from), or a size in the margin, was chosen.
 */
export class EsModuleTransition extends EsFigure<Transition, ModulesResult> {
  /** With `src`: the snapshot it starts from; default the first. */
  @property({ type: String }) from: string = '';
  /** Clusters drawn one by one, the largest; default 25. */
  @property({ type: Number }) most: number = 25;
  /** The rest opened: every cluster by itself. */
  @property({ type: Boolean }) all: boolean = false;
  @property({ attribute: false }) chosen: ChosenCluster | null = null;

  protected override get pickedBy(): readonly string[] {
    return ['from'];
  }
  protected override pick({ transitions }: ModulesResult): Transition {
    const found = this.from ? transitions.find((t) => t.from === this.from) : transitions[0];
    if (!found)
      throw new Error(
        this.from
          ? `The result has no transition from ${this.from}.`
          : 'The result has one snapshot only: no transition.',
      );
    return found;
  }
  protected override emptyReason({ fromSizes }: Transition): string {
    return fromSizes.length ? '' : 'The first snapshot has no cluster.';
  }
  protected override summary(t: Transition): string {
    const { value } = t.concentration;
    return `Transition of ${t.fromSizes.length} clusters at ${titleOfId(t.from)} to ${t.toSizes.length} at ${titleOfId(t.to)}${value === null ? '' : `; ${percent(value)} of the units that stay are in their cluster's largest part`}`;
  }
  protected override hint({ from, to }: Transition): string {
    return `Rows: clusters at ${titleOfId(from)}; columns: at ${titleOfId(to)}. In brackets: units.`;
  }
  protected override table(t: Transition): FigureTable {
    const rows = [
      ...Array.from(t.row, (r, k) => [r, t.column[k]! + 1, t.count[k]!] as const),
      ...[...t.left.entries()].filter(([, units]) => units).map(([r, units]) => [r, 'none', units] as const),
    ].sort((a, b) => a[0] - b[0]);
    return tableOf(
      [`Cluster at ${titleOfId(t.from)}`, `Cluster at ${titleOfId(t.to)}`, 'Units', 'Share'],
      rows,
      ([r, c, units]) => [r + 1, c, units, units / t.fromSizes[r]!],
    );
  }
  protected override get fileName(): string {
    return `transition-${this.data?.from}-${this.data?.to}`;
  }

  protected override controls({ fromSizes, toSizes }: Transition): unknown {
    const rest = [fromSizes, toSizes].some(({ length }) => shownClusters(length, this.most).rest > 0);
    return rest
      ? html`<label><input type="checkbox" name="all" .checked=${this.all} @change=${(e: Event) => (this.all = (e.target as HTMLInputElement).checked)} /> open the rest: every cluster by itself</label>`
      : nothing;
  }

  protected override draw(t: Transition, { width: room, measure }: Frame): Drawing {
    const most = this.all ? Number.POSITIVE_INFINITY : this.most;
    const rows = shownClusters(t.fromSizes.length, most);
    const columns = shownClusters(t.toSizes.length, most);
    const sizes = byPlace(t.fromSizes, rows);
    const toSizes = byPlace(t.toSizes, columns);
    const left = byPlace(t.left, rows);
    const shared = sharedUnits(t, rows, columns);
    const label = (place: number, alone: number, units: number) =>
      `${place < alone ? place + 1 : 'rest'} (${units})`;
    const rowNames = sizes.map((units, r) => label(r, rows.alone, units));
    const columnNames = [...toSizes.map((units, c) => label(c, columns.alone, units)), 'none'];
    const longest = (names: string[]) => Math.ceil(Math.max(...names.map((name) => measure(name)))) + 14;
    const sideBeside = (edge: number) =>
      Math.max(6, Math.min(34, Math.floor((room - edge - 8) / (toSizes.length + 1))));
    // Where labels would not be legible, cells take their room.
    const text = sideBeside(longest(rowNames)) >= 12;
    const [edge, head] = text ? [longest(rowNames), longest(columnNames)] : [2, 2];
    const side = sideBeside(edge);
    const colour = sequential();
    const chosenRow = this.chosen?.snapshot === t.from ? this.chosen.cluster : -1;
    const chosenColumn = this.chosen?.snapshot === t.to ? this.chosen.cluster : -1;
    const [across, down] = [(toSizes.length + 1) * side, sizes.length * side];
    const small = Math.min(12, side);
    const border = edge + toSizes.length * side - 0.5;
    const items: SceneItem[] = [
      // On the colour of 0, also on a dark page: where no unit went must not look further from 0 than where one did.
      {
        kind: 'rect',
        x: edge,
        y: head,
        width: across - 1,
        height: down - 1,
        fill: hexColour(colour(0, 0, 1)),
        stroke: 'var(--_line)',
      },
      { kind: 'line', x1: border, x2: border, y1: head, y2: head + down, stroke: 'var(--_quiet)' },
    ];
    if (text) {
      rowNames.forEach((name, r) => {
        items.push({
          kind: 'text',
          x: edge - 6,
          y: head + r * side + side / 2,
          text: name,
          anchor: 'end',
          baseline: 'middle',
          size: small,
          bold: r === chosenRow,
        });
      });
      columnNames.forEach((name, c) => {
        items.push({
          kind: 'text',
          x: edge + c * side + side / 2,
          y: head - 6,
          text: name,
          baseline: 'middle',
          rotate: -90,
          size: small,
          bold: c === chosenColumn,
        });
      });
    }
    const frame = { kind: 'rect', stroke: 'var(--_accent)', strokeWidth: 2 } as const;
    if (chosenRow >= 0 && chosenRow < rows.alone)
      items.push({
        ...frame,
        x: edge - 1,
        y: head + chosenRow * side - 1,
        width: across + 1,
        height: side + 1,
      });
    if (chosenColumn >= 0 && chosenColumn < columns.alone)
      items.push({
        ...frame,
        x: edge + chosenColumn * side - 1,
        y: head - 1,
        width: side + 1,
        height: down + 1,
      });
    const cell = (r: number, c: number, units: number, to: string) => {
      const share = units / sizes[r]!;
      const rgb = colour(share, 0, 1);
      const [x, y] = [edge + c * side, head + r * side];
      items.push({
        kind: 'rect',
        class: 'cell',
        x,
        y,
        width: side - 1,
        height: side - 1,
        fill: hexColour(rgb),
        mark: {
          label: `${titleOfId(t.from)} ${clusterName(r, rows)} → ${to}: ${units} of ${sizes[r]} units (${percent(share)})`,
          row: r,
          column: c,
          ...(r < rows.alone ? { detail: { snapshot: t.from, cluster: r }, selected: r === chosenRow } : {}),
        },
      });
      if (side >= 27)
        items.push({
          kind: 'text',
          x: x + side / 2,
          y: y + side / 2,
          text: share.toFixed(2).replace(/^0/, ''),
          anchor: 'middle',
          baseline: 'middle',
          size: 10,
          fill: inkOn(rgb),
        });
    };
    for (let r = 0; r < sizes.length; r++) {
      for (let c = 0; c < toSizes.length; c++) {
        const units = shared.get(r * (columns.alone + 1) + c);
        if (units) cell(r, c, units, `${titleOfId(t.to)} ${clusterName(c, columns)}`);
      }
      if (left[r]) cell(r, toSizes.length, left[r]!, `no cluster at ${titleOfId(t.to)}`);
    }
    return {
      width: edge + across + 8,
      height: head + down + BOTTOM,
      items: [{ kind: 'group', items }],
      scales: [
        {
          title: 'share of the row’s units',
          colours: Array.from({ length: 33 }, (_, i) => hexColour(colour(i / 32, 0, 1))),
          low: '0',
          middle: '0.5',
          high: '1',
        },
      ],
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-module-transition': EsModuleTransition;
  }
}
