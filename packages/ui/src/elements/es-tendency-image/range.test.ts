import { describe, expect, it } from 'vitest';
import { rangeByKey, shownRange, wholeRange, zoomed } from './range.js';

describe('the range of a picture', () => {
  it('is all of it by default, and never outside or empty', () => {
    expect(shownRange(10, Number.NaN, Number.NaN)).toEqual([0, 10]);
    expect(shownRange(10, 2.4, 7.6)).toEqual([2, 8]);
    expect(shownRange(10, -5, 50)).toEqual([0, 10]);
    expect(shownRange(10, 7, 3)).toEqual([0, 10]);
    expect(shownRange(0, 1, 2)).toEqual([0, 0]);
  });

  it('holds at least four positions, or all of fewer', () => {
    expect(wholeRange(10, 2.5, 6.5)).toEqual([2, 7]);
    expect(wholeRange(10, 4, 6)).toBeNull();
    expect(wholeRange(2, 0, 2)).toEqual([0, 2]);
    expect(wholeRange(10, -3, 12)).toEqual([0, 10]);
  });

  it('zooms around a place that stays where it is', () => {
    const [from, to] = zoomed([10, 30], 0.25, 0.8);
    expect([from, to]).toEqual([11, 27]);
    expect(from + 0.25 * (to - from)).toBe(15);
  });

  it.each([
    ['ArrowLeft', [18, 38]],
    ['ArrowDown', [22, 42]],
    ['Home', [0, 20]],
    ['End', [80, 100]],
    ['+', [22.5, 37.5]],
    ['0', [0, 100]],
  ])('goes by %s', (key, range) => {
    expect(rangeByKey(key, [20, 40], 100)).toEqual(range);
  });

  it('keeps its size at the ends, and leaves other keys alone', () => {
    expect(rangeByKey('ArrowLeft', [1, 21], 100)).toEqual([0, 20]);
    expect(rangeByKey('ArrowRight', [79, 99], 100)).toEqual([80, 100]);
    expect(rangeByKey('a', [0, 10], 100)).toBeNull();
  });
});
