// Points into blocks and records.
import { ptr, word } from "../../../assembly/words";
import { blockBytes, record, stateOf } from "../blocks/assembly";

/** Direct: writes up to 16 points, f32 rows of d coordinates at `rows`, into global block g; `dimensions` u32[d] is the order of the coordinates. */
export function vatPointsFill(job: usize, g: u32, rows: usize, count: u32, dimensions: usize): void {
  const d = word(job, 1), workers = word(job, 4);
  const block = ptr(stateOf(job, g % workers), 0) + <usize>(g / workers) * blockBytes(job);
  const step = <usize>d << 2;
  for (let lane: usize = 0; lane < <usize>count << 2; lane += 4, rows += step) {
    let to = block + lane;
    for (let k: usize = 0; k < step; k += 4, to += 64) store<f32>(to, load<f32>(rows + (<usize>load<u32>(dimensions + k) << 2)));
  }
}

/**
 * Not direct: writes point `id`, an f32 row of d coordinates, into its record and, if there are whole numbers, as the given lane of global block g.
 * Its whole numbers are those of centre + f·(x − centre); odd is 1 if it may lie farther from others than they tell.
 */
export function vatPointsFillWhole(job: usize, g: u32, lane: u32, id: u32, row: usize, dimensions: usize, centre: usize, f: f64, tag: u32, odd: u32): void {
  const d = word(job, 1), workers = word(job, 4);
  const to = record(job, id);
  store<u32>(to, tag);
  store<u32>(to, odd, 8);
  for (let k: usize = 0; k < <usize>d << 2; k += 4) store<f32>(to + 16 + k, load<f32>(row + (<usize>load<u32>(dimensions + k) << 2)));
  if (!word(job, 20)) return;
  const state = stateOf(job, g % workers);
  const local = <usize>(g / workers);
  let p = ptr(state, 0) + local * blockBytes(job) + (<usize>lane << 2);
  let q = to + ptr(job, 24);
  const steps = f * <f64>load<f32>(job, 100);
  let norm: i32 = 0;
  for (let k: u32 = 0; k < d; k++, q += 2) {
    const at = <usize>load<u32>(dimensions + (<usize>k << 2));
    const y = <i32>nearest((<f64>load<f32>(row + (at << 2)) - load<f64>(centre + (at << 3))) * steps);
    norm += y * y;
    store<i16>(q, <i16>y);
    store<i16>(p + (<usize>(k & 1) << 1), <i16>y);
    if (k & 1) p += 64;
  }
  store<i32>(to, norm, 4);
  const slot = local << 4 | <usize>lane;
  store<i32>(ptr(state, 22) + (slot << 2), norm);
  store<u32>(ptr(state, 25) + (slot << 2), odd);
}
