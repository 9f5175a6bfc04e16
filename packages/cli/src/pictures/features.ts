import type { FeaturesResult } from '@epochscope/analysis';
import { EsFeaturePictures, EsFeatures } from '@epochscope/ui';
import type { Picture } from './index.js';

/** Correlations over the snapshots, and each layer's eigenvectors. */
export const featuresPictures = (result: FeaturesResult): Picture[] => [
  { name: 'features', figure: Object.assign(new EsFeatures(), { data: result.panels, result }) },
  ...[...new Set(result.panels.map(({ layer }) => layer))].flatMap((layer) =>
    result.panels.some((panel) => panel.layer === layer && panel.values.length)
      ? [
          {
            name: `${layer}-eigenvectors`,
            figure: Object.assign(new EsFeaturePictures(), {
              data: result.panels,
              result,
              selection: { layer },
            }),
          },
        ]
      : [],
  ),
];
