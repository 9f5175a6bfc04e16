// The search for the farthest pair where there is no tree whose rounds find it on their way. A pair is passed over
// only if a bound shows it to be below the largest distance known, so that the result does not depend on who looked
// first.
import { float, ptr, word } from '../../../assembly/words';
import { Job, Row, Sync, Worker } from '../memory';
import { NONE, blockBytes, publish, publishBlock, workerOf } from './blocks';
import { distances, pairDistance } from './distances';
import { raise, takePair } from './farthest';
import { tile } from './tile';

/**
 * Distances of one stored point (global block · 16 + lane) to all, for a first guess of the largest; returns the
 * farthest in the same way.
 */
export function vatPointsProbe(job: usize, from: u32): u32 {
  const workers = word(job, Job.workers),
    d = word(job, Job.d),
    records = word(job, Job.asRecords) != 0,
    l1 = word(job, Job.l1) != 0;
  const own = workerOf(job, 0),
    out = ptr(own, Worker.out),
    row = ptr(own, Worker.rows);
  const home = from >> 4;
  publish(job, workerOf(job, home % workers), ((home / workers) << 4) | (from & 15), row);
  const id = word(row, Row.id),
    tagged = word(job, Job.tagRows) != 0;
  const coordinates = row + (Row.size << 2) + ((<usize>word(job, Job.boundRows)) << 2);
  const limits = ptr(own, Worker.infinities);
  let far: f32 = -1;
  let at: u32 = from;
  for (let b: u32 = 0; b < word(job, Job.blocks); b++) {
    const state = workerOf(job, b % workers);
    const local = <usize>(b / workers);
    const block = ptr(state, Worker.points) + local * blockBytes(job);
    const ids = ptr(state, Worker.ids) + (local << 6);
    if (!records) {
      if (l1) distances(block, coordinates, d, tagged, true, limits, out);
      else distances(block, coordinates, d, tagged, false, limits, out);
    }
    for (let lane: u32 = 0; lane < 16; lane++) {
      const i = load<u32>(ids + ((<usize>lane) << 2));
      if (i == NONE) continue;
      const x = !records
        ? load<f32>(out + ((<usize>lane) << 2))
        : l1
          ? pairDistance(job, id, i, true, Infinity)
          : pairDistance(job, id, i, false, Infinity);
      takePair(own, x, i, id);
      if (x > far) {
        far = x;
        at = (b << 4) | lane;
      }
    }
  }
  raise(ptr(job, Job.sync) + (Sync.largest << 2), float(own, Worker.largest));
  return at;
}

/** All pairs of block g with itself and later blocks that could hold the largest distance. */
export function farthestRow(job: usize, state: usize, g: u32, l1: bool): void {
  publishBlock(job, state, g);
  for (let b = g; b < word(job, Job.blocks); b++) tile(job, state, g, b, 0xffff, 0, false, l1);
}
