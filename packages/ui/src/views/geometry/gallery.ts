import type { GalleryCase } from '../../gallery/case.js';
import { geometryResult } from '../../gallery/geometry.js';

export const cases: GalleryCase[] = [
  { tag: 'es-geometry-view', title: 'whole result', properties: () => ({ data: geometryResult() }) },
];
