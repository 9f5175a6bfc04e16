import type { GalleryCase } from '../../gallery/case.js';
import { tracksResult } from '../../gallery/change.js';

export const cases: GalleryCase[] = [
  { tag: 'es-tracks-view', title: 'whole result', properties: () => ({ data: tracksResult(200) }) },
];
