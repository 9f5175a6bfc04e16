import type { GalleryCase } from '../../gallery/case.js';
import { geometryResult } from '../../gallery/geometry.js';

const data = () => ({ trees: geometryResult().classTrees, classes: ['cat', 'dog', 'car', 'truck'] });

export const cases: GalleryCase[] = [
  {
    tag: 'es-class-dendrogram',
    title: 'four classes',
    properties: () => ({ data: data(), selection: { class: 2 } }),
  },
  { tag: 'es-class-dendrogram', title: 'narrow', properties: () => ({ data: data() }), width: 330 },
  {
    tag: 'es-class-dendrogram',
    title: 'one class',
    properties: () => ({ data: { trees: [], classes: null } }),
    blank: true,
  },
];
