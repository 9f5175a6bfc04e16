import type { GalleryCase } from '../../gallery/case.js';
import { geometryResult } from '../../gallery/geometry.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-dimension',
    title: 'three snapshots, four layers',
    properties: () => ({ data: geometryResult().spectra, selection: { layer: 'H2' } }),
  },
  {
    tag: 'es-dimension',
    title: 'one snapshot over layers, effective rank',
    properties: () => ({ data: geometryResult(1).spectra, measured: 'effectiveRank' }),
  },
  {
    tag: 'es-dimension',
    title: 'narrow',
    properties: () => ({ data: geometryResult(1).spectra }),
    width: 330,
  },
  { tag: 'es-dimension', title: 'nothing', properties: () => ({ data: [] }), blank: true },
];
