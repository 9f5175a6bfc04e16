// Pairwise dissimilarities between rows, in squares of SIDE × SIDE, and these in cells of 16 × 16: a cell's sums are made by the tiles,
// and while they are in the first cache turned into dissimilarities and written, above the diagonal and mirrored below it, or condensed:
// a few rows at a time, so that the stores to memory hide behind the sums that follow.
// Every value is made by one square alone, so that any worker may take any square, and the bits do not depend on who did.
//
// Memory contract (written by job.ts; u32 words of a job): 0 rows n, 1 columns m, 2 stride (floats of a prepared row, a multiple of
// 4), 3 metric, 4 symmetric (a and b are the same rows), 5 condensed, 6 out f32[n × m] or f32[n(n−1)/2], 7 rows of a, 8 of b (f32[· × stride],
// prepared), 9 panels of a, 10 of b (packed; euclidean: centred), 11 norms of a, 12 of b (f32, to a multiple of 16; euclidean: squared
// norms of the centred rows, cosine and correlation: 1 or, for a zero vector, 0), 13 scratch (SIDE² + 512 f32 a worker), 14 f32 unit (factor
// from computed to real distances), 15 0x7fffffff (as a constant in the code it would be made anew in every turn of the innermost loop).

import { add, dotTile, differenceTile, squaredDistance } from "./tiles/assembly";

export { pairwiseCentre, pairwiseNormalise, pairwisePack } from "./prepare/assembly";

const SIDE: u32 = 128;
/** Bytes of a cell of 16 × 16 sums, rows side by side. */
const CELL: usize = 1024;
/**
 * Columns of the data a sum runs over before it is added to another, and those another runs over before it is added to the total: at most
 * 64 + 16 + stride / 1024 roundings a value, so that even where all go the same way cosine stays within 1e-6.
 * A square of rows over GROUP columns lies in the second cache.
 */
const BLOCK: u32 = 64;
const GROUP: u32 = 1024;
/** ‖a‖² + ‖b‖² − 2ab is off by some 6e-7 of ‖a‖² + ‖b‖²: below this share of it the distance is made from the differences. */
const NEAR: f32 = 0.0625;
/** Cosine: below this the differences decide, so that duplicates are at exactly 0. */
const SAME: f32 = 1e-5;

// @ts-ignore: decorator
@inline
function word(job: usize, index: usize): u32 {
  return load<u32>(job + (index << 2));
}

// @ts-ignore: decorator
@inline
function ptr(job: usize, index: usize): usize {
  return <usize>load<u32>(job + (index << 2));
}

/** Squares [from, to), counted along the rows of squares (symmetric: from the diagonal on), into the job's result. */
export function pairwiseSquares(job: usize, worker: u32, from: u32, to: u32): void {
  const across = (word(job, 1) + SIDE - 1) / SIDE;
  const symmetric = word(job, 4) != 0;
  let row: u32 = 0;
  let left = from;
  for (;;) {
    const length = symmetric ? across - row : across;
    if (left < length || length == 0) break;
    left -= length;
    row++;
  }
  const scratch = ptr(job, 13) + usize(worker) * (SIDE * SIDE * 4 + CELL * 2);
  for (let t = from; t < to; t++) {
    const column = symmetric ? row + left : left;
    square(job, scratch, row * SIDE, column * SIDE, v128.load32_splat(job, 60), f32x4.splat(0));
    if (++left == (symmetric ? across - row : across)) {
      left = 0;
      row++;
    }
  }
}

// The size of parts of `count`, about alike and in fours, that are as many as parts of `most` would be.
// @ts-ignore: decorator
@inline
function even(count: u32, most: u32): u32 {
  const parts = (count + most - 1) / most;
  return (count + parts * 4 - 1) / (parts * 4) * 4;
}

function square(job: usize, scratch: usize, i0: u32, j0: u32, mask: v128, zero: v128): void {
  const i1 = min(i0 + SIDE, word(job, 0)), j1 = min(j0 + SIDE, word(job, 1));
  const stride = word(job, 2);
  const l1 = word(job, 3) == 3, diagonal = word(job, 4) != 0 && i0 == j0;
  const panel = usize(stride) << 6;
  const condensed = word(job, 5) != 0;
  const panelsA = ptr(job, 9), panelsB = ptr(job, 10);
  const sums = scratch + SIDE * SIDE * 4, part = sums + CELL;
  const group = even(stride, GROUP), block = even(group, BLOCK);
  for (let g: u32 = 0; g < stride; g += group) {
    const end = min(g + group, stride);
    let total = scratch;
    for (let j = j0; j < j1; j += 16) {
      const b = panelsB + usize(j >> 4) * panel;
      const last = diagonal ? min(i1, j + 1) : i1;
      for (let i = i0; i < last; i += 16, total += CELL) {
        const a = panelsA + usize(i >> 4) * panel;
        const own = diagonal && i == j, whole = !own && !condensed && i + 16 <= i1 && j + 16 <= j1;
        for (let r: usize = 0; r < 16; r += 4) {
          const c = sums + (r << 6);
          for (let k = g; k < end; k += block) {
            const A = a + (usize(k) << 6) + (r << 2), B = b + (usize(k) << 6);
            const count = min(block, end - k);
            if (l1) {
              const to = k > g ? part : c;
              differenceTile(A, B, to, count, zero, mask);
              differenceTile(A + 8, B, to + 128, count, zero, mask);
              if (k > g) add(part, c, 256);
            } else {
              dotTile(A, B, c, count, k > g, zero);
              dotTile(A + 8, B, c + 128, count, k > g, zero);
            }
          }
          // What the groups before left stands in a cell of its own.
          const t = total + (r << 6);
          if (g) add(t, c, 256);
          if (end < stride) for (let p: usize = 0; p < 256; p += 16) v128.store(t + p, v128.load(c + p));
          else finish(job, c, i + u32(r), j, i1, j1, whole);
        }
        if (end == stride && !whole) write(job, sums, i, j, i1, j1, own);
      }
    }
  }
}

