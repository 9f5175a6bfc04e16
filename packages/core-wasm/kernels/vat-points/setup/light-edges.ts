import { guard } from '../../../src/errors.js';
import type { Kernels } from '../../../src/load.js';
import type { VatPointsJob } from '../job.js';
import { Edge, Job, Stage, Tree, Worker } from '../memory.js';
import { NONE } from './layout.js';

/**
 * All pairs at or under their bottleneck distance, some more perhaps; and the farthest pair. Indices are rows of x.
 */
export interface LightEdges {
  /**
   * uint32[m] each: the ends. Of points equal to an earlier one there may be one edge only, of key 0, to the first of
   * them.
   */
  from: Uint32Array;
  to: Uint32Array;
  /** float32[m]: distances as they are compared; `vatPointsWeight` makes weights of them. */
  keys: Float32Array;
  /** The largest key of all pairs, and the lowest row that has it. */
  largest: number;
  start: number;
}

/**
 * Whether a job's edges fit so far: false as soon as there are too many, where only `finishVatPoints` is left, and
 * costs Prim's own steps. Read between slices.
 */
export function edgesOfVatPointsFit({ arena }: Kernels, job: VatPointsJob): boolean {
  const header = arena.u32(job.pointer, Job.size);
  const worker = arena.u32(header[Job.workerHeaders]!, Worker.size);
  const stage = worker[Worker.stage]!;
  return stage === Stage.matrix || stage === Stage.tree;
}

/**
 * The light edges of a job that every worker has finished, for merging: what is light among more points is light
 * among fewer, so that the union over subsets that hold every pair, ordered by Prim with the lowest index first among
 * equals, is VAT of all, to the last bit, if all were prepared with one plan. Null where the edges did not fit (very
 * many equal distances among more than 1400 points). The job keeps its memory: `finishVatPoints` or
 * `releaseVatPoints` follows. Time O(m), of up to 1400 points O(n²).
 */
export function lightEdgesOfVatPoints({ arena }: Kernels, job: VatPointsJob): LightEdges | null {
  const header = arena.u32(job.pointer, Job.size);
  const count = header[Job.n]!;
  const worker = arena.u32(header[Job.workerHeaders]!, Worker.size);
  guard(worker[Worker.step]! >= count, 'internal', 'lightEdgesOfVatPoints: the workers have not finished', {
    n: job.n,
  });
  const order = arena.u32(header[Job.order]!, count);
  if (worker[Worker.stage] === Stage.matrix)
    return ofMatrix(
      arena.f32(header[Job.matrix]!, count * count),
      order,
      arena.f32(header[Job.weights]!, count - 1),
    );
  const tree = arena.u32(header[Job.tree]!, Tree.size);
  if (!header[Job.tree] || tree[Tree.overflow]) return null;
  const kept = tree[Tree.edges]!;
  const words = arena.u32(tree[Tree.kept]!, Edge.size * kept);
  const floats = arena.f32(tree[Tree.kept]!, Edge.size * kept);
  const groups = header[Job.groups]!;
  const group = groups ? arena.u32(groups, job.n) : null;
  const first = groups ? arena.u32(groups + 4 * job.n, count) : null;
  const all = kept + job.n - count;
  const edges = { from: new Uint32Array(all), to: new Uint32Array(all), keys: new Float32Array(all) };
  for (let e = 0, at = 0; e < kept; e++, at += Edge.size) {
    const [i, j] = [words[at + Edge.from]!, words[at + Edge.to]!];
    edges.keys[e] = floats[at + Edge.distance]!;
    edges.from[e] = first ? first[i]! : i;
    edges.to[e] = first ? first[j]! : j;
  }
  if (group && first)
    for (let i = 0, e = kept; i < job.n; i++) {
      const other = first[group[i]!]!;
      if (other === i) continue;
      edges.from[e] = other;
      edges.to[e++] = i;
    }
  let largest = 0;
  for (let w = 0; w < job.workers; w++) {
    const at = header[Job.workerHeaders]! + 4 * Worker.size * w;
    if (arena.u32(at, Worker.size)[Worker.largestIndex] !== NONE)
      largest = Math.max(largest, arena.f32(at, Worker.size)[Worker.largest]!);
  }
  return { ...edges, largest, start: first ? first[order[0]!]! : order[0]! };
}

function ofMatrix(matrix: Float32Array, order: Uint32Array, weights: Float32Array): LightEdges {
  const n = order.length;
  const from: number[] = [];
  const to: number[] = [];
  const keys: number[] = [];
  let largest = 0;
  for (let a = 0; a < n; a++) {
    const row = n * order[a]!;
    let bottleneck = 0;
    for (let b = a + 1; b < n; b++) {
      bottleneck = Math.max(bottleneck, weights[b - 1]!);
      const key = matrix[row + order[b]!]!;
      if (a === 0) largest = Math.max(largest, key);
      if (key > bottleneck) continue;
      from.push(order[a]!);
      to.push(order[b]!);
      keys.push(key);
    }
  }
  return {
    from: Uint32Array.from(from),
    to: Uint32Array.from(to),
    keys: Float32Array.from(keys),
    largest,
    start: order[0]!,
  };
}
