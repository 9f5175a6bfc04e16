import type { TendencyResult } from '@epochscope/analysis';
import { EsTendencyImage } from '@epochscope/ui';
import {
  type FigureOptions,
  paperScene,
  provenance,
  sharedScales,
  type TendencyFigure,
  tendencyFigure,
} from '@epochscope/ui/drawing';
import type { Picture } from './index.js';

const TITLES: Record<TendencyFigure, string> = {
  layers: 'Cluster tendency by layer and snapshot',
  marks: 'Cluster tendency: where right and wrong predictions lie',
  thinning: 'Cluster tendency of fewer samples',
};
const SENTENCES: Record<TendencyFigure, string> = {
  layers:
    'each picture shows the distances of all samples in the order of VAT; marks at the edges are classes',
  marks: 'marks at the edges are samples predicted right and wrong',
  thinning:
    'all samples, and fewer along one order; r is the correlation of their iVAT values with those of all',
};

/** Each panel by itself, "S5-epoch-0010"; greys of a layer mean the same in all of them where blocks can be told in them. */
export function panelPictures(result: TendencyResult, mode: 'ivat' | 'vat'): Picture[] {
  const scaleOf = sharedScales(result.panels, mode);
  return result.panels
    .filter(({ n }) => n > 0)
    .map((data) => {
      const { layer, snapshot } = data;
      return {
        // A plain matrix is layer and snapshot at once.
        name: layer === snapshot.id ? layer : `${layer}-${snapshot.id}`,
        figure: Object.assign(new EsTendencyImage(), {
          data,
          result,
          mode,
          classes: result.samples.classes,
          scaleHigh: scaleOf(data).high,
        }),
      };
    });
}

/** A figure of all panels. */
export function tendencyPicture(
  result: TendencyResult,
  name: string,
  figure: TendencyFigure,
  options: FigureOptions = {},
): Picture {
  const captions = () => ({
    title: TITLES[figure],
    caption: `${options.mode === 'vat' ? 'VAT' : 'iVAT'} pictures: ${SENTENCES[figure]}. ${provenance(result)}`,
  });
  return {
    name,
    figure: {
      captions,
      toScene: (measure, wanted) =>
        paperScene(
          tendencyFigure(
            result,
            figure,
            { width: (wanted.width ?? 640) - 16, measure, dark: false },
            options,
          ),
          { measure, ...captions(), ...wanted },
        ),
    },
  };
}
