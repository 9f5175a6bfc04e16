import { expect, it } from 'vitest';
import { random } from './random.js';

// The same figure stands in random.test.ts: Node's and the browser's engine must agree to the last bit.
const SHA256 = '3e66dff1998d3916a7040ffdf4db9159af217afe2c9d0e8899f843947567ade0';

it('gives the same bits of 100 000 Gaussian numbers in every engine', async () => {
  const source = random(1, 2);
  const numbers = Float64Array.from({ length: 100_000 }, () => source.normal());
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', numbers));
  expect([...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')).toBe(SHA256);
});
