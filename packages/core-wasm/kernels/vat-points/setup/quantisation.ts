/** How points become int16: round((x − centre)·steps). */
export interface Quantisation {
  /** Steps per unit of a coordinate, a float32. */
  steps: number;
  /** How far a point within `radius` of the centre may lie from its quantised coordinates, at most; a float32. */
  error: number;
  /** Points farther from the centre are brought to this distance first. */
  radius: number;
}

// ../assembly/quantised.ts says why.
const LONGEST = 22_000;

/**
 * Steps for points of d coordinates at these squared distances from their centre: as fine as 16-bit numbers and
 * 32-bit sums allow for all but about a hundredth of the points, so that a few far ones do not blur the others. null
 * if the points lie too close for float32 steps.
 */
export function quantisationOf(squares: Float64Array, d: number): Quantisation | null {
  let top = 0;
  for (let i = 0; i < squares.length; i++) if (squares[i]! > top) top = squares[i]!;
  const most = Math.sqrt(top);
  const stride = Math.ceil(squares.length / 4096);
  const sorted = Float64Array.from(
    { length: Math.ceil(squares.length / stride) },
    (_, i) => squares[i * stride]!,
  ).sort();
  const usual = Math.sqrt(sorted[Math.floor(0.99 * (sorted.length - 1))]!);
  const radius = usual > 0 ? Math.min(most, 4 * usual) : most;
  const steps = Math.fround(LONGEST / radius);
  if (!(steps < 1e30)) return null;
  return { steps, error: Math.fround((0.5005 * Math.sqrt(d)) / steps), radius };
}
