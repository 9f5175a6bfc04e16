import type { GalleryCase } from '../../gallery/case.js';
import { modulesSnapshot } from '../../gallery/modules.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-theta-sweep',
    title: 'thirteen thresholds',
    properties: () => ({ data: modulesSnapshot(120, 7, 10) }),
  },
  {
    tag: 'es-theta-sweep',
    title: 'narrow',
    properties: () => ({ data: modulesSnapshot(120, 7, 10) }),
    width: 340,
  },
  {
    tag: 'es-theta-sweep',
    title: 'not tried',
    properties: () => ({ data: { ...modulesSnapshot(120, 7, 10), sweep: null } }),
    blank: true,
  },
];
