import type { GalleryCase } from '../../gallery/case.js';
import { tendencyResult, thinningOf } from '../../gallery/tendency.js';

/** As if each snapshot had been aligned to the last: the same orders. */
function aligned() {
  const result = tendencyResult();
  const none = { value: null, reason: 'fixture' } as const;
  const panels = result.panels.map((p) =>
    p.snapshot.id === 'epoch-0010'
      ? p
      : {
          ...p,
          aligned: {
            order: p.order,
            weights: p.weights,
            reference: 'epoch-0010',
            correlation: none,
            before: none,
          },
        },
  );
  return { ...result, panels };
}

export const cases: GalleryCase[] = [
  { tag: 'es-tendency-view', title: 'a whole result', properties: () => ({ data: tendencyResult() }) },
  {
    tag: 'es-tendency-view',
    title: 'with thinning, snapshots aligned',
    properties: () => ({ data: { ...aligned(), thinning: thinningOf() }, aligned: true }),
  },
  {
    tag: 'es-tendency-view',
    title: 'no panels',
    properties: () => ({ data: { ...tendencyResult(), panels: [] } }),
    blank: true,
  },
];
