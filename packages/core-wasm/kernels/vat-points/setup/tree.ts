import type { Kernels } from '../../../src/load.js';
import { Job, Stage, Worker } from '../memory.js';
import { boundsOf, type Dimensions } from './bounds.js';
import { boundsOfDistinct, distinctPoints, rowsOfDistinct } from './duplicates.js';
import { fill } from './fill.js';
import { NONE, place, type Sizes, type TreeSizes } from './layout.js';
import { quantisationOf } from './quantisation.js';
import { roundsOf, writeTree } from './rounds.js';
import type { Rows } from './rows.js';
import { spatialOrder } from './spatial-order.js';

interface ProbeExports {
  vatPointsProbe(job: number, from: number): number;
}

/**
 * Prepares a job by way of a spanning tree: bounds, distinct points, their order in space, blocks. Without `byTree`
 * Prim's own steps do it all.
 */
export function prepareTree(
  kernels: Kernels,
  given: Rows,
  dimensions: Dimensions,
  all: Sizes,
  l1: boolean,
  byTree: boolean,
): number {
  const { d, tag, workers, records } = all;
  const ofAll = boundsOf(kernels, given, dimensions, all.n, l1);
  // Equal points are at distance 0, but not at mutual reachability 0.
  const distinct = all.core ? null : distinctPoints(given, ofAll, all.n, d);
  const rows = distinct ? rowsOfDistinct(given, distinct) : given;
  const bounds = distinct ? boundsOfDistinct(ofAll, distinct) : ofAll;
  const n = distinct ? distinct.first.length : all.n;
  const quantisation = !records || l1 ? null : quantisationOf(bounds.squares, d);
  const boxRows = bounds.sort.width;
  const sizes: TreeSizes = {
    ...all,
    n,
    records: records,
    boundRows: bounds.m,
    boxRows,
    quantised: quantisation !== null,
    prefix: quantisation ? bounds.prefix : 0,
    groups: distinct ? all.n : 0,
    rounds: byTree ? roundsOf(n) : null,
  };
  const { arena } = kernels;
  const size = place(0, sizes).bytes;
  const pointer = arena.alloc(size);
  const at = place(pointer, sizes);
  arena.u8(pointer, size).fill(0);
  const space = spatialOrder(kernels, bounds.sort.values, boxRows, n, at.space);
  const job = arena.u32(pointer, Job.size);
  job[Job.n] = n;
  job[Job.d] = d;
  job[Job.boundRows] = bounds.m;
  job[Job.l1] = Number(l1);
  job[Job.workers] = workers;
  job[Job.tagRows] = tag;
  job[Job.order] = at.order;
  job[Job.weights] = at.weights;
  job[Job.workerHeaders] = at.workerHeaders;
  job[Job.sync] = at.sync;
  job[Job.blocks] = at.blocks;
  job[Job.boxes] = at.boxes;
  job[Job.boxRows] = boxRows;
  job[Job.boxesOf16] = at.boxesOf16;
  job[Job.lastRowIsNorm] = Number(bounds.m > 0);
  job[Job.rowBytes] = at.rowBytes;
  job[Job.asRecords] = Number(records);
  job[Job.records] = at.records;
  job[Job.recordBytes] = at.record;
  job[Job.quantised] = Number(sizes.quantised);
  job[Job.quantisedAt] = at.quantisedAt;
  job[Job.prefixLength] = sizes.prefix;
  job[Job.prefixAt] = at.prefixAt;
  job[Job.tree] = at.tree?.header ?? 0;
  job[Job.groups] = at.groups;
  job[Job.core] = sizes.core;
  job[Job.cores] = at.cores;
  job[Job.candidates] = at.candidates;
  const floats = arena.f32(pointer, Job.size);
  floats[Job.relativeTolerance] = bounds.relative;
  floats[Job.absoluteTolerance] = bounds.absolute;
  floats[Job.quantisationError] = quantisation?.error ?? 0;
  floats[Job.stepsPerUnit] = quantisation?.steps ?? 0;
  if (distinct) {
    arena.u32(at.groups, all.n).set(distinct.group);
    arena.u32(at.groups + 4 * all.n, n).set(distinct.first);
  }
  at.each.forEach((own, w) => {
    const worker = arena.u32(at.workerHeaders + 4 * Worker.size * w, Worker.size);
    worker[Worker.stage] = sizes.core ? Stage.cores : at.tree ? Stage.tree : Stage.search;
    worker[Worker.blocks] = Math.max(0, Math.ceil((at.blocks - w) / workers));
    worker[Worker.largestIndex] = NONE;
    worker[Worker.points] = own.points;
    worker[Worker.bounds] = own.bounds;
    worker[Worker.ids] = own.ids;
    worker[Worker.keys] = own.keys;
    worker[Worker.parents] = own.parents;
    worker[Worker.blockKey] = own.blockKey;
    worker[Worker.blockId] = own.blockId;
    worker[Worker.norms] = own.norms;
    worker[Worker.odd] = own.odd;
    worker[Worker.prefixes] = own.prefixes;
    worker[Worker.prefixNorms] = own.prefixNorms;
    worker[Worker.rows] = own.rows;
    worker[Worker.out] = own.out;
    worker[Worker.infinities] = own.infinities;
    worker[Worker.tile] = own.tile;
    worker[Worker.neighbours] = own.neighbours;
    worker[Worker.tree] = at.tree?.each[w]?.header ?? 0;
    arena.f32(own.infinities, 16).fill(Infinity);
    arena.u32(own.ids, 16 * at.perWorker).fill(NONE);
  });
  if (at.tree && sizes.rounds) writeTree(kernels, at.tree, sizes.rounds);
  fill({ kernels, pointer, at, sizes, rows, bounds, space, quantisation });
  // From a point far out to its farthest and on: a large distance to begin with, against which the search prunes.
  const { vatPointsProbe } = kernels.exports as unknown as ProbeExports;
  let probe = space.order.indexOf(farthestOf(bounds.squares));
  for (let i = 0; i < 3; i++) probe = vatPointsProbe(pointer, probe) >>> 0;
  return pointer;
}

function farthestOf(squares: Float64Array): number {
  let at = 0;
  for (let i = 1; i < squares.length; i++) if (squares[i]! > squares[at]!) at = i;
  return at;
}
