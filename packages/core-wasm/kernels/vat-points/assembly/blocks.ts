// Points in blocks of 16, neighbours in space, shared out to the workers in turn.
//
// With few coordinates a block holds these, transposed, and distances are computed from a point to a block's sixteen
// at once ("direct"). With more, points lie as records, a block holds them quantised, and distances are computed pair
// by pair. Beside them lie a few bound rows a block, from which lower and upper bounds of distances follow. Bounds
// only decide what need not be computed, with a tolerance for rounding, and so never change a result.
import { ptr, setWord, word } from '../../../assembly/words';
import { Job, Row, Worker } from '../memory';

export const NONE: u32 = 0xffffffff;

// @ts-ignore: decorator
@inline
export function workerOf(job: usize, worker: u32): usize {
  return ptr(job, Job.workerHeaders) + <usize>worker * (Worker.size << 2);
}

// @ts-ignore: decorator
@inline
export function record(job: usize, id: u32): usize {
  return ptr(job, Job.records) + <usize>id * ptr(job, Job.recordBytes);
}

/** Bytes of a block of coordinates or, of records, of quantised ones, two of which take the room of one. */
// @ts-ignore: decorator
@inline
export function blockBytes(job: usize): usize {
  const d = word(job, Job.d);
  return word(job, Job.asRecords)
    ? word(job, Job.quantised)
      ? (<usize>((d + 1) >> 1)) << 6
      : 0
    : (<usize>(d + word(job, Job.tagRows))) << 6;
}

/** The 16 points of block g as rows (see Row) of the worker, for the tiles of this block. */
export function publishBlock(job: usize, state: usize, g: u32): void {
  const workers = word(job, Job.workers),
    home = workerOf(job, g % workers);
  const rows = ptr(state, Worker.rows),
    size = ptr(job, Job.rowBytes);
  for (let lane: u32 = 0; lane < 16; lane++) publish(job, home, ((g / workers) << 4) | lane, rows + <usize>lane * size);
}

/** Writes the point in a worker's slot (block · 16 + lane) as a row. */
export function publish(job: usize, home: usize, slot: u32, to: usize): void {
  const at = (<usize>slot) << 2,
    id = load<u32>(ptr(home, Worker.ids) + at),
    m = word(job, Job.boundRows);
  const values = to + (Row.size << 2);
  setWord(to, Row.id, id);
  gather(ptr(home, Worker.bounds), m, slot, values);
  if (word(job, Job.asRecords)) {
    setWord(to, Row.norm, load<u32>(ptr(home, Worker.norms) + at));
    setWord(to, Row.odd, load<u32>(ptr(home, Worker.odd) + at));
    setWord(to, Row.record, <u32>record(job, id));
  } else gather(ptr(home, Worker.points), word(job, Job.d) + word(job, Job.tagRows), slot, values + ((<usize>m) << 2));
}

/** One point's column of transposed rows. */
export function gather(base: usize, rows: u32, slot: u32, to: usize): void {
  let p = base + <usize>(slot >> 4) * ((<usize>rows) << 6) + ((<usize>(slot & 15)) << 2);
  for (let k: u32 = 0; k < rows; k++) {
    store<f32>(to, load<f32>(p));
    p += 64;
    to += 4;
  }
}
