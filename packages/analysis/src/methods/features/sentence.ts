import type { FeaturePanel, FeaturesResult } from './types.js';

/** When a layer's weights had taken up its features. */
export interface FeatureDate {
  layer: string;
  /** Highest correlation of its weights with the root of the AGOP, and where it first has nine tenths of it; null: no snapshot has one. */
  highest: number | null;
  panel: FeaturePanel | null;
}

const SHARE = 0.9;

/** For each layer, the first snapshot with nine tenths of its highest correlation. */
export function featureDates({ panels }: Pick<FeaturesResult, 'panels'>): FeatureDate[] {
  return [...new Set(panels.map(({ layer }) => layer))].map((layer) => {
    const own = panels.filter((panel) => panel.layer === layer);
    const figures = own.map(({ rootCorrelation }) => rootCorrelation.value ?? Number.NEGATIVE_INFINITY);
    const highest = Math.max(...figures);
    if (!(highest > 0)) return { layer, highest: null, panel: null };
    return { layer, highest, panel: own[figures.findIndex((value) => value >= SHARE * highest)]! };
  });
}

/** "nine tenths of the highest correlation with the root of the AGOP: F3 from epoch-0002 on (0.84 at most); …". */
export function featuresSentence(result: Pick<FeaturesResult, 'panels'>): string {
  const dates = featureDates(result);
  if (!dates.length) return 'no layer with weights was looked at';
  return `nine tenths of the highest correlation with the root of the AGOP: ${dates
    .map(({ layer, highest, panel }) =>
      panel && highest !== null
        ? `${layer} from ${panel.snapshot.id} on (${highest.toFixed(2)} at most)`
        : `${layer} never`,
    )
    .join('; ')}`;
}
