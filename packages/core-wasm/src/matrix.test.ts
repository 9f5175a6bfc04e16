import { describe, expect, it } from 'vitest';
import { checkFinite } from './matrix.js';

describe('checkFinite', () => {
  it('names the first value that is not finite, wherever it stands', () => {
    for (const length of [1, 2, 7, 8, 9, 15, 16, 17, 24])
      for (let at = 0; at < length; at++)
        for (const bad of [Number.NaN, Infinity, -Infinity]) {
          const data = Float32Array.from({ length }, (_, i) => (i % 2 ? -3e38 : 3e38));
          expect(() => checkFinite({ data, shape: [length, 1] }, 'x')).not.toThrow();
          data[at] = bad;
          data[length - 1] = bad;
          expect(() => checkFinite({ data, shape: [length, 1] }, 'x')).toThrowError(
            expect.objectContaining({
              code: 'not-finite',
              fields: { name: 'x', row: at, column: 0, got: String(bad) },
            }),
          );
        }
  });

  it('sees infinities that would cancel, and takes large float64 whose sum overflows', () => {
    expect(() =>
      checkFinite({ data: Float32Array.of(Infinity, -Infinity), shape: [1, 2] }, 'x'),
    ).toThrowError(/row 0, column 0/);
    const data = new Float64Array(100).fill(1.7e308);
    expect(() => checkFinite({ data, shape: [10, 10] }, 'x')).not.toThrow();
    data[57] = Number.NaN;
    expect(() => checkFinite({ data, shape: [10, 10] }, 'x')).toThrowError(/row 5, column 7/);
  });

  it('takes no values', () => {
    expect(() => checkFinite({ data: new Float32Array(0), shape: [0, 3] }, 'x')).not.toThrow();
  });
});
