// Inputs and hashes of the tests of output bits. Inputs use exact arithmetic only: the same everywhere.
import { createHash } from 'node:crypto';
import type { Matrix } from '../src/matrix.js';
import { uniform } from './data.js';

/** Of all bytes of all arrays in a value, and of its numbers; NaN and −0 count. */
export function hash(value: unknown): string {
  const sha = createHash('sha256');
  const add = (x: unknown): void => {
    if (ArrayBuffer.isView(x)) sha.update(new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
    else if (typeof x === 'object' && x !== null)
      for (const [key, part] of Object.entries(x)) {
        sha.update(key);
        add(part);
      }
    else sha.update(String(x));
  };
  add(value);
  return sha.digest('hex').slice(0, 16);
}

type Fill = (n: number, d: number, seed: number) => Matrix;
const filled = (n: number, d: number, value: (i: number, k: number) => number): Matrix => {
  const data = new Float32Array(n * d);
  for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) data[i * d + k] = value(i, k);
  return { data, shape: [n, d] };
};
export const DATA: Record<string, Fill> = {
  uniform: (n, d, seed) => {
    const u = uniform(seed);
    return filled(n, d, () => u());
  },
  // Sums of four uniform numbers about six centres.
  blobs: (n, d, seed) => {
    const u = uniform(seed);
    const centres = Float32Array.from({ length: 6 * d }, () => 8 * u());
    return filled(n, d, (i, k) => centres[(i % 6) * d + k]! + u() + u() + u() + u());
  },
  // Each row several times, in no order.
  duplicates: (n, d, seed) => {
    const few = DATA.blobs!(Math.ceil(n / 4), d, seed);
    return filled(n, d, (i, k) => few.data[((i * 7) % few.shape[0]) * d + k]!);
  },
  // Small integers: exact distances, many of them equal.
  integers: (n, d, seed) => {
    const u = uniform(seed);
    return filled(n, d, () => Math.floor(3 * u()));
  },
  'one-hot': (n, d) => filled(n, d, (i, k) => Number(k === (i * 5) % d)),
  // Rectified: zero vectors, constant rows and columns.
  rectified: (n, d, seed) => {
    const u = uniform(seed);
    return filled(n, d, (i, k) => (i % 9 === 4 || k % 5 === 3 ? 0 : Math.max(0, u() - 0.6)));
  },
  equal: (n, d) => filled(n, d, () => 0.3),
  // A few points far from all others.
  outliers: (n, d, seed) => {
    const u = uniform(seed);
    return filled(n, d, (i, k) => (i % 50 === 17 ? 400 * (k + 1) : 1) * u());
  },
};
export const fills = Object.keys(DATA);
