import type { DifferenceMapResult, DifferenceResult, PathResult } from '@epochscope/analysis';
import { EsDifferenceBars, EsDifferenceMap, EsPathStrip } from '@epochscope/ui';
import type { Picture } from './index.js';

export const differencePictures = (data: DifferenceResult): Picture[] =>
  data.distance.value === null
    ? []
    : [{ name: 'difference', figure: Object.assign(new EsDifferenceBars(), { data, result: data }) }];

export const pathPictures = (data: PathResult): Picture[] => [
  { name: 'path', figure: Object.assign(new EsPathStrip(), { data, result: data }) },
];

export const differenceMapPictures = (data: DifferenceMapResult): Picture[] =>
  data.pictures.length
    ? [{ name: 'difference-map', figure: Object.assign(new EsDifferenceMap(), { data, result: data }) }]
    : [];
