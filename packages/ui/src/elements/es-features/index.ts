import type { FeaturePanel, FeaturesResult } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import { type Drawing, EsFigure, type FigureTable, type Frame, tableOf } from '../../figure/index.js';
import { lineColour } from '../../palette.js';
import { snapshotTitle } from '../../styles.js';
import { snapshotPlaces } from '../es-tendency-scores/index.js';
import { linePlot } from '../es-tendency-scores/lines.js';

/** What is drawn over the snapshots. */
export const FEATURE_MEASURES = {
  rootCorrelation: 'correlation of the weights with the root of the AGOP',
  correlation: 'correlation of the weights with the AGOP',
  startCorrelation: 'correlation of the weights with those of the first snapshot',
  settled: 'leading eigenvectors as at the last snapshot',
} as const;
export type FeatureMeasure = keyof typeof FEATURE_MEASURES;

const HEIGHT = 260;

/**
 * How far each layer's weights have taken up what the output depends on, over the snapshots, a line a layer. A figure that is not defined
 * leaves a gap; the table gives its reason.
 * @fires es-select - `{ snapshot, layer }`: a point was chosen.
 */
export class EsFeatures extends EsFigure<readonly FeaturePanel[], FeaturesResult> {
  @property({ type: String }) measured: FeatureMeasure = 'rootCorrelation';
  protected override pick({ panels }: FeaturesResult): readonly FeaturePanel[] {
    return panels;
  }
  protected override emptyReason(panels: readonly FeaturePanel[]): string {
    if (!panels.length) return 'No layer was looked at';
    const figures = panels.map((panel) => panel[this.measured]);
    return figures.every(({ value }) => value === null)
      ? `${FEATURE_MEASURES[this.measured]}: ${figures[0]!.reason}`
      : '';
  }
  protected override summary(panels: readonly FeaturePanel[]): string {
    const last = [...new Map(panels.map((panel) => [panel.layer, panel])).values()];
    return `The ${FEATURE_MEASURES[this.measured]}, over the snapshots; at ${snapshotTitle(last[0]!.snapshot)}: ${last
      .map((panel) => `${panel.layer} ${panel[this.measured].value?.toFixed(2) ?? 'none'}`)
      .join(', ')}`;
  }
  protected override table(panels: readonly FeaturePanel[]): FigureTable {
    const measures = Object.keys(FEATURE_MEASURES) as FeatureMeasure[];
    return tableOf(
      ['Layer', 'Snapshot', 'Root of AGOP', 'AGOP', 'First snapshot', 'Settled', 'Trace'],
      panels,
      (panel) => [
        panel.layer,
        snapshotTitle(panel.snapshot),
        ...measures.map((measure) => panel[measure].value ?? panel[measure].reason),
        panel.trace,
      ],
    );
  }
  protected override get fileName(): string {
    return 'features';
  }

  protected override draw(panels: readonly FeaturePanel[], { width, measure }: Frame): Drawing {
    const snapshots = [...new Map(panels.map(({ snapshot }) => [snapshot.id, snapshot])).values()];
    const { places, title } = snapshotPlaces(snapshots);
    const name = FEATURE_MEASURES[this.measured];
    const lowest = Math.min(0, ...panels.map((panel) => panel[this.measured].value ?? 0));
    return linePlot({
      width,
      height: HEIGHT,
      measure,
      places,
      xTitle: title,
      yTitle: this.measured === 'settled' ? 'share of the last' : 'correlation',
      range: [lowest, 1],
      lines: [...new Set(panels.map(({ layer }) => layer))].map((layer, row) => ({
        name: layer,
        colour: lineColour(row),
        points: snapshots.map((snapshot) => {
          const found = panels.find((panel) => panel.layer === layer && panel.snapshot.id === snapshot.id);
          const value = found?.[this.measured].value ?? null;
          return {
            x: snapshot.id,
            value,
            label: `${layer}, ${snapshotTitle(snapshot)}: ${name} ${value === null ? '–' : Number(value.toFixed(3))}`,
            detail: { snapshot: snapshot.id, layer },
            selected: this.selection.snapshot === snapshot.id && this.selection.layer === layer,
          };
        }),
      })),
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-features': EsFeatures;
  }
}
