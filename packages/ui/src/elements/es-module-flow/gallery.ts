import type { GalleryCase } from '../../gallery/case.js';
import { modulesResult } from '../../gallery/modules.js';

export const cases: GalleryCase[] = [
  { tag: 'es-module-flow', title: 'four snapshots', properties: () => ({ data: modulesResult() }) },
  {
    tag: 'es-module-flow',
    title: 'a cluster followed',
    properties: () => ({ data: modulesResult(), chosen: { snapshot: 'epoch-0010', cluster: 1 } }),
  },
  {
    tag: 'es-module-flow',
    title: 'many clusters, the smaller together, narrow',
    properties: () => ({ data: modulesResult(400, [60, 90], [8, 8, 3]), most: 8 }),
    width: 360,
  },
  {
    tag: 'es-module-flow',
    title: 'no snapshot',
    properties: () => ({ data: modulesResult(20, []) }),
    blank: true,
  },
];
