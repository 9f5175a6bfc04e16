import { expect, it } from 'vitest';
import { spread } from './lines.js';

it('moves labels apart, in their order and within the ends', () => {
  const ys = (...values: number[]) =>
    spread(
      values.map((y) => ({ y })),
      10,
      100,
    ).map(({ y }) => y);
  expect(ys(50)).toEqual([50]);
  expect(ys(50, 50, 51)).toEqual([50, 65, 80]);
  expect(ys(99, 98)).toEqual([85, 100]);
  expect(ys(-5, 200)).toEqual([10, 100]);
  expect(ys()).toEqual([]);
  // Too many for the room: even steps.
  const many = ys(...new Array(19).fill(50));
  expect(many[0]).toBeCloseTo(10, 9);
  expect(many[18]).toBeCloseTo(100, 9);
  expect(many[9]).toBeCloseTo(55, 9);
});
