import type { ModuleSnapshot, ModulesResult, Transition } from '@epochscope/analysis';
import { expect, it } from 'vitest';
import { watanabeClaims, watanabeRemarks } from './watanabe-claims.js';

const value = (v: number) => ({ value: v });
/** Four snapshots with 30 clusters of two units; concentrations and split shares as given. */
function result(concentration: number[], split: number[], low = -0.7): ModulesResult {
  const clusters = Array.from({ length: 30 }, () => ({
    size: 2,
    diameter: 0.5,
    track: 0,
    inputRange: { low: value(-0.2), high: value(0.3) },
    outputRange: { low: value(-0.1), high: value(0.1) },
    coherence: 0.5,
  }));
  const snapshots = ['a', 'b', 'c', 'd'].map(
    (id) =>
      ({
        snapshot: { id, epoch: null, step: null },
        kept: new Uint32Array(60),
        removed: [{ reason: 'output of zero variance', units: Uint32Array.of(1, 2) }],
        clusters,
        unitInputRange: { low: value(low), high: value(0.95) },
        unitOutputRange: { low: value(-0.55), high: value(0.65) },
        sweep: null,
      }) as unknown as ModuleSnapshot,
  );
  const transitions = concentration.map(
    (c, k) =>
      ({
        from: 'abc'[k]!,
        to: 'bcd'[k]!,
        concentration: value(c),
        splitRows: value(split[k]!),
      }) as unknown as Transition,
  );
  return { snapshots, transitions, units: { total: 62 } } as unknown as ModulesResult;
}
const holds = (r: ModulesResult, branch = r) =>
  Object.fromEntries(watanabeClaims(r, branch).map((c) => [c.id, c.holds]));

it('holds the claims where the figures are as the paper says, and not where they are not', () => {
  expect(holds(result([0.8, 0.7, 0.4], [0.1, 0.2, 0.6]))).toEqual({
    'few-splits-early': true,
    'more-splits-late': true,
    'unit-input-correlations': true,
    'unit-output-correlations': true,
    clusters: true,
    'clusters-branch': true,
    cancelling: true,
  });
  expect(holds(result([0.8, 0.4, 0.5], [0.1, 0.2, 0.3], -0.9))).toMatchObject({
    'few-splits-early': false,
    'more-splits-late': false,
    'unit-input-correlations': false,
  });
});

it('does not decide with one transition or without figures', () => {
  const one = result([0.8], [0.1]);
  expect(holds(one)).toMatchObject({ 'few-splits-early': null, 'more-splits-late': null });
  const none = result([0.8, 0.7, 0.4], [0.1, 0.2, 0.6]);
  none.snapshots[0]!.unitInputRange = {
    low: { value: null, reason: 'there are no units' },
    high: { value: null, reason: 'there are no units' },
  };
  expect(holds(none)).toMatchObject({ 'unit-input-correlations': null });
  const all = result([0.8, 0.7, 0.4], [0.1, 0.2, 0.6]);
  const few = result([0.8, 0.7, 0.4], [0.1, 0.2, 0.6]);
  few.snapshots.at(-1)!.clusters.length = 7;
  expect(holds(all, few)).toMatchObject({ clusters: true, 'clusters-branch': false });
  const remarks = watanabeRemarks(all, few, [{ units: 60, level: 30, branch: 7 }]).join('\n');
  expect(remarks).toContain('a 2 of 62');
  expect(remarks).toContain('| 60 | 30 | 7 |');
});
