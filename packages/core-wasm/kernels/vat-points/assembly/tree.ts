// The order by way of a spanning tree (../README.md). Prim takes j by an edge (i, j) only if no path from i to j has
// all its edges below d(i, j). A path in any spanning tree will do to rule an edge out: only pairs at or under their
// bottleneck distance, the largest edge between i and j in the tree, can matter ("light" edges), equal ones included,
// as Prim's ties go by index. So all pairs are gone through in rounds, each several times as large as all before:
// pairs that are surely heavy by boxes, bound rows or quantised coordinates are passed over, the others computed;
// after a round the tree is made anew from the edges found, and those that have become heavy are dropped. Few are
// left: a random part p of all pairs makes a tree to which some n / p of the others are light (Karger, Klein & Tarjan
// 1995). Prim then runs on these edges alone.
//
// No round looks at an order of points, so that workers share the pairs out and meet at a round's end only. Where very
// many pairs are equal the edges may not fit; then Prim's own steps take over (./plain), which need no edges.
import { ptr, setWord, word } from '../../../assembly/words';
import { Job, Sync, Tree, TreeWorker, Worker } from '../memory';
import { atBarrier } from './barrier';
import { workerOf } from './blocks';
import { startOf } from './farthest';
import { describeBlocks, makeTree, orderBlocks } from './light';
import { primOnTree } from './prim';
import { pairsOfRow } from './round';

/**
 * One unit of a worker's work. 0: call again, 1: done, 2: cancelled, 3: aborted, 4: the edges did not fit. Workers
 * meet after the same number of units, one for each row: where one's edges are full all let the rest of them pass,
 * and go on with their rows after the next tree, to which most of the edges are heavy.
 */
export function treeUnit(job: usize, worker: u32, l1: bool): u32 {
  const state = workerOf(job, worker),
    own = ptr(state, Worker.tree),
    tree = ptr(job, Job.tree),
    sync = ptr(job, Job.sync);
  const total = word(job, Job.blocks),
    workers = word(job, Job.workers);
  const each = (total + workers - 1) / workers;
  const round = word(own, TreeWorker.round),
    row = word(own, TreeWorker.row),
    unit = word(own, TreeWorker.units) + 1;
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
    for (let w: u32 = 0; w < workers; w++)
      if (word(ptr(workerOf(job, w), Worker.tree), TreeWorker.row) < each) whole = false;
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
