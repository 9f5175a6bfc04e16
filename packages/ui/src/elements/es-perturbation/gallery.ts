import type { GalleryCase } from '../../gallery/case.js';
import { geometryResult } from '../../gallery/geometry.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-perturbation',
    title: 'three snapshots, four layers',
    properties: () => ({ data: geometryResult().perturbations, selection: { layer: 'H2' } }),
  },
  {
    tag: 'es-perturbation',
    title: 'narrow',
    properties: () => ({ data: geometryResult(1).perturbations }),
    width: 330,
  },
  { tag: 'es-perturbation', title: 'nothing', properties: () => ({ data: [] }), blank: true },
];
