import type { GalleryCase } from '../../gallery/case.js';
import { changeResult } from '../../gallery/change.js';

const of =
  (name: string, more: object = {}) =>
  () => {
    const result = changeResult();
    return {
      data: result.tensors.find((tensor) => tensor.name === name),
      inputShape: result.inputShape,
      extent: result.scale,
      ...more,
    };
  };
export const cases: GalleryCase[] = [
  {
    tag: 'es-change-heatmap',
    title: 'six filters, one chosen',
    properties: of('C1.kernel', { selection: { layer: 'C1', unit: 2 } }),
  },
  {
    tag: 'es-change-heatmap',
    title: 'the same before, colours of the paper',
    properties: of('C1.kernel', { values: 'before', extent: 0, palette: 'red-blue' }),
  },
  { tag: 'es-change-heatmap', title: 'channels down, filters across', properties: of('C2.kernel') },
  { tag: 'es-change-heatmap', title: 'dense units in the shape of the input', properties: of('F3.kernel') },
  { tag: 'es-change-heatmap', title: 'a dense layer as a matrix', properties: of('F4.kernel') },
  { tag: 'es-change-heatmap', title: 'biases', properties: of('C1.bias') },
  { tag: 'es-change-heatmap', title: 'narrow', properties: of('C2.kernel'), width: 330 },
  { tag: 'es-change-heatmap', title: 'no data', properties: () => ({ data: null }), blank: true },
];
