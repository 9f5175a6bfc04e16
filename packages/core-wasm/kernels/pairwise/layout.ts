import { checkCounts, checkOptions } from '../../src/arguments.js';
import type { Metric } from '../../src/matrix.js';
import { Job } from './memory.js';

/** Rows and columns of the squares in assembly.ts. */
export const SIDE = 128;
const strideOf = (d: number) => Math.max(4, Math.ceil(d / 4) * 4);
const round = (bytes: number) => Math.ceil(bytes / 64) * 64;

/** Offsets are handed out in turn, 64-byte aligned; the same calls in the same order give the size and the places. */
export function place(base: number, n: number, m: number, between: boolean, d: number, workers: number) {
  let total = base;
  const take = (bytes: number) => {
    const at = total;
    total += round(bytes);
    return at;
  };
  const stride = strideOf(d);
  const up = (rows: number) => Math.ceil(rows / 16) * 16;
  const job = take(4 * Job.size);
  const rows = take(4 * (n + (between ? m : 0)) * stride);
  const packA = take(4 * up(n) * stride);
  const packB = between ? take(4 * up(m) * stride) : packA;
  const normA = take(4 * up(n));
  const normB = between ? take(4 * up(m)) : normA;
  const absorbedA = take(up(n) / 4);
  const absorbedB = between ? take(up(m) / 4) : absorbedA;
  const sums = take(8 * d);
  const centre = take(4 * stride);
  const buffer = take(16 * stride);
  const scratch = take((4 * SIDE * SIDE + 2560) * workers);
  return {
    job,
    rows,
    packA,
    packB,
    normA,
    normB,
    absorbedA,
    absorbedB,
    sums,
    centre,
    buffer,
    scratch,
    stride,
    bytes: total - base,
  };
}

/**
 * Bytes of WebAssembly memory that dissimilarities of n rows of d values take, the result among them: about
 * 4·n² + 8·n·d. `pairwise` needs the result once more in JavaScript, 4·n² bytes.
 */
export function pairwiseBytes(
  n: number,
  d: number,
  options: { m?: number; condensed?: boolean; workers?: number } = {},
): number {
  checkOptions(options);
  const { m, condensed = false, workers = 1 } = options;
  checkCounts({ n, d, m: m ?? n, workers });
  return (
    place(0, n, m ?? n, m !== undefined, d, workers).bytes +
    round(4 * (condensed ? (n * (n - 1)) / 2 : n * (m ?? n)))
  );
}

/**
 * Columns of a group and of a block, multiples of four: sums of a block go to those of its group, these to the total.
 * Differences have one sign: 64 + 16 + stride / 1024 roundings are 5e-6 of the sum. Products of rows of even values
 * stay within 1e-6 with blocks of 32, which cost 3 to 5 %; those of others are summed in float64 (see EXACT in
 * assembly.ts): with blocks of 64 cosine was off by up to 3e-6.
 */
export function summation(metric: Metric, stride: number): { group: number; block: number } {
  const even = (count: number, most: number) => Math.ceil(count / Math.ceil(count / most) / 4) * 4;
  // A square of rows over a group's columns lies in the second cache.
  const group = even(stride, 1024);
  return { group, block: even(group, metric === 'manhattan' ? 64 : 32) };
}
