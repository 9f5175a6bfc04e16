// Points into blocks and records.
import { float, ptr, setWord, word } from '../../../assembly/words';
import { Box, Job, PointRecord, Worker } from '../memory';
import { blockBytes, record, workerOf } from './blocks';

/**
 * Direct: writes up to 16 points, f32 rows of d coordinates at `rows`, into global block g; `dimensions` u32[d] is
 * the order of the coordinates.
 */
export function vatPointsFill(job: usize, g: u32, rows: usize, count: u32, dimensions: usize): void {
  const d = word(job, Job.d),
    workers = word(job, Job.workers);
  const block = ptr(workerOf(job, g % workers), Worker.points) + <usize>(g / workers) * blockBytes(job);
  const step = (<usize>d) << 2;
  for (let lane: usize = 0; lane < (<usize>count) << 2; lane += 4, rows += step) {
    let to = block + lane;
    for (let k: usize = 0; k < step; k += 4, to += 64)
      store<f32>(to, load<f32>(rows + ((<usize>load<u32>(dimensions + k)) << 2)));
  }
}

/** Writes point `id`, an f32 row of d coordinates, into its record. */
export function vatPointsFillRecord(job: usize, id: u32, row: usize, dimensions: usize, tag: u32): void {
  const to = record(job, id),
    coordinates = to + (PointRecord.size << 2);
  setWord(to, PointRecord.tag, tag);
  for (let k: usize = 0; k < (<usize>word(job, Job.d)) << 2; k += 4)
    store<f32>(coordinates + k, load<f32>(row + ((<usize>load<u32>(dimensions + k)) << 2)));
}

/**
 * Quantises point `id`, whose record is written: the coordinates of centre + f·(x − centre), into its record and as
 * the given lane of global block g. Its prefix, f32[prefixLength], follows the row and x itself. odd: 1 if the point
 * may lie farther from others than the quantised coordinates show. centre: f64 in the order of a record's
 * coordinates, filled up with zeros to a multiple of 4.
 */
export function vatPointsQuantise(
  job: usize,
  g: u32,
  lane: u32,
  id: u32,
  row: usize,
  centre: usize,
  f: f64,
  odd: u32,
): void {
  const d = word(job, Job.d),
    workers = word(job, Job.workers);
  const to = record(job, id),
    coordinates = to + (PointRecord.size << 2);
  setWord(to, PointRecord.odd, odd);
  const state = workerOf(job, g % workers);
  const local = <usize>(g / workers);
  let p = ptr(state, Worker.points) + local * blockBytes(job) + ((<usize>lane) << 2);
  let q = to + ptr(job, Job.quantisedAt);
  const steps = f * <f64>float(job, Job.stepsPerUnit),
    factor = f64x2.splat(steps);
  let sum = i32x4.splat(0);
  // Four at a time: coordinates are filled up with zeros, the quantised ones of a record have room.
  for (let k: u32 = 0; k < d; k += 4, q += 8, centre += 32, p += 128) {
    const x = v128.load(coordinates + ((<usize>k) << 2));
    const low = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(x), v128.load(centre)), factor);
    const high = f64x2.mul(
      f64x2.sub(f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 1)), v128.load(centre, 16)),
      factor,
    );
    const y = i64x2.shuffle(
      i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(low)),
      i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(high)),
      0,
      2,
    );
    const z = i16x8.narrow_i32x4_s(y, i32x4.splat(0));
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(z, z));
    v128.store64_lane(q, z, 0);
    v128.store32_lane(p, z, 0);
    if (k + 2 < d) v128.store32_lane(p + 64, z, 1);
  }
  const norm = i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1);
  setWord(to, PointRecord.norm, norm);
  const slot = ((local << 4) | <usize>lane) << 2;
  const prefix = word(job, Job.prefixLength);
  p = ptr(state, Worker.prefixes) + local * ((<usize>prefix) << 5) + ((<usize>lane) << 2);
  q = to + ptr(job, Job.prefixAt);
  let prefixNorm: i32 = 0;
  for (let k: u32 = 0; k < prefix; k++, q += 2) {
    const y = <i32>nearest(<f64>load<f32>(row + ((<usize>(d + k)) << 2)) * steps);
    prefixNorm += y * y;
    store<i16>(q, <i16>y);
    store<i16>(p + ((<usize>(k & 1)) << 1), <i16>y);
    if (k & 1) p += 64;
  }
  setWord(to, PointRecord.prefixNorm, prefixNorm);
  store<i32>(ptr(state, Worker.prefixNorms) + slot, prefixNorm);
  store<i32>(ptr(state, Worker.norms) + slot, norm);
  store<u32>(ptr(state, Worker.odd) + slot, odd);
}

/**
 * For all blocks: ids, bound rows, boxes and those around sixteen. values: f32[n × wide], what boxes are made of, the
 * bound rows where there are any; index: u32[n], the points in their places.
 */
export function vatPointsFillBounds(job: usize, values: usize, wide: u32, index: usize): void {
  const n = word(job, Job.n),
    m = word(job, Job.boundRows),
    workers = word(job, Job.workers),
    rows = word(job, Job.boxRows);
  const boxBytes = (<usize>rows) << 3;
  let box = ptr(job, Job.boxes);
  for (let g: u32 = 0; g < word(job, Job.blocks); g++, box += boxBytes) {
    const state = workerOf(job, g % workers);
    const local = <usize>(g / workers);
    const bounds = ptr(state, Worker.bounds) + local * ((<usize>m) << 6),
      ids = ptr(state, Worker.ids) + (local << 6);
    for (let r: usize = 0; r < boxBytes; r += 8) {
      store<f32>(box + r, Infinity);
      store<f32>(box + r, -Infinity, Box.high << 2);
    }
    for (let lane: usize = 0; lane < (<usize>min<u32>(16, n - (g << 4))) << 2; lane += 4) {
      const i = load<u32>(index + ((<usize>g) << 6) + lane);
      store<u32>(ids + lane, i);
      let p = values + ((<usize>i * wide) << 2);
      for (let k: usize = 0; k < rows; k++, p += 4) {
        const y = load<f32>(p),
          b = box + (k << 3);
        if (k < m) store<f32>(bounds + (k << 6) + lane, y);
        store<f32>(b, min(load<f32>(b), y));
        store<f32>(b, max(load<f32>(b, Box.high << 2), y), Box.high << 2);
      }
    }
    const around = ptr(job, Job.boxesOf16) + <usize>(g >> 4) * boxBytes;
    for (let r: usize = 0; r < boxBytes; r += 8) {
      const low = load<f32>(box + r),
        high = load<f32>(box + r, Box.high << 2);
      store<f32>(around + r, g & 15 ? min(load<f32>(around + r), low) : low);
      store<f32>(around + r, g & 15 ? max(load<f32>(around + r, Box.high << 2), high) : high, Box.high << 2);
    }
  }
}
