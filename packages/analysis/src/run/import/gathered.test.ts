import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../formats/types.js';
import { canTell, gatheredFrom } from './gathered.js';

const tensor = (values: number[], ...shape: number[]): Tensor => ({
  data: Float32Array.from(values),
  shape,
  dtype: 'float32',
});

describe('numbers that were moved', () => {
  // Rows share numbers: only as rows are they told apart.
  const table = tensor([0.5, 1.5, 0.5, 2.5, 3.5, 1.5], 3, 2);

  it('are found by rows of a table, wherever their axis is', () => {
    expect(gatheredFrom(table, tensor([3.5, 1.5, 0.5, 2.5, 3.5, 1.5], 3, 2))).toEqual([4, 5, 2, 3, 4, 5]);
    expect(gatheredFrom(table, tensor([3.5, 0.5, 1.5, 2.5], 2, 2))).toEqual([4, 2, 5, 3]);
  });
  it('are found one by one where each is there once', () => {
    expect(gatheredFrom(tensor([0.1, 0.2, 0.3, 4], 4), tensor([4, 0.3, 0.2, 0.1, 4], 5, 1))).toEqual([
      3, 2, 1, 0, 3,
    ]);
  });
  it('are not guessed: a number that is not there, or twice; round or few numbers', () => {
    expect(gatheredFrom(table, tensor([3.5, 1.5, 0.5, 9.5], 2, 2))).toBeNull();
    expect(gatheredFrom(tensor([0.1, 0.1, 0.3, 4, 5], 5), tensor([0.1, 0.3, 4, 5], 4))).toBeNull();
    expect(gatheredFrom(tensor([1, 2, 3, 4], 4), tensor([4, 3, 2, 1], 4))).toBeNull();
    expect(canTell(tensor([0.5, 1, 0.5], 3))).toBe(false);
  });
});
