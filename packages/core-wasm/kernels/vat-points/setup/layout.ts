import { checkCounts } from '../../../src/arguments.js';
import { Candidate, Job, PointRecord, Row, Sync, Tile, Worker } from '../memory.js';
import { asRecords, boundRows, prefixRows } from './bounds.js';
import { projectBytes } from './project.js';
import { placeTree, type Rounds, roundsOf } from './rounds.js';
import { spatialOrderBytes } from './spatial-order.js';

export const NONE = 0xffffffff;

/** Bytes of words. */
export const bytesOf = (words: number) => 4 * words;
const upTo64 = (bytes: number) => 64 * Math.ceil(bytes / 64);

/**
 * Hands out byte offsets in turn, 64-byte aligned, from `base` on: the same calls in the same order give the same
 * places.
 */
export class Places {
  constructor(public total: number) {}

  readonly take = (bytes: number): number => {
    const at = this.total;
    this.total += upTo64(bytes);
    return at;
  };
}

/** What every job's layout follows from. */
export interface Sizes {
  n: number;
  d: number;
  tag: 0 | 1;
  workers: number;
  records: boolean;
  /** Which neighbour a core distance goes to; 0: plain distances. */
  core: number;
}

/** Bytes of a record, and where its quantised coordinates and its prefix begin. */
function recordOf({ d, records }: Sizes, quantised: boolean, prefix: number) {
  const quantisedAt = bytesOf(PointRecord.size) + 16 * Math.ceil(d / 4);
  const prefixAt = quantisedAt + (quantised ? 16 * Math.ceil(d / 8) : 0);
  return { quantisedAt, prefixAt, record: records ? prefixAt + 16 * Math.ceil(prefix / 8) : 0 };
}

/** Where a job of few points keeps all that it holds, from `base` on; memory.ts says what lies there. */
export function placeMatrix(base: number, sizes: Sizes) {
  const { n, d, tag, workers, records, core } = sizes;
  const l = new Places(base);
  const blocks = Math.ceil(n / 16);
  const perWorker = Math.ceil(blocks / workers);
  const { record } = recordOf(sizes, false, 0);
  const { header, sync, workerHeaders, order, weights } = placeResult(l.take, n, workers);
  const dimensions = l.take(4 * d);
  const recordsAt = records ? l.take(n * record) : 0;
  const matrix = l.take(4 * n * (n + 1));
  const cores = core ? l.take(4 * n) : 0;
  const each = [];
  for (let w = 0; w < workers; w++)
    each.push({
      points: records ? 0 : l.take(64 * (d + tag) * perWorker),
      rows: l.take(16 * upTo64(4 * (d + tag))),
      out: l.take(64),
      infinities: l.take(64),
      neighbours: core ? l.take(4 * core) : 0,
    });
  const bytes = l.total - base;
  // Named one by one: objects spread into one another take microseconds, as long as a call of ten points.
  return {
    header,
    sync,
    workerHeaders,
    order,
    weights,
    dimensions,
    records: recordsAt,
    record,
    blocks,
    matrix,
    cores,
    each,
    bytes,
  };
}

function placeResult(take: (bytes: number) => number, n: number, workers: number) {
  return {
    header: take(bytesOf(Job.size)),
    sync: take(bytesOf(Sync.size)),
    workerHeaders: take(bytesOf(Worker.size) * workers),
    order: take(4 * n),
    weights: take(8 * n),
  };
}

/** What the layout of a job by way of a tree follows from besides. */
export interface TreeSizes extends Sizes {
  boundRows: number;
  boxRows: number;
  quantised: boolean;
  /** Quantised numbers of a point's prefix, an even number; 0 where nothing is quantised. */
  prefix: number;
  /** Points in all, where some are equal and n are not; else 0. */
  groups: number;
  /** Null: without a tree. */
  rounds: Rounds | null;
}

