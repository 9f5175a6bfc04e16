import { guard } from '../../../src/errors.js';
import type { Kernels } from '../../../src/load.js';
import type { Metric } from '../../../src/matrix.js';
import type { VatResult } from '../../vat/result.js';
import type { VatPointsJob } from '../job.js';
import { Job, Worker } from '../memory.js';

/**
 * The weight that a key of `lightEdgesOfVatPoints` stands for: its root for euclidean, half of it for cosine and
 * correlation.
 */
export function vatPointsWeight(key: number, metric: Metric, unit: number): number {
  return metric === 'manhattan' ? key * unit : metric === 'euclidean' ? Math.sqrt(key) * unit : key / 2;
}

/** The result of a job that every worker has finished; gives its memory back. */
export function finishVatPoints(kernels: Kernels, job: VatPointsJob): VatResult {
  const { arena } = kernels;
  const { n, metric, unit } = job;
  const header = arena.u32(job.pointer, Job.size);
  // Of distinct points; those equal to one of them follow it.
  const count = header[Job.n]!;
  guard(
    arena.u32(header[Job.workerHeaders]!, Worker.size)[Worker.step]! >= count,
    'internal',
    'finishVatPoints: the workers have not finished',
    { n },
  );
  const taken = arena.u32(header[Job.order]!, count);
  const keys = arena.f32(header[Job.weights]!, count);
  const from = arena.u32(header[Job.weights]! + 4 * count, count - 1);
  const groups = header[Job.groups]!;
  const first = groups ? arena.u32(groups + 4 * n, count) : null;
  const members = groups ? membersOf(arena.u32(groups, n), count) : null;
  const order = new Uint32Array(n);
  const weights = new Float32Array(n - 1);
  const parent = new Uint32Array(n - 1);
  let to = 0;
  for (let k = 0; k < count; k++) {
    const i = taken[k]!;
    if (k > 0) {
      const key = keys[k - 1]!;
      weights[to - 1] = vatPointsWeight(key, metric, unit);
      parent[to - 1] = first ? first[from[k - 1]!]! : from[k - 1]!;
    }
    order[to++] = first ? first[i]! : i;
    if (!members) continue;
    for (let m = members.start[i]! + 1; m < members.start[i + 1]!; m++) {
      parent[to - 1] = first![i]!;
      order[to++] = members.list[m]!;
    }
  }
  arena.dealloc(job.pointer);
  return { order, weights, parent };
}

// The points of each group, rising, side by side.
function membersOf(group: Uint32Array, count: number): { start: Uint32Array; list: Uint32Array } {
  const start = new Uint32Array(count + 2);
  for (const g of group) start[g + 2] = start[g + 2]! + 1;
  for (let g = 0; g < count; g++) start[g + 2] = start[g + 2]! + start[g + 1]!;
  const list = new Uint32Array(group.length);
  for (let i = 0; i < group.length; i++) {
    const g = group[i]!;
    list[start[g + 1]!] = i;
    start[g + 1] = start[g + 1]! + 1;
  }
  return { start, list };
}

/** Gives back the memory of a job that will not be finished. No worker may be running. */
export function releaseVatPoints(kernels: Kernels, job: VatPointsJob): void {
  kernels.arena.dealloc(job.pointer);
}
