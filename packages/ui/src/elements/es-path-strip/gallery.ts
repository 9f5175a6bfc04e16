import type { GalleryCase } from '../../gallery/case.js';
import { pathResult } from '../../gallery/difference.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-path-strip',
    title: 'between two classes, with a bridge',
    properties: () => ({ data: pathResult() }),
  },
  {
    tag: 'es-path-strip',
    title: 'without pictures, narrow',
    properties: () => ({ data: pathResult({ withImages: false, bridges: false }) }),
    width: 330,
  },
  {
    tag: 'es-path-strip',
    title: 'only what is near the weakest link',
    properties: () => ({ data: pathResult({ bridges: false }), limit: 4 }),
  },
];
