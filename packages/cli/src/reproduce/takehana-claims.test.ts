import type { PruneResult, PruneRound } from '@epochscope/analysis';
import { expect, it } from 'vitest';
import { claimsOf, paperRound, settingsRemark, shares, widestGap } from './takehana-claims.js';

const value = (v: number) => ({ value: v });
function round(number: number, perUnit: number[], accuracy = 0.94): PruneRound {
  const share = (test: (x: number) => boolean) => perUnit.filter(test).length / perUnit.length;
  return {
    round: number,
    removed: {
      perUnit: Float64Array.from(perUnit),
      overall: perUnit.reduce((a, b) => a + b, 0) / perUnit.length,
      over90: share((x) => x > 0.9),
      under40: share((x) => x < 0.4),
      emptied: 0,
    },
    left: { regions: 9, perUnit: value(1), largestShare: value(0.6), largestOverHalf: value(0.9) },
    accuracyAfterRemoval: value(accuracy),
    accuracyAfterRetraining: value(accuracy),
  } as unknown as PruneRound;
}
const result = (first: number, last: number[], accuracy = 0.94): PruneResult =>
  ({
    accuracyBefore: value(0.945),
    rounds: [
      round(
        0,
        last.map(() => first),
      ),
      round(
        1,
        last.map((x) => Math.min(x, 0.7)),
        0.93,
      ),
      round(2, last, accuracy),
    ],
  }) as unknown as PruneResult;
/** 54 units of 100 that lost `high`, the others `low`. */
const groups = (low: number, high: number) => Array.from({ length: 100 }, (_, u) => (u < 54 ? high : low));

it('the round nearest to 54 % of units over 90 % stands for the paper’s', () => {
  const rounds = [round(1, groups(0.6, 0.7)), round(2, groups(0.6, 0.95)), round(3, groups(0.92, 0.95))];
  expect(paperRound(rounds).round).toBe(2);
  expect(paperRound(rounds.slice(0, 1)).round).toBe(1);
});

it('shares are of all weights, and of what the magnitude step left', () => {
  const { all, left } = shares(result(0.5, groups(0.6, 0.96)));
  expect(all).toEqual({ over90: 0.54, under40: 0 });
  // (0.96 − 0.5) / 0.5 = 0.92, (0.6 − 0.5) / 0.5 = 0.2.
  expect(left).toEqual({ over90: 0.54, under40: 0.46 });
});

it('the widest gap has a quarter of the units on each side', () => {
  const gap = widestGap(groups(0.55, 0.95))!;
  expect([gap.low, gap.high, gap.above]).toEqual([0.55, 0.95, 0.54]);
  // One unit far from all others is no group.
  expect(widestGap([...Array(50).fill(0.5), ...Array(49).fill(0.6), 1])!.high).toBeCloseTo(0.6);
  expect(widestGap([0.1, 0.9, 1])).toBeNull();
  expect(widestGap([0.1, 0.2, 0.8, 0.9])).toEqual({ low: 0.2, high: 0.8, above: 0.5 });
});

it('claims hold where there are two groups, and fail where there are none', () => {
  const main = result(0.5, groups(0.6, 0.96));
  const even = result(
    0.5,
    Array.from({ length: 100 }, (_, u) => 0.5 + u / 200),
  );
  const split = {
    main,
    less: result(0.4, groups(0.36, 0.96)),
    four: even,
    unit: result(0.5, Array(100).fill(0.8)),
    control: main,
  };
  const holds = (pruned: Parameters<typeof claimsOf>[0]) =>
    Object.fromEntries(claimsOf(pruned).map(({ id, holds }) => [id, holds]));
  expect(holds(split)).toEqual({
    'accuracy-before': true,
    'accuracy-kept': true,
    'units-split': false,
    'units-split-left': true,
    'units-split-less': true,
    'two-groups': true,
    'region-fills-unit': true,
    'ranking-causes-split': true,
  });
  expect(holds({ main: even, less: even, four: even, unit: even, control: even })).toMatchObject({
    'units-split-left': false,
    'units-split-less': false,
    'two-groups': false,
    'ranking-causes-split': false,
  });
  const table = settingsRemark(split).split('\n');
  expect(table[4]).toBe(
    '| 8 neighbours, 0.5 | 2 | 79.4 % | 54 % | 0 % | 54 % | 46 % | 60 % – 96 % | 94.00 % |',
  );
});
