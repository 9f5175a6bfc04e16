import type { Kernels } from '../../../src/load.js';

/** Rounds of ./assembly.ts, the chain before them included. */
export interface Rounds {
  count: number;
  /** Block pairs fall into so many classes, a power of two. */
  classes: number;
  /** u32[5 × count]: the first class and one past the last; lanes of a row's block that are compared with these, with the next block, with their own. */
  table: Uint32Array;
}

/** Fewer points than these take Prim's own steps. */
const LEAST = 512;

/**
 * The rounds for n points; null where there are too few. Each goes through at most some four times the pairs seen before, so that some
 * four new edges a point are light to the tree of those.
 */
export function roundsOf(n: number): Rounds | null {
  if (n < LEAST) return null;
  const classes = 2 ** Math.ceil(Math.log2(n / 32));
  const table = [
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0xffff],
    [0, 0, 0, 0x000f, 0],
    [0, 4, 0x0001, 0, 0],
    [0, 4, 0xfffe, 0xfff0, 0],
  ];
  for (let c = 4; c < classes; c *= 4) table.push([c, Math.min(4 * c, classes), 0xffff, 0, 0]);
  return { count: table.length, classes, table: Uint32Array.from(table.flat()) };
}

/** The share of all pairs that was gone through before a round and in a part of it. */
export function shareOfRounds({ classes, table }: Rounds, round: number, part: number): number {
  const of = (r: number) => {
    let lanes = 0;
    for (let bits = table[5 * r + 2]!; bits; bits &= bits - 1) lanes++;
    return ((table[5 * r + 1]! - table[5 * r]!) * lanes) / (16 * classes);
  };
  let share = of(round) * part;
  for (let r = 0; r < round; r++) share += of(r);
  return share;
}

interface TreeSizes {
  n: number;
  blocks: number;
  workers: number;
  /** Bytes that its edges must at least leave for another use. */
  least: number;
}

/** Places of all that ./assembly.ts holds; some 350·n bytes. Where edges fill up a new tree is made, which makes most of them heavy. */
export function placeTree(
  take: (bytes: number) => number,
  { table }: Rounds,
  { n, blocks, workers, least }: TreeSizes,
) {
  // At the end the two arrays to sort in hold 28 bytes for each edge kept, so that these may be 4/3 of the new ones.
  const kept = 6 * n;
  const fresh = Math.ceil((4.5 * n) / workers) + 1024;
  const edges = kept + workers * fresh;
  const sort = 64 * Math.ceil(edges / 8);
  const keptBytes = 64 * Math.ceil((12 * kept) / 64);
  const bytes = Math.max(keptBytes + 2 * sort, least);
  const at = take(bytes);
  return {
    bytes,
    room: { kept, fresh },
    edges: at,
    sorts: [at + keptBytes, at + keptBytes + sort] as const,
    header: take(128),
    counts: take(4096),
    points: Array.from({ length: 9 }, () => take(4 * n)),
    reach: take(64 * blocks),
    limits: take(64 * blocks),
    blocks: Array.from({ length: 4 }, () => take(4 * blocks)),
    standing: take(4 * blocks),
    tops: take(4 * Math.ceil(blocks / 16)),
    table: take(4 * table.length),
    each: Array.from({ length: workers }, () => ({
      header: take(64),
      edges: take(12 * fresh),
      levels: take(64 * Math.ceil(blocks / 16)),
    })),
  };
}

/** Writes the headers. */
export function setTree(
  { arena }: Kernels,
  at: ReturnType<typeof placeTree>,
  { classes, count, table }: Rounds,
): void {
  arena
    .u32(at.header, 32)
    .set([
      0,
      at.room.kept,
      at.edges,
      at.standing,
      ...at.sorts,
      at.counts,
      ...at.points,
      at.reach,
      at.limits,
      ...at.blocks,
      count,
      at.table,
      classes - 1,
      0,
      0,
      0,
      0,
      0,
      at.tops,
    ]);
  arena.u32(at.table, table.length).set(table);
  for (const own of at.each) arena.u32(own.header, 16).set([0, 0, own.edges, 0, at.room.fresh, own.levels]);
}
