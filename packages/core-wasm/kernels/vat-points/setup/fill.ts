import type { Kernels } from '../../../src/load.js';
import type { Bounds } from './bounds.js';
import type { Layout, TreeSizes } from './layout.js';
import type { Quantisation } from './quantisation.js';
import type { Rows } from './rows.js';
import type { SpatialOrder } from './spatial-order.js';

export interface FillExports {
  vatPointsFillBounds(job: number, values: number, wide: number, index: number): void;
  vatPointsFill(job: number, g: number, rows: number, count: number, dimensions: number): void;
  vatPointsFillRecord(job: number, id: number, row: number, dimensions: number, tag: number): void;
  vatPointsQuantise(
    job: number,
    g: number,
    lane: number,
    id: number,
    row: number,
    centre: number,
    f: number,
    odd: number,
  ): void;
}

/** A job whose headers are written and whose points are not yet. */
export interface Empty {
  kernels: Kernels;
  pointer: number;
  at: Layout;
  sizes: TreeSizes;
  rows: Rows;
  bounds: Bounds;
  space: SpatialOrder;
  quantisation: Quantisation | null;
}

/** Brings the points into their blocks and records, in spatial order, with their bound rows and boxes. */
export function fill(job: Empty): void {
  const { at, rows, bounds, kernels, space, sizes } = job;
  const { arena } = kernels;
  const exports = kernels.exports as unknown as FillExports;
  arena.u32(at.dimensions, sizes.d).set(bounds.dimensions);
  if (sizes.records) fillRecords(job, exports);
  else fillBlocks(kernels, job.pointer, at, rows, space.order, sizes);
  exports.vatPointsFillBounds(job.pointer, space.values, space.wide, space.index);
}

/** Brings points into blocks in the given order; `at.dimensions` is written. */
export function fillBlocks(
  { arena, exports, memory }: Kernels,
  pointer: number,
  at: { dimensions: number; blocks: number; each: { points: number; rows: number }[] },
  rows: Rows,
  order: Uint32Array,
  { n, d, tag, workers }: { n: number; d: number; tag: 0 | 1; workers: number },
): void {
  const all = new Float32Array(memory.buffer);
  const scratch = at.each[0]!.rows;
  const slots = Array.from({ length: 16 }, (_, lane) => arena.f32(scratch + 4 * d * lane, d));
  for (let g = 0; g < at.blocks; g++) {
    const points = at.each[g % workers]!.points / 4 + Math.floor(g / workers) * (d + tag) * 16;
    const count = Math.min(16, n - 16 * g);
    for (let lane = 0; lane < count; lane++) {
      const i = order[16 * g + lane]!;
      rows.read(i, slots[lane]!);
      if (tag) all[points + 16 * d + lane] = rows.zero![i]!;
    }
    (exports as unknown as FillExports).vatPointsFill(pointer, g, scratch, count, at.dimensions);
  }
}

function fillRecords(
  { pointer, at, rows, bounds, kernels, space, sizes, quantisation }: Empty,
  exports: FillExports,
) {
  const { arena } = kernels;
  const { n, d, prefix } = sizes;
  const row = arena.f32(at.row, d);
  const prefixes = arena.f32(at.row + 4 * d, prefix);
  if (quantisation)
    arena.f64(at.centre, d).set(Float64Array.from(bounds.dimensions, (k) => bounds.centre[k]!));
  for (let place = 0; place < n; place++) {
    const i = space.order[place]!;
    const zero = rows.zero?.[i] ?? 0;
    rows.read(i, row);
    exports.vatPointsFillRecord(pointer, i, at.row, at.dimensions, zero);
    if (!quantisation) continue;
    prefixes.set(bounds.prefixes.subarray(i * prefix, (i + 1) * prefix));
    const distance = Math.sqrt(bounds.squares[i]!);
    const out = distance > quantisation.radius;
    // Zero vectors are farther from others than their coordinates show, points brought nearer are too.
    const odd = out || zero ? 1 : 0;
    const f = out ? quantisation.radius / distance : 1;
    exports.vatPointsQuantise(pointer, place >> 4, place & 15, i, at.row, at.centre, f, odd);
  }
}
