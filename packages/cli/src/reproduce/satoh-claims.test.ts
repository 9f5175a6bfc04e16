import type { TendencyPanel, TendencyResult } from '@epochscope/analysis';
import { describe, expect, it } from 'vitest';
import {
  bestWindow,
  blockClaim,
  digitClaim,
  layerClaim,
  rimClaim,
  rimP,
  thinningClaim,
} from './satoh-claims.js';

const none = { value: null, reason: 'undefined here' } as const;
function panel(epoch: number, layer: string, count: number, ari: number | null, rim: number | null = 0.7) {
  return {
    snapshot: { id: `epoch-${epoch}`, epoch, step: epoch },
    layer,
    n: 1000,
    blocks: { count, shareInNone: count ? 0.1 : 1, stability: { value: 0.9 } },
    scores: { overall: { ari: ari === null ? none : { value: ari } }, inBlocks: { ari: none } },
    rimScore: rim === null ? none : { value: rim },
  } as unknown as TendencyPanel;
}

describe('the claims are decided by their rules', () => {
  it('ten blocks', () => {
    const first = panel(1, 'S5', 4, 0.2);
    expect(blockClaim([first, panel(10, 'S5', 10, 0.8)]).holds).toBe(true);
    expect(blockClaim([first, panel(10, 'S5', 9, 0.8)]).holds).toBe(false);
    expect(blockClaim([first, panel(10, 'S5', 10, 0.1)]).holds).toBe(false);
    const shaky = panel(10, 'S5', 10, 0.8);
    expect(blockClaim([first, { ...shaky, blocks: { ...shaky.blocks, stability: none } }]).holds).toBe(false);
  });

  it('later layers', () => {
    const of = (...aris: (number | null)[]) =>
      layerClaim(aris.map((ari, i) => panel(10, `L${i}`, 1, ari))).holds;
    expect(of(0, 0.1, 0.1, 0.8)).toBe(true);
    expect(of(0, 0.5, 0.4, 0.8)).toBe(false);
    expect(of(0.3, 0.3)).toBe(false);
    expect(of(0, null, 0.5)).toBeNull();
  });

  it('rims', () => {
    const of = (rim: number | null, wrong: number, before: number | null = 0.6) =>
      rimClaim(
        [panel(1, 'S5', 10, 1, before), panel(10, 'S5', 10, 1, rim)],
        [panel(10, 'S5', 10, 1, rim)],
        new Map([[10, wrong]]),
      );
    expect(of(0.8, 0.05).holds).toBe(true);
    expect(of(0.3, 0.05).holds).toBe(false);
    // Not clearer than before, and nothing to be clearer than.
    expect(of(0.8, 0.05, 0.9).holds).toBe(false);
    expect(of(0.8, 0.05, null)).toMatchObject({ holds: false, note: 'only the last epoch has blocks' });
    // Two wrong samples decide nothing.
    expect(of(0.8, 0.002).holds).toBe(false);
    expect(of(null, 0).holds).toBeNull();
    expect(of(null, 0).note).toBe('undefined here');
    // SciPy: norm.sf((0.8 − 0.5)/sqrt(1001/(12·50·950))) = norm.sf(7.159) ≈ 4.07e-13.
    expect(rimP(0.8, 50, 950)).toBeLessThan(1e-7);
    expect(rimP(0.5, 50, 950)).toBeCloseTo(0.5, 6);
    // z = 1.96 at AUC 0.5 + 1.96·sqrt((n+1)/(12·w·r)).
    expect(rimP(0.5 + 1.959964 * Math.sqrt(1001 / (12 * 50 * 950)), 50, 950)).toBeCloseTo(0.025, 6);
  });

  it('digit one', () => {
    // Twenty samples a class, in the order of the classes: each has a window of its own.
    const labels = Array.from({ length: 200 }, (_, i) => Math.floor(i / 20));
    const sorted = Uint32Array.from(labels.keys());
    const mixed = Uint32Array.from(labels.keys(), (p) => (p % 10) * 20 + Math.floor(p / 10));
    const onlyOnes = Uint32Array.from(labels.keys(), (p) => {
      const others = mixed.filter((sample) => labels[sample] !== 1);
      return p < 20 ? 20 + p : others[p - 20]!;
    });
    expect(bestWindow(sorted, labels, 3)).toBe(1);
    expect(bestWindow(mixed, labels, 3)).toBe(0.1);
    expect(bestWindow(mixed, labels, 99)).toBeNull();
    const of = (order: Uint32Array) => digitClaim([{ order } as TendencyPanel], labels);
    expect(of(onlyOnes)).toMatchObject({ holds: true, figures: { one: 1 } });
    expect(of(sorted).holds).toBe(false);
    expect(of(mixed).holds).toBe(false);
    expect(digitClaim([{ order: Uint32Array.of(0) } as TendencyPanel], [3]).holds).toBeNull();
  });

  it('thinning', () => {
    const of = (...steps: [size: number, blocks: number, r: number | null][]) =>
      thinningClaim({
        panels: [panel(10, 'S5', 10, 1)],
        thinning: {
          steps: steps.map(([size, blocks, r]) => ({
            size,
            panels: [panel(10, 'S5', blocks, 1)],
            agreement: [{ correlation: r === null ? none : { value: r }, ari: { value: 0.5 } }],
          })),
        },
      } as unknown as TendencyResult).holds;
    expect(of([500, 10, 0.9], [100, 10, 0.5])).toBe(true);
    expect(of([500, 9, 0.9], [100, 15, 0.9])).toBe(true);
    expect(of([500, 8, 0.9], [100, 15, 0.9])).toBe(false);
    expect(of([500, 10, 0.9], [100, 10, 0.9])).toBe(false);
    expect(of([500, 10, null], [100, 10, 0.5])).toBe(false);
  });
});
