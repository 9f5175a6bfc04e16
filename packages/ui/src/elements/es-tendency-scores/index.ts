import type { Figure, TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import { type Drawing, EsFigure, type FigureTable, type Frame, tableOf } from '../../figure/index.js';
import { lineColour } from '../../palette.js';
import { snapshotTitle } from '../../styles.js';
import { linePlot } from './lines.js';

/** What is drawn: scores against the classes, blocks by number, share of the samples and stability, the rim score of wrong samples. */
export const SCORE_MEASURES = {
  ari: 'adjusted Rand index in blocks',
  'ari-overall': 'adjusted Rand index of all samples',
  nmi: 'normalised mutual information in blocks',
  purity: 'purity in blocks',
  blocks: 'dark blocks',
  share: 'share of samples in blocks',
  stability: 'stability of the blocks',
  rim: 'rim score of wrong samples',
} as const;
export type ScoreMeasure = keyof typeof SCORE_MEASURES;

export function scoreOf(panel: TendencyPanel, measure: ScoreMeasure): Figure {
  if (measure === 'blocks') return { value: panel.blocks.count };
  if (measure === 'stability') return panel.blocks.stability;
  if (measure === 'share') return { value: 1 - panel.blocks.shareInNone };
  if (measure === 'rim') return panel.rimScore;
  return measure === 'ari-overall' ? panel.scores.overall.ari : panel.scores.inBlocks[measure];
}

const TABLE: readonly (readonly [title: string, measure: ScoreMeasure])[] = [
  ['Blocks', 'blocks'],
  ['In blocks', 'share'],
  ['Stability', 'stability'],
  ['ARI in blocks', 'ari'],
  ['ARI of all', 'ari-overall'],
  ['NMI in blocks', 'nmi'],
  ['Purity in blocks', 'purity'],
  ['Rim score', 'rim'],
];

const HEIGHT = 260;

/** Places of snapshots along an axis: bare epochs where all have one. */
export function snapshotPlaces(snapshots: readonly TendencyPanel['snapshot'][]): {
  places: { id: string; label: string }[];
  title: string;
} {
  const titles = snapshots.map(snapshotTitle);
  const epochs = titles.every((title) => /^(epoch \d+|before training)$/.test(title));
  const label = (title: string) =>
    !epochs ? title : title === 'before training' ? 'start' : title.slice('epoch '.length);
  return {
    places: snapshots.map(({ id }, i) => ({ id, label: label(titles[i]!) })),
    title: epochs ? 'epoch' : 'snapshot',
  };
}

/**
 * One figure of each panel over the snapshots, a line a layer: how well blocks and classes agree while the net learns.
 * A figure that is not defined leaves a gap; the table gives its reason.
 * @fires es-select - `{ snapshot, layer }`: a point was chosen.
 */
export class EsTendencyScores extends EsFigure<readonly TendencyPanel[], TendencyResult> {
  @property({ type: String }) score: ScoreMeasure = 'ari';

  protected override pick({ panels }: TendencyResult): readonly TendencyPanel[] {
    return panels;
  }
  protected override emptyReason(panels: readonly TendencyPanel[]): string {
    if (!panels.length) return 'No pictures';
    const figures = panels.map((p) => scoreOf(p, this.score));
    const reason = figures.find((f) => f.value === null)?.reason;
    return figures.every((f) => f.value === null)
      ? `${SCORE_MEASURES[this.score]}: ${reason ?? 'not defined'}`
      : '';
  }
  protected override summary(panels: readonly TendencyPanel[]): string {
    const last = panels.at(-1)!;
    const { value } = scoreOf(last, this.score);
    const layers = new Set(panels.map(({ layer }) => layer)).size;
    return `${SCORE_MEASURES[this.score]} of ${layers} ${layers === 1 ? 'layer' : 'layers'} over the snapshots${value === null ? '' : `; ${last.layer} at ${snapshotTitle(last.snapshot)}: ${Number(value.toFixed(3))}`}`;
  }
  protected override table(panels: readonly TendencyPanel[]): FigureTable {
    const cell = (f: Figure) => f.value ?? f.reason;
    return tableOf(['Layer', 'Snapshot', ...TABLE.map(([title]) => title)], panels, (p) => [
      p.layer,
      snapshotTitle(p.snapshot),
      ...TABLE.map(([, measure]) => cell(scoreOf(p, measure))),
    ]);
  }
  protected override get fileName(): string {
    return `tendency-${this.score}`;
  }

  protected override draw(panels: readonly TendencyPanel[], { width, measure }: Frame): Drawing {
    const snapshots = [...new Map(panels.map(({ snapshot }) => [snapshot.id, snapshot])).values()];
    const layers = [...new Set(panels.map(({ layer }) => layer))];
    const { places, title } = snapshotPlaces(snapshots);
    const name = SCORE_MEASURES[this.score];
    return linePlot({
      width,
      height: HEIGHT,
      measure,
      places,
      xTitle: title,
      yTitle: name,
      range: this.score === 'blocks' ? undefined : [0, 1],
      lines: layers.map((layer, row) => ({
        name: layer,
        colour: lineColour(row),
        points: snapshots.map((snapshot) => {
          const panel = panels.find((p) => p.layer === layer && p.snapshot.id === snapshot.id);
          const value = panel ? scoreOf(panel, this.score).value : null;
          return {
            x: snapshot.id,
            value,
            label: `${layer}, ${snapshotTitle(snapshot)}: ${name} ${value === null ? '–' : Number(value.toFixed(3))}`,
            detail: { snapshot: snapshot.id, layer },
            selected: this.isChosen(snapshot.id, layer),
          };
        }),
      })),
    });
  }

  private isChosen(snapshot: string, layer: string): boolean {
    return this.selection.snapshot === snapshot && this.selection.layer === layer;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-tendency-scores': EsTendencyScores;
  }
}
