import type { GalleryCase } from '../../gallery/case.js';
import { activityPanel, activityResult } from '../../gallery/change.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-selectivity',
    title: 'two layers at two snapshots',
    properties: () => ({ data: activityResult().panels, selection: { layer: 'R2', unit: 3 } }),
  },
  {
    tag: 'es-selectivity',
    title: '600 filters',
    properties: () => ({ data: [activityPanel('R1', 600, 3), activityPanel('R2', 20, 3)] }),
  },
  {
    tag: 'es-selectivity',
    title: 'narrow',
    properties: () => ({ data: activityResult().panels }),
    width: 330,
  },
  { tag: 'es-selectivity', title: 'no layer', properties: () => ({ data: [] }), blank: true },
];
