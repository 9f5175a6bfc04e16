import type { GalleryCase } from '../../gallery/case.js';
import { pathResult } from '../../gallery/difference.js';

export const cases: GalleryCase[] = [
  { tag: 'es-path-view', title: 'whole result', properties: () => ({ data: pathResult() }) },
];
