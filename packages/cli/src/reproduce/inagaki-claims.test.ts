import type { ActivityPanel } from '@epochscope/analysis';
import { changeStatistics, selectivityIndex } from '@epochscope/analysis/methods';
import { describe, expect, it } from 'vitest';
import { alikeClaim, differsClaim, signsClaim } from './inagaki-claims.js';

const change = (before: number[], factor: (w: number) => number) => {
  const start = Float32Array.from(before);
  return changeStatistics([{ before: start, delta: start.map(factor) }]);
};
const spread = Array.from({ length: 100 }, (_, i) => (i - 49.5) / 50);

describe('signsClaim', () => {
  it('holds when both signs move away from 0', () => {
    expect(
      signsClaim(
        'C1',
        change(spread, (w) => 0.3 * w),
      ).holds,
    ).toBe(true);
  });
  it('does not hold when all grow, however strong r is, nor when all shrink to 0', () => {
    expect(
      signsClaim(
        'C1',
        change(spread, (w) => 0.1 * w + 5),
      ).holds,
    ).toBe(false);
    expect(
      signsClaim(
        'C1',
        change(spread, (w) => -0.1 * w),
      ).holds,
    ).toBe(false);
  });
  it('is not decided when nothing changed', () => {
    expect(
      signsClaim(
        'C1',
        change(spread, () => 0),
      ),
    ).toMatchObject({
      holds: null,
      note: 'all changes are equal',
    });
  });
});

const panel = (rows: number[][]): ActivityPanel => {
  const selectivity = rows.map((row) => selectivityIndex(row));
  const sorted = selectivity.map(({ value }) => value ?? 0).sort((a, b) => a - b);
  const median = selectivity.some(({ value }) => value !== null)
    ? { value: sorted[Math.floor(sorted.length / 2)]! }
    : { value: null, reason: 'none' };
  return { layer: 'R', selectivity, distribution: { median } } as never;
};
const alike = [1, 1.05, 0.98];
const sharp = [5, 1, 1];

describe('activity claims', () => {
  it('first layer: more than half of the filters alike', () => {
    expect(alikeClaim(panel([alike, alike, sharp])).holds).toBe(true);
    expect(alikeClaim(panel([alike, sharp])).holds).toBe(false);
    expect(alikeClaim(panel([[0, 0, 0]])).holds).toBeNull();
  });
  it('second layer: more of them differ, and by the median too', () => {
    expect(differsClaim(panel([alike, alike]), panel([alike, sharp, sharp])).holds).toBe(true);
    expect(differsClaim(panel([sharp, sharp]), panel([alike, alike])).holds).toBe(false);
    expect(differsClaim(panel([alike]), panel([alike])).holds).toBe(false);
    expect(differsClaim(panel([alike]), panel([[0, 0]])).holds).toBeNull();
  });
});
