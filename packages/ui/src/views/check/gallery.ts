import type { GalleryCase } from '../../gallery/case.js';
import { seriesCheckResult } from '../../gallery/series-check.js';

export const cases: GalleryCase[] = [
  { tag: 'es-check-view', title: 'whole result', properties: () => ({ data: seriesCheckResult(14) }) },
];
