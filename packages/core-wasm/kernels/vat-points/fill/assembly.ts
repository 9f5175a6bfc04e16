// Points into blocks.
import { ptr, stateOf, word } from "../blocks/assembly";

/**
 * Writes up to 16 points, f32 rows of d coordinates at `rows`, into global block g and their squared norms beside it;
 * `dimensions` u32[d] is the order of the coordinates.
 */
export function vatPointsFill(job: usize, g: u32, rows: usize, count: u32, dimensions: usize): void {
  const d = word(job, 1), workers = word(job, 4);
  const state = stateOf(job, g % workers);
  const local = <usize>(g / workers);
  const block = ptr(state, 0) + local * (<usize>(d + word(job, 5)) << 6);
  const norms = ptr(state, 22) + (local << 6);
  const step = <usize>d << 2;
  for (let lane: usize = 0; lane < <usize>count << 2; lane += 4, rows += step) {
    let square: f32 = 0;
    let to = block + lane;
    for (let k: usize = 0; k < step; k += 4, to += 64) {
      const x = load<f32>(rows + (<usize>load<u32>(dimensions + k) << 2));
      store<f32>(to, x);
      square += x * x;
    }
    store<f32>(norms + lane, square);
  }
}
