// Direct steps of vat-points: the visited point against a block's 16 points at a time, coordinates transposed.
import { ptr, word } from "../../../assembly/words";
import { HEAD, term } from "../blocks/assembly";
import { lanesUnder } from "../living/assembly";
import { Job, Worker } from "../memory";

// Coordinates between two looks at the limits.
const GROUP: u32 = 16;

// Distances (squared for L2) of point v (coordinates in a row at `v`) to a block's 16 points into out[16]; false, with out unfinished, once
// every partial sum is over the lane's limit. Sums only grow, so that nothing at or under its limit is ever given up.
// @ts-ignore: decorator
@inline
export function distances(block: usize, v: usize, d: u32, tagged: bool, l1: bool, limits: usize, out: usize): bool {
  const K0 = v128.load(limits), K1 = v128.load(limits, 16), K2 = v128.load(limits, 32), K3 = v128.load(limits, 48);
  let a = f32x4.splat(0), b = a, c = a, e = a;
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

/** Lowers a block's keys by the distances to one visited point; whether any key or parent changed. */
// @ts-ignore: decorator
@inline
export function lower(job: usize, state: usize, b: u32, v: usize, l1: bool, grow: v128, slack: v128): bool {
  const d = word(job, Job.d), m = word(job, Job.boundRows);
  const K = ptr(state, Worker.keys) + (<usize>b << 6), out = ptr(state, Worker.out);
  if (m > 0 && !lanesUnder(ptr(state, Worker.bounds) + <usize>b * (<usize>m << 6), v + HEAD, m, l1, K, grow, slack)) return false;
  const block = ptr(state, Worker.points) + <usize>b * (<usize>(d + word(job, Job.tagRows)) << 6);
  if (!distances(block, v + HEAD + (<usize>m << 2), d, word(job, Job.tagRows) != 0, l1, K, out)) return false;
  const better = v128.or(
    v128.or(f32x4.le(v128.load(out), v128.load(K)), f32x4.le(v128.load(out, 16), v128.load(K, 16))),
    v128.or(f32x4.le(v128.load(out, 32), v128.load(K, 32)), f32x4.le(v128.load(out, 48), v128.load(K, 48))),
  );
  if (!v128.any_true(better)) return false;
  const P = ptr(state, Worker.parents) + (<usize>b << 6);
  const id = load<u32>(v, 4);
  for (let lane: usize = 0; lane < 64; lane += 4) {
    const x = load<f32>(out + lane), key = load<f32>(K + lane);
    if (x < key) {
      store<f32>(K + lane, x);
      store<u32>(P + lane, id);
    } else if (x == key && id < load<u32>(P + lane)) store<u32>(P + lane, id);
  }
  return true;
}
