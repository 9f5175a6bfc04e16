import type { Matrix } from '@epochscope/core-wasm';

/** Some rows of a matrix, in the order given, as float32. */
export function rowsOf(
  { data, shape: [, width] }: { data: Float32Array | Float64Array; shape: readonly [number, number] },
  rows: ArrayLike<number>,
): Matrix {
  const out = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++)
    out.set(data.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
  return { data: out, shape: [rows.length, width] };
}
