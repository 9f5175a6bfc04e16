import type { Matrix } from '../../src/matrix.js';

/** Pearson correlations of the columns of x with those of y in two passes of float64; 0 where a column is constant. */
export function correlationReference(
  x: Matrix<Float32Array | Float64Array>,
  y: Matrix<Float32Array | Float64Array>,
): Float64Array {
  const [m, units] = x.shape;
  const inputs = y.shape[1];
  const centred = (matrix: Matrix<Float32Array | Float64Array>, c: number) => {
    const column = Array.from({ length: m }, (_, s) => matrix.data[s * matrix.shape[1] + c]!);
    if (column.every((value) => value === column[0])) return { column: column.map(() => 0), norm: 0 };
    // Twice: what the first mean was rounded off by is taken away the second time.
    let out = column;
    for (let pass = 0; pass < 2; pass++) {
      const mean = out.reduce((a, b) => a + b, 0) / m;
      out = out.map((value) => value - mean);
    }
    return { column: out, norm: Math.sqrt(out.reduce((a, b) => a + b * b, 0)) };
  };
  const left = Array.from({ length: units }, (_, u) => centred(x, u));
  const right = Array.from({ length: inputs }, (_, i) => centred(y, i));
  const out = new Float64Array(units * inputs);
  for (const [u, p] of left.entries())
    for (const [i, q] of right.entries()) {
      if (p.norm === 0 || q.norm === 0) continue;
      let sum = 0;
      for (let s = 0; s < m; s++) sum += (p.column[s]! / p.norm) * (q.column[s]! / q.norm);
      out[u * inputs + i] = sum;
    }
  return out;
}
