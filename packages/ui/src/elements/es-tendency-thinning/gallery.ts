import type { GalleryCase } from '../../gallery/case.js';
import { thinningOf } from '../../gallery/tendency.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-tendency-thinning',
    title: 'three sizes, five snapshots',
    properties: () => ({ data: thinningOf() }),
  },
  {
    tag: 'es-tendency-thinning',
    title: 'an interval was chosen; by blocks',
    properties: () => ({
      data: { ...thinningOf(), by: 'agreement', least: 0.9, chosen: { value: 2 } },
      agreement: 'ari',
    }),
  },
  {
    tag: 'es-tendency-thinning',
    title: 'too few samples to thin',
    properties: () => ({
      data: {
        ...thinningOf(),
        steps: [],
        chosen: { value: null, reason: 'fewer than 40 samples: thinning would leave fewer than 20' },
      },
    }),
    blank: true,
  },
];
