import type { ModuleSnapshot, ModulesResult } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import { chart, type Drawing, EsFigure, type FigureTable, type Frame } from '../../figure/index.js';
import { trackColour } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { type ChosenCluster, titleOf } from '../es-module-flow/clusters.js';
import { dendrogramLayout } from './layout.js';

const HEIGHT = 300;

/**
 * The upper part of a snapshot's tree with its cut: heights are mean cosine dissimilarities; branches within a cluster have its colour; a closed
 * subtree is a triangle as tall as its own height. A level cut is a dashed line.
 * @fires es-select - `{ snapshot, cluster }`: a branch or leaf within a cluster was chosen.
 */
export class EsModuleDendrogram extends EsFigure<ModuleSnapshot, ModulesResult> {
  /** With `src`: the snapshot drawn; default the last. */
  @property({ type: String }) snapshot: string = '';
  /** Leaves drawn; default 80. */
  @property({ type: Number }) most: number = 80;
  @property({ attribute: false }) chosen: ChosenCluster | null = null;

  protected override get pickedBy(): readonly string[] {
    return ['snapshot'];
  }
  protected override pick(result: ModulesResult): ModuleSnapshot {
    return pickSnapshot(result, this.snapshot);
  }
  protected override emptyReason({ kept }: ModuleSnapshot): string {
    return kept.length < 2 ? 'Fewer than two units take part: there is no tree.' : '';
  }
  protected override summary(s: ModuleSnapshot): string {
    return `Tree of ${s.kept.length} units at ${titleOf(s)}, cut into ${s.clusters.length} clusters no wider than ${s.theta}`;
  }
  protected override hint(s: ModuleSnapshot): string {
    const leaves = Math.min(this.most, s.kept.length);
    return leaves < s.kept.length
      ? `The ${leaves} uppermost branches of ${s.kept.length} units; a triangle is a part not opened.`
      : `${s.kept.length} units`;
  }
  protected override table({ tree }: ModuleSnapshot): FigureTable {
    const { left, right, heights, sizes, diameters } = tree;
    return {
      columns: ['Merge', 'Left', 'Right', 'Height', 'Units', 'Diameter'],
      length: heights.length,
      // The uppermost first.
      row: (i) => {
        const t = heights.length - 1 - i;
        return [t, left[t]!, right[t]!, heights[t]!, sizes[t]!, diameters[t]!];
      },
    };
  }

  protected override draw(s: ModuleSnapshot, { width, measure }: Frame): Drawing {
    const { branches, leaves, cutHeight } = dendrogramLayout(s, Math.max(2, this.most));
    const { axes, x, y, left, right, bottom } = chart({
      width,
      // The axis's lowest label reaches below the axis.
      height: HEIGHT - 8,
      measure,
      x: { domain: [-0.5, leaves.length - 0.5], nice: false, hidden: true },
      y: { domain: branches.map(({ height }) => height), zero: true, title: 'mean cosine dissimilarity' },
    });
    const { id } = s.snapshot;
    const colour = (cluster: number | null) =>
      cluster === null ? 'var(--_quiet)' : trackColour(s.clusters[cluster]!.track);
    const chosen = (cluster: number | null) =>
      cluster !== null && this.chosen?.snapshot === id && this.chosen.cluster === cluster;
    const where = (cluster: number | null) =>
      cluster === null ? 'several clusters' : `cluster ${cluster + 1}`;
    /** What is chosen and said of a part of the tree. */
    const own = (cluster: number | null, label: string, row: number, column: number) => ({
      label: `${where(cluster)}: ${label}`,
      row,
      column,
      ...(cluster === null ? {} : { detail: { snapshot: id, cluster }, selected: chosen(cluster) }),
    });
    const half = Math.max(1, Math.min(7, 0.38 * (x.at(1) - x.at(0))));
    const items: SceneItem[] = [axes];
    for (const { place, cluster, size, height } of leaves) {
      const at = x.at(place);
      const words = size === 1 ? 'one unit' : `${size} units, joined at ${Number(height.toFixed(3))}`;
      const mark = own(cluster, words, 1, place);
      if (size === 1)
        items.push({ kind: 'circle', class: 'fill', x: at, y: bottom, r: 2.5, fill: colour(cluster), mark });
      else
        items.push({
          kind: 'polygon',
          class: 'fill',
          points: [
            [at, y.at(height)],
            [at - half, bottom],
            [at + half, bottom],
          ],
          fill: colour(cluster),
          fillOpacity: chosen(cluster) ? 1 : 0.55,
          stroke: colour(cluster),
          mark,
        });
    }
    for (const b of branches) {
      const [low, high] = [
        Math.max(b.leftHeight, leafHeight(leaves, b.left)),
        Math.max(b.rightHeight, leafHeight(leaves, b.right)),
      ];
      items.push({
        kind: 'path',
        class: 'line',
        d: `M${x.at(b.left)} ${y.at(low)}V${y.at(b.height)}H${x.at(b.right)}V${y.at(high)}`,
        stroke: colour(b.cluster),
        strokeWidth: chosen(b.cluster) ? 3 : 1.3,
        mark: own(
          b.cluster,
          `${b.size} units joined at ${Number(b.height.toFixed(3))}`,
          0,
          (b.left + b.right) / 2,
        ),
      });
    }
    if (cutHeight !== null)
      items.push({
        kind: 'line',
        x1: left,
        x2: right,
        y1: y.at(cutHeight),
        y2: y.at(cutHeight),
        stroke: 'var(--_accent)',
        dash: [5, 4],
      });
    return {
      width,
      height: HEIGHT,
      items,
      legend:
        cutHeight === null ? [] : [{ name: `cut, θ = ${s.theta}`, colour: 'var(--_accent)', kind: 'dashed' }],
    };
  }
}

/** Height of the triangle a branch ends on; 0 for an opened part, whose own height counts. */
const leafHeight = (leaves: readonly { height: number }[], place: number) =>
  Number.isInteger(place) ? (leaves[place]?.height ?? 0) : 0;

/** A snapshot of a result by id, or its last. Throws an Error that names what is missing. */
export function pickSnapshot(result: ModulesResult, id: string): ModuleSnapshot {
  const found = id ? result.snapshots.find((s) => s.snapshot.id === id) : result.snapshots.at(-1);
  if (!found) throw new Error(id ? `The result has no snapshot ${id}.` : 'The result has no snapshot.');
  return found;
}

declare global {
  interface HTMLElementTagNameMap {
    'es-module-dendrogram': EsModuleDendrogram;
  }
}
