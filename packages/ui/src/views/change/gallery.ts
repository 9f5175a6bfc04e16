import type { GalleryCase } from '../../gallery/case.js';
import { changeResult } from '../../gallery/change.js';

export const cases: GalleryCase[] = [
  { tag: 'es-change-view', title: 'whole result', properties: () => ({ data: changeResult() }) },
];
