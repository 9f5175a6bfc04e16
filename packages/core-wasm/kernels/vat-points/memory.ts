// What lies in the memory of a job, declared once for TypeScript and AssemblyScript. Each enum lists the words of 32
// bits of one record, in order; `word`, `ptr` and `float` of assembly/words.ts read them. A word that holds an array
// is its byte offset; u32 where nothing else is said.

/** The header of a job, written by ./job.ts. */
export enum Job {
  n,
  d,
  /** Bound rows of a point; 0 where the distance itself is as cheap. */
  boundRows,
  /** 1: L1 distances, else squared L2. */
  l1,
  workers,
  /** 1: each point has a tag, 1 for the zero vectors of cosine and correlation. */
  tagRows,
  /** u32[n], the result. */
  order,
  /** f32[n − 1] keys of the result; its parents, u32[n − 1], lie 4·n bytes behind. */
  weights,
  /** The dense matrix f32[n × n] of few points, and f32[n] scratch behind it; else 0. */
  matrix,
  /** The workers' headers, `Worker.size` words apart. */
  workerHeaders,
  /** See Sync. */
  sync,
  /** f32: a lower bound over key · relative + absolute proves a distance over key in spite of all rounding. */
  relativeTolerance,
  absoluteTolerance,
  /** Blocks of 16 points. */
  blocks,
  /** f32[blocks × boxRows × 2]: lowest and highest value of each row over a block. */
  boxes,
  boxRows,
  /** f32[blocks / 16 × boxRows × 2]: the same over 16 blocks that follow each other. */
  boxesOf16,
  /** 1: the last box row is the norm of what a projection leaves out. */
  lastRowIsNorm,
  /** Bytes of a published row, see Row. */
  rowBytes,
  /** 1: points lie as records, see PointRecord. */
  asRecords,
  records,
  recordBytes,
  /** 1: L2 distances of int16-quantised coordinates sort pairs out. */
  quantised,
  /** f32: how far an ordinary point lies from its quantised coordinates, at most. */
  quantisationError,
  /** f32: steps of the quantised coordinates per unit. */
  stepsPerUnit,
  /** Byte offset of the quantised coordinates in a record. */
  quantisedAt,
  /** Quantised numbers of a principal-component prefix, an even number, and its byte offset in a record. */
  prefixLength,
  prefixAt,
  /** See Tree; 0: none. */
  tree,
  /**
   * u32[all points]: which distinct point each equals; behind it u32[n], the first of each group. 0: all are
   * distinct.
   */
  groups,
  /** Mutual reachability: which nearest neighbour a core distance goes to; 0: plain distances. */
  core,
  /** f32[n]: core distances; 0 where `core` is. */
  cores,
  /** Two candidates of each worker, for even and odd steps of Prim; see Candidate. */
  candidates,
  size,
}

/** What a worker does next. */
export enum Stage {
  /** Rows of the dense matrix, then VAT of it. */
  matrix,
  /** Core distances of blocks, then … */
  cores,
  /** … rounds of the tree, or the search. */
  tree,
  /** Rows of the search for the farthest pair, then … */
  search,
  /** … Prim's own steps. */
  prim,
}

/**
 * A worker's header. Global block g is its block ⌊g / workers⌋ where g mod workers is its number. Arrays have one
 * item a point of its blocks.
 */
export enum Worker {
  /** See Stage. */
  stage,
  blocks,
  /** Rows done of the stage. */
  row,
  /** Prim's step. */
  step,
  /** Arrivals at the barrier that it waits for. */
  epoch,
  /** f32: the largest distance it knows of, and the lowest index that has it. */
  largest,
  largestIndex,
  /**
   * Direct: transposed coordinates f32[blocks × (d + tagRows) × 16]. Records: quantised ones i16[blocks × ⌈d / 2⌉ ×
   * 16 × 2].
   */
  points,
  /** f32[blocks × boundRows × 16]. */
  bounds,
  ids,
  /** f32: least distance to a visited point; −1 for the visited. */
  keys,
  /** The visited point at that distance. */
  parents,
  /** f32 least key of each block, and the lowest id that has it, NONE where all are visited. */
  blockKey,
  blockId,
  /** Squared norms of the quantised coordinates, i32. */
  norms,
  /** 1 for points that may lie farther from others than their quantised coordinates show. */
  odd,
  /** Prefixes i16[blocks × prefixLength / 2 × 16 × 2], and their squared norms. */
  prefixes,
  prefixNorms,
  /** 16 published rows. */
  rows,
  /** f32[16]. */
  out,
  /** f32[16] of +∞. */
  infinities,
  /** f32[16 × core]: the least distances of each point of a block, rising. */
  neighbours,
  /** Scratch, see Tile. */
  tile,
  /** See TreeWorker; 0: none. */
  tree,
  size,
}

