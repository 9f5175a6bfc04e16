// The header of a pairwise job, declared once for TypeScript and AssemblyScript: words of 32 bits, in order; arrays
// are byte offsets.

export enum Job {
  /** Rows n of the first set and m of the second. */
  n,
  m,
  /** Floats of a prepared row, a multiple of 4. */
  stride,
  /** METRIC_ID. */
  metric,
  /** 1: both sets are the same rows. */
  symmetric,
  condensed,
  /** The result, f32[n × m] or f32[n(n−1)/2]. */
  out,
  /** Prepared rows of both sets, f32[· × stride]. */
  rowsA,
  rowsB,
  /** The same packed in panels of 16 rows; Euclidean: centred. */
  panelsA,
  panelsB,
  /**
   * f32, to a multiple of 16 rows. Euclidean: squared norms of the centred rows; cosine and correlation: 1, of a zero
   * vector 0.
   */
  normsA,
  normsB,
  /** SIDE² + 640 f32 a worker. */
  scratch,
  /** f32: factor from computed to real distances. */
  unit,
  /** 0x7fffffff: as a constant in the code it would be made anew in every iteration of the innermost loop. */
  absolute,
  /** Columns a sum runs over before it is added to its group's, and these before they are added to the total. */
  block,
  group,
  /** f32 a panel, see assembly/prepare.ts. */
  absorbedA,
  absorbedB,
  size,
}
