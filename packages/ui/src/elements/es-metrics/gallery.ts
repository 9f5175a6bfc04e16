import type { GalleryCase } from '../../gallery/case.js';
import type { MetricSnapshot } from './index.js';

/** Snapshots of a training whose loss falls and whose accuracy rises. */
export const metricSnapshots = (count: number): MetricSnapshot[] =>
  Array.from({ length: count }, (_, i) => ({
    id: i ? `epoch-${String(i).padStart(4, '0')}` : 'init',
    epoch: i,
    step: i * 100,
    metrics: {
      testAccuracy: 1 - 0.9 * Math.exp(-i / 2) - 0.03,
      testLoss: 0.1 + 2.2 * Math.exp(-i / 2),
      ...(i ? { loss: 0.05 + 2.3 * Math.exp(-i / 1.8) } : {}),
    },
  }));

export const cases: GalleryCase[] = [
  {
    tag: 'es-metrics',
    title: 'eleven snapshots, one chosen',
    properties: () => ({ data: metricSnapshots(11), selection: { snapshot: 'epoch-0004' } }),
  },
  { tag: 'es-metrics', title: 'a thousand snapshots', properties: () => ({ data: metricSnapshots(1000) }) },
  {
    tag: 'es-metrics',
    title: 'a snapshot every batch, tested now and then',
    properties: () => ({
      data: metricSnapshots(400).map((snapshot, i) => {
        const { loss = 2.3, testAccuracy = 0, testLoss = 0 } = snapshot.metrics;
        return { ...snapshot, metrics: i % 40 ? { loss } : { loss, testAccuracy, testLoss } };
      }),
    }),
  },
  { tag: 'es-metrics', title: 'narrow', properties: () => ({ data: metricSnapshots(11) }), width: 330 },
  { tag: 'es-metrics', title: 'no snapshot', properties: () => ({ data: [] }), blank: true },
];
