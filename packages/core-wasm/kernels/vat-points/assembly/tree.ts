// The order by way of a spanning tree. Prim takes j by an edge (i, j) only if no path from i to j has all its edges below d(i, j). A path in
// any spanning tree will do to rule an edge out: with M(i, j) the largest edge between i and j in the tree, only pairs with d(i, j) ≤ M(i, j)
// can matter ("light" edges), equal ones included, as Prim's ties go by index. So all pairs are gone through in rounds, each several times as large as
// all before: pairs that are surely heavy by boxes, bound rows or whole numbers are passed over, the others computed; after a round the
// tree is made anew from the edges found, and those that have become heavy are dropped. Few are left: a random part p of all pairs makes a tree to
// which some n / p of the others are light (Karger, Klein & Tarjan 1995). Prim then runs on these edges alone.
//
// No round looks at an order of points, so that workers share the pairs out and meet at a round's end only. Where very many pairs are
// equal the edges may not fit; then Prim's own steps take over, which need no edges. The farthest pair is found on the way (../tiles).
//
// Memory (job word 26; u32 words): 0 edges kept and 1 room for them, 2 these (f32 distance, u32 from, u32 to), 3 the point that stands for each block, 4 and 5
// two arrays to sort in, u64 for each edge, 6 counts of sorting, 7 up u32[n] and 8 height f32[n]: the tree as a forest of joins,
// see ./light; 9 root, 10 size, 11 next, 12 gap f32, 13 head, 14 tail, 15 which block a point stands for: [n] each; 16 reach
// f32[16 × blocks]: M from each point to the one that stands for its block, −1 where there is none, 17 the same as limits of whole numbers, 18 blocks
// in the tree's order, 19 f32 largest edge before each, 20 place of each block, 21 f32 largest reach of each, 22 rounds, 23 what each
// goes through (../layout.ts), 24 classes of block pairs − 1, 25 not 0: edges did not fit, 27 not 0: stopped, 28 not 0: a worker's
// edges are full, 29 not 0: the round is done, 30 f32 largest reach of
// each sixteen blocks.
// Of a worker (state word 27): 0 round, 1 row, 2 its new edges, 3 how many, 4 room for them, 5 f32[blocks] M from the row's block to each, 7 units since the last tree, 9 block at which the row goes on.
import { ptr, setWord, word } from "../../../assembly/words";
import { Job, Sync, Tree, TreeWorker, Worker } from "../memory";
import { atBarrier } from "./barrier";
import { workerOf } from "./blocks";
import { startOf } from "./farthest";
import { describeBlocks, makeTree, orderBlocks } from "./light";
import { primOnTree } from "./prim";
import { pairsOfRow } from "./round";

/**
 * One unit of a worker's work. 0: call again, 1: done, 2: cancelled, 3: aborted, 4: the edges did not fit. Workers meet after the same number of units,
 * one for each row: where one's edges are full all let the rest of them pass, and go on with their rows after the next tree, to which most of the edges
 * are heavy.
 */
export function treeUnit(job: usize, worker: u32, l1: bool): u32 {
  const state = workerOf(job, worker), own = ptr(state, Worker.tree), tree = ptr(job, Job.tree), sync = ptr(job, Job.sync);
  const total = word(job, Job.blocks), workers = word(job, Job.workers);
  const each = (total + workers - 1) / workers;
  const round = word(own, TreeWorker.round), row = word(own, TreeWorker.row), unit = word(own, TreeWorker.units) + 1;
  if (row < each && atomic.load<u32>(tree, Tree.full << 2) == 0 && atomic.load<u32>(sync, Sync.cancel << 2) == 0) {
    const g = row * workers + worker;
    const fits = g >= total || (l1 ? pairsOfRow(job, state, g, round, true) : pairsOfRow(job, state, g, round, false));
    if (fits) setWord(own, TreeWorker.row, row + 1);
    else atomic.store<u32>(tree, 1, Tree.full << 2);
  }
  setWord(own, TreeWorker.units, unit);
  if (unit < each) return 0;
  if (!atBarrier(job, state)) return 3;
  if (worker == 0) {
    let whole = true;
    for (let w: u32 = 0; w < workers; w++) if (word(ptr(workerOf(job, w), Worker.tree), TreeWorker.row) < each) whole = false;
    const last = whole && round + 1 == word(tree, Tree.rounds);
    setWord(tree, Tree.full, 0);
    setWord(tree, Tree.roundDone, u32(whole));
    if (atomic.load<u32>(sync, Sync.cancel << 2) != 0) setWord(tree, Tree.stopped, 1);
    else {
      makeTree(job);
      if (last && word(tree, Tree.overflow) == 0) primOnTree(job, startOf(job));
    }
  }
  if (!atBarrier(job, state)) return 3;
  setWord(own, TreeWorker.count, 0);
  setWord(own, TreeWorker.units, 0);
  if (word(tree, Tree.stopped)) return 2;
  if (word(tree, Tree.overflow)) return 4;
  if (word(tree, Tree.roundDone)) {
    if (round + 1 == word(tree, Tree.rounds)) return 1;
    setWord(own, TreeWorker.round, round + 1);
    setWord(own, TreeWorker.row, 0);
  }
  describeBlocks(job, worker);
  if (!atBarrier(job, state)) return 3;
  if (worker == 0) orderBlocks(job);
  return atBarrier(job, state) ? 0 : 3;
}
