import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cos, exp, log, sin } from './elementary.js';
import { random } from './random.js';

// Rows of x, f(x) rounded to float64, and what that rounding left: mpmath with 300 bits (tests/fixtures/write_elementary.py).
type Rows = [x: number, rounded: number, rest: number][];
const exact: Record<'sin' | 'cos' | 'log' | 'exp', Rows> = JSON.parse(
  readFileSync(new URL('../../../tests/fixtures/elementary.json', import.meta.url), 'utf8'),
);

const float = new Float64Array(1);
const bits = new BigInt64Array(float.buffer);
/** The distance from |x| to the next larger float64. */
function ulp(x: number): number {
  float[0] = Math.abs(x);
  bits[0]! += 1n;
  return float[0]! - Math.abs(x);
}
const functions = [
  ['sin', sin, Math.sin, exact.sin],
  ['cos', cos, Math.cos, exact.cos],
  ['log', log, Math.log, exact.log],
  ['exp', exp, Math.exp, exact.exp],
] as const;

describe.each(functions)('%s', (name, own, engine, values) => {
  it('is within 1 ulp of the exact value', () => {
    for (const [x, rounded, rest] of values) {
      const error = Math.abs(own(x) - rounded - rest);
      // A subnormal exponential is rounded twice.
      const allowed = name === 'exp' && x < -708 ? 1.5 : 1;
      expect(error / ulp(rounded), `${name}(${x}) = ${own(x)}`).toBeLessThan(allowed);
    }
  });

  it('is within 2 ulp of the engine’s own at 200 000 places', () => {
    const source = random(7);
    for (let i = 0; i < 200_000; i++) {
      const u = source.uniform();
      const x = name === 'log' ? (i % 2 ? u : Math.exp(1400 * u - 700)) : (i % 2 ? 14 : 1400) * (u - 0.5);
      const expected = engine(x);
      // Not toBeLessThan each time: that takes seconds.
      if (!(Math.abs(own(x) - expected) <= 2 * ulp(expected)))
        expect.fail(`${name}(${x}): expected about ${expected}, got ${own(x)}`);
    }
  });
});

it('has the limits of the definition', () => {
  expect([log(0), log(-1), log(NaN), log(Infinity)]).toEqual([-Infinity, NaN, NaN, Infinity]);
  expect([exp(-Infinity), exp(Infinity), exp(NaN), exp(-800), exp(710)]).toEqual([
    0,
    Infinity,
    NaN,
    0,
    Infinity,
  ]);
  expect(() => sin(1001)).toThrow('angle: expected at most ±1000 radians, got 1001');
  expect(() => cos(NaN)).toThrow('got NaN');
});
