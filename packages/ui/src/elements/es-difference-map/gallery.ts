import type { GalleryCase } from '../../gallery/case.js';
import { differenceMapResult } from '../../gallery/difference.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-difference-map',
    title: 'two layers at five epochs',
    properties: () => ({ data: differenceMapResult() }),
  },
  {
    tag: 'es-difference-map',
    title: 'narrow, a layer at forty steps',
    properties: () => ({ data: differenceMapResult(['R4'], 40) }),
    width: 330,
  },
];
