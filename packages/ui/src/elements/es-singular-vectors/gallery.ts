import type { GalleryCase } from '../../gallery/case.js';
import { geometryResult } from '../../gallery/geometry.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-singular-vectors',
    title: 'right vectors of three inputs',
    properties: () => ({ data: geometryResult(), selection: { layer: 'H3', sample: 3 } }),
  },
  {
    tag: 'es-singular-vectors',
    title: 'left vectors, colours of the paper',
    properties: () => ({ data: geometryResult(), side: 'left', palette: 'red-blue' }),
  },
  {
    tag: 'es-singular-vectors',
    title: 'colour pictures, narrow',
    properties: () => ({ data: geometryResult(1, true) }),
    width: 330,
  },
  {
    tag: 'es-singular-vectors',
    title: 'none kept',
    properties: () => ({ data: { ...geometryResult(1), spectra: [] } }),
    blank: true,
  },
];
