import type { GalleryCase } from '../../gallery/case.js';
import { tendencyResult } from '../../gallery/tendency.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-sample-gallery',
    title: 'eighty samples, sixty drawn',
    properties: () => ({
      data: tendencyResult().samples,
      samples: Array.from({ length: 80 }, (_, i) => i),
      selection: { sample: 3 },
    }),
  },
  {
    tag: 'es-sample-gallery',
    title: 'no pictures in the result',
    properties: () => ({ data: { ...tendencyResult(2).samples, images: null } }),
    blank: true,
  },
];
