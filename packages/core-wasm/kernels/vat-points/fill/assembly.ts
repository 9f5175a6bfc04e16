// Points into blocks and records.
import { ptr, word } from "../../../assembly/words";
import { blockBytes, record, stateOf } from "../blocks/assembly";
import { Job, Worker } from "../memory";

/** Direct: writes up to 16 points, f32 rows of d coordinates at `rows`, into global block g; `dimensions` u32[d] is the order of the coordinates. */
export function vatPointsFill(job: usize, g: u32, rows: usize, count: u32, dimensions: usize): void {
  const d = word(job, Job.d), workers = word(job, Job.workers);
  const block = ptr(stateOf(job, g % workers), Worker.points) + <usize>(g / workers) * blockBytes(job);
  const step = <usize>d << 2;
  for (let lane: usize = 0; lane < <usize>count << 2; lane += 4, rows += step) {
    let to = block + lane;
    for (let k: usize = 0; k < step; k += 4, to += 64) store<f32>(to, load<f32>(rows + (<usize>load<u32>(dimensions + k) << 2)));
  }
}

/**
 * Not direct: writes point `id`, an f32 row of d coordinates, into its record and, if there are whole numbers, as the given lane of global block g.
 * Its whole numbers are those of centre + f·(x − centre), its lead follows x; odd is 1 if it may lie farther from others than they tell. centre: f64, in the same order as a record's coordinates,
 * filled up with zeros to a multiple of 4.
 */
export function vatPointsFillWhole(job: usize, g: u32, lane: u32, id: u32, row: usize, dimensions: usize, centre: usize, f: f64, tag: u32, odd: u32): void {
  const d = word(job, Job.d), workers = word(job, Job.workers);
  const to = record(job, id);
  store<u32>(to, tag);
  store<u32>(to, odd, 8);
  for (let k: usize = 0; k < <usize>d << 2; k += 4) store<f32>(to + 16 + k, load<f32>(row + (<usize>load<u32>(dimensions + k) << 2)));
  if (!word(job, Job.quantised)) return;
  const state = stateOf(job, g % workers);
  const local = <usize>(g / workers);
  let p = ptr(state, Worker.points) + local * blockBytes(job) + (<usize>lane << 2);
  let q = to + ptr(job, Job.wholeAt);
  const steps = f * <f64>load<f32>(job, Job.wholeSteps << 2), factor = f64x2.splat(steps);
  let sum = i32x4.splat(0);
  // Four at a time: coordinates are filled up with zeros, whole numbers of a record have room.
  for (let k: u32 = 0; k < d; k += 4, q += 8, centre += 32, p += 128) {
    const x = v128.load(to + 16 + (<usize>k << 2));
    const low = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(x), v128.load(centre)), factor);
    const high = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 1)), v128.load(centre, 16)), factor);
    const y = i64x2.shuffle(i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(low)), i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(high)), 0, 2);
    const z = i16x8.narrow_i32x4_s(y, i32x4.splat(0));
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(z, z));
    v128.store64_lane(q, z, 0);
    v128.store32_lane(p, z, 0);
    if (k + 2 < d) v128.store32_lane(p + 64, z, 1);
  }
  const norm = i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1);
  store<i32>(to, norm, 4);
  const slot = local << 4 | <usize>lane;
  const lead = word(job, Job.leadLength);
  p = ptr(state, Worker.leads) + local * (<usize>lead << 5) + (<usize>lane << 2);
  q = to + ptr(job, Job.leadAt);
  let leadNorm: i32 = 0;
  for (let k: u32 = 0; k < lead; k++, q += 2) {
    const y = <i32>nearest(<f64>load<f32>(row + (<usize>(d + k) << 2)) * steps);
    leadNorm += y * y;
    store<i16>(q, <i16>y);
    store<i16>(p + (<usize>(k & 1) << 1), <i16>y);
    if (k & 1) p += 64;
  }
  store<i32>(to, leadNorm, 12);
  store<i32>(ptr(state, Worker.leadNorms) + (slot << 2), leadNorm);
  store<i32>(ptr(state, Worker.norms) + (slot << 2), norm);
  store<u32>(ptr(state, Worker.odd) + (slot << 2), odd);
}

/**
 * For all blocks: bound rows, boxes and those around sixteen, keys, ids and the lowest of these. values: f32[n × wide], what boxes are made of, the bound rows where there
 * are any; index: u32[n], the points in their places.
 */
export function vatPointsFillBounds(job: usize, values: usize, wide: u32, index: usize): void {
  const n = word(job, Job.n), m = word(job, Job.boundRows), workers = word(job, Job.workers), rows = word(job, Job.boxRows);
  let box = ptr(job, Job.boxes);
  for (let g: u32 = 0; g < word(job, Job.blocks); g++, box += <usize>rows << 3) {
    const state = stateOf(job, g % workers);
    const local = <usize>(g / workers);
    const bounds = ptr(state, Worker.bounds) + local * (<usize>m << 6), keys = ptr(state, Worker.keys) + (local << 6), ids = ptr(state, Worker.ids) + (local << 6);
    let least: u32 = -1;
    for (let r: usize = 0; r < <usize>rows << 3; r += 8) {
      store<f32>(box + r, Infinity);
      store<f32>(box + r, -Infinity, 4);
    }
    for (let lane: usize = 0; lane < <usize>min<u32>(16, n - (g << 4)) << 2; lane += 4) {
      const i = load<u32>(index + (<usize>g << 6) + lane);
      store<u32>(ids + lane, i);
      store<f32>(keys + lane, Infinity);
      least = min(least, i);
      let p = values + (<usize>i * wide << 2);
      for (let k: usize = 0; k < rows; k++, p += 4) {
        const y = load<f32>(p), b = box + (k << 3);
        if (k < m) store<f32>(bounds + (k << 6) + lane, y);
        store<f32>(b, min(load<f32>(b), y));
        store<f32>(b, max(load<f32>(b, 4), y), 4);
      }
    }
    store<u32>(ptr(state, Worker.blockId) + (local << 2), least);
    const around = ptr(job, Job.around) + <usize>(g >> 4) * (<usize>rows << 3);
    for (let r: usize = 0; r < <usize>rows << 3; r += 8) {
      const low = load<f32>(box + r), high = load<f32>(box + r, 4);
      store<f32>(around + r, g & 15 ? min(load<f32>(around + r), low) : low);
      store<f32>(around + r, g & 15 ? max(load<f32>(around + r, 4), high) : high, 4);
    }
  }
}
