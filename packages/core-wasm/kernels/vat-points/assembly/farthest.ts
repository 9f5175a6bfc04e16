// The farthest pair: the largest distance that a worker knows of, and the lowest index that has it.
import { float, ptr, setFloat, setWord, word } from '../../../assembly/words';
import { Job, Sync, Worker } from '../memory';
import { NONE, workerOf } from './blocks';

/** The largest distance known to any worker; what is below it decides nothing. */
// @ts-ignore: decorator
@inline
export function largestKnown(job: usize, state: usize): f32 {
  const cell = ptr(job, Job.sync) + (Sync.largest << 2);
  const shared = reinterpret<f32>(atomic.load<u32>(cell)),
    own = float(state, Worker.largest);
  if (shared > own) {
    setFloat(state, Worker.largest, shared);
    setWord(state, Worker.largestIndex, NONE);
    return shared;
  }
  if (own > shared) raise(cell, own);
  return own;
}

/** Takes the distance of two points into the worker's largest. */
// @ts-ignore: decorator
@inline
export function takePair(state: usize, x: f32, a: u32, b: u32): void {
  const best = float(state, Worker.largest);
  if (x > best) {
    setFloat(state, Worker.largest, x);
    setWord(state, Worker.largestIndex, min(a, b));
  } else if (x == best) setWord(state, Worker.largestIndex, min(word(state, Worker.largestIndex), min(a, b)));
}

/**
 * The same for the distances of point `id` to those of a block's points `ids` that are in `lanes`, f32[16] at `out`.
 */
export function takeLargest(state: usize, out: usize, ids: usize, id: u32, lanes: u32): void {
  const B = f32x4.splat(float(state, Worker.largest));
  lanes &=
    i32x4.bitmask(f32x4.ge(v128.load(out), B)) |
    (i32x4.bitmask(f32x4.ge(v128.load(out, 16), B)) << 4) |
    (i32x4.bitmask(f32x4.ge(v128.load(out, 32), B)) << 8) |
    (i32x4.bitmask(f32x4.ge(v128.load(out, 48), B)) << 12);
  for (; lanes; lanes &= lanes - 1) {
    const o = (<usize>ctz(lanes)) << 2;
    const i = load<u32>(ids + o);
    if (i != NONE) takePair(state, load<f32>(out + o), i, id);
  }
}

/** Once all pairs were seen: the lowest index of all workers that has the largest distance. */
export function startOf(job: usize): u32 {
  let best: f32 = -1;
  let start = NONE;
  for (let w: u32 = 0; w < word(job, Job.workers); w++) {
    const other = workerOf(job, w);
    const x = float(other, Worker.largest),
      s = word(other, Worker.largestIndex);
    if (s != NONE && (x > best || (x == best && s < start))) {
      best = x;
      start = s;
    }
  }
  // Mutual reachabilities are no larger; a core distance as large makes all of its point's pairs the farthest.
  const cores = ptr(job, Job.cores);
  if (cores) for (let i: u32 = 0; i < word(job, Job.n); i++) if (load<f32>(cores + ((<usize>i) << 2)) >= best) return 0;
  return start;
}

/** Raises a shared f32 that is not negative: such order like their bits. */
export function raise(cell: usize, value: f32): void {
  const bits = reinterpret<u32>(value);
  let seen = atomic.load<u32>(cell);
  while (bits > seen) {
    const old = atomic.cmpxchg<u32>(cell, seen, bits);
    if (old == seen) return;
    seen = old;
  }
}
