// vat-points: Prim's order straight from points. ../README.md explains the whole. Few points: ./matrix. Else ./tree
// finds the few edges that matter and, on its way, the farthest pair, and orders them; where too many edges are equal
// ./search and ./plain take over.
import { setWord, word } from '../../../assembly/words';
import { Job, Stage, Worker } from '../memory';
import { atBarrier } from './barrier';
import { workerOf } from './blocks';
import { coresUnit } from './cores';
import { startOf } from './farthest';
import { matrixUnit } from './matrix';
import { offerStart, primStep } from './plain';
import { farthestRow } from './search';
import { treeUnit } from './tree';

export { vatPointsFill, vatPointsFillBounds, vatPointsFillRecord, vatPointsQuantise } from './fill';
export { vatPointsCombine, vatPointsProject } from './project';
export { vatPointsProbe } from './search';
export { vatPointsSpatialOrder } from './spatial-order';

/**
 * Does up to `steps` units of a worker's work and returns 0 to be called again, 1 at the end, 2 when cancelled, 3
 * when aborted. All workers must be called with the same `steps`; they return after the same one.
 */
export function vatPointsRun(job: usize, worker: u32, steps: u32): u32 {
  const l1 = word(job, Job.l1) != 0,
    state = workerOf(job, worker);
  for (; steps > 0; steps--) {
    const stage = word(state, Worker.stage);
    let end: u32;
    if (stage == Stage.matrix) end = matrixUnit(job, worker, l1);
    else if (stage == Stage.cores) end = coresUnit(job, worker, l1);
    else if (stage == Stage.tree) {
      end = treeUnit(job, worker, l1);
      if (end == OVERFLOW) {
        setWord(state, Worker.stage, Stage.search);
        continue;
      }
    } else if (stage == Stage.search) end = searchUnit(job, worker, l1);
    else if (word(state, Worker.step) >= word(job, Job.n)) return 1;
    else end = l1 ? primStep(job, worker, true) : primStep(job, worker, false);
    if (end == 1) setWord(state, Worker.step, word(job, Job.n));
    if (end != 0) return end;
  }
  return 0;
}

// The tree's edges did not fit.
const OVERFLOW: u32 = 4;

// A row of the search; after the last one all workers know the start.
function searchUnit(job: usize, worker: u32, l1: bool): u32 {
  const state = workerOf(job, worker),
    workers = word(job, Job.workers),
    blocks = word(job, Job.blocks);
  const row = word(state, Worker.row),
    g = row * workers + worker;
  if (g < blocks) farthestRow(job, state, g, l1);
  setWord(state, Worker.row, row + 1);
  if ((row + 1) * workers < blocks) return 0;
  if (!atBarrier(job, state)) return 3;
  offerStart(job, worker, startOf(job));
  setWord(state, Worker.stage, Stage.prim);
  return atBarrier(job, state) ? 0 : 3;
}
