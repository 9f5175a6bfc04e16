import type { GalleryCase } from '../../gallery/case.js';
import { geometryResult } from '../../gallery/geometry.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-spectrum',
    title: 'three snapshots, four layers',
    properties: () => ({ data: geometryResult().spectra, selection: { layer: 'H2' } }),
  },
  {
    tag: 'es-spectrum',
    title: 'one layer over snapshots',
    properties: () => ({ data: geometryResult().spectra, by: 'snapshot', selection: { layer: 'H3' } }),
  },
  {
    tag: 'es-spectrum',
    title: 'narrow',
    properties: () => ({ data: geometryResult(1).spectra }),
    width: 330,
  },
  { tag: 'es-spectrum', title: 'nothing', properties: () => ({ data: [] }), blank: true },
];
