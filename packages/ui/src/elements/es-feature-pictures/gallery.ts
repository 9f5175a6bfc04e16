import type { GalleryCase } from '../../gallery/case.js';
import { featuresResult } from '../../gallery/features.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-feature-pictures',
    title: 'a dense layer on images',
    properties: () => ({ data: featuresResult().panels, selection: { layer: 'F3', snapshot: 'epoch-0002' } }),
  },
  {
    tag: 'es-feature-pictures',
    title: 'narrow, patches of a convolution, three rows',
    properties: () => ({ data: featuresResult({ only: 'C1' }).panels, rows: 3 }),
    width: 330,
  },
];
