// Pairwise dissimilarities between rows, in squares of SIDE × SIDE. A square's sums stand in a worker's scratch (second cache) over
// all columns of the data, are finished there and written once: above the diagonal, mirrored below it, or condensed.
// Every value is made by one square alone, so that any worker may take any square, and the bits do not depend on who did.
//
// Memory contract (written by index.ts; u32 words of a job): 0 rows n, 1 columns m, 2 stride (floats of a prepared row, a multiple of
// 4), 3 metric, 4 symmetric (a and b are the same rows), 5 condensed, 6 out f32[n × m] or f32[n(n−1)/2], 7 rows of a, 8 of b (f32[· × stride],
// prepared), 9 panels of a, 10 of b (packed; euclidean: centred), 11 norms of a, 12 of b (f32, to a multiple of 8; euclidean: squared
// norms of the centred rows, cosine and correlation: 1 or, for a zero vector, 0), 13 scratch (2·SIDE² f32 a worker), 14 f32 unit (factor
// from computed to real distances).

import { dotTile, differenceTile, squaredDistance, transpose4 } from "./tiles/assembly";

export { pairwiseCentre, pairwiseNormalise, pairwisePack } from "./prepare/assembly";

const SIDE: u32 = 128;
const STEP: usize = 512;
/**
 * Columns of the data a sum runs over before it is added to another, and those another runs over before it is added to the total: at most
 * 64 + 8 + stride / 512 roundings a value, so that even where all go the same way cosine stays within 1e-6.
 */
const BLOCK: u32 = 64;
const GROUP: u32 = 512;
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
  const scratch = ptr(job, 13) + usize(worker) * SIDE * STEP * 2;
  for (let t = from; t < to; t++) {
    const column = symmetric ? row + left : left;
    square(job, scratch, row * SIDE, column * SIDE, i32x4.splat(0x7fffffff), f32x4.splat(0));
    if (++left == (symmetric ? across - row : across)) {
      left = 0;
      row++;
    }
  }
}

function square(job: usize, scratch: usize, i0: u32, j0: u32, mask: v128, zero: v128): void {
  const i1 = min(i0 + SIDE, word(job, 0)), j1 = min(j0 + SIDE, word(job, 1));
  const diagonal = word(job, 4) != 0 && i0 == j0;
  sums(job, scratch, i0, i1, j0, j1, diagonal, mask, zero);
  finish(job, scratch, i0, i1, j0, j1, diagonal);
  if (word(job, 5)) writeCondensed(job, scratch, i0, i1, j0, j1, diagonal);
  else {
    if (diagonal) fold(scratch, i1 - i0);
    writeRows(job, scratch, i0, i1, j0, j1);
    if (word(job, 4) && !diagonal) writeMirror(job, scratch, i0, i1, j0, j1);
  }
}

function sums(job: usize, scratch: usize, i0: u32, i1: u32, j0: u32, j1: u32, diagonal: bool, mask: v128, zero: v128): void {
  const stride = word(job, 2);
  const l1 = word(job, 3) == 3;
  const panel = usize(stride) << 5;
  const a = ptr(job, 9) + usize(i0 >> 3) * panel, b = ptr(job, 10) + usize(j0 >> 3) * panel;
  const rows = i1 - i0, columns = j1 - j0;
  const used = usize(rows + 3 & ~3) * STEP, total = scratch + usize(SIDE) * STEP;
  for (let g: u32 = 0; g < stride; g += GROUP) {
    const end = min(g + GROUP, stride);
    for (let p = scratch; p < scratch + used; p += 16) v128.store(p, zero);
    for (let k = g; k < end; k += BLOCK) {
      const count = min(BLOCK, end - k);
      const at = usize(k) << 5;
      for (let j: u32 = 0; j < columns; j += 8) {
        const B = b + usize(j >> 3) * panel + at;
        const last = diagonal ? min(rows, j + 8) : rows;
        for (let i: u32 = 0; i < last; i += 4) {
          const A = a + usize(i >> 3) * panel + at + (usize(i & 4) << 2);
          const c = scratch + usize(i) * STEP + (usize(j) << 2);
          if (l1) differenceTile(A, B, c, STEP, count, zero, mask);
          else dotTile(A, B, c, STEP, count, zero);
        }
      }
    }
    if (stride <= GROUP) return;
    // The total so far stands beside the scratch; the last one goes into it.
    const to = end == stride ? scratch : total;
    for (let p: usize = 0; p < used; p += 16) {
      const sum = v128.load(scratch + p);
      v128.store(to + p, g == 0 ? sum : f32x4.add(v128.load(total + p), sum));
    }
  }
}

