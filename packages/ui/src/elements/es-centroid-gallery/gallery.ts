import type { GalleryCase } from '../../gallery/case.js';
import { modulesResult } from '../../gallery/modules.js';

const at = (counts: number[], shape: readonly [number, number, number]) => {
  const result = modulesResult(120, counts, shape);
  return { ...result, snapshot: result.snapshots[0]! };
};

export const cases: GalleryCase[] = [
  {
    tag: 'es-centroid-gallery',
    title: 'grey pictures, one chosen',
    properties: () => ({ data: at([7], [8, 8, 1]), chosen: { snapshot: 'epoch-0001', cluster: 1 } }),
  },
  {
    tag: 'es-centroid-gallery',
    title: 'colour, the largest of many',
    properties: () => ({ data: at([40], [16, 16, 3]), most: 12 }),
  },
  {
    tag: 'es-centroid-gallery',
    title: 'narrow',
    properties: () => ({ data: at([5], [8, 8, 1]) }),
    width: 330,
  },
];
