import type { GalleryCase } from '../../gallery/case.js';
import { seriesCheckResult } from '../../gallery/series-check.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-series-check',
    title: 'a copy, one out of line, a gap',
    properties: () => ({ data: seriesCheckResult(14) }),
  },
  { tag: 'es-series-check', title: 'nothing odd', properties: () => ({ data: seriesCheckResult(9, false) }) },
  {
    tag: 'es-series-check',
    title: '150 snapshots, narrow',
    properties: () => ({ data: seriesCheckResult(150) }),
    width: 360,
  },
  {
    tag: 'es-series-check',
    title: 'no snapshot',
    properties: () => ({ data: { ...seriesCheckResult(3, false), snapshots: [], excess: [] } }),
    blank: true,
  },
];