// Four rows of a cell, at row i0, column j0: sums become dissimilarities, and are written if the cell is whole; else they stay where the
// sums were. Rows and columns from i1, j1 on are padding.
function finish(job: usize, sums: usize, i0: u32, j0: u32, i1: u32, j1: u32, whole: bool): void {
  const metric = word(job, 3), mirrored = word(job, 4) != 0, step = usize(word(job, 1)) << 2, out = ptr(job, 6);
  const normsA = ptr(job, 11) + (usize(i0) << 2), normsB = ptr(job, 12) + (usize(j0) << 2);
  const n0 = v128.load32_splat(normsA), n1 = v128.load32_splat(normsA, 4), n2 = v128.load32_splat(normsA, 8), n3 = v128.load32_splat(normsA, 12);
  const units = v128.load32_splat(job, 56), two = f32x4.splat(2), one = f32x4.splat(1), near = f32x4.splat(NEAR), same = f32x4.splat(SAME), none = f32x4.splat(0);
  let to = out + usize(i0) * step + (usize(j0) << 2), mirror = out + usize(j0) * step + (usize(i0) << 2);
  for (let j: usize = 0; j < 16; j += 4, to += 16, mirror += step << 2) {
    const c = sums + (j << 2);
    let v0 = v128.load(c), v1 = v128.load(c, 64), v2 = v128.load(c, 128), v3 = v128.load(c, 192);
    let far: v128;
    if (metric == 3) {
      v0 = f32x4.mul(v0, units);
      v1 = f32x4.mul(v1, units);
      v2 = f32x4.mul(v2, units);
      v3 = f32x4.mul(v3, units);
      far = i32x4.splat(-1);
    } else if (metric == 0) {
      const norm = v128.load(normsB + (j << 2));
      const m0 = f32x4.add(n0, norm), m1 = f32x4.add(n1, norm), m2 = f32x4.add(n2, norm), m3 = f32x4.add(n3, norm);
      v0 = f32x4.sub(m0, f32x4.mul(two, v0));
      v1 = f32x4.sub(m1, f32x4.mul(two, v1));
      v2 = f32x4.sub(m2, f32x4.mul(two, v2));
      v3 = f32x4.sub(m3, f32x4.mul(two, v3));
      far = v128.and(
        v128.and(f32x4.gt(v0, f32x4.mul(near, m0)), f32x4.gt(v1, f32x4.mul(near, m1))),
        v128.and(f32x4.gt(v2, f32x4.mul(near, m2)), f32x4.gt(v3, f32x4.mul(near, m3))),
      );
      v0 = f32x4.mul(f32x4.sqrt(f32x4.pmax(none, v0)), units);
      v1 = f32x4.mul(f32x4.sqrt(f32x4.pmax(none, v1)), units);
      v2 = f32x4.mul(f32x4.sqrt(f32x4.pmax(none, v2)), units);
      v3 = f32x4.mul(f32x4.sqrt(f32x4.pmax(none, v3)), units);
    } else {
      // A zero vector's norm, 0, makes its row near.
      v0 = f32x4.sub(one, v0);
      v1 = f32x4.sub(one, v1);
      v2 = f32x4.sub(one, v2);
      v3 = f32x4.sub(one, v3);
      far = v128.and(
        v128.and(f32x4.gt(f32x4.mul(v0, n0), same), f32x4.gt(f32x4.mul(v1, n1), same)),
        v128.and(f32x4.gt(f32x4.mul(v2, n2), same), f32x4.gt(f32x4.mul(v3, n3), same)),
      );
      v0 = f32x4.pmin(two, v0);
      v1 = f32x4.pmin(two, v1);
      v2 = f32x4.pmin(two, v2);
      v3 = f32x4.pmin(two, v3);
    }
    if (!i32x4.all_true(far)) {
      nearby(job, c, i0, j0 + j, i1, j1);
      v0 = v128.load(c);
      v1 = v128.load(c, 64);
      v2 = v128.load(c, 128);
      v3 = v128.load(c, 192);
    }
    if (!whole) {
      v128.store(c, v0);
      v128.store(c, v1, 64);
      v128.store(c, v2, 128);
      v128.store(c, v3, 192);
      continue;
    }
    v128.store(to, v0);
    v128.store(to + step, v1);
    v128.store(to + step * 2, v2);
    v128.store(to + step * 3, v3);
    if (!mirrored) continue;
    const low01 = v128.shuffle<u32>(v0, v1, 0, 4, 1, 5), low23 = v128.shuffle<u32>(v2, v3, 0, 4, 1, 5);
    const high01 = v128.shuffle<u32>(v0, v1, 2, 6, 3, 7), high23 = v128.shuffle<u32>(v2, v3, 2, 6, 3, 7);
    v128.store(mirror, v128.shuffle<u64>(low01, low23, 0, 2));
    v128.store(mirror + step, v128.shuffle<u64>(low01, low23, 1, 3));
    v128.store(mirror + step * 2, v128.shuffle<u64>(high01, high23, 0, 2));
    v128.store(mirror + step * 3, v128.shuffle<u64>(high01, high23, 1, 3));
  }
}

