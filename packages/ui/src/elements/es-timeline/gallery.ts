import type { GalleryCase } from '../../gallery/case.js';
import { metricSnapshots } from '../es-metrics/gallery.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-timeline',
    title: 'eleven snapshots',
    properties: () => ({ data: metricSnapshots(11), selection: { snapshot: 'epoch-0004' } }),
    controls: true,
  },
  { tag: 'es-timeline', title: 'no snapshot', properties: () => ({ data: [] }), blank: true },
];
