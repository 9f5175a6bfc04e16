import type { SeriesCheckResult } from '@epochscope/analysis/results';
import { EsSeriesCheck } from '@epochscope/ui';
import type { Picture } from './index.js';

export const checkPictures = (data: SeriesCheckResult): Picture[] => [
  { name: 'check', figure: Object.assign(new EsSeriesCheck(), { data, result: data }) },
];
