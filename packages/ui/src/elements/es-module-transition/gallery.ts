import type { GalleryCase } from '../../gallery/case.js';
import { modulesResult } from '../../gallery/modules.js';

const one = (counts: number[], n = 120) => modulesResult(n, counts).transitions[0]!;

export const cases: GalleryCase[] = [
  {
    tag: 'es-module-transition',
    title: 'seven clusters to eight, one chosen',
    properties: () => ({ data: one([7, 8]), chosen: { snapshot: 'epoch-0001', cluster: 2 } }),
  },
  {
    tag: 'es-module-transition',
    title: 'many clusters, the smaller together',
    properties: () => ({ data: one([60, 90], 400) }),
  },
  { tag: 'es-module-transition', title: 'narrow', properties: () => ({ data: one([7, 8]) }), width: 330 },
  {
    tag: 'es-module-transition',
    title: 'no cluster',
    properties: () => ({ data: { ...one([7, 8]), fromSizes: new Uint32Array(0) } }),
    blank: true,
  },
];
