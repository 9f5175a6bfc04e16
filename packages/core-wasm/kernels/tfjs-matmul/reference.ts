export interface MatMulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
  /** Added to every row. */
  bias?: ArrayLike<number>;
  relu?: boolean;
}

/** op(a)[m, k] · op(b)[k, n] + bias, then max(0, ·), row-major, in float64. */
export function matMulReference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  [m, k, n]: readonly [number, number, number],
  { transposeA, transposeB, bias, relu }: MatMulOptions = {},
): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let q = 0; q < k; q++)
        sum += a[transposeA ? q * m + i : i * k + q]! * b[transposeB ? j * k + q : q * n + j]!;
      sum += bias ? bias[j]! : 0;
      c[i * n + j] = relu ? Math.max(0, sum) : sum;
    }
  return c;
}
