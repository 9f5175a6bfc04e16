// Steps of vat-points through a sieve: in every block that boxes and bounds leave, the visited point's whole numbers are compared with those of
// the 16 points, and only the pairs that these leave are computed. For a middling number of coordinates: float32 differences (../direct) cost
// twice as much, and putting off (../debts) does not earn what its books cost.
import { ptr, word } from "../../../assembly/words";
import { HEAD, NONE, record } from "../blocks/assembly";
import { lanesUnder, leastOf, refresh, toBoxes } from "../living/assembly";
import { lowerLanes } from "../pairs/assembly";
import { lanesWithin, product, setLimits, whole, wholeBytes } from "../quantised/assembly";

// Looks at the bounds in a step before they are judged.
const LOOK: u32 = 16;
const ALL: u32 = 0xffff;

/** Takes the visited point at `v` into a worker's keys, as far as it could decide; answers the least key. */
// @ts-ignore: decorator
@inline
export function sift(job: usize, state: usize, v: usize): f32 {
  const m = word(job, 2), rows = word(job, 16), blocks = word(state, 8);
  const boxes = ptr(state, 17), tops = ptr(state, 21), blockKey = ptr(state, 6), blockId = ptr(state, 7);
  const row = usize(word(state, 19)) << 2;
  const keys = ptr(state, 2), bounds = ptr(state, 1), points = ptr(state, 0), norms = ptr(state, 22), out = ptr(state, 23), limits = ptr(state, 26);
  const grow = f32x4.splat(load<f32>(job, 48)), slack = f32x4.splat(load<f32>(job, 52));
  const id = load<u32>(v, 4), norm = load<i32>(v, 20);
  const bytes = wholeBytes(job);
  const numbers = record(job, id) + whole(job);
  let looked: u32 = 0, spared: u32 = 0;
  for (let four: u32 = 0; four < blocks; four += 4) {
    const sum = toBoxes(boxes + (<usize>four << 2), row, v + HEAD, rows, false);
    let left = <u32>i32x4.bitmask(f32x4.le(sum, f32x4.add(f32x4.mul(v128.load(tops + (<usize>four << 2)), grow), slack)));
    for (; left; left &= left - 1) {
      const b = four + ctz(left);
      if (b >= blocks || load<u32>(blockId + (<usize>b << 2)) == NONE) continue;
      const at = <usize>b << 6;
      let lanes = ALL;
      // Where bounds spare fewer than one in eight they cost more than they save.
      if (looked < LOOK || spared << 3 >= looked) {
        looked++;
        lanes = lanesUnder(bounds + at * m, v + HEAD, m, false, keys + at, grow, slack);
        if (!lanes) {
          spared++;
          continue;
        }
      }
      product(points + <usize>b * (bytes << 4), numbers, bytes, out, i32x4.splat(0));
      lanes &= lanesWithin(out, norms + at, norm, limits + at);
      if (!lanes || !lowerLanes(job, state, b, id, lanes, false)) continue;
      refresh(state, b);
      setLimits(job, keys + at, limits + at, grow, slack);
    }
  }
  return leastOf(blockKey, 0, blocks);
}

/** The limits of all of a worker's blocks, at the start and after the living were moved together. */
export function allLimits(job: usize, state: usize): void {
  const grow = f32x4.splat(load<f32>(job, 48)), slack = f32x4.splat(load<f32>(job, 52));
  for (let at: usize = 0; at < <usize>word(state, 8) << 6; at += 64) setLimits(job, ptr(state, 2) + at, ptr(state, 26) + at, grow, slack);
}
