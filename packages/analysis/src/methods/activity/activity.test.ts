import { describe, expect, it } from 'vitest';
import { type ActivityInput, analyseActivity, selectivityIndex } from './index.js';

const matrix = (rows: number[][]) => ({
  data: Float32Array.from(rows.flat()),
  shape: [rows.length, rows[0]?.length ?? 0] as [number, number],
});
const base: ActivityInput = {
  snapshot: { id: 'epoch-0001', epoch: 1, step: null },
  layer: 'C1',
  // Two positions, two filters, interleaved as [position, filter].
  outputs: matrix([
    [1, 10, 2, 20],
    [3, 30, 4, 40],
    [5, 50, 6, 60],
    [7, 70, 8, 80],
  ]),
  filters: 2,
  inputs: matrix([
    [1, 1],
    [2, 2],
    [1, 3],
    [9, 9],
  ]),
  labels: [0, 0, 1, 1],
  predictions: [0, 0, 1, 0],
  classes: 2,
};

describe('analyseActivity', () => {
  it('is eq. 1 over the correctly predicted samples', () => {
    const panel = analyseActivity(base);
    expect([...panel.used]).toEqual([2, 1]);
    // Filter 0, class 0: mean(1+2, 3+4) / mean(2, 4) = 5/3; class 1: (5+6)/4. Sample 3 is wrong and left out.
    expect(panel.activity[0]).toBeCloseTo(5 / 3, 12);
    expect(panel.activity[1]).toBeCloseTo(11 / 4, 12);
    expect(panel.activity[2]).toBeCloseTo(50 / 3, 12);
    expect(panel.activity[3]).toBeCloseTo(110 / 4, 12);
    expect(panel.selectivity[0]!.value).toBeCloseTo((11 / 4 - 5 / 3) / (11 / 4 + 5 / 3), 12);
  });

  it('names a class with no correct sample, and one whose inputs sum to 0', () => {
    const none = analyseActivity({ ...base, predictions: [0, 0, 0, 0] });
    expect(none.undefinedClasses).toEqual([{ class: 1, reason: 'no correctly predicted sample' }]);
    expect(none.selectivity[0]).toEqual({ value: null, reason: 'fewer than two classes have an activity' });
    expect(none.distribution.median.value).toBeNull();
    const dark = analyseActivity({
      ...base,
      inputs: matrix([
        [0, 0],
        [0, 0],
        [1, 3],
        [9, 9],
      ]),
    });
    expect(dark.undefinedClasses).toEqual([{ class: 0, reason: 'its inputs sum to 0' }]);
  });

  it('refuses lengths and labels that do not fit, and NaN', () => {
    expect(() => analyseActivity({ ...base, labels: [0] })).toThrow('need 4 labels, got 1');
    expect(() => analyseActivity({ ...base, labels: [0, 0, 2, 1] })).toThrow(
      'label of sample 2: expected 0 … 1, got 2',
    );
    expect(() => analyseActivity({ ...base, filters: 3 })).toThrow('not a multiple of 3 filters');
    expect(() =>
      analyseActivity({
        ...base,
        outputs: matrix([
          [1, Number.NaN, 2, 20],
          [3, 30, 4, 40],
          [5, 50, 6, 60],
          [7, 70, 8, 80],
        ]),
      }),
    ).toThrow('outputs of filter 1 hold NaN');
  });
});

describe('selectivityIndex', () => {
  it('is 0 for equal responses, 1 for a single one, null for silence', () => {
    expect(selectivityIndex([2, 2, 2]).value).toBe(0);
    expect(selectivityIndex([0, 5, 0]).value).toBe(1);
    expect(selectivityIndex([0, 0]).value).toBeNull();
    expect(selectivityIndex([1]).value).toBeNull();
  });
});
