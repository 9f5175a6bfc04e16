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

/**
 * "nine tenths of its highest correlation with the root of the AGOP each layer has at: C1 init (0.98 at most), F3 epoch-0002 (0.84 at most)".
 * `nameOf`: what a snapshot is called; its id, unless told otherwise.
 */
export function featuresSentence(
  result: Pick<FeaturesResult, 'panels'>,
  nameOf: (snapshot: FeaturePanel['snapshot']) => string = ({ id }) => id,
): string {
  const dates = featureDates(result);
  if (!dates.length) return 'no layer with weights was looked at';
  return `nine tenths of its highest correlation with the root of the AGOP each layer has at: ${dates
    .map(({ layer, highest, panel }) =>
      panel && highest !== null
        ? `${layer} ${nameOf(panel.snapshot)} (${highest.toFixed(2)} at most)`
        : `${layer} never`,
    )
    .join(', ')}`;
}
