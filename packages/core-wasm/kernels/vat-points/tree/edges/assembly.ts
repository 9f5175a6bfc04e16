// A worker's new edges.
import { ptr, word } from "../../../../assembly/words";
import { NONE } from "../../blocks/assembly";
import { between } from "../light/assembly";
import { Job, TreeWorker, Worker } from "../../memory";

/** Keeps an edge; there must be room for it. */
// @ts-ignore: decorator
@inline
export function emit(own: usize, i: u32, j: u32, x: f32): void {
  const count = word(own, TreeWorker.count);
  const to = ptr(own, TreeWorker.edges) + <usize>count * 12;
  store<f32>(to, x);
  store<u32>(to, i, 4);
  store<u32>(to, j, 8);
  store<u32>(own, count + 1, TreeWorker.count << 2)
}

/** Keeps an edge at distance x if the last tree does not show it to be heavy. */
export function takeLight(job: usize, state: usize, i: u32, j: u32, x: f32): void {
  if (j != NONE && x <= between(ptr(job, Job.tree), i, j)) emit(ptr(state, Worker.tree), i, j, x);
}
