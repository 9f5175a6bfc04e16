import { changeStatistics, random } from '@epochscope/analysis/methods';
import type { GalleryCase } from '../../gallery/case.js';
import { changeResult } from '../../gallery/change.js';
import { scatterOf } from './index.js';

const many = (count: number) => () => {
  const dice = random(6);
  const before = Float32Array.from({ length: count }, () => dice.normal() * 0.1);
  const delta = before.map((w) => 0.3 * w + 0.05 * dice.normal());
  const parts = [{ before, delta }];
  return { data: { title: 'F3', parts, statistics: changeStatistics(parts) } };
};
export const cases: GalleryCase[] = [
  {
    tag: 'es-change-scatter',
    title: '150 weights',
    properties: () => ({ data: scatterOf(changeResult(), 'C1') }),
  },
  { tag: 'es-change-scatter', title: '300 000 weights', properties: many(300_000) },
  { tag: 'es-change-scatter', title: 'narrow', properties: many(5000), width: 330 },
  {
    tag: 'es-change-scatter',
    title: 'nothing changed',
    properties: () => {
      const parts = [{ before: Float32Array.of(-1, 0.5, 1), delta: new Float32Array(3) }];
      return { data: { title: 'F3', parts, statistics: changeStatistics(parts) } };
    },
  },
  {
    tag: 'es-change-scatter',
    title: 'no parameters',
    properties: () => ({ data: { title: 'R1', parts: [], statistics: changeStatistics([]) } }),
    blank: true,
  },
];
