import type { GalleryCase } from '../../gallery/case.js';
import { tendencyResult } from '../../gallery/tendency.js';

/** Scores that rise with epoch and layer, one of them not defined. */
const panels = () =>
  tendencyResult().panels.map((panel, i) => {
    const value = Math.min(0.95, (0.05 + (i % 3) * 0.2) * Math.log2(2 + (panel.snapshot.epoch ?? 0)));
    const ari = i === 4 ? ({ value: null, reason: 'no samples' } as const) : { value };
    return { ...panel, scores: { ...panel.scores, ari, nmi: { value: Math.sqrt(value) } } };
  });

export const cases: GalleryCase[] = [
  {
    tag: 'es-tendency-scores',
    title: 'adjusted Rand index, with a gap',
    properties: () => ({ data: panels(), selection: { snapshot: 'epoch-0010', layer: 'S5' } }),
  },
  {
    tag: 'es-tendency-scores',
    title: 'number of blocks',
    properties: () => ({ data: panels(), score: 'blocks' }),
  },
  {
    tag: 'es-tendency-scores',
    title: 'not defined: no predictions',
    properties: () => ({
      data: panels().map((p) => ({ ...p, rimScore: { value: null, reason: 'there are no predictions' } })),
      score: 'rim',
    }),
    blank: true,
  },
];