/** The same of a job by way of a tree. */
export function place(base: number, sizes: TreeSizes) {
  const { n, d, boundRows: m, boxRows, tag, workers, records, core } = sizes;
  const { quantised, prefix, groups, rounds } = sizes;
  const l = new Places(base);
  const blocks = Math.ceil(n / 16);
  const perWorker = Math.ceil(blocks / workers);
  const rowBytes = upTo64(bytesOf(Row.size) + 4 * (m + (records ? 0 : d + tag)));
  const record = recordOf(sizes, quantised, prefix);
  const blockBytes = records ? (quantised ? 64 * Math.ceil(d / 2) : 0) : 64 * (d + tag);
  const at = {
    ...placeResult(l.take, n, workers),
    ...record,
    blocks,
    perWorker,
    rowBytes,
    candidates: l.take(2 * workers * bytesOf(Candidate.size)),
    dimensions: l.take(4 * d),
    groups: groups > 0 ? l.take(4 * (groups + n)) : 0,
    row: records ? l.take(4 * (d + prefix)) : 0,
    centre: quantised ? l.take(8 * (d + 3)) : 0,
    boxes: l.take(8 * boxRows * blocks),
    boxesOf16: l.take(8 * boxRows * Math.ceil(blocks / 16)),
    records: records ? l.take(n * record.record) : 0,
    cores: core ? l.take(4 * n) : 0,
    each: Array.from({ length: workers }, () => ({
      points: l.take(blockBytes * perWorker),
      bounds: l.take(64 * m * perWorker),
      keys: l.take(64 * perWorker),
      ids: l.take(64 * perWorker),
      parents: l.take(64 * perWorker),
      blockKey: l.take(4 * perWorker),
      blockId: l.take(4 * perWorker),
      norms: records ? l.take(64 * perWorker) : 0,
      odd: records ? l.take(64 * perWorker) : 0,
      prefixes: l.take(32 * prefix * perWorker),
      prefixNorms: prefix ? l.take(64 * perWorker) : 0,
      rows: l.take(16 * Math.max(rowBytes, 4 * (d + tag))),
      out: l.take(64),
      infinities: l.take(64),
      tile: l.take(bytesOf(Tile.size)),
      neighbours: core ? l.take(64 * core) : 0,
    })),
  };
  const tree = rounds && placeTree(l.take, rounds, { n, blocks, workers, core });
  // Points are brought into an order in space before there are edges.
  const room = spatialOrderBytes(n, boxRows);
  const space = tree && room <= tree.bytes ? tree.edges : l.take(room);
  return { ...at, tree, space, bytes: l.total - base };
}

export type Layout = ReturnType<typeof place>;

/**
 * Up to so many points go by the dense matrix (measured, on blobs and uniform points of 3 to 784 coordinates): 8 MB
 * at most.
 */
export const FEW_POINTS = 1400;

/**
 * Most bytes of WebAssembly memory that a job over n points of d coordinates takes, what it takes while preparing
 * included: few points (up to 1400) 4·n² and their own; more about 4·n·(d + m + 90), m ≤ 40, and from d = 48 on, up
 * to 1 GB of points, 4·n·(2·d + m + 130); with core distances of the k-th neighbour 44·n·k more for edges.
 */
export function vatPointsBytes(n: number, d: number, workers = 1, core = 0): number {
  checkCounts({ n, d, workers, core });
  const records = asRecords(n, d, false);
  const sizes: Sizes = { n, d, tag: 1, workers, records, core };
  if (n <= FEW_POINTS)
    return Math.max(placeMatrix(0, sizes).bytes, placeMatrix(0, { ...sizes, records: false }).bytes);
  const m = boundRows(n, d);
  const { bytes } = place(0, {
    ...sizes,
    boundRows: m,
    boxRows: Math.max(m, Math.min(d, 9)),
    quantised: records,
    prefix: records ? prefixRows(d) : 0,
    groups: n,
    rounds: roundsOf(n),
  });
  // The projection is done with before the job begins.
  return Math.max(bytes, m > 0 ? projectBytes(d, Math.max(m, prefixRows(d)) - 1) : 0);
}
