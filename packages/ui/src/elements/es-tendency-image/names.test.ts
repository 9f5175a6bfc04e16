import { expect, it } from 'vitest';
import { blocksPanel } from '../../gallery/tendency.js';
import { rowNames } from './names.js';

const measure = (text: string, size = 12) => 0.5 * size * text.length;
const textsOf = (found: ReturnType<typeof rowNames>, side: number) =>
  (found?.items(side) ?? []).flatMap((item) => (item.kind === 'text' ? [item] : []));

it('all rows are named where they are high enough, in the order of the picture', () => {
  const panel = { ...blocksPanel(20, 2), marks: [] };
  const names = Array.from({ length: 20 }, (_, i) => `name ${i}`);
  const found = rowNames(panel, names, [0, 20], 400, measure);
  const texts = textsOf(found, 400);
  expect(texts.map(({ text }) => text)).toEqual(Array.from(panel.order, (sample) => names[sample]));
  expect(texts[0]!.y).toBeCloseTo(0.04 * 400 + (0.96 * 400) / 40);
  expect(found!.room).toBeGreaterThan(measure('name 10', 11));
});

it('of many rows those marked one by one are named, none upon another, and long names are cut', () => {
  const base = blocksPanel(400, 4);
  const mark = (position: number, rule: 'index' | 'class') => ({
    ...base.marks[0]!,
    rule: rule as 'class',
    position,
    sample: base.order[position]!,
  });
  const names = Array.from({ length: 400 }, (_, i) => `a name of ${i} ${'that goes on '.repeat(20)}`);
  const at = (rule: 'index' | 'class') =>
    rowNames({ ...base, marks: [5, 6, 200].map((p) => mark(p, rule)) }, names, [0, 400], 400, measure);
  const texts = textsOf(at('index'), 400);
  expect(texts.map(({ text }) => /\d+/.exec(text)![0])).toEqual([5, 200].map((p) => String(base.order[p])));
  for (const { text } of texts) expect(text).toMatch(/…$/);
  expect(at('index')!.room).toBeLessThan(0.4 * 400);
  expect(at('class')).toBeNull();
});
