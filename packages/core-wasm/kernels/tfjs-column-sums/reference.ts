/** Sums of the columns of a rows × columns matrix, each rounded to float32 after every row. */
export function columnSumsReference(x: Float32Array, columns: number): Float32Array {
  const sums = new Float32Array(columns);
  x.forEach((value, i) => {
    sums[i % columns]! += value;
  });
  return sums;
}
