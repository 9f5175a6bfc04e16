import type { GalleryCase } from '../../gallery/case.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-legend',
    title: 'classes',
    properties: () => ({ classes: ['cat', 'dog', 'ship', 'truck'], high: 11.62, unit: 'euclidean' }),
  },
  { tag: 'es-legend', title: 'right and wrong', properties: () => ({ markColor: 'correct' }) },
];
