import type { GalleryCase } from '../../gallery/case.js';
import { pruneResult } from '../../gallery/prune.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-prune-view',
    title: 'last round, a unit chosen',
    properties: () => ({ data: pruneResult({ units: 36, rounds: 4 }), selection: { unit: 5 } }),
  },
  {
    tag: 'es-prune-view',
    title: 'before pruning',
    properties: () => ({ data: pruneResult({ units: 20 }), selection: { snapshot: 'before', unit: 1 } }),
  },
  {
    tag: 'es-prune-view',
    title: 'RGB filters without a net, regions',
    properties: () => ({
      data: pruneResult({ shape: [7, 7, 3], units: 12, kind: 'conv2d', net: false }),
      mode: 'regions',
      selection: { unit: 2 },
    }),
  },
  {
    tag: 'es-prune-view',
    title: 'no round',
    properties: () => ({ data: { ...pruneResult({}), rounds: [] } }),
    blank: true,
  },
];
