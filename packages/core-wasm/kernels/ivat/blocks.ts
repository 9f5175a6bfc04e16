/** The positions behind each pixel of an iVAT image, and the largest edge between neighbours. */
export interface Blocks {
  side: number;
  start: Uint32Array;
  /** One past the last position. */
  end: Uint32Array;
  /** gap[p]: largest edge from the last position of block p−1 to the first of block p; 0 if they are one position. */
  gap: Float32Array;
}

export function blocksOf(w: Float32Array, side: number, from: number, to: number): Blocks {
  const length = to - from;
  const start = new Uint32Array(side);
  const end = new Uint32Array(side);
  const gap = new Float32Array(side);
  for (let p = 0; p < side; p++) {
    if (length >= side) {
      start[p] = from + Math.floor((p * length) / side);
      end[p] = from + Math.floor(((p + 1) * length) / side);
    } else {
      start[p] = from + Math.floor(((p + 0.5) * length) / side);
      end[p] = start[p]! + 1;
    }
    if (p > 0) gap[p] = largest(w, end[p - 1]! - 1, start[p]!);
  }
  return { side, start, end, gap };
}

/** The largest of w[from..to−1]; 0 if there is none. */
export function largest(w: Float32Array, from: number, to: number): number {
  let m = 0;
  for (let k = from; k < to; k++) if (w[k]! > m) m = w[k]!;
  return m;
}
