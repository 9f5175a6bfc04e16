import type { GalleryCase } from '../../gallery/case.js';
import { pruneResult } from '../../gallery/prune.js';

const series = (name: string, more: Parameters<typeof pruneResult>[0] = {}) => ({
  ...pruneResult(more),
  name,
});

export const cases: GalleryCase[] = [
  {
    tag: 'es-prune-rounds',
    title: 'five rounds, one chosen',
    properties: () => ({ data: [series('network', { rounds: 5 })], selection: { snapshot: 'round-02' } }),
  },
  {
    tag: 'es-prune-rounds',
    title: 'three rankings over the share removed',
    properties: () => ({
      data: [
        series('whole net', { rounds: 5 }),
        series('within each unit', { rounds: 4, cost: 0.2 }),
        series('effect on the loss', { rounds: 5, cost: 0.02 }),
      ],
      versus: 'removed',
    }),
  },
  {
    tag: 'es-prune-rounds',
    title: 'without accuracies, narrow',
    properties: () => ({ data: [series('network', { net: false })] }),
    width: 330,
  },
  {
    tag: 'es-prune-rounds',
    title: 'no round',
    properties: () => ({ data: [{ ...series('network'), rounds: [] }] }),
    blank: true,
  },
];
