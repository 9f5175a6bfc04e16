// The farthest pair of vat-points: the largest distance and the lowest index that has it. Boxes, bound rows and whole numbers give upper bounds;
// a pair is passed over only if it is surely below the largest distance known, so that the answer does not depend on who looked first.
// The tree's rounds (../tree) look for it on their way; where there are none a search goes over the same pairs for it alone.
import { ptr, word } from "../../../assembly/words";
import { HEAD, NONE, blockBytes, candidate, publish, raise, stateOf } from "../blocks/assembly";
import { distances } from "../direct/assembly";
import { pairDistance } from "../pairs/assembly";
import { publishBlock, tile } from "../tiles/assembly";
import { takePair } from "./largest/assembly";
import { Job, Worker } from "../memory";

/** Distances of one stored point (global block · 16 + lane) to all, for a first guess of the largest; answers the farthest in the same way. */
export function vatPointsProbe(job: usize, from: u32): u32 {
  const workers = word(job, Job.workers), d = word(job, Job.d), records = word(job, Job.asRecords) != 0, l1 = word(job, Job.l1) != 0;
  const own = stateOf(job, 0), out = ptr(own, Worker.out);
  const v = candidate(job, 1, 0);
  const home = from >> 4;
  publish(job, stateOf(job, home % workers), ((home / workers) << 4) | (from & 15), v);
  const id = load<u32>(v, 4);
  const coordinates = v + HEAD + (<usize>word(job, Job.boundRows) << 2);
  const limits = ptr(own, Worker.infinities);
  let far: f32 = -1;
  let at: u32 = from;
  for (let b: u32 = 0; b < word(job, Job.blocks); b++) {
    const state = stateOf(job, b % workers);
    const local = <usize>(b / workers);
    const block = ptr(state, Worker.points) + local * blockBytes(job);
    const ids = ptr(state, Worker.ids) + (local << 6);
    if (!records) {
      if (l1) distances(block, coordinates, d, word(job, Job.tagRows) != 0, true, limits, out);
      else distances(block, coordinates, d, word(job, Job.tagRows) != 0, false, limits, out);
    }
    for (let lane: u32 = 0; lane < 16; lane++) {
      const i = load<u32>(ids + (<usize>lane << 2));
      if (i == NONE) continue;
      const x = !records ? load<f32>(out + (<usize>lane << 2)) : l1 ? pairDistance(job, id, i, true, Infinity) : pairDistance(job, id, i, false, Infinity);
      takePair(own, x, i, id);
      if (x > far) {
        far = x;
        at = (b << 4) | lane;
      }
    }
  }
  raise(ptr(job, Job.sync) + 256, load<f32>(own, Worker.largest << 2));
  return at;
}

/** All pairs of block g with itself and later blocks that could hold the largest distance. */
export function farthestRow(job: usize, state: usize, g: u32, l1: bool): void {
  publishBlock(job, state, g);
  for (let b = g; b < word(job, Job.blocks); b++) tile(job, state, g, b, 0xffff, 0, false, l1);
}
