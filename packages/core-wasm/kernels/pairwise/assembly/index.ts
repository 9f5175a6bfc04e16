// Pairwise dissimilarities between rows, in squares of SIDE × SIDE, and these in cells of 16 × 16: a cell's sums are
// made by the tiles, and while they are in the first cache turned into dissimilarities and written, above the
// diagonal and mirrored below it, or condensed: four rows at a time, so that the stores to memory hide behind the
// sums that follow (results.ts). Every value is made by one square alone, so that any worker may take any square, and
// the bits do not depend on who did.
import { ptr, word } from '../../../assembly/words';
import { Job } from '../memory';
import { finish, settle, write } from './results';
import { add, differences, exactProducts, products } from './tiles';

export { pairwiseCentre, pairwiseNormalise, pairwisePack, pairwiseAbsorbed } from './prepare';

const SIDE: u32 = 128;
/** Rows of squares in a band: see pairwiseSquares. */
const BAND: u32 = 8;
/** Bytes of a cell of 16 × 16 sums, rows side by side. */
const CELL: usize = 1024;
/** Bytes of four rows of sums in float64. */
const TOTALS: usize = 512;
/**
 * Where rounding of one kind may come to 14 · 2⁻²⁴ (with 1.5e-7 of the rows' own: 1e-6), the sums of this many
 * columns go to a total in float64: up to 1.5 times as long. Squared, as √(w(a)·w(b)) is.
 */
const ABSORBED: f32 = 14 * 14;
const EXACT: u32 = 12;
/**
 * Squares [from, to) into the job's result. They are counted in bands of BAND rows of squares, a band column by
 * column from the left (symmetric: from the diagonal on): rows of the result lie pages apart, and so those that
 * mirrored values go to are come to once a band and left for good.
 */
export function pairwiseSquares(job: usize, worker: u32, from: u32, to: u32): void {
  const down = (word(job, Job.n) + SIDE - 1) / SIDE,
    across = (word(job, Job.m) + SIDE - 1) / SIDE;
  const symmetric = word(job, Job.symmetric) != 0;
  const group = word(job, Job.group),
    block = word(job, Job.block);
  const scratch = ptr(job, Job.scratch) + usize(worker) * (SIDE * SIDE * 4 + CELL * 2 + TOTALS);
  let t: u32 = 0;
  for (let band: u32 = 0; band < down; band += BAND) {
    const below = min(band + BAND, down);
    for (let column = symmetric ? band : 0; column < across; column++) {
      const last = symmetric ? min(below, column + 1) : below;
      if (t + (last - band) <= from) {
        t += last - band;
        continue;
      }
      for (let row = band; row < last; row++, t++) {
        if (t < from) continue;
        if (t >= to) return;
        square(
          job,
          scratch,
          row * SIDE,
          column * SIDE,
          group,
          block,
          v128.load32_splat(job, Job.absolute << 2),
          f32x4.splat(0),
        );
      }
    }
  }
}

function square(job: usize, scratch: usize, i0: u32, j0: u32, group: u32, block: u32, mask: v128, zero: v128): void {
  const i1 = min(i0 + SIDE, word(job, Job.n)),
    j1 = min(j0 + SIDE, word(job, Job.m));
  const stride = word(job, Job.stride);
  const l1 = word(job, Job.metric) == 3,
    diagonal = word(job, Job.symmetric) != 0 && i0 == j0;
  const panel = usize(stride) << 6;
  const panelsA = ptr(job, Job.panelsA),
    panelsB = ptr(job, Job.panelsB);
  const sums = scratch + SIDE * SIDE * 4,
    part = sums + CELL;
  for (let g: u32 = 0; g < stride; g += group) {
    const end = min(g + group, stride);
    let total = scratch;
    for (let j = j0; j < j1; j += 16) {
      const b = panelsB + usize(j >> 4) * panel;
      const last = diagonal ? min(i1, j + 1) : i1;
      for (let i = i0; i < last; i += 16, total += CELL) {
        const a = panelsA + usize(i >> 4) * panel;
        const exact =
          !l1 &&
          load<f32>(ptr(job, Job.absorbedA) + ((i >> 4) << 2)) * load<f32>(ptr(job, Job.absorbedB) + ((j >> 4) << 2)) >
            ABSORBED;
        const own = diagonal && i == j,
          whole = !own && i + 16 <= i1 && j + 16 <= j1;
        for (let r: usize = 0; r < 16; r += 4) {
          const c = sums + (r << 6);
          const A = a + (usize(g) << 6) + (r << 2),
            B = b + (usize(g) << 6);
          if (l1) differences(A, B, c, end - g, block, part, zero, mask);
          else if (exact) exactProducts(A, B, c, end - g, EXACT, part + CELL, zero);
          else products(A, B, c, end - g, block, zero);
          // What the groups before left stands in a cell of its own.
          const t = total + (r << 6);
          if (g) add(t, c, 256);
          if (end < stride) for (let p: usize = 0; p < 256; p += 16) v128.store(t + p, v128.load(c + p));
          else if (!whole || !finish(job, c, i + u32(r), j, false)) {
            settle(job, c, i + u32(r), j, i1, j1);
            if (whole) finish(job, c, i + u32(r), j, true);
            else write(job, c, i + u32(r), j, i1, j1, own ? u32(r) + 1 : 0);
          }
        }
      }
    }
  }
}

/**
 * Copies rows' [from, to) part below the diagonal of out f32[n × n] from the part above it, in blocks that stay in
 * cache; the diagonal becomes 0.
 */
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
