import type { GalleryCase } from '../../gallery/case.js';
import { pruneResult, sharesOf } from '../../gallery/prune.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-removal-histogram',
    title: 'one round',
    properties: () => ({ data: pruneResult({ units: 60 }).rounds[2]!.removed }),
  },
  {
    tag: 'es-removal-histogram',
    title: 'split in two groups',
    properties: () => ({
      data: sharesOf(Float64Array.from({ length: 50 }, (_, u) => (u % 2 ? 0.92 + u / 1000 : 0.3 + u / 700))),
    }),
  },
  {
    tag: 'es-removal-histogram',
    title: 'one unit, all removed, narrow',
    properties: () => ({ data: sharesOf(Float64Array.of(1)) }),
    width: 330,
  },
  {
    tag: 'es-removal-histogram',
    title: 'no units',
    properties: () => ({ data: sharesOf(new Float64Array(0)) }),
    blank: true,
  },
];
