import type { GalleryCase } from '../../gallery/case.js';
import { modulesSnapshot } from '../../gallery/modules.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-module-dendrogram',
    title: 'every unit, one cluster chosen',
    properties: () => ({ data: modulesSnapshot(60, 6, 10), chosen: { snapshot: 'epoch-0010', cluster: 1 } }),
  },
  {
    tag: 'es-module-dendrogram',
    title: 'the upper part',
    properties: () => ({ data: modulesSnapshot(900, 14, 10), most: 40 }),
  },
  {
    tag: 'es-module-dendrogram',
    title: 'narrow',
    properties: () => ({ data: modulesSnapshot(60, 6, 10) }),
    width: 330,
  },
  {
    tag: 'es-module-dendrogram',
    title: 'one unit',
    properties: () => ({ data: modulesSnapshot(2, 1, 1) }),
    blank: true,
  },
];
