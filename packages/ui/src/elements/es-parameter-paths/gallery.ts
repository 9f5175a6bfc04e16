import type { GalleryCase } from '../../gallery/case.js';
import { tracksResult } from '../../gallery/change.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-parameter-paths',
    title: 'eight parameters over 80 steps',
    properties: () => ({ data: tracksResult(80), layer: 'C1', selection: { snapshot: 'step-00000030' } }),
  },
  {
    tag: 'es-parameter-paths',
    title: 'all over 5 000 steps',
    properties: () => ({ data: tracksResult(5000) }),
  },
  { tag: 'es-parameter-paths', title: 'narrow', properties: () => ({ data: tracksResult(80) }), width: 330 },
  {
    tag: 'es-parameter-paths',
    title: 'a layer not followed',
    properties: () => ({ data: tracksResult(8), layer: 'C9' }),
    blank: true,
  },
];
