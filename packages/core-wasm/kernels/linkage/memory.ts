// The work area of a linkage, declared once for TypeScript and AssemblyScript.

/** Arrays of `stride` words of 32 bits each, one after another. A slot is a column that may still be alive. */
export enum Area {
  /** Row of the matrix that holds the slot. */
  row,
  /** Cluster in the slot: a sample, or n + its merge's place in the chain's order. */
  id,
  /** f32. */
  size,
  /** f32: 0 alive, +∞ dead. */
  dead,
  /** Length of the log when the slot's row was last brought up to date. */
  synced,
  /** Place in the log of the slot's last merge. */
  made,
  /** For each block of 16 merges the entries that still hold, slot << 4 | place in the block. */
  log,
  chain,
  /** Merges: two clusters and f32 the height, in the order of the chain. */
  left,
  right,
  height,
  /** Also where the sorted merges begin: left, right, height and size in four arrays. */
  scratch,
  /** Row of the matrix that each merge in the log set free. */
  freed,
  /** Entries of each block of the log that still hold. */
  count,
  /** Sixteen bytes for four columns: how `compact` moves them, and how many bytes of them are kept. */
  control,
  advance,
  /** See State; then the counts of sorting. */
  state,
}

/** Words of 32 bits. */
export enum State {
  width,
  chainLength,
  merges,
  logLength,
  /** First slot that may be alive. */
  first,
  size = 8,
}