/** Where the workers meet: each word that is waited for has a cache line of its own. */
export enum Sync {
  arrivals = 0,
  sleepers = 16,
  lastWake = 17,
  cancel = 32,
  abort = 48,
  /** f32: the largest distance any worker knows of. */
  largest = 64,
  /** Prim's step to stop after; 0: none. */
  stopAfter = 80,
  size = 96,
}

/**
 * A point of block g, published for the tiles of its block; its bound row follows and, where points are no records,
 * its coordinates.
 */
export enum Row {
  id,
  norm,
  odd,
  record,
  size,
}

/**
 * A point as a record: its coordinates follow (filled up with zeros to a multiple of four), its quantised ones and
 * its prefix.
 */
export enum PointRecord {
  tag,
  norm,
  odd,
  prefixNorm,
  size,
}

/** What a worker offers for a step of Prim. `slot`: global block · 16 + lane. */
export enum Candidate {
  key,
  id,
  parent,
  slot,
  size,
}

/** Scratch of a tile. */
export enum Tile {
  /** f32[16]: the limits of a row. */
  limits = 0,
  /** i32[16]: the limit of the whole block as a squared distance in steps; room for 16 more follows. */
  level = 16,
  /** i32[4 × 16] products. */
  products = 48,
  /** Four held rows, see Held. */
  held = 112,
  /**
   * Of rows that seek near, far, or both kinds of pairs: how often a prefix was used, and f32 how often it left few
   * pairs.
   */
  uses = 128,
  size = 144,
}

/** How often a prefix was used and, f32, how often it left few pairs, as a running mean. */
export enum Use {
  count,
  few,
  size,
}

/** f32: lowest and highest value of a row over a box's points. */
export enum Box {
  low,
  high,
  size,
}

/** An edge to be sorted: its distance's bits, and where it stands. */
export enum SortEntry {
  distance,
  edge,
  size,
}

/** A neighbour in Prim's lists: the point, and the bits of its distance. */
export enum Neighbour {
  point,
  distance,
  size,
}

/** An entry of Prim's heap: the new point and the bits of its distance, read as one u64, and the visited point. */
export enum HeapEntry {
  point,
  distance,
  from,
  size,
}

/** A row whose pairs the prefix left open. */
export enum Held {
  row,
  near,
  far,
  lane,
  size,
}

/** The spanning tree of the pairs seen so far. Arrays are u32[n] where nothing else is said. */
export enum Tree {
  /** Edges kept, and room for them. */
  edges,
  room,
  /** See Edge. */
  kept,
  /** The point that represents each block, u32[blocks]. */
  representatives,
  /** Two arrays to sort edges in, u64 each; then counts of the sort. */
  sorted,
  spare,
  counts,
  /** The tree as a forest of joins: which point a component was joined to, and f32 by which edge. */
  up,
  height,
  /** Union–find: root and size; and the order of components joined end to end: next, f32 gap, head, tail. */
  root,
  componentSize,
  next,
  gap,
  head,
  tail,
  /** The block that a point represents, or NONE. */
  blockOf,
  /**
   * f32[blocks × 16]: bottleneck distance from each point to its block's representative, −1 where there is no point.
   */
  reach,
  /** The same as limits of quantised distances, i32. */
  reachLimits,
  /** Blocks in the tree's order, f32 largest edge before each, and the place of each block in it; [blocks]. */
  blockOrder,
  blockGaps,
  blockPlace,
  /** f32[blocks]: largest reach of each block; and of each 16 blocks. */
  maxReach,
  maxReachOf16,
  /** How many rounds, see Round; and block-pair classes − 1. */
  rounds,
  roundTable,
  classMask,
  /** Not 0: the edges did not fit. */
  overflow,
  stopped,
  /** Not 0: a worker's edges are full. */
  full,
  /** Not 0: the round is done. */
  roundDone,
  size,
}

/** A worker's part of the tree. */
export enum TreeWorker {
  round,
  row,
  /** Block at which the row goes on. */
  resumeBlock,
  /** Units since the last tree. */
  units,
  /** Its new edges, how many, and room for them. */
  edges,
  count,
  room,
  /** f32[blocks]: bottleneck distance from the representative of the row's block to each other. */
  levels,
  size,
}

/** An edge: f32 distance and its ends. */
export enum Edge {
  distance,
  from,
  to,
  size,
}

/**
 * What a round goes through: block pairs of classes [first, last), and lanes of a row's block that are compared with
 * these, with the next block, with their own.
 */
export enum Round {
  first,
  last,
  others,
  next,
  self,
  size,
}
