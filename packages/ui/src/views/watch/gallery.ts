import type { GalleryCase } from '../../gallery/case.js';
import { watchResult } from '../../gallery/watch.js';

export const cases: GalleryCase[] = [
  { tag: 'es-watch-view', title: 'two rules', properties: () => ({ data: watchResult() }) },
];
