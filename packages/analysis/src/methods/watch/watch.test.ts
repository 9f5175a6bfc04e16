import { describe, expect, it } from 'vitest';
import type { Figure } from '../../results/types.js';
import { alarmText, deadShare, figureName, parseRule, whereHolds } from './index.js';

const figures = (...values: (number | null)[]): Figure[] =>
  values.map((value) => (value === null ? { value, reason: 'none' } : { value }));

describe('a rule', () => {
  it.each([
    ['block count of R4 fell', 'block count', 'R4', 'fell', 0, 1],
    ['block count fell by 2', 'block count', null, 'fell', 2, 1],
    ['share in no block over 0.4', 'share in no block', null, 'over', 0.4, 1],
    [
      'difference to the last snapshot of P1@3 over 20',
      'difference to the last snapshot',
      'P1@3',
      'over',
      20,
      1,
    ],
    ['  difference  over 1e-3 ', 'difference to the last snapshot', null, 'over', 1e-3, 1],
    ['dead units over 0.5 for 3 snapshots', 'dead units', null, 'over', 0.5, 3],
    ['testLoss rose by 0.1 for 1 snapshot', { metric: 'testLoss' }, null, 'rose', 0.1, 1],
    ['val accuracy under -1', { metric: 'val accuracy' }, null, 'under', -1, 1],
  ])('%s', (text, figure, layer, change, by, times) => {
    expect(parseRule(text)).toEqual({ text, figure, layer, change, by, times });
  });

  it.each([
    ['blocks', 'expected FIGURE'],
    ['', 'expected FIGURE'],
    ['dead units over', 'expected a number after "over"'],
    ['dead units over much', 'expected FIGURE'],
    ['loss rose by -1', 'expected a number ≥ 0 after "by", got -1'],
    ['loss rose for 0 snapshots', 'at least one snapshot'],
    ['blocks of R4 fell', 'there is no figure "blocks" of a layer; there are block count,'],
  ])('"%s" is refused with the form and examples', (text, why) => {
    expect(() => parseRule(text)).toThrow(why);
    expect(() => parseRule(text)).toThrow('such as "block count of R4 fell"');
  });

  it('holds where its condition is met so many times in a row; what is undefined meets none', () => {
    const holds = (rule: string, ...values: (number | null)[]) =>
      whereHolds(parseRule(rule), figures(...values));
    expect(holds('loss over 1', 0, 1, 2, null, 3)).toEqual([2, 4]);
    expect(holds('loss under 1', 0, 1, null, 0.5)).toEqual([0, 3]);
    expect(holds('loss fell', 3, 2, 2, 1, null, 0)).toEqual([1, 3]);
    expect(holds('loss rose by 1', 0, 1, 2.5, 2)).toEqual([2]);
    expect(holds('loss rose for 2 snapshots', 0, 1, 2, 3, 3, 4, 5)).toEqual([2, 3, 6]);
    expect(holds('loss over 0')).toEqual([]);
  });

  it('says what happened', () => {
    const rule = { ...parseRule('block count fell'), figure: figureName('block count', 'R4') };
    expect(alarmText(rule, figures(10, 7), 1, 'epoch-0003')).toBe(
      'at epoch-0003 block count of R4 fell from 10 to 7',
    );
    const times = { ...parseRule('dead units over 0.5 for 2 snapshots'), figure: 'dead units' };
    expect(alarmText(times, figures(0.6, 0.75), 1, 'last')).toBe(
      'at last dead units is 0.75, over 0.5, the 2nd time in a row',
    );
  });
});

describe('dead units', () => {
  it('are those that give every sample the same; of feature maps whole channels', () => {
    expect(deadShare(Float32Array.of(0, 1, 2, 0, 1, 3), 2, [3]).value).toBeCloseTo(2 / 3, 12);
    // Two places of two channels: the second is 5 everywhere, the first differs between places alone.
    expect(deadShare(Float32Array.of(1, 5, 2, 5, 1, 5, 2, 5), 2, [2, 1, 2]).value).toBe(0.5);
    expect(deadShare(Float32Array.of(Number.NaN, Number.NaN), 2, [1]).value).toBe(0);
  });
  it('are not known of one sample or none', () => {
    expect(deadShare(Float32Array.of(1, 2), 1, [2])).toEqual({
      value: null,
      reason: expect.stringContaining('one sample'),
    });
    expect(deadShare(new Float32Array(0), 0, [2]).value).toBeNull();
  });
});
