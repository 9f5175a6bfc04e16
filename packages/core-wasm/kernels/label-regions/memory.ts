// A run of kept pixels, declared once for TypeScript and AssemblyScript: words of 32 bits.

export enum Run {
  /** First pixel, and the pixel after the last; both counted from the mask's start. */
  first,
  end,
  /** A run of the same region, afterwards the region's label. */
  parent,
  size,
}
