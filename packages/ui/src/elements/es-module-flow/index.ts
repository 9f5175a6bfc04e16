import type { ModulesResult } from '@epochscope/analysis/results';
import { html, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { type Drawing, EsFigure, type FigureTable, type Frame, tableOf } from '../../figure/index.js';
import { trackColour } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { titleOfId } from '../../styles.js';
import {
  type ChosenCluster,
  clusterName,
  followedPairs,
  percent,
  relatives,
  shownClusters,
  titleOf,
} from './clusters.js';
import { type FlowLink, type FlowNode, flowLayout } from './layout.js';

const HEIGHT = 460;
const HEAD = 26;
const BLOCK = 16;
/** A block this tall has its number beside it. */
const LABELLED = 11;

/**
 * How units move between clusters over all snapshots (alluvial): a column a snapshot, a block as tall as its units, a band for every pair that
 * shares a unit, none left out. A colour stays with matched clusters. Choosing a block follows its units to ancestors and heirs.
 * @fires es-select - `{ snapshot, cluster }`: a block was chosen.
 */
export class EsModuleFlow extends EsFigure<ModulesResult, ModulesResult> {
  /** Clusters a snapshot drawn one by one, the largest; default 20. The smaller ones stand together. */
  @property({ type: Number }) most: number = 20;
  /** The rest opened: every cluster by itself. */
  @property({ type: Boolean }) all: boolean = false;
  /** The cluster whose units are followed. */
  @property({ attribute: false }) chosen: ChosenCluster | null = null;

  protected override emptyReason({ snapshots }: ModulesResult): string {
    if (!snapshots.length) return 'No snapshot was analysed.';
    return snapshots.every(({ clusters }) => !clusters.length) ? 'No snapshot has a cluster.' : '';
  }
  protected override summary({ snapshots }: ModulesResult): string {
    return `Clusters of units over ${snapshots.length} snapshots: ${snapshots.map((s) => `${s.clusters.length} at ${titleOf(s)}`).join(', ')}`;
  }
  protected override hint(): string {
    return 'A block is a cluster, a band the units two clusters share. Choose a block to follow its units.';
  }
  protected override table({ transitions }: ModulesResult): FigureTable {
    const rows = transitions.flatMap((t) => [
      ...Array.from(t.row, (r, k) => [
        titleOfId(t.from),
        r + 1,
        titleOfId(t.to),
        t.column[k]! + 1,
        t.count[k]!,
        t.count[k]! / t.fromSizes[r]!,
      ]),
      ...[...t.left.entries()]
        .filter(([, units]) => units)
        .map(([r, units]) => [
          titleOfId(t.from),
          r + 1,
          titleOfId(t.to),
          'none',
          units,
          units / t.fromSizes[r]!,
        ]),
    ]);
    return tableOf(
      ['From', 'Cluster', 'To', 'Cluster there', 'Units', 'Share of the first'],
      rows,
      (row) => row,
    );
  }

  protected override controls({ snapshots }: ModulesResult): unknown {
    return snapshots.some(({ clusters }) => shownClusters(clusters.length, this.most).rest > 0)
      ? html`<label><input type="checkbox" name="all" .checked=${this.all} @change=${(e: Event) => (this.all = (e.target as HTMLInputElement).checked)} /> open the rest: every cluster by itself</label>`
      : nothing;
  }

  protected override draw(result: ModulesResult, { width }: Frame): Drawing {
    const { snapshots } = result;
    const { nodes, links, shown } = flowLayout(
      result,
      this.all ? Number.POSITIVE_INFINITY : this.most,
      HEIGHT,
    );
    const gap = 34;
    const step = snapshots.length > 1 ? (width - BLOCK - 2 * gap) / (snapshots.length - 1) : 0;
    const left = (s: number) => gap + s * step;
    const kin = relatives(result, this.chosen);
    const pairs = followedPairs(result, this.chosen, shown);
    // Of the units followed, those in a block.
    const followed = (node: FlowNode) => {
      const shares = kin?.get(snapshots[node.snapshot]!.snapshot.id);
      if (!shares) return 0;
      if (node.place < shown[node.snapshot]!.alone) return shares.get(node.place) ?? 0;
      return [...shares].reduce((sum, [c, units]) => sum + (c >= shown[node.snapshot]!.alone ? units : 0), 0);
    };
    const name = (node: FlowNode) =>
      node.place < 0 ? 'units without a cluster' : clusterName(node.place, shown[node.snapshot]!);
    const colour = (node: FlowNode) =>
      node.place < 0 || node.place >= shown[node.snapshot]!.alone
        ? 'var(--_quiet)'
        : trackColour(snapshots[node.snapshot]!.clusters[node.place]!.track);
    const band = (link: FlowLink, units: number) => {
      const [x0, x1] = [left(link.from.snapshot) + BLOCK, left(link.to.snapshot)];
      const [y0, y1] = [HEAD + link.from.top + link.fromTop, HEAD + link.to.top + link.toTop];
      const middle = (x0 + x1) / 2;
      // Half a pixel at least: no edge is hidden.
      const thick = Math.max(0.5, (link.thick * units) / link.units);
      return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}V${y1 + thick}C${middle} ${y1 + thick} ${middle} ${y0 + thick} ${x0} ${y0 + thick}Z`;
    };
    const items: SceneItem[] = snapshots.map((s, i) => {
      const [first, last] = [i === 0, i === snapshots.length - 1];
      return {
        kind: 'text',
        x: first ? 0 : last ? width : left(i) + BLOCK / 2,
        y: 14,
        text: titleOf(s),
        anchor: first ? 'start' : last ? 'end' : 'middle',
        bold: true,
      };
    });
    for (const link of links) {
      const fill = colour(link.from.place < 0 ? link.to : link.from);
      const [from, to] = [snapshots[link.from.snapshot]!, snapshots[link.to.snapshot]!];
      items.push({
        kind: 'path',
        class: 'fill',
        d: band(link, link.units),
        fill,
        fillOpacity: kin ? 0.1 : 0.4,
        title: `${titleOf(from)} ${name(link.from)} → ${titleOf(to)} ${name(link.to)}: ${link.units} units (${percent(link.units / link.from.units)})`,
      });
      // The part that the units followed take.
      const units = pairs?.get([link.from.snapshot, link.from.place, link.to.place].join());
      if (units) items.push({ kind: 'path', class: 'silent', d: band(link, units), fill, fillOpacity: 0.8 });
    }
    nodes.forEach((node, i) => {
      const { snapshot } = snapshots[node.snapshot]!;
      const alone = node.place >= 0 && node.place < shown[node.snapshot]!.alone;
      const mine = followed(node);
      const selected = alone && this.chosen?.snapshot === snapshot.id && this.chosen.cluster === node.place;
      const faint = kin && !mine;
      items.push({
        kind: 'rect',
        class: 'fill',
        x: left(node.snapshot),
        y: HEAD + node.top,
        width: BLOCK,
        height: Math.max(1, node.height),
        fill: colour(node),
        opacity: faint ? 0.35 : 1,
        ...(selected ? { stroke: 'var(--_text)', strokeWidth: 2 } : {}),
        mark: {
          label: `${titleOf(snapshots[node.snapshot]!)}, ${name(node)}: ${node.units} units${kin && mine ? `, ${mine} of those chosen` : ''}`,
          row: i - nodes.findIndex((other) => other.snapshot === node.snapshot),
          column: node.snapshot,
          ...(alone ? { detail: { snapshot: snapshot.id, cluster: node.place }, selected } : {}),
        },
      });
      const last = node.snapshot === snapshots.length - 1;
      if (alone && node.height >= LABELLED)
        items.push({
          kind: 'text',
          x: last ? left(node.snapshot) + BLOCK + 4 : left(node.snapshot) - 4,
          y: HEAD + node.top + node.height / 2,
          text: String(node.place + 1),
          anchor: last ? 'start' : 'end',
          baseline: 'middle',
          size: 11,
        });
    });
    return { width, height: HEAD + HEIGHT + 8, items: [{ kind: 'group', items }] };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-module-flow': EsModuleFlow;
  }
}
