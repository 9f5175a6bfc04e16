// A worker's new edges.
import { ptr, word } from "../../../../assembly/words";
import { NONE } from "../../blocks/assembly";
import { between } from "../light/assembly";

/** Keeps an edge; there must be room for it. */
// @ts-ignore: decorator
@inline
export function emit(own: usize, i: u32, j: u32, x: f32): void {
  const count = word(own, 3);
  const to = ptr(own, 2) + <usize>count * 12;
  store<f32>(to, x);
  store<u32>(to, i, 4);
  store<u32>(to, j, 8);
  store<u32>(own, count + 1, 12);
}

/** Keeps an edge at distance x if the last tree does not show it to be heavy. */
export function takeLight(job: usize, state: usize, i: u32, j: u32, x: f32): void {
  if (j != NONE && x <= between(ptr(job, 26), i, j)) emit(ptr(state, 27), i, j, x);
}
