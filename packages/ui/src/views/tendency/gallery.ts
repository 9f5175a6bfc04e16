import type { GalleryCase } from '../../gallery/case.js';
import { tendencyResult } from '../../gallery/tendency.js';

export const cases: GalleryCase[] = [
  { tag: 'es-tendency-view', title: 'a whole result', properties: () => ({ data: tendencyResult() }) },
  {
    tag: 'es-tendency-view',
    title: 'no panels',
    properties: () => ({ data: { ...tendencyResult(), panels: [] } }),
    blank: true,
  },
];
