import type { GalleryCase } from '../../gallery/case.js';
import { featuresResult } from '../../gallery/features.js';

export const cases: GalleryCase[] = [
  { tag: 'es-features-view', title: 'whole result', properties: () => ({ data: featuresResult() }) },
];
