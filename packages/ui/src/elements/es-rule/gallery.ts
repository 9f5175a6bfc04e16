import type { GalleryCase } from '../../gallery/case.js';
import { watchResult } from '../../gallery/watch.js';

const data = (at: number) => {
  const { rules, snapshots } = watchResult();
  return { rule: rules[at]!, snapshots };
};
export const cases: GalleryCase[] = [
  { tag: 'es-rule', title: 'a rule that holds', properties: () => ({ data: data(0) }) },
  { tag: 'es-rule', title: 'narrow, one that does not', properties: () => ({ data: data(1) }), width: 330 },
];
