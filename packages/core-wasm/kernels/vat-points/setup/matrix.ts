import type { Kernels } from '../../../src/load.js';
import { Job, Stage, Worker } from '../memory.js';
import type { Dimensions } from './bounds.js';
import { type FillExports, fillBlocks } from './fill.js';
import { placeMatrix, type Sizes } from './layout.js';
import type { Rows } from './rows.js';

/** Prepares a job of few points, by their dense matrix: nothing but the points, in the order of their indices. */
export function prepareMatrix(
  kernels: Kernels,
  rows: Rows,
  { dimensions }: Dimensions,
  sizes: Sizes,
  l1: boolean,
): number {
  const { n, d, tag, workers } = sizes;
  const { arena } = kernels;
  const pointer = arena.alloc(placeMatrix(0, sizes).bytes);
  const at = placeMatrix(pointer, sizes);
  arena.u8(pointer, at.matrix - pointer).fill(0);
  const job = arena.u32(pointer, Job.size);
  job[Job.n] = n;
  job[Job.d] = d;
  job[Job.l1] = Number(l1);
  job[Job.workers] = workers;
  job[Job.tagRows] = tag;
  job[Job.order] = at.order;
  job[Job.weights] = at.weights;
  job[Job.matrix] = at.matrix;
  job[Job.workerHeaders] = at.workerHeaders;
  job[Job.sync] = at.sync;
  job[Job.blocks] = at.blocks;
  job[Job.asRecords] = Number(sizes.records);
  job[Job.records] = at.records;
  job[Job.recordBytes] = at.record;
  job[Job.core] = sizes.core;
  job[Job.cores] = at.cores;
  at.each.forEach((own, w) => {
    const worker = arena.u32(at.workerHeaders + 4 * Worker.size * w, Worker.size);
    worker[Worker.stage] = Stage.matrix;
    worker[Worker.points] = own.points;
    worker[Worker.rows] = own.rows;
    worker[Worker.out] = own.out;
    worker[Worker.infinities] = own.infinities;
    worker[Worker.neighbours] = own.neighbours;
    if (own.points) arena.u8(own.points, own.rows - own.points).fill(0);
    arena.f32(own.infinities, 16).fill(Infinity);
  });
  arena.u32(at.dimensions, d).set(dimensions);
  if (sizes.records) {
    const row = arena.f32(at.each[0]!.rows, d);
    const { vatPointsFillRecord } = kernels.exports as unknown as FillExports;
    for (let i = 0; i < n; i++) {
      rows.read(i, row);
      vatPointsFillRecord(pointer, i, at.each[0]!.rows, at.dimensions, rows.zero?.[i] ?? 0);
    }
  } else {
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    fillBlocks(kernels, pointer, at, rows, order, sizes);
  }
  return pointer;
}
