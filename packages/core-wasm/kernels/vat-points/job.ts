import { guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { checkFinite, checkMatrix, type Matrix, METRICS, type Metric } from '../../src/matrix.js';
import type { VatResult } from '../vat/result.js';
import { boundRows, boundsOf } from './bounds.js';
import { rowsOf } from './rows.js';
import { spatialOrder } from './spatial-order.js';
import { stepsOf } from './steps.js';

export interface VatPointsExports {
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
  vatPointsProbe(job: number, from: number): number;
  vatPointsRun(job: number, worker: number, steps: number): number;
}

/** A prepared matrix-free VAT: plain numbers, so that it can be posted to workers on the same memory. */
export interface VatPointsJob {
  /** Byte offset of the job in the shared memory. */
  readonly pointer: number;
  readonly n: number;
  readonly d: number;
  readonly metric: Metric;
  readonly workers: number;
  /** Units of work each worker goes through: what `steps` of `runVatPointsWorker` adds up to. */
  readonly steps: number;
  /** Factor from stored to real distances. */
  readonly unit: number;
}

export const MAX_WORKERS = 64;
const STATE = 128;
const SYNC = 512;
const NONE = 0xffffffff;

interface Layout {
  total: number;
  take(bytes: number): number;
}

// Offsets are handed out in turn, 64-byte aligned; the same calls in the same order give the size and the places.
function layout(base: number): Layout {
  const l: Layout = {
    total: base,
    take(bytes) {
      const at = l.total;
      l.total += Math.ceil(bytes / 64) * 64;
      return at;
    },
  };
  return l;
}

/**
 * Whether blocks put off distances: it needs the points as records beside the blocks, twice the memory, and pays for itself where a
 * step would bring more coordinates than the caches hold (measured). Past 1 GB of points room for more of them is worth more.
 */
const owes = (n: number, d: number) => d >= 128 && n * d < 2 ** 28;

interface Sizes {
  n: number;
  d: number;
  m: number;
  boxRows: number;
  tag: 0 | 1;
  workers: number;
  lazy: boolean;
  quantised: boolean;
}

function place(base: number, { n, d, m, boxRows, tag, workers, lazy, quantised }: Sizes) {
  const l = layout(base);
  const blocks = Math.ceil(n / 16);
  const perWorker = Math.ceil(blocks / workers);
  const candidate = Math.ceil((32 + 4 * (m + (lazy ? 0 : d + tag))) / 64) * 64;
  const wholeAt = 16 + 16 * Math.ceil(d / 4);
  const record = lazy ? wholeAt + (quantised ? 16 * Math.ceil(d / 8) : 0) : 0;
  const blockBytes = lazy ? (quantised ? 64 * Math.ceil(d / 2) : 0) : 64 * (d + tag);
  const job = l.take(128);
  const sync = l.take(SYNC);
  const states = l.take(STATE * workers);
  const order = l.take(4 * n);
  const weights = l.take(8 * n);
  const candidates = l.take(2 * workers * candidate);
  const dimensions = l.take(4 * d);
  const row = lazy ? l.take(4 * d) : 0;
  const centre = quantised ? l.take(8 * d) : 0;
  const boxes = l.take(8 * boxRows * blocks);
  const visited = lazy ? l.take(n * candidate) : 0;
  const records = lazy ? l.take(n * record) : 0;
  // Blocks of a worker, to whole vectors.
  const padded = Math.ceil(perWorker / 4) * 4;
  const each = Array.from({ length: workers }, () => ({
    points: l.take(blockBytes * perWorker),
    bounds: l.take(64 * m * perWorker),
    keys: l.take(64 * perWorker),
    ids: l.take(64 * perWorker),
    parents: l.take(64 * perWorker),
    out: l.take(64),
    blockKey: l.take(4 * perWorker),
    blockId: l.take(4 * perWorker),
    limits: l.take(64),
    scratch: l.take(16 * candidate),
    tops: l.take(4 * padded),
    boxes: lazy ? l.take(8 * boxRows * padded) : 0,
    owed: l.take(4 * padded),
    since: l.take(4 * padded),
    norms: lazy ? l.take(64 * perWorker) : 0,
    products: l.take(256),
    odd: lazy ? l.take(64 * perWorker) : 0,
    wholeLimits: l.take(64),
  }));
  return {
    job,
    sync,
    states,
    order,
    weights,
    candidates,
    dimensions,
    row,
    centre,
    boxes,
    visited,
    records,
    record,
    wholeAt,
    padded,
    each,
    blocks,
    perWorker,
    candidate,
    bytes: l.total - base,
  };
}

/** Most bytes of WebAssembly memory that a job over n points of d coordinates takes: about 4·n·(d + m + 8), m ≤ 40; twice that from d = 128 on, up to 1 GB of points. */
export function vatPointsBytes(n: number, d: number, workers = 1): number {
  const m = boundRows(n, d);
  const lazy = owes(n, d);
  return place(0, {
    n,
    d,
    m,
    boxRows: Math.max(m, Math.min(d, 9)),
    tag: 1,
    workers,
    lazy,
    quantised: lazy,
  }).bytes;
}

/**
 * Checks the points, brings them into blocks in the kernels' memory and shares them out. The caller runs every worker
 * (`runVatPointsWorker`, workers 0 … workers−1) to the end, then `finishVatPoints`; or `releaseVatPoints`, once no worker runs.
 *
 * @param x float32[n × d], finite, n ≥ 2. Not changed and not needed afterwards.
 * @param workers 1 to 64; more than 1 needs kernels on a shared memory, and one thread for each.
 * @throws `shape`, `not-finite`, `memory`, `argument`. Time O(n·d·m + n log n), m ≤ 40.
 */
export function prepareVatPoints(kernels: Kernels, x: Matrix, metric: Metric, workers = 1): VatPointsJob {
  checkPoints(x, metric);
  const [n, d] = x.shape;
  guard(n >= 2, 'argument', () => `x: a job needs at least 2 points, got ${n}`, { n });
  guard(
    Number.isInteger(workers) && workers >= 1 && workers <= MAX_WORKERS,
    'argument',
    () => `workers: expected 1 to ${MAX_WORKERS}, got ${workers}`,
    { workers },
  );
  guard(
    workers === 1 || kernels.shared,
    'unsupported',
    'several workers need kernels on a shared WebAssembly memory',
    { workers },
  );
  const l1 = metric === 'manhattan';
  const rows = rowsOf(x, metric);
  const bounds = boundsOf(kernels, rows, n, d, l1);
  const { m } = bounds;
  const boxRows = bounds.sort.width;
  const tag = rows.zero ? 1 : 0;
  const lazy = owes(n, d);
  const whole = lazy && !l1 ? stepsOf(bounds.squares, d) : null;
  const sizes: Sizes = { n, d, m, boxRows, tag, workers, lazy, quantised: whole !== null };
  const size = place(0, sizes).bytes;
  const { arena } = kernels;
  const pointer = arena.alloc(size);
  const at = place(pointer, sizes);
  const { blocks } = at;
  arena.u8(pointer, size).fill(0);
  const words = (p: number) => arena.u32(p, 32);
  const floats = (p: number) => arena.f32(p, 32);
  words(pointer).set([
    n,
    d,
    m,
    l1 ? 1 : 0,
    workers,
    tag,
    at.order,
    at.weights,
    at.candidates,
    at.candidate,
    at.states,
    at.sync,
    0,
    0,
    blocks,
    at.boxes,
    boxRows,
    m > 0 ? 1 : 0,
    at.visited,
    lazy ? 1 : 0,
    whole ? 1 : 0,
    0,
    at.records,
    at.record,
    at.wholeAt,
  ]);
  const pointerFloats = floats(pointer);
  pointerFloats.set([bounds.grow, bounds.slack], 12);
  if (whole) {
    pointerFloats[21] = whole.error;
    pointerFloats[25] = whole.steps;
  }
  arena.f32(at.sync + 384, 1)[0] = Infinity;
  arena.f32(at.sync + 448, 1)[0] = Infinity;
  at.each.forEach((own, w) => {
    const state = at.states + STATE * w;
    const own16 = Math.max(0, Math.ceil((blocks - w) / workers));
    words(state).set([
      own.points,
      own.bounds,
      own.keys,
      own.ids,
      own.parents,
      own.out,
      own.blockKey,
      own.blockId,
      own16,
    ]);
    words(state).set(
      [
        NONE,
        own.limits,
        0,
        own.scratch,
        own.boxes,
        own.owed,
        at.padded,
        own.since,
        own.tops,
        own.norms,
        own.products,
        n,
        own.odd,
        own.wholeLimits,
      ],
      13,
    );
    if (lazy) arena.f32(own.boxes, 2 * boxRows * at.padded).fill(Infinity);
    arena.f32(own.tops, at.padded).fill(Infinity);
    arena.f32(own.owed, at.padded).fill(Infinity);
    arena.f32(own.limits, 16).fill(Infinity);
    arena.f32(own.keys, 16 * at.perWorker).fill(-1);
    arena.u32(own.ids, 16 * at.perWorker).fill(NONE);
    arena.u32(own.parents, 16 * at.perWorker).fill(NONE);
    arena.f32(own.blockKey, at.perWorker).fill(Infinity);
    arena.u32(own.blockId, at.perWorker).fill(NONE);
  });
  const exports = kernels.exports as unknown as VatPointsExports;
  fillBlocks();
  if (lazy) shareBoxes();
  // From any point to its farthest and on: a large distance to begin with, against which the search prunes.
  let probe = 0;
  for (let i = 0; i < 4; i++) probe = exports.vatPointsProbe(pointer, probe) >>> 0;
  const steps = Math.ceil(blocks / workers) + n;
  return { pointer, n, d, metric, workers, steps, unit: rows.unit };

  function shareBoxes(): void {
    for (let g = 0; g < blocks; g++) {
      const all = arena.f32(at.boxes + 8 * boxRows * g, 2 * boxRows);
      const own = arena.f32(at.each[g % workers]!.boxes, 2 * boxRows * at.padded);
      for (let k = 0; k < 2 * boxRows; k++) own[k * at.padded + Math.floor(g / workers)] = all[k]!;
    }
  }

  function fillBlocks(): void {
    const all = new Float32Array(kernels.memory.buffer);
    const index = new Uint32Array(kernels.memory.buffer);
    const order = spatialOrder(bounds.sort.values, bounds.sort.width, n);
    arena.u32(at.dimensions, d).set(bounds.dimensions);
    const { scratch } = at.each[0]!;
    const slots = lazy
      ? [arena.f32(at.row, d)]
      : Array.from({ length: 16 }, (_, lane) => arena.f32(scratch + 4 * d * lane, d));
    if (whole) arena.f64(at.centre, d).set(bounds.centre);
    for (let g = 0; g < blocks; g++) {
      const own = at.each[g % workers]!;
      const local = Math.floor(g / workers);
      const count = Math.min(16, n - 16 * g);
      let least = NONE;
      for (let lane = 0; lane < count; lane++) {
        const i = order[16 * g + lane]!;
        rows.read(i, slots[lazy ? 0 : lane]!);
        if (lazy) fillWhole(g, lane, i);
        else if (tag) all[own.points / 4 + (local * (d + 1) + d) * 16 + lane] = rows.zero![i]!;
        let p = own.bounds / 4 + local * 16 * m + lane;
        for (let k = 0; k < m; k++, p += 16) all[p] = bounds.values[i * m + k]!;
        let box = at.boxes / 4 + g * 2 * boxRows;
        for (let k = 0; k < boxRows; k++, box += 2) {
          const y = bounds.sort.values[i * boxRows + k]!;
          if (lane === 0 || y < all[box]!) all[box] = y;
          if (lane === 0 || y > all[box + 1]!) all[box + 1] = y;
        }
        all[own.keys / 4 + local * 16 + lane] = Infinity;
        index[own.ids / 4 + local * 16 + lane] = i;
        if (i < least) least = i;
      }
      index[own.blockId / 4 + local] = least;
      if (!lazy) exports.vatPointsFill(pointer, g, scratch, count, at.dimensions);
    }
  }

  function fillWhole(g: number, lane: number, i: number): void {
    const zero = tag ? rows.zero![i]! : 0;
    const far = whole ? Math.sqrt(bounds.squares[i]!) : 0;
    const out = whole !== null && far > whole.radius;
    // Zero vectors are farther from others than their coordinates tell, points brought nearer are too.
    const odd = out || zero ? 1 : 0;
    const f = out ? whole.radius / far : 1;
    exports.vatPointsFillWhole(pointer, g, lane, i, at.row, at.dimensions, at.centre, f, zero, odd);
  }
}

/** Same checks as `prepareVatPoints`, for any n. */
export function checkPoints(x: Matrix, metric: Metric): void {
  guard(
    METRICS.includes(metric),
    'argument',
    () => `metric: expected one of ${METRICS.join(', ')}, got ${metric}`,
    { metric },
  );
  checkMatrix(x, 'x');
  checkFinite(x, 'x');
}

/** 0: call again; 1: done; 2: cancelled; 3: aborted. */
export type VatPointsState = 0 | 1 | 2 | 3;

/**
 * Runs `steps` units of one worker's share, on the calling thread, with an instance of its own on the job's memory. Every worker
 * must be called with the same `steps`; the calls wait for each other at a barrier a step, so that each needs its own thread
 * (not a browser's main thread if workers > 1). All return the same state after the same step.
 */
export function runVatPointsWorker(
  exports: WebAssembly.Exports,
  job: VatPointsJob,
  worker: number,
  steps: number,
): VatPointsState {
  return (exports as unknown as VatPointsExports).vatPointsRun(job.pointer, worker, steps) as VatPointsState;
}

/** Asks the workers to stop after the same step (`cancel`; they return 2), or a waiting worker to give up because another died (`abort`; 3). */
export function stopVatPoints(
  memory: WebAssembly.Memory,
  job: VatPointsJob,
  how: 'cancel' | 'abort' = 'cancel',
): void {
  const sync = new Uint32Array(memory.buffer)[job.pointer / 4 + 11]!;
  const words = new Int32Array(memory.buffer);
  Atomics.store(words, (sync + (how === 'cancel' ? 128 : 192)) / 4, 1);
}

/** The result of a job that every worker has finished; gives its memory back. */
export function finishVatPoints(kernels: Kernels, job: VatPointsJob): VatResult {
  const { arena } = kernels;
  const { n, metric, unit } = job;
  const header = arena.u32(job.pointer, 16);
  const order = arena.u32(header[6]!, n).slice();
  const keys = arena.f32(header[7]!, n);
  const parent = arena.u32(header[7]! + 4 * n, n - 1).slice();
  const done = arena.u32(header[10]!, 16)[9]! >= n;
  guard(done, 'internal', 'finishVatPoints: the workers have not finished', { n });
  const weights = new Float32Array(n - 1);
  for (let k = 0; k < n - 1; k++) {
    const key = keys[k]!;
    weights[k] =
      metric === 'manhattan' ? key * unit : metric === 'euclidean' ? Math.sqrt(key) * unit : key / 2;
  }
  arena.dealloc(job.pointer);
  return { order, weights, parent };
}

/** Gives back the memory of a job that will not be finished. No worker may be running. */
export function releaseVatPoints(kernels: Kernels, job: VatPointsJob): void {
  kernels.arena.dealloc(job.pointer);
}
