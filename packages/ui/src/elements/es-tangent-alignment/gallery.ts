import type { GalleryCase } from '../../gallery/case.js';
import { geometryResult } from '../../gallery/geometry.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-tangent-alignment',
    title: 'three snapshots, four layers',
    properties: () => ({ data: geometryResult().alignments, selection: { layer: 'H2' } }),
  },
  {
    tag: 'es-tangent-alignment',
    title: 'narrow',
    properties: () => ({ data: geometryResult(1).alignments }),
    width: 330,
  },
  { tag: 'es-tangent-alignment', title: 'nothing', properties: () => ({ data: [] }), blank: true },
];
