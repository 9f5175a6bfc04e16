import type { GalleryCase } from '../../gallery/case.js';
import { differenceResult } from '../../gallery/difference.js';

export const cases: GalleryCase[] = [
  { tag: 'es-difference-view', title: 'whole result', properties: () => ({ data: differenceResult() }) },
  {
    tag: 'es-difference-view',
    title: 'without pictures',
    properties: () => ({ data: differenceResult({ withImages: false }) }),
  },
];
