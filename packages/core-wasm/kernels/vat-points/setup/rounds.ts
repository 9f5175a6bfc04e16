import type { Kernels } from '../../../src/load.js';
import { Edge, Round, Tree, TreeWorker } from '../memory.js';

/** Rounds of the tree, the chain before them included. */
export interface Rounds {
  count: number;
  /** Block pairs fall into so many classes, a power of two. */
  classes: number;
  /** u32[count × Round.size], see Round. */
  table: Uint32Array;
}

/** Fewer points than these make no tree. */
const LEAST = 512;

/**
 * The rounds for n points; null where there are too few. Each goes through at most some four times the pairs seen
 * before, so that some four new edges a point are light to the tree of those.
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
    for (let bits = table[Round.size * r + Round.others]!; bits; bits &= bits - 1) lanes++;
    return (
      ((table[Round.size * r + Round.last]! - table[Round.size * r + Round.first]!) * lanes) / (16 * classes)
    );
  };
  let share = of(round) * part;
  for (let r = 0; r < round; r++) share += of(r);
  return share;
}

interface TreeSizes {
  n: number;
  blocks: number;
  workers: number;
  core: number;
}

/**
 * Places of all that Tree and TreeWorker of memory.ts hold; some 350·n bytes. Where edges fill up a new tree is made,
 * which makes most of them heavy.
 */
export function placeTree(
  take: (bytes: number) => number,
  { table }: Rounds,
  { n, blocks, workers, core }: TreeSizes,
) {
  // A point's core distance is that of up to `core` of its edges. At the end the two arrays to sort in hold 28 bytes
  // for
  // each edge kept, so that these may be 4/3 of the new ones.
  const room = (6 + core) * n;
  const fresh = Math.ceil((0.75 * room) / workers) + 1024;
  const sort = 64 * Math.ceil((room + workers * fresh) / 8);
  const keptBytes = 64 * Math.ceil((4 * Edge.size * room) / 64);
  const bytes = keptBytes + 2 * sort;
  const edges = take(bytes);
  const points = () => take(4 * n);
  const perBlock = () => take(4 * blocks);
  return {
    bytes,
    room,
    edges,
    sorted: edges + keptBytes,
    spare: edges + keptBytes + sort,
    header: take(4 * Tree.size),
    counts: take(4096),
    up: points(),
    height: points(),
    root: points(),
    componentSize: points(),
    next: points(),
    gap: points(),
    head: points(),
    tail: points(),
    blockOf: points(),
    reach: take(64 * blocks),
    reachLimits: take(64 * blocks),
    blockOrder: perBlock(),
    blockGaps: perBlock(),
    blockPlace: perBlock(),
    maxReach: perBlock(),
    representatives: perBlock(),
    maxReachOf16: take(4 * Math.ceil(blocks / 16)),
    table: take(4 * table.length),
    each: Array.from({ length: workers }, () => ({
      header: take(4 * TreeWorker.size),
      edges: take(4 * Edge.size * fresh),
      room: fresh,
      levels: take(64 * Math.ceil(blocks / 16)),
    })),
  };
}

/** Writes the headers into memory that is all 0. */
export function writeTree(
  { arena }: Kernels,
  at: ReturnType<typeof placeTree>,
  { classes, count, table }: Rounds,
): void {
  const tree = arena.u32(at.header, Tree.size);
  tree[Tree.room] = at.room;
  tree[Tree.kept] = at.edges;
  tree[Tree.representatives] = at.representatives;
  tree[Tree.sorted] = at.sorted;
  tree[Tree.spare] = at.spare;
  tree[Tree.counts] = at.counts;
  tree[Tree.up] = at.up;
  tree[Tree.height] = at.height;
  tree[Tree.root] = at.root;
  tree[Tree.componentSize] = at.componentSize;
  tree[Tree.next] = at.next;
  tree[Tree.gap] = at.gap;
  tree[Tree.head] = at.head;
  tree[Tree.tail] = at.tail;
  tree[Tree.blockOf] = at.blockOf;
  tree[Tree.reach] = at.reach;
  tree[Tree.reachLimits] = at.reachLimits;
  tree[Tree.blockOrder] = at.blockOrder;
  tree[Tree.blockGaps] = at.blockGaps;
  tree[Tree.blockPlace] = at.blockPlace;
  tree[Tree.maxReach] = at.maxReach;
  tree[Tree.maxReachOf16] = at.maxReachOf16;
  tree[Tree.rounds] = count;
  tree[Tree.roundTable] = at.table;
  tree[Tree.classMask] = classes - 1;
  arena.u32(at.table, table.length).set(table);
  for (const own of at.each) {
    const header = arena.u32(own.header, TreeWorker.size);
    header[TreeWorker.edges] = own.edges;
    header[TreeWorker.room] = own.room;
    header[TreeWorker.levels] = own.levels;
  }
}
