import { checkKernels, checkOneOf, checkOptions, isUint8, nameOf } from '../../src/arguments.js';
import { formatBytes, guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { apart } from '../../src/matrix.js';
import { MAX_BYTES, outside } from '../../src/memory.js';
import { runSteps, type SyncJobOptions } from '../../src/steps.js';
import { Run } from './memory.js';

interface LabelExports {
  labelRegions(
    masks: number,
    labels: number,
    counts: number,
    sizes: number,
    runs: number,
    count: number,
    height: number,
    width: number,
    diagonal: number,
  ): number;
}

export interface LabelRegionsOptions extends SyncJobOptions {
  /** 4: pixels that share an edge are one region; 8: an edge or a corner. */
  neighbours: 4 | 8;
}

/** The regions of every mask. Regions of mask m stand in `sizes` after those of the masks before it. */
export interface LabelledRegions {
  /**
   * uint32[count × height × width], row-major: 0 outside, 1 … counts[m] inside, in the order of first pixels row by
   * row.
   */
  labels: Uint32Array;
  /** uint32[count]: regions of each mask. */
  counts: Uint32Array;
  /** uint32[Σ counts]: pixels of each region. */
  sizes: Uint32Array;
}

/** Masks are labelled in chunks of this many pixels: some 10 ms, 50 MB. */
const CHUNK_PIXELS = 2 ** 23;

const chunkOf = (count: number, pixels: number) =>
  Math.min(count, Math.max(1, Math.floor(CHUNK_PIXELS / Math.max(1, pixels))));

/** Most regions that a mask can hold: a chequerboard, or every second pixel of every second row. */
function mostRegions(height: number, width: number, neighbours: 4 | 8): number {
  return neighbours === 4 ? Math.ceil((height * width) / 2) : Math.ceil(height / 2) * Math.ceil(width / 2);
}

/**
 * Bytes of WebAssembly memory that `labelRegions` takes at once: about 5 a pixel of a chunk, 2 more for sizes, 6 of
 * one mask.
 */
export function labelRegionsBytes(
  shape: readonly [count: number, height: number, width: number],
  neighbours: 4 | 8,
): number {
  checkShape(shape);
  checkOneOf('neighbours', neighbours, [4, 8]);
  const [count, height, width] = shape;
  const pixels = height * width;
  if (count * pixels === 0) return 0;
  const chunk = chunkOf(count, pixels);
  return (
    chunk * (5 * pixels + 4 + 4 * mostRegions(height, width, neighbours)) +
    4 * Run.size * height * Math.ceil(width / 2) +
    5 * 64 +
    16
  );
}

/**
 * Connected-component labelling of many binary pictures: two pixels of a mask are in one region when a path of
 * neighbouring kept pixels joins them. Masks never touch each other.
 *
 * @param masks uint8[count × height × width], row-major; 0 is background, anything else is kept. Not changed.
 * @returns labels, counts and sizes; a mask of background has none. Any side may be 0.
 * @throws `shape` when lengths do not fit; `argument` for other neighbours than 4 and 8; `memory`; `cancelled`.
 * Time O(pixels · α); memory `labelRegionsBytes`, bounded by chunks of masks.
 * Source: run-based two-pass labelling with union-find (Rosenfeld & Pfaltz 1966; He, Chao & Suzuki 2008).
 */
export function labelRegions(
  kernels: Kernels,
  masks: Uint8Array,
  shape: readonly [count: number, height: number, width: number],
  options: LabelRegionsOptions,
): LabelledRegions {
  checkOptions(options, 'neighbours');
  return runSteps(labelRegionsSteps(kernels, masks, shape, options.neighbours), options, 'labelling regions');
}

/** The same in parts: yields masks done and in all before each chunk of some 10 ms, and at the end. */
export function* labelRegionsSteps(
  kernels: Kernels,
  from: Uint8Array,
  shape: readonly [count: number, height: number, width: number],
  neighbours: 4 | 8,
): Generator<[done: number, total: number], LabelledRegions> {
  checkKernels(kernels);
  checkMasks(from, shape, neighbours);
  const masks = apart(kernels, from);
  const [count, height, width] = shape;
  const pixels = height * width;
  const labels = outside('labelling regions', 4 * masks.length, () => new Uint32Array(masks.length));
  const counts = new Uint32Array(count);
  if (masks.length === 0) return { labels, counts, sizes: new Uint32Array(0) };
  const { arena } = kernels;
  const fn = kernels.exports as unknown as LabelExports;
  const chunk = chunkOf(count, pixels);
  const sizes: Uint32Array[] = [];
  const taken: number[] = [];
  const alloc = (bytes: number) => {
    const pointer = arena.alloc(bytes);
    taken.push(pointer);
    return pointer;
  };
  try {
    // The kernel loads 16 pixels at a time.
    const maskAt = alloc(chunk * pixels + 16);
    const labelAt = alloc(4 * chunk * pixels);
    const countAt = alloc(4 * chunk);
    const sizeAt = alloc(4 * chunk * mostRegions(height, width, neighbours));
    const runAt = alloc(4 * Run.size * height * Math.ceil(width / 2));
    const diagonal = neighbours === 8 ? 1 : 0;
    for (let m = 0; m < count; m += chunk) {
      yield [m, count];
      const here = Math.min(chunk, count - m);
      arena.u8(maskAt, here * pixels).set(masks.subarray(m * pixels, (m + here) * pixels));
      const total = fn.labelRegions(maskAt, labelAt, countAt, sizeAt, runAt, here, height, width, diagonal);
      labels.set(arena.u32(labelAt, here * pixels), m * pixels);
      counts.set(arena.u32(countAt, here), m);
      sizes.push(arena.u32(sizeAt, total).slice());
    }
    yield [count, count];
  } finally {
    for (const pointer of taken) arena.dealloc(pointer);
  }
  return { labels, counts, sizes: sizes.length === 1 ? sizes[0]! : joined(sizes) };
}

function checkShape(shape: readonly number[]): void {
  guard(
    Array.isArray(shape) &&
      shape.length === 3 &&
      shape.every((side) => Number.isSafeInteger(side) && side >= 0),
    'shape',
    () =>
      `masks: expected three integers (count, height, width), got ${Array.isArray(shape) ? `[${shape}]` : nameOf(shape)}`,
  );
}

function checkMasks(
  masks: Uint8Array,
  shape: readonly [count: number, height: number, width: number],
  neighbours: 4 | 8,
): void {
  const bytes = labelRegionsBytes(shape, neighbours);
  const [count, height, width] = shape;
  guard(
    bytes <= MAX_BYTES,
    'memory',
    () =>
      `labelling masks of ${height}×${width} needs ${formatBytes(bytes)}, the limit is ${formatBytes(MAX_BYTES)}; cut them into smaller pictures`,
    { needed: bytes, limit: MAX_BYTES },
  );
  guard(isUint8(masks), 'argument', () => `masks: expected a Uint8Array, got ${nameOf(masks)}`);
  const expected = count * height * width;
  guard(
    masks.length === expected,
    'shape',
    () => `masks: ${count}×${height}×${width} needs ${expected} bytes, got ${masks.length}`,
    { expected, got: masks.length },
  );
}

function joined(parts: Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
