import type { GalleryCase } from '../../gallery/case.js';
import { metricSnapshots } from '../es-metrics/gallery.js';
import type { OverviewData } from './index.js';

const overview = (count: number): OverviewData => {
  const snapshots = metricSnapshots(count);
  const layers = ['C1', 'P1', 'C2', 'P2', 'F3', 'F4', 'S5'];
  return {
    layers,
    snapshots,
    methods: ['activity', 'change', 'tendency'],
    cells: snapshots.flatMap(({ id }, i) =>
      layers.flatMap((layer, l) => [
        ...((i + l) % 3 ? [{ layer, snapshot: id, method: 'change' }] : []),
        ...(l > 2
          ? [{ layer, snapshot: id, method: 'tendency', figure: String(i + l), text: `${i + l} blocks` }]
          : []),
        ...(l === 0 && i % 2 ? [{ layer, snapshot: id, method: 'activity' }] : []),
      ]),
    ),
  };
};

export const cases: GalleryCase[] = [
  {
    tag: 'es-run-overview',
    title: 'seven layers, eight snapshots',
    properties: () => ({ data: overview(8), selection: { layer: 'P2', snapshot: 'epoch-0004' } }),
  },
  { tag: 'es-run-overview', title: 'two thousand snapshots', properties: () => ({ data: overview(2000) }) },
  {
    tag: 'es-run-overview',
    title: 'nothing analysed',
    properties: () => ({ data: { ...overview(4), cells: [], methods: [] } }),
  },
  {
    tag: 'es-run-overview',
    title: 'no layer',
    properties: () => ({ data: { ...overview(4), layers: [] } }),
    blank: true,
  },
];
