import type { GalleryCase } from '../../gallery/case.js';
import { activityPanel } from '../../gallery/change.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-activity-bars',
    title: 'six filters, a class chosen',
    properties: () => ({ data: activityPanel('R1', 6, 2), selection: { class: 3 } }),
  },
  {
    tag: 'es-activity-bars',
    title: 'more filters than fit, two classes undefined',
    properties: () => ({ data: activityPanel('R2', 40, 6, [2, 7]) }),
  },
  {
    tag: 'es-activity-bars',
    title: 'narrow',
    properties: () => ({ data: activityPanel('R1', 6, 2) }),
    width: 330,
  },
  {
    tag: 'es-activity-bars',
    title: 'no class predicted',
    properties: () => ({ data: activityPanel('R1', 6, 2, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) }),
    blank: true,
  },
];
