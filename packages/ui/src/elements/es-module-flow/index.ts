import type { ModulesResult } from '@epochscope/analysis/results';
import { css, nothing, svg, type TemplateResult } from 'lit';
import { EsFigure, type FigureTable, mark, tableOf } from '../../figure/index.js';
import {
  type ChosenCluster,
  clusterName,
  followedPairs,
  percent,
  relatives,
  titleOf,
  trackColour,
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
  static override properties = {
    ...EsFigure.properties,
    most: { type: Number },
    chosen: { attribute: false },
  };
  static override styles = [
    ...EsFigure.styles,
    css`
      .band {
        fill-opacity: 0.35;
      }
      .band:hover {
        fill-opacity: 0.75;
      }
      .faint {
        fill-opacity: 0.08;
      }
      .strong {
        fill-opacity: 0.75;
      }
      .head {
        font-weight: 600;
      }
      .number {
        font-size: 11px;
        fill: var(--_text);
      }
    `,
  ];
  /** Clusters a snapshot drawn one by one, the largest; default 20. The smaller ones stand together. */
  declare most: number;
  /** The cluster whose units are followed. */
  declare chosen: ChosenCluster | null;

  constructor() {
    super();
    this.most = 20;
    this.chosen = null;
  }

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
        t.from,
        r + 1,
        t.to,
        t.column[k]! + 1,
        t.count[k]!,
        t.count[k]! / t.fromSizes[r]!,
      ]),
      ...[...t.left.entries()]
        .filter(([, units]) => units)
        .map(([r, units]) => [t.from, r + 1, t.to, 'none', units, units / t.fromSizes[r]!]),
    ]);
    return tableOf(
      ['From', 'Cluster', 'To', 'Cluster there', 'Units', 'Share of the first'],
      rows,
      (row) => row,
    );
  }

  protected override drawing(result: ModulesResult): TemplateResult {
    const { snapshots } = result;
    const { nodes, links, shown } = flowLayout(result, this.most, HEIGHT);
    const gap = 34;
    const step = snapshots.length > 1 ? (this.width - BLOCK - 2 * gap) / (snapshots.length - 1) : 0;
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
      return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}v${thick}C${middle} ${y1 + thick} ${middle} ${y0 + thick} ${x0} ${y0 + thick}Z`;
    };
    // Of a band, the part that the units followed take.
    const strong = (link: FlowLink) => {
      const units = pairs?.get([link.from.snapshot, link.from.place, link.to.place].join());
      return units
        ? svg`<path class="strong" pointer-events="none" d=${band(link, units)} fill=${colour(link.from.place < 0 ? link.to : link.from)}></path>`
        : nothing;
    };
    return this.plot({
      width: this.width,
      height: HEAD + HEIGHT + 8,
      marks: true,
      svg: svg`${snapshots.map((s, i) => {
        const anchor = i === 0 ? 'start' : i === snapshots.length - 1 ? 'end' : 'middle';
        const x = i === 0 ? 0 : i === snapshots.length - 1 ? this.width : left(i) + BLOCK / 2;
        return svg`<text class="head" x=${x} y="14" text-anchor=${anchor}>${titleOf(s)}</text>`;
      })}
      ${links.map(
        (link) =>
          svg`<path class="band ${kin ? 'faint' : ''}" d=${band(link, link.units)} fill=${colour(link.from.place < 0 ? link.to : link.from)}>
          <title>${titleOf(snapshots[link.from.snapshot]!)} ${name(link.from)} → ${titleOf(snapshots[link.to.snapshot]!)} ${name(link.to)}: ${link.units} units (${percent(link.units / link.from.units)})</title></path>${strong(link)}`,
      )}
      ${nodes.map((node, i) => {
        const { snapshot } = snapshots[node.snapshot]!;
        const alone = node.place >= 0 && node.place < shown[node.snapshot]!.alone;
        const mine = followed(node);
        const selected = alone && this.chosen?.snapshot === snapshot.id && this.chosen.cluster === node.place;
        const label = `${titleOf(snapshots[node.snapshot]!)}, ${name(node)}: ${node.units} units${kin && mine ? `, ${mine} of those chosen` : ''}`;
        const row = i - nodes.findIndex((other) => other.snapshot === node.snapshot);
        return svg`<rect x=${left(node.snapshot)} y=${HEAD + node.top} width=${BLOCK} height=${Math.max(1, node.height)} fill=${colour(node)}
            opacity=${kin && !mine ? 0.35 : 1} stroke=${selected ? 'var(--_text)' : 'none'} stroke-width="2"
            ${mark({ label, detail: alone ? { snapshot: snapshot.id, cluster: node.place } : undefined, row, column: node.snapshot, selected: alone ? selected : undefined })}></rect>
          ${alone && node.height >= LABELLED ? svg`<text class="number" aria-hidden="true" pointer-events="none" x=${node.snapshot === snapshots.length - 1 ? left(node.snapshot) + BLOCK + 4 : left(node.snapshot) - 4} text-anchor=${node.snapshot === snapshots.length - 1 ? 'start' : 'end'} y=${HEAD + node.top + node.height / 2} dominant-baseline="central">${node.place + 1}</text>` : nothing}`;
      })}`,
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-module-flow': EsModuleFlow;
  }
}
