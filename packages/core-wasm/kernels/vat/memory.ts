// What the search for the farthest pair goes on from, declared once for TypeScript and AssemblyScript: words of 32
// bits.

export enum Farthest {
  /** f32: the largest value so far. */
  distance,
  /** The first row that holds it. */
  row,
  /** 1: a NaN was met. */
  foundNaN,
  size,
}
