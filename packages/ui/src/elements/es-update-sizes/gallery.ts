import type { GalleryCase } from '../../gallery/case.js';
import { tracksResult } from '../../gallery/change.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-update-sizes',
    title: 'four layers over 80 steps',
    properties: () => ({ data: tracksResult(80), selection: { layer: 'C2' } }),
  },
  {
    tag: 'es-update-sizes',
    title: 'absolute, over 5 000 steps',
    properties: () => ({ data: tracksResult(5000), absolute: true }),
  },
  { tag: 'es-update-sizes', title: 'narrow', properties: () => ({ data: tracksResult(80) }), width: 330 },
  {
    tag: 'es-update-sizes',
    title: 'one snapshot',
    properties: () => ({ data: tracksResult(1) }),
    blank: true,
  },
];
