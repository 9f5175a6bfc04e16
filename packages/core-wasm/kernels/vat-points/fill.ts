import type { Kernels } from '../../src/load.js';
import type { Bounds } from './bounds.js';
import type { Layout, Sizes } from './layout.js';
import type { Rows } from './rows.js';
import type { SpatialOrder } from './spatial-order/index.js';
import type { Steps } from './steps.js';

interface FillExports {
  vatPointsFillBounds(job: number, values: number, wide: number, index: number): void;
  vatPointsFill(job: number, g: number, rows: number, count: number, dimensions: number): void;
  vatPointsFillWhole(
    job: number,
    g: number,
    lane: number,
    id: number,
    row: number,
    dimensions: number,
    centre: number,
    f: number,
    tag: number,
    odd: number,
  ): void;
}

/** A job whose header and states are written and whose points are not yet. */
export interface Empty {
  kernels: Kernels;
  pointer: number;
  at: Layout;
  sizes: Sizes;
  rows: Rows;
  bounds: Bounds;
  space: SpatialOrder;
  /** Steps of whole numbers, where there are any. */
  whole: Steps | null;
}

/** Brings the points into their blocks and records, in spatial order, with their keys, bound rows and boxes. */
export function fill(job: Empty): void {
  fillBlocks(job);
  if (job.sizes.records) shareBoxes(job);
}

function fillBlocks(job: Empty): void {
  const { at, rows, bounds, whole, kernels, space } = job;
  const { arena } = kernels;
  const { n, d, tag, workers, records, lead } = job.sizes;
  const exports = kernels.exports as unknown as FillExports;
  const all = new Float32Array(kernels.memory.buffer);
  arena.u32(at.dimensions, d).set(bounds.dimensions);
  const { scratch } = at.each[0]!;
  const slots = records
    ? [arena.f32(at.row, d), arena.f32(at.row + 4 * d, lead)]
    : Array.from({ length: 16 }, (_, lane) => arena.f32(scratch + 4 * d * lane, d));
  if (whole) arena.f64(at.centre, d).set(Float64Array.from(bounds.dimensions, (k) => bounds.centre[k]!));
  for (let g = 0; g < at.blocks; g++) {
    const own = at.each[g % workers]!;
    const local = Math.floor(g / workers);
    const count = Math.min(16, n - 16 * g);
    for (let lane = 0; lane < count; lane++) {
      const i = space.order[16 * g + lane]!;
      rows.read(i, slots[records ? 0 : lane]!);
      if (records) {
        for (let k = 0, p = i * lead; k < lead; k++, p++) slots[1]![k] = bounds.leads[p]!;
        fillWhole(job, exports, g, lane, i);
      } else if (tag) all[own.points / 4 + (local * (d + 1) + d) * 16 + lane] = rows.zero![i]!;
    }
    if (!records) exports.vatPointsFill(job.pointer, g, scratch, count, at.dimensions);
  }
  exports.vatPointsFillBounds(job.pointer, space.values, space.wide, space.index);
}

function fillWhole(
  { pointer, at, rows, bounds, whole, sizes: { tag } }: Empty,
  exports: FillExports,
  g: number,
  lane: number,
  i: number,
): void {
  const zero = tag ? rows.zero![i]! : 0;
  const far = whole ? Math.sqrt(bounds.squares[i]!) : 0;
  const out = whole !== null && far > whole.radius;
  // Zero vectors are farther from others than their coordinates tell, points brought nearer are too.
  const odd = out || zero ? 1 : 0;
  const f = out ? whole.radius / far : 1;
  exports.vatPointsFillWhole(pointer, g, lane, i, at.row, at.dimensions, at.centre, f, zero, odd);
}

// The boxes once more, side by side for each worker: a step compares the new point with all of them.
function shareBoxes({ kernels: { arena }, at, sizes: { boxRows, workers } }: Empty): void {
  for (let g = 0; g < at.blocks; g++) {
    const all = arena.f32(at.boxes + 8 * boxRows * g, 2 * boxRows);
    const own = arena.f32(at.each[g % workers]!.boxes, 2 * boxRows * at.padded);
    for (let k = 0; k < 2 * boxRows; k++) own[k * at.padded + Math.floor(g / workers)] = all[k]!;
  }
}
