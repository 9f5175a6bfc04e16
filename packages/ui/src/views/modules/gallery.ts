import type { GalleryCase } from '../../gallery/case.js';
import { modulesResult } from '../../gallery/modules.js';

export const cases: GalleryCase[] = [
  { tag: 'es-modules-view', title: 'four snapshots', properties: () => ({ data: modulesResult() }) },
  {
    tag: 'es-modules-view',
    title: 'one snapshot',
    properties: () => ({ data: modulesResult(60, [6], [8, 8, 3]) }),
  },
];
