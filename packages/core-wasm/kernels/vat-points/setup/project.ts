import type { Kernels } from '../../../src/load.js';
import type { Rows } from './rows.js';

interface ProjectExports {
  vatPointsProject(
    x: number,
    count: number,
    size: number,
    centre: number,
    basis: number,
    m: number,
    y: number,
    out: number,
  ): void;
  vatPointsCombine(
    x: number,
    count: number,
    size: number,
    centre: number,
    parts: number,
    m: number,
    y: number,
    next: number,
  ): void;
}

/** Points that principal directions are taken from. */
export const SAMPLE = 512;
const ROUNDS = 4;
// Points brought into the kernels' memory at a time.
const CHUNK = 64;

/** Bytes of WebAssembly memory that `project` takes meanwhile, for at most `most` directions of d coordinates. */
export function projectBytes(d: number, most: number): number {
  const size = d + (d & 1);
  // Places are rounded up to 64 bytes, of each a header may be kept.
  return 4 * size * CHUNK + 16 * size + 16 * size * most + 8 * (most + 1) * CHUNK + 6 * 128;
}

/**
 * Coordinates of n points about `centre` in some of their principal directions, as far as a sample of 512 tells
 * these. `choose` says in how many, at most `most`, from the sample's variance in each and in all other directions
 * together; it is answered. Then calls `each` with a point's index and float64[m + 1], its m coordinates and its
 * squared distance from the centre. The array is reused.
 * Time O(n·d·m); WebAssembly memory `projectBytes` meanwhile.
 */
export function project(
  kernels: Kernels,
  rows: Rows,
  n: number,
  centre: Float64Array,
  most: number,
  choose: (variances: Float64Array, rest: number) => number,
  each: (i: number, parts: Float64Array) => void,
): number {
  const { arena } = kernels;
  const exports = kernels.exports as unknown as ProjectExports;
  const d = centre.length;
  const size = d + (d & 1);
  return arena.scope((alloc) => {
    let m = most;
    const xAt = alloc(4 * size * CHUNK);
    const centreAt = alloc(8 * size);
    const yAt = alloc(8 * size);
    const basisAt = alloc(8 * size * m);
    const nextAt = alloc(8 * size * m);
    const partsAt = alloc(8 * (m + 1) * CHUNK);
    // The memory does not grow any more: these stay.
    const x = arena.f32(xAt, size * CHUNK).fill(0);
    const variances = new Float64Array(most);
    let rest = 0;
    arena.f64(centreAt, size).fill(0).set(centre);
    const basis = arena.f64(basisAt, size * m).fill(0);
    const next = arena.f64(nextAt, size * m);
    const parts = arena.f64(partsAt, (m + 1) * CHUNK);
    const slots = Array.from({ length: CHUNK }, (_, i) => x.subarray(i * size, i * size + d));
    const chunks = (
      count: number,
      index: (i: number) => number,
      after: (from: number, length: number) => void,
    ) => {
      for (let from = 0; from < count; from += CHUNK) {
        const length = Math.min(CHUNK, count - from);
        for (let i = 0; i < length; i++) rows.read(index(from + i), slots[i]!);
        exports.vatPointsProject(xAt, length, size, centreAt, basisAt, m, yAt, partsAt);
        after(from, length);
      }
    };

    // Subspace iteration on the sample, from fixed pseudo-random vectors. Any orthonormal basis gives right bounds; a
    // good one gives tight ones, so that few rounds do.
    let state = 12345;
    for (let j = 0; j < m; j++)
      for (let k = 0; k < d; k++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        basis[j * size + k] = state / 2 ** 31 - 1;
      }
    orthonormalise(basis, m, size);
    for (let round = 0; round < ROUNDS; round++) {
      // A part of the sample will do to begin with.
      const sample = Math.min(n, round < 2 ? SAMPLE / 4 : SAMPLE);
      next.fill(0);
      chunks(
        sample,
        (i) => Math.floor((i * n) / sample),
        (_, length) => {
          exports.vatPointsCombine(xAt, length, size, centreAt, partsAt, m, yAt, nextAt);
          if (round < ROUNDS - 1) return;
          for (let i = 0; i < length; i++) {
            rest += parts[i * (m + 1) + m]! / sample;
            for (let j = 0; j < m; j++) variances[j] = variances[j]! + parts[i * (m + 1) + j]! ** 2 / sample;
          }
        },
      );
      basis.set(next);
      orthonormalise(basis, m, size);
    }
    for (const variance of variances) rest -= variance;
    m = choose(variances, Math.max(0, rest));
    const points = Array.from({ length: CHUNK }, (_, i) => parts.subarray(i * (m + 1), (i + 1) * (m + 1)));
    chunks(
      n,
      (i) => i,
      (from, length) => {
        for (let i = 0; i < length; i++) each(from + i, points[i]!);
      },
    );
    return m;
  });
}

// Gram–Schmidt, twice; a vector that vanishes (the sample spans less) becomes 0, which leaves the bounds right.
function orthonormalise(v: Float64Array, count: number, d: number): void {
  for (let j = 0; j < count; j++) {
    const at = j * d;
    let before = 0;
    for (let k = 0; k < d; k++) before += v[at + k]! ** 2;
    for (let pass = 0; pass < 2; pass++)
      for (let i = 0; i < j; i++) {
        let s = 0;
        for (let k = 0; k < d; k++) s += v[at + k]! * v[i * d + k]!;
        for (let k = 0; k < d; k++) v[at + k] = v[at + k]! - s * v[i * d + k]!;
      }
    let after = 0;
    for (let k = 0; k < d; k++) after += v[at + k]! ** 2;
    const f = after > 1e-12 * before ? 1 / Math.sqrt(after) : 0;
    for (let k = 0; k < d; k++) v[at + k] = v[at + k]! * f;
  }
}