// The 4 × 4 sums at row i0, column j0, some of them of rows that lie near each other: dissimilarities one by one.
function nearby(job: usize, c: usize, i0: u32, j0: u32, i1: u32, j1: u32): void {
  const stride = usize(word(job, 2)) << 2, unit = load<f32>(job, 56);
  for (let i = i0; i < i0 + 4; i++, c += 64) {
    const x = ptr(job, 7) + usize(i) * stride, a = load<f32>(ptr(job, 11) + (usize(i) << 2));
    for (let j = j0; j < j0 + 4; j++) {
      const p = c + (usize(j - j0) << 2);
      const y = ptr(job, 8) + usize(j) * stride, b = load<f32>(ptr(job, 12) + (usize(j) << 2));
      let v = load<f32>(p);
      if (i >= i1 || j >= j1) v = 0;
      else if (word(job, 3) == 0) {
        v = a + b - 2 * v;
        v = v > NEAR * (a + b) ? sqrt(max<f32>(0, v)) * unit : <f32>Math.sqrt(squaredDistance(x, y, word(job, 2))) * unit;
      } else if (a == 0) {
        // Zero vectors are alike, and at 1 from all others.
        v = b == 0 ? 0 : 1;
      } else {
        v = 1 - v;
        v = v > SAME ? min<f32>(2, v) : <f32>(squaredDistance(x, y, word(job, 2)) / 2);
      }
      store<f32>(p, v);
    }
  }
}

// A finished cell that is cut off, on the diagonal (only what is right of it counts), or condensed.
function write(job: usize, sums: usize, i0: u32, j0: u32, i1: u32, j1: u32, diagonal: bool): void {
  const n = usize(word(job, 0)), m = usize(word(job, 1)), out = ptr(job, 6);
  const condensed = word(job, 5) != 0, mirrored = word(job, 4) != 0;
  const rows = min(16, i1 - i0), columns = min(16, j1 - j0);
  for (let r: u32 = 0; r < rows; r++) {
    const i = usize(i0 + r);
    const row = sums + (usize(r) << 6);
    const first = diagonal ? r + 1 : 0;
    if (condensed) {
      const to = out + (i * n - i * (i + 1) / 2 - i - 1 + j0 << 2);
      let c = first;
      if (!diagonal) for (; c + 4 <= columns; c += 4) v128.store(to + (usize(c) << 2), v128.load(row + (usize(c) << 2)));
      for (; c < columns; c++) store<f32>(to + (usize(c) << 2), load<f32>(row + (usize(c) << 2)));
      continue;
    }
    if (diagonal) store<f32>(out + (i * m + i << 2), 0);
    for (let c = first; c < columns; c++) {
      const v = load<f32>(row + (usize(c) << 2)), j = usize(j0 + c);
      store<f32>(out + (i * m + j << 2), v);
      if (mirrored) store<f32>(out + (j * m + i << 2), v);
    }
  }
}

/** Copies rows' [from, to) part below the diagonal of out f32[n × n] from the part above it, in blocks that stay in cache; the diagonal becomes 0. */
export function pairwiseMirror(out: usize, n: i32, from: i32, to: i32): void {
  const step = usize(n) << 2;
  for (let i0 = from; i0 < to; i0 += 32) {
    const i1 = min(to, i0 + 32);
    for (let j0 = 0; j0 < i1; j0 += 32) {
      for (let i = i0; i < i1; i++) {
        const j1 = min(i, j0 + 32);
        for (let j = j0; j < j1; j++) {
          store<f32>(out + usize(i) * step + (usize(j) << 2), load<f32>(out + usize(j) * step + (usize(i) << 2)));
        }
      }
    }
    for (let i = i0; i < i1; i++) store<f32>(out + usize(i) * step + (usize(i) << 2), 0);
  }
}
