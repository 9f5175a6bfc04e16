import { expect, it } from 'vitest';
import { random } from './random.js';

// The same figure stands in random.browser.test.ts: Node's and the browser's engine must agree to the last bit.
const SHA256 = '3e66dff1998d3916a7040ffdf4db9159af217afe2c9d0e8899f843947567ade0';

it('gives the same bits of 100 000 Gaussian numbers in every engine', async () => {
  const source = random(1, 2);
  const numbers = Float64Array.from({ length: 100_000 }, () => source.normal());
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', numbers));
  expect([...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')).toBe(SHA256);
});

it('gives Gaussian numbers: moments within four standard errors', () => {
  const source = random(3);
  const n = 200_000;
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const x = source.normal();
    for (let power = 1; power <= 4; power++) sums[power - 1]! += x ** power / n;
  }
  // Variances of x, x², x³, x⁴: 1, 2, 15, 96.
  [0, 1, 0, 3].forEach((moment, i) => {
    expect(Math.abs(sums[i]! - moment)).toBeLessThan(4 * Math.sqrt([1, 2, 15, 96][i]! / n));
  });
});