// Sums become dissimilarities; symmetric squares on the diagonal from column i + 1 on.
function finish(job: usize, scratch: usize, i0: u32, i1: u32, j0: u32, j1: u32, diagonal: bool): void {
  const metric = word(job, 3), stride = word(job, 2);
  const normsA = ptr(job, 11), normsB = ptr(job, 12), rowsA = ptr(job, 7), rowsB = ptr(job, 8);
  const unit = load<f32>(job, 56);
  const units = f32x4.splat(unit), two = f32x4.splat(2), one = f32x4.splat(1), near = f32x4.splat(NEAR), same = f32x4.splat(SAME), none = f32x4.splat(0);
  for (let i = i0; i < i1; i++) {
    const row = scratch + usize(i - i0) * STEP;
    const first = diagonal ? i + 1 : j0;
    const na = load<f32>(normsA + (usize(i) << 2));
    const norm = f32x4.splat(na);
    for (let j = first & ~3; j < j1; j += 4) {
      const p = row + (usize(j - j0) << 2);
      let v = v128.load(p);
      let far: v128;
      if (metric == 0) {
        const both = f32x4.add(norm, v128.load(normsB + (usize(j) << 2)));
        v = f32x4.sub(both, f32x4.mul(two, v));
        far = f32x4.gt(v, f32x4.mul(near, both));
        v128.store(p, f32x4.mul(f32x4.sqrt(f32x4.pmax(none, v)), units));
      } else if (metric == 3) {
        v128.store(p, f32x4.mul(v, units));
        continue;
      } else {
        v = f32x4.sub(one, v);
        far = f32x4.gt(v, same);
        v128.store(p, f32x4.pmin(two, v));
      }
      if (i32x4.all_true(far)) continue;
      const bits = i32x4.bitmask(far);
      for (let lane: u32 = 0; lane < 4; lane++) {
        const l = j + lane;
        if ((bits >> lane) & 1 || l < first || l >= j1) continue;
        const sum = squaredDistance(rowsA + (usize(i) * stride << 2), rowsB + (usize(l) * stride << 2), stride);
        store<f32>(p + (usize(lane) << 2), metric == 0 ? <f32>Math.sqrt(sum) * unit : <f32>(sum / 2));
      }
    }
    // Zero vectors are alike; their products with all others, 0, already say 1.
    if ((metric == 1 || metric == 2) && na == 0) {
      for (let j = first; j < j1; j++) if (load<f32>(normsB + (usize(j) << 2)) == 0) store<f32>(row + (usize(j - j0) << 2), 0);
    }
  }
}

// A square on the diagonal: zeros on it, the part above copied below.
function fold(scratch: usize, rows: u32): void {
  for (let i: u32 = 0; i < rows; i++) {
    const row = scratch + usize(i) * STEP;
    for (let j: u32 = 0; j < i; j++) store<f32>(row + (usize(j) << 2), load<f32>(scratch + usize(j) * STEP + (usize(i) << 2)));
    store<f32>(row + (usize(i) << 2), 0);
  }
}

// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, count: u32): void {
  const whole = from + (usize(count & ~3) << 2), end = from + (usize(count) << 2);
  for (; from < whole; from += 16, to += 16) v128.store(to, v128.load(from));
  for (; from < end; from += 4, to += 4) store<f32>(to, load<f32>(from));
}

function writeRows(job: usize, scratch: usize, i0: u32, i1: u32, j0: u32, j1: u32): void {
  const m = usize(word(job, 1));
  for (let i = i0; i < i1; i++) copy(ptr(job, 6) + (usize(i) * m + j0 << 2), scratch + usize(i - i0) * STEP, j1 - j0);
}

function writeMirror(job: usize, scratch: usize, i0: u32, i1: u32, j0: u32, j1: u32): void {
  const step = usize(word(job, 1)) << 2;
  const out = ptr(job, 6) + usize(j0) * step + (usize(i0) << 2);
  // Rows i0 … are a whole square here: only the last square of a row of squares can be narrow.
  const rows = i1 - i0, columns = j1 - j0;
  let j: u32 = 0;
  for (; j + 4 <= columns; j += 4) {
    let to = out + usize(j) * step;
    let from = scratch + (usize(j) << 2);
    for (let i: u32 = 0; i < rows; i += 4, to += 16, from += STEP * 4) transpose4(from, STEP, to, step);
  }
  for (; j < columns; j++) for (let i: u32 = 0; i < rows; i++) store<f32>(out + usize(j) * step + (usize(i) << 2), load<f32>(scratch + usize(i) * STEP + (usize(j) << 2)));
}

function writeCondensed(job: usize, scratch: usize, i0: u32, i1: u32, j0: u32, j1: u32, diagonal: bool): void {
  const n = usize(word(job, 0));
  for (let i = i0; i < i1; i++) {
    const first = diagonal ? i + 1 : j0;
    if (first >= j1) continue;
    const at = usize(i) * n - usize(i) * (usize(i) + 1) / 2 + first - i - 1;
    copy(ptr(job, 6) + (at << 2), scratch + usize(i - i0) * STEP + (usize(first - j0) << 2), j1 - first);
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
