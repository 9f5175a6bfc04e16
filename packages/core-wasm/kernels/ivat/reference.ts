/** Minimax path distances by definition (Floyd–Warshall with max for +): float64[n × n]. O(n³). */
export function minimaxReference(n: number, distance: (i: number, j: number) => number): Float64Array {
  const d = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) d[i * n + j] = i === j ? 0 : distance(i, j);
  for (let k = 0; k < n; k++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        d[i * n + j] = Math.min(d[i * n + j]!, Math.max(d[i * n + k]!, d[k * n + j]!));
  return d;
}

/** The iVAT image pixel by pixel, pair by pair, from a matrix in VAT order. */
export function ivatImageReference(
  matrix: ArrayLike<number>,
  n: number,
  side: number,
  from: number,
  to: number,
  reduce: 'mean' | 'max',
): Float64Array {
  const length = to - from;
  const positions = (p: number): number[] => {
    if (length < side) return [from + Math.floor(((p + 0.5) * length) / side)];
    const block: number[] = [];
    const end = from + Math.floor(((p + 1) * length) / side);
    for (let k = from + Math.floor((p * length) / side); k < end; k++) block.push(k);
    return block;
  };
  const out = new Float64Array(side * side);
  for (let p = 0; p < side; p++)
    for (let q = 0; q < side; q++) {
      const values = positions(p).flatMap((a) => positions(q).map((b) => matrix[a * n + b]!));
      out[p * side + q] =
        reduce === 'max' ? Math.max(...values) : values.reduce((s, x) => s + x, 0) / values.length;
    }
  return out;
}
