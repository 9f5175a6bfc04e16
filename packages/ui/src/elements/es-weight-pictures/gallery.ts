import type { GalleryCase } from '../../gallery/case.js';
import { pruneResult } from '../../gallery/prune.js';

const pictures = (round: number, more: Parameters<typeof pruneResult>[0] = {}) => {
  const { layout, rounds, weightsBefore } = pruneResult(more);
  const found = rounds.find((one) => one.round === round);
  return { layout, weights: found?.weights ?? weightsBefore, mask: found?.mask ?? null };
};

export const cases: GalleryCase[] = [
  {
    tag: 'es-weight-pictures',
    title: 'twelve units, pruned, one chosen',
    properties: () => ({ data: pictures(2), selection: { unit: 3 } }),
  },
  {
    tag: 'es-weight-pictures',
    title: 'colours of the paper, least removed first',
    properties: () => ({ data: pictures(1), palette: 'red-blue', sort: 'removed' }),
  },
  {
    tag: 'es-weight-pictures',
    title: 'regions left',
    properties: () => ({ data: pictures(2), mode: 'regions' }),
  },
  {
    tag: 'es-weight-pictures',
    title: 'RGB: channels side by side',
    properties: () => ({ data: pictures(1, { shape: [12, 12, 3], units: 6 }) }),
  },
  {
    tag: 'es-weight-pictures',
    title: 'small filters over sixteen maps',
    properties: () => ({ data: pictures(1, { shape: [5, 5, 16], units: 8, apart: true }) }),
  },
  {
    tag: 'es-weight-pictures',
    title: 'a hundred units, sixty drawn, narrow',
    properties: () => ({ data: pictures(1, { units: 100 }), limit: 60 }),
    width: 330,
  },
  {
    tag: 'es-weight-pictures',
    title: 'no units',
    properties: () => ({ data: pictures(9, { units: 0 }) }),
    blank: true,
  },
];
