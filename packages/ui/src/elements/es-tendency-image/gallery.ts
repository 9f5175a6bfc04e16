import type { GalleryCase } from '../../gallery/case.js';
import { blocksPanel } from '../../gallery/tendency.js';

export const cases: GalleryCase[] = [
  {
    tag: 'es-tendency-image',
    title: 'iVAT, ten blocks with marks',
    properties: () => ({ data: blocksPanel(400, 10) }),
    width: 480,
  },
  {
    tag: 'es-tendency-image',
    title: 'no outlines, right and wrong marked',
    properties: () => ({ data: blocksPanel(400, 4), outlines: 'none', markColor: 'correct' }),
    width: 480,
  },
  {
    tag: 'es-tendency-image',
    title: 'no VAT picture in the result',
    properties: () => ({ data: blocksPanel(20, 2), mode: 'vat' }),
    blank: true,
    width: 480,
  },
  {
    tag: 'es-tendency-image',
    title: 'loading',
    properties: () => ({ loading: true }),
    blank: true,
    width: 480,
  },
  {
    tag: 'es-tendency-image',
    title: 'a problem',
    properties: () => ({ problem: 'result.json: expected format "epochscope-result/1", got none' }),
    blank: true,
    width: 480,
  },
];
