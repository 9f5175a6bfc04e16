import type { GalleryCase } from '../../gallery/case.js';
import { differenceResult } from '../../gallery/difference.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-difference-bars',
    title: 'before and after training',
    properties: () => ({ data: differenceResult() }),
  },
  {
    tag: 'es-difference-bars',
    title: 'narrow, six bars a side',
    properties: () => ({ data: differenceResult(), limit: 6 }),
    width: 330,
  },
  {
    tag: 'es-difference-bars',
    title: 'the same picture twice',
    properties: () => ({ data: differenceResult({ same: true }) }),
    blank: true,
  },
];
