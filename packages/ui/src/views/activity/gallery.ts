import type { GalleryCase } from '../../gallery/case.js';
import { activityResult } from '../../gallery/change.js';

export const cases: GalleryCase[] = [
  { tag: 'es-activity-view', title: 'whole result', properties: () => ({ data: activityResult() }) },
];
