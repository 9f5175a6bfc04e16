// What lies in the memory of a job, declared once for TypeScript and AssemblyScript: words of 32 bits, read by `word`, `ptr` and `float`
// (assembly/words.ts). A name that ends in At, or holds an array, is a byte offset.

/** The job's header, written by ./job.ts. */
export const enum Job {
  n,
  d,
  /** Bound rows of a point, 0 for none. */
  boundRows,
  /** 1: L1 distances. */
  l1,
  workers,
  /** 1: a row of tags, 1 for zero vectors, follows the coordinates. */
  tagRows,
  /** u32[n]. */
  order,
  /** f32[n], then the parents u32[n]. */
  weights,
  candidates,
  candidateBytes,
  /** Workers' headers. */
  states,
  /** See Sync. */
  sync,
  /** f32 margins: a lower bound over key · relative + absolute is a distance over key in spite of all rounding. */
  grow,
  slack,
  blocks,
  /** f32[blocks × boxRows × 2]: lowest and highest of each row. */
  boxes,
  boxRows,
  /** 1: the last box row is the norm of what a projection leaves out. */
  lastRowIsNorm,
  visited,
  /** 1: points lie as records. */
  asRecords,
  quantised,
  /** f32: how far an ordinary point lies from its quantised coordinates, at most. */
  wholeError,
  records,
  recordBytes,
  /** Where the quantised coordinates begin in a record. */
  wholeAt,
  /** f32 steps per unit. */
  wholeSteps,
  /** See Tree; 0: none. */
  tree,
  groups,
  leadLength,
  leadAt,
  around,
}

/** A worker's header. */
export const enum Worker {
  points,
  bounds,
  keys,
  ids,
  parents,
  out,
  blockKey,
  blockId,
  blocks,
  step,
  searchRow,
  epoch,
  largest,
  largestIndex,
  infinities,
  unused,
  rows,
  boxes,
  owed,
  boxStride,
  since,
  tops,
  norms,
  products,
  left,
  odd,
  wholeLimits,
  tree,
  byTree,
  leads,
  leadNorms,
  tile,
}

/** The tree's header. */
export const enum Tree {
  edges,
  room,
  kept,
  standing,
  sorted,
  spare,
  counts,
  up,
  height,
  root,
  size,
  next,
  gap,
  head,
  tail,
  blockOf,
  reach,
  limits,
  order,
  gaps,
  place,
  tops,
  rounds,
  table,
  mask,
  overflow,
  unused,
  stopped,
  full,
  whole,
  topsAround,
}

/** A worker's part of the tree. */
export const enum TreeWorker {
  round,
  row,
  edges,
  count,
  room,
  levels,
  unused,
  units,
  unused2,
  resume,
}
