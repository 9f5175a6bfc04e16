import type { ActivityPanel } from '@epochscope/analysis';
import { changeStatistics, selectivityIndex, shiftStatistics } from '@epochscope/analysis/methods';
import { describe, expect, it } from 'vitest';
import { alikeClaim, differsClaim, type SignsOf, shiftClaim, signsClaim } from './inagaki-claims.js';

/** Two filters, side by side. */
const change = (before: number[], factor: (w: number, i: number) => number): SignsOf => {
  const start = Float32Array.from(before);
  const delta = start.map(factor);
  return {
    layer: 'C1',
    statistics: changeStatistics([{ before: start, delta }]),
    shifted: shiftStatistics(start, delta, 2),
  };
};
const spread = Array.from({ length: 100 }, (_, i) => (i - 49.5) / 50);

describe('signsClaim', () => {
  it('holds when both signs move away from 0', () => {
    expect(signsClaim(change(spread, (w) => 0.3 * w)).holds).toBe(true);
  });
  it('does not hold when all grow, however strong r is, nor when all shrink to 0', () => {
    expect(signsClaim(change(spread, (w) => 0.1 * w + 5)).holds).toBe(false);
    expect(signsClaim(change(spread, (w) => -0.1 * w)).holds).toBe(false);
  });
  it('is not decided when nothing changed', () => {
    expect(signsClaim(change(spread, () => 0))).toMatchObject({
      holds: null,
      note: 'all changes are equal',
    });
  });
});

describe('shiftClaim', () => {
  it('holds however far filters rise as a whole, if weights follow their signs within them', () => {
    const risen = shiftClaim(change(spread, (w, i) => 0.1 * w + (i % 2 ? 5 : 3)));
    expect(risen.holds).toBe(true);
    expect(risen.figures.shift).toBeCloseTo(4, 5);
    expect(risen.figures.slope).toBeCloseTo(0.1, 5);
    expect(risen.figures.shiftShare).toBeGreaterThan(0.99);
  });
  it('does not hold where the shift was all there was', () => {
    const noise = (_: number, i: number) => 5 + ((i * 37) % 11) / 100;
    expect(signsClaim(change(spread, noise)).figures.positiveGrew).toBe(1);
    expect(shiftClaim(change(spread, noise)).holds).toBe(false);
    expect(shiftClaim(change(spread, () => 5)).holds).toBeNull();
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
