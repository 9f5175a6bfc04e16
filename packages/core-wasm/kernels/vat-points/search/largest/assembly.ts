// The largest distance that a worker knows of (state word 12) and the lowest index that has it (word 13).
import { ptr, word } from "../../../../assembly/words";
import { NONE, raise, stateOf } from "../../blocks/assembly";
import { Job, Worker } from "../../memory";

/** The largest distance known to any worker; what is below it decides nothing. */
// @ts-ignore: decorator
@inline
export function largestKnown(job: usize, state: usize): f32 {
  const cell = ptr(job, Job.sync) + 256;
  const shared = reinterpret<f32>(atomic.load<u32>(cell)), own = load<f32>(state, Worker.largest << 2);
  if (shared > own) {
    store<f32>(state, shared, Worker.largest << 2)
    store<u32>(state, NONE, Worker.largestIndex << 2)
    return shared;
  }
  if (own > shared) raise(cell, own);
  return own;
}

/** Takes the distance of two points into the worker's largest. */
// @ts-ignore: decorator
@inline
export function takePair(state: usize, x: f32, a: u32, b: u32): void {
  const best = load<f32>(state, Worker.largest << 2);
  if (x > best) {
    store<f32>(state, x, Worker.largest << 2)
    store<u32>(state, min(a, b), Worker.largestIndex << 2)
  } else if (x == best) store<u32>(state, min(word(state, Worker.largestIndex), min(a, b)), Worker.largestIndex << 2)
}

/** The same for the distances of point `id` to those of a block's points `ids` that are in `lanes`, f32[16] at `out`. */
export function takeLargest(state: usize, out: usize, ids: usize, id: u32, lanes: u32): void {
  const B = f32x4.splat(load<f32>(state, Worker.largest << 2));
  lanes &=
    i32x4.bitmask(f32x4.ge(v128.load(out), B)) |
    (i32x4.bitmask(f32x4.ge(v128.load(out, 16), B)) << 4) |
    (i32x4.bitmask(f32x4.ge(v128.load(out, 32), B)) << 8) |
    (i32x4.bitmask(f32x4.ge(v128.load(out, 48), B)) << 12);
  for (; lanes; lanes &= lanes - 1) {
    const o = <usize>ctz(lanes) << 2;
    const i = load<u32>(ids + o);
    if (i != NONE) takePair(state, load<f32>(out + o), i, id);
  }
}

/** Where all pairs were gone through: the lowest index of all workers that has the largest distance. */
export function startOf(job: usize): u32 {
  let best: f32 = -1;
  let start = NONE;
  for (let w: u32 = 0; w < word(job, Job.workers); w++) {
    const other = stateOf(job, w);
    const x = load<f32>(other, Worker.largest << 2), s = word(other, Worker.largestIndex);
    if (s != NONE && (x > best || (x == best && s < start))) {
      best = x;
      start = s;
    }
  }
  return start;
}
