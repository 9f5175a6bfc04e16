// The distances of vat-points, squared for L2: sums of the differences' squares or absolute values in float32, in an
// order that depends on d alone, and the same to the last bit from either side. Direct: coordinate by coordinate.
// Records: sixteen chains, four vectors wide.
import { sum4 } from '../../../assembly/lanes';
import { ptr, word } from '../../../assembly/words';
import { Job, PointRecord, Row, Worker } from '../memory';
import { blockBytes, record, workerOf } from './blocks';

// Coordinates of a block, and bytes of a record, between two looks at the limits.
const GROUP: u32 = 16;
const RECORD_GROUP: usize = 512;

/** One term of a distance: (x − y)² or |x − y|. */
// @ts-ignore: decorator
@inline
export function term(sum: v128, x: v128, y: v128, l1: bool): v128 {
  const t = f32x4.sub(x, y);
  return f32x4.add(sum, l1 ? f32x4.abs(t) : f32x4.mul(t, t));
}

/**
 * Direct: distances of a point (its coordinates in a row at `v`) to a block's 16 into out[16]; false, with out
 * unfinished, once every partial sum is over the lane's limit. Sums only grow, so that nothing at or under its limit
 * is ever given up.
 */
// @ts-ignore: decorator
@inline
export function distances(block: usize, v: usize, d: u32, tagged: bool, l1: bool, limits: usize, out: usize): bool {
  const K0 = v128.load(limits),
    K1 = v128.load(limits, 16),
    K2 = v128.load(limits, 32),
    K3 = v128.load(limits, 48);
  let a = f32x4.splat(0),
    b = a,
    c = a,
    e = a;
  let p = block;
  let q = v;
  let k: u32 = 0;
  while (k < d) {
    const end = min(k + GROUP, d);
    for (; k < end; k++) {
      const y = v128.load32_splat(q);
      a = term(a, v128.load(p), y, l1);
      b = term(b, v128.load(p, 16), y, l1);
      c = term(c, v128.load(p, 32), y, l1);
      e = term(e, v128.load(p, 48), y, l1);
      p += 64;
      q += 4;
    }
    const open = v128.or(v128.or(f32x4.le(a, K0), f32x4.le(b, K1)), v128.or(f32x4.le(c, K2), f32x4.le(e, K3)));
    if (!v128.any_true(open)) return false;
  }
  if (tagged) {
    // Zero vectors of cosine and correlation carry tag 1: at exactly 2 (distance 1) from all that do not.
    const y = v128.load32_splat(q);
    const two = f32x4.splat(2);
    a = v128.bitselect(a, two, f32x4.eq(v128.load(p), y));
    b = v128.bitselect(b, two, f32x4.eq(v128.load(p, 16), y));
    c = v128.bitselect(c, two, f32x4.eq(v128.load(p, 32), y));
    e = v128.bitselect(e, two, f32x4.eq(v128.load(p, 48), y));
  }
  v128.store(out, a);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, e, 48);
  return true;
}

/** Records: the distance of two points; or, once its sum is over `limit`, some number over `limit`. */
// @ts-ignore: decorator
@inline
export function pairDistance(job: usize, a: u32, b: u32, l1: bool, limit: f32): f32 {
  return recordDistance(record(job, a), record(job, b), word(job, Job.d), l1, limit);
}

/** The same of two records of d coordinates. */
// @ts-ignore: decorator
@inline
export function recordDistance(p: usize, q: usize, d: u32, l1: bool, limit: f32): f32 {
  // Zero vectors of cosine and correlation carry tag 1: at exactly 2 (distance 1) from all that do not.
  if (word(p, PointRecord.tag) != word(q, PointRecord.tag)) return 2;
  const zero = f32x4.splat(0);
  let s0 = zero,
    s1 = zero,
    s2 = zero,
    s3 = zero;
  let total: f32 = 0;
  p += PointRecord.size << 2;
  q += PointRecord.size << 2;
  // Coordinates are filled up with zeros to a multiple of 4.
  const end = p + ((<usize>((d + 3) >> 2)) << 4);
  while (p < end) {
    const stop = min(end, p + RECORD_GROUP);
    for (; p + 64 <= stop; p += 64, q += 64) {
      s0 = term(s0, v128.load(p), v128.load(q), l1);
      s1 = term(s1, v128.load(p, 16), v128.load(q, 16), l1);
      s2 = term(s2, v128.load(p, 32), v128.load(q, 32), l1);
      s3 = term(s3, v128.load(p, 48), v128.load(q, 48), l1);
    }
    for (; p < stop; p += 16, q += 16) s0 = term(s0, v128.load(p), v128.load(q), l1);
    total = sum4(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
    if (total > limit) break;
  }
  return total;
}

/** Distance of two points published as rows at u and v (see Row), the second in lane `lane` of block b. */
export function rowDistance(job: usize, state: usize, u: usize, v: usize, b: u32, lane: u32, l1: bool): f32 {
  if (word(job, Job.asRecords)) {
    const p = ptr(u, Row.record),
      q = ptr(v, Row.record),
      d = word(job, Job.d);
    return l1 ? recordDistance(p, q, d, true, Infinity) : recordDistance(p, q, d, false, Infinity);
  }
  const home = workerOf(job, b % word(job, Job.workers));
  const block = ptr(home, Worker.points) + <usize>(b / word(job, Job.workers)) * blockBytes(job);
  const row = u + (Row.size << 2) + ((<usize>word(job, Job.boundRows)) << 2),
    out = ptr(state, Worker.out);
  const tagged = word(job, Job.tagRows) != 0;
  if (l1) distances(block, row, word(job, Job.d), tagged, true, ptr(state, Worker.infinities), out);
  else distances(block, row, word(job, Job.d), tagged, false, ptr(state, Worker.infinities), out);
  return load<f32>(out + ((<usize>lane) << 2));
}
