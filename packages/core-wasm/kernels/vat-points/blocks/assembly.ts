// The memory of vat-points: Prim's order straight from points, on one worker or several over one memory. Nothing n×n is ever held.
//
// Points lie in blocks of 16, neighbours in space. Beside them lie a few bound rows a block: an orthonormal projection and the norm of
// what it leaves out (or chosen coordinates and the rest's L1 norm). From them follow lower and upper bounds of a distance; they only
// decide what need not be computed, with a margin for rounding, and so never change a result. A visited point's key is −1, and every
// so often the living are moved together in order. Global block g is block ⌊g / workers⌋ of worker g mod workers.
//
// With few coordinates a block holds these, transposed, and distances are computed from a point to a block's sixteen at once. With more,
// points lie as records, a block holds them in whole numbers of 16 bits, and distances are computed pair by pair, of those that the whole
// numbers leave. For Prim's own steps a block then puts distances off (../debts).
//
// Memory contract (written by ../job.ts; u32 words). Job: 0 n, 1 d, 2 bound rows m, 3 L1, 4 workers, 5 tag rows (0 or 1), 6 order u32[n],
// 7 weights f32[n] and parents u32[n], 8 candidates, 9 bytes of one, 10 states, 11 sync, 12 f32 grow and 13 f32 slack (margin of the
// bounds), 14 blocks in all, 15 boxes: f32 lowest and highest of each of 16 box rows per block, 17 the last box row is such a norm,
// 18 visited points in order, each as a candidate (records only), 19 points are records, 20 whole numbers are there (L2 and records), 21 f32 how far an
// ordinary point lies from its whole numbers, 22 records, 23 bytes of one, 24 where its whole numbers begin, 25 f32 steps of these per unit,
// 26 the tree's memory or 0 (../tree), 27 which points are equal (../job.ts), 28 whole numbers of a lead (../tiles), an even number, 29 where they begin
// in a record, 30 boxes around each sixteen blocks that follow each other.
// A record: tag, squared norm of its whole numbers, 1 if it may lie farther from others than these tell (odd), squared norm of its lead; then
// coordinates, whole numbers and lead.
// Worker state: 0 points, 1 bounds, 2 keys, 3 ids, 4 parents, 5 out f32[16], 6 least key and 7 its id per block, 8 blocks, 9 Prim's
// step, 10 row of the search, 11 epoch, 12 f32 largest distance and 13 its lowest index, 14 f32[16] of +∞, 16 scratch of 16 candidates,
// 17 boxes of its own blocks: per box row the lowest of each block, then the highest, 19 floats of one of these, 18 f32 lower bound of
// what each block owes, 20 the number of the first visited point that it may owe, 21 largest key per block, 22 squared norms of its
// points' whole numbers, 23 products i32[4 × 16], 24 points left when the living were last moved together, 25 which of its
// points are odd, 26 limits i32[16], 27 the tree's memory of this worker, 28 not 0: the tree is at work, 29 leads, 30 their squared norms, 31 scratch of 576 bytes (../tiles): limits f32[16], the level's and a row's as whole
// numbers, products i32[4 × 16], four rows held, and how often leads helped.
// Sync, one a cache line: byte 0 arrivals, 64 sleepers, 128 cancel, 192 abort, 256 largest distance, 320 step to stop after,
// 384 and 448 least key known in even and odd steps. A candidate: key, id, parent, slot, f32 the worker's next key after this one,
// squared norm of its whole numbers, odd, its record (of a tile's rows); then bound row and, with few coordinates, these.

import { ptr, word } from "../../../assembly/words";
import { Job, Worker } from "../memory";

export const NONE: u32 = 0xffffffff;
// Bytes of a candidate before its rows.
export const HEAD: usize = 32;

// @ts-ignore: decorator
@inline
export function stateOf(job: usize, worker: u32): usize {
  return ptr(job, Job.states) + <usize>worker * 128;
}

// @ts-ignore: decorator
@inline
export function candidate(job: usize, parity: u32, worker: u32): usize {
  return ptr(job, Job.candidates) + <usize>((parity & 1) * word(job, Job.workers) + worker) * ptr(job, Job.candidateBytes);
}

// @ts-ignore: decorator
@inline
export function record(job: usize, id: u32): usize {
  return ptr(job, Job.records) + <usize>id * ptr(job, Job.recordBytes);
}

// Bytes of a direct block; of another, which holds two whole numbers where the other holds a coordinate.
// @ts-ignore: decorator
@inline
export function blockBytes(job: usize): usize {
  const d = word(job, Job.d);
  return word(job, Job.asRecords) ? (word(job, Job.quantised) ? <usize>((d + 1) >> 1) << 6 : 0) : <usize>(d + word(job, Job.tagRows)) << 6;
}

// One term of a distance: (x−y)² or |x−y|.
// @ts-ignore: decorator
@inline
export function term(acc: v128, x: v128, y: v128, l1: bool): v128 {
  const t = f32x4.sub(x, y);
  return f32x4.add(acc, l1 ? f32x4.abs(t) : f32x4.mul(t, t));
}

// Writes slot's point as a worker's candidate, all but the next key.
export function publish(job: usize, state: usize, slot: u32, to: usize): void {
  const m = word(job, Job.boundRows);
  const at = <usize>slot << 2;
  store<f32>(to, load<f32>(ptr(state, Worker.keys) + at));
  store<u32>(to, load<u32>(ptr(state, Worker.ids) + at), 4);
  store<u32>(to, load<u32>(ptr(state, Worker.parents) + at), 8);
  store<u32>(to, slot, 12);
  gather(ptr(state, Worker.bounds), m, slot, to + HEAD);
  if (word(job, Job.asRecords)) {
    store<u32>(to, load<u32>(ptr(state, Worker.norms) + at), 20);
    store<u32>(to, load<u32>(ptr(state, Worker.odd) + at), 24);
  } else gather(ptr(state, Worker.points), word(job, Job.d) + word(job, Job.tagRows), slot, to + HEAD + (<usize>m << 2));
}

function gather(base: usize, rows: u32, slot: u32, to: usize): void {
  let p = base + <usize>(slot >> 4) * (<usize>rows << 6) + (<usize>(slot & 15) << 2);
  for (let k: u32 = 0; k < rows; k++) {
    store<f32>(to, load<f32>(p));
    p += 64;
    to += 4;
  }
}

// Non-negative floats order like their bits.
export function raise(cell: usize, value: f32): void {
  const bits = reinterpret<u32>(value);
  let seen = atomic.load<u32>(cell);
  while (bits > seen) {
    const old = atomic.cmpxchg<u32>(cell, seen, bits);
    if (old == seen) return;
    seen = old;
  }
}

export function sink(cell: usize, value: f32): void {
  const bits = reinterpret<u32>(value);
  let seen = atomic.load<u32>(cell);
  while (bits < seen) {
    const old = atomic.cmpxchg<u32>(cell, seen, bits);
    if (old == seen) return;
    seen = old;
  }
}
