import type { GalleryCase } from '../../gallery/case.js';
import { featuresResult } from '../../gallery/features.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-features',
    title: 'three layers over five epochs',
    properties: () => ({ data: featuresResult().panels }),
  },
  {
    tag: 'es-features',
    title: 'narrow, a layer that dies',
    properties: () => ({ data: featuresResult({ dead: true }).panels, measured: 'settled' }),
    width: 330,
  },
  { tag: 'es-features', title: 'no layer', properties: () => ({ data: [] }), blank: true },
];
