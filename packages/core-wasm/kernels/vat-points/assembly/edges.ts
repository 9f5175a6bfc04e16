// A worker's new edges.
import { ptr, setFloat, setWord, word } from '../../../assembly/words';
import { Edge, Job, TreeWorker, Worker } from '../memory';
import { NONE } from './blocks';
import { mutual } from './cores';
import { between } from './light';

/** Keeps an edge; there must be room for it. */
// @ts-ignore: decorator
@inline
export function emit(own: usize, i: u32, j: u32, x: f32): void {
  const count = word(own, TreeWorker.count);
  const to = ptr(own, TreeWorker.edges) + <usize>count * (Edge.size << 2);
  setFloat(to, Edge.distance, x);
  setWord(to, Edge.from, i);
  setWord(to, Edge.to, j);
  setWord(own, TreeWorker.count, count + 1);
}

/** Keeps the edge of points at distance x if the last tree does not show it to be heavy. */
export function takeLight(job: usize, state: usize, i: u32, j: u32, x: f32): void {
  if (j == NONE) return;
  const y = mutual(job, x, i, j);
  if (y <= between(ptr(job, Job.tree), i, j)) emit(ptr(state, Worker.tree), i, j, y);
}
