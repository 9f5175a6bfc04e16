import type { GalleryCase } from '../../gallery/case.js';
import { tendencyResult } from '../../gallery/tendency.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-tendency-grid',
    title: 'five snapshots, three layers',
    properties: () => ({
      data: tendencyResult().panels,
      selected: { snapshot: 'epoch-0010', layer: 'S5' },
    }),
  },
  { tag: 'es-tendency-grid', title: 'no pictures', properties: () => ({ data: [] }), blank: true },
];
