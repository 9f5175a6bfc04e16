import { checkCounts } from '../../src/arguments.js';
import { asRecords, boundRows, leadRows } from './bounds.js';
import { projectBytes } from './project.js';
import { spatialOrderBytes } from './spatial-order/index.js';
import { placeTree, type Rounds, roundsOf } from './tree/layout.js';

export const STATE = 128;
const SYNC = 512;
export const NONE = 0xffffffff;

interface Places {
  total: number;
  take(bytes: number): number;
}

// Offsets are handed out in turn, 64-byte aligned; the same calls in the same order give the size and the places.
function places(base: number): Places {
  const l: Places = {
    total: base,
    take(bytes) {
      const at = l.total;
      l.total += Math.ceil(bytes / 64) * 64;
      return at;
    },
  };
  return l;
}

/** What the layout of a job's memory follows from. */
export interface Sizes {
  n: number;
  d: number;
  m: number;
  boxRows: number;
  tag: 0 | 1;
  workers: number;
  records: boolean;
  quantised: boolean;
  /** Whole numbers of a point's lead, an even number; 0 where there are no whole numbers. */
  lead: number;
  /** Points in all, where some are equal and n are not; else 0. */
  groups: number;
  /** The order by way of a spanning tree, with these rounds. */
  tree: Rounds | null;
}

/** Byte offsets of everything a job holds, from `base` on; blocks/assembly.ts says what lies there. */
export function place(
  base: number,
  { n, d, m, boxRows, tag, workers, records: asRecords, quantised, lead, groups: all, tree }: Sizes,
) {
  const l = places(base);
  const blocks = Math.ceil(n / 16);
  const perWorker = Math.ceil(blocks / workers);
  const candidate = Math.ceil((32 + 4 * (m + (asRecords ? 0 : d + tag))) / 64) * 64;
  const wholeAt = 16 + 16 * Math.ceil(d / 4);
  const leadAt = wholeAt + (quantised ? 16 * Math.ceil(d / 8) : 0);
  const record = asRecords ? leadAt + 16 * Math.ceil(lead / 8) : 0;
  const blockBytes = asRecords ? (quantised ? 64 * Math.ceil(d / 2) : 0) : 64 * (d + tag);
  const job = l.take(128);
  const sync = l.take(SYNC);
  const states = l.take(STATE * workers);
  const order = l.take(4 * n);
  const weights = l.take(8 * n);
  const candidates = l.take(2 * workers * candidate);
  const dimensions = l.take(4 * d);
  const groups = all > 0 ? l.take(4 * (all + n)) : 0;
  const row = asRecords ? l.take(4 * (d + lead)) : 0;
  const centre = quantised ? l.take(8 * (d + 3)) : 0;
  const boxes = l.take(8 * boxRows * blocks);
  const around = l.take(8 * boxRows * Math.ceil(blocks / 16));
  const records = asRecords ? l.take(n * record) : 0;
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
    boxes: asRecords ? l.take(8 * boxRows * padded) : 0,
    owed: l.take(4 * padded),
    since: l.take(4 * padded),
    norms: asRecords ? l.take(64 * perWorker) : 0,
    products: l.take(256),
    odd: asRecords ? l.take(64 * perWorker) : 0,
    wholeLimits: l.take(64),
    leads: l.take(32 * lead * perWorker),
    leadNorms: lead ? l.take(64 * perWorker) : 0,
    tile: l.take(576),
  }));
  const light = tree && placeTree(l.take, tree, { n, blocks, workers, least: asRecords ? n * candidate : 0 });
  // Points are brought into an order in space before there are edges.
  const room = spatialOrderBytes(n, boxRows);
  const space = light && room <= light.bytes ? light.edges : l.take(room);
  // Visited points are written down only where the tree was given up.
  const visited = light ? light.edges : asRecords ? l.take(n * candidate) : 0;
  return {
    light,
    space,
    groups,
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
    around,
    visited,
    records,
    record,
    wholeAt,
    leadAt,
    padded,
    each,
    blocks,
    perWorker,
    candidate,
    bytes: l.total - base,
  };
}

/** Most bytes of WebAssembly memory that a job over n points of d coordinates takes: about 4·n·(d + m + 90), m ≤ 40; from d = 48 on, up to 1 GB of points, 4·n·(2·d + m + 130). It holds whatever is
 * taken while preparing. */
export function vatPointsBytes(n: number, d: number, workers = 1): number {
  checkCounts({ n, d, workers });
  const m = boundRows(n, d);
  const records = asRecords(n, d, false);
  const lead = records ? leadRows(d) : 0;
  const { bytes } = place(0, {
    n,
    d,
    m,
    boxRows: Math.max(m, Math.min(d, 9)),
    tag: 1,
    workers,
    records,
    quantised: records,
    lead,
    groups: n,
    tree: roundsOf(n),
  });
  // The projection is done with before the job begins.
  return Math.max(bytes, m > 0 ? projectBytes(d, Math.max(m, leadRows(d)) - 1) : 0);
}

export type Layout = ReturnType<typeof place>;
