// Distances of vat-points pair by pair, from records: from differences, and the same to the last bit from either side.
import { sum4 } from "../../../assembly/lanes";
import { ptr, word } from "../../../assembly/words";
import { record, term } from "../blocks/assembly";
import { Job, Worker } from "../memory";

// Bytes of coordinates between two looks at the limit.
const GROUP: usize = 512;

/** Distance (squared for L2) of two points; or, once its sum is over `limit`, some number over `limit`: sums only grow. */
// @ts-ignore: decorator
@inline
export function pairDistance(job: usize, a: u32, b: u32, l1: bool, limit: f32): f32 {
  let p = record(job, a), q = record(job, b);
  // Zero vectors of cosine and correlation carry tag 1: at exactly 2 (distance 1) from all that do not.
  if (load<u32>(p) != load<u32>(q)) return 2;
  const zero = f32x4.splat(0);
  let s0 = zero, s1 = zero, s2 = zero, s3 = zero;
  let total: f32 = 0;
  p += 16;
  q += 16;
  // Coordinates are filled up with zeros to a multiple of 4.
  const end = p + (<usize>((word(job, Job.d) + 3) >> 2) << 4);
  while (p < end) {
    const stop = min(end, p + GROUP);
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

/** Lowers the keys of a block's `lanes` (a bit each) by the distances to visited point `id`; whether any key or parent changed. */
export function lowerLanes(job: usize, state: usize, b: u32, id: u32, lanes: u32, l1: bool): bool {
  const at = <usize>b << 6;
  const K = ptr(state, Worker.keys) + at, P = ptr(state, Worker.parents) + at, ids = ptr(state, Worker.ids) + at;
  let changed = false;
  for (; lanes; lanes &= lanes - 1) {
    const lane = <usize>ctz(lanes) << 2;
    const key = load<f32>(K + lane);
    if (key < 0) continue;
    const x = l1 ? pairDistance(job, id, load<u32>(ids + lane), true, key) : pairDistance(job, id, load<u32>(ids + lane), false, key);
    if (x < key) {
      store<f32>(K + lane, x);
      store<u32>(P + lane, id);
      changed = true;
    } else if (x == key && id < load<u32>(P + lane)) {
      store<u32>(P + lane, id);
      changed = true;
    }
  }
  return changed;
}
