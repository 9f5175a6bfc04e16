/**
 * Indices of weights ≥ 0, ascending; equal weights by index. Radix sort on the bits, which rise with a float32 ≥ 0.
 * O(n) time, 12·n bytes.
 */
export function ascendingOrder(weights: Float32Array): Uint32Array {
  // + 0 makes −0 a 0.
  const keys = new Uint32Array(weights.map((w) => w + 0).buffer);
  let from = Uint32Array.from({ length: keys.length }, (_, i) => i);
  let to = new Uint32Array(keys.length);
  for (const shift of [0, 16]) {
    const starts = new Uint32Array(65537);
    for (const key of keys) starts[((key >>> shift) & 0xffff) + 1]!++;
    for (let b = 0; b < 65536; b++) starts[b + 1]! += starts[b]!;
    for (const i of from) to[starts[(keys[i]! >>> shift) & 0xffff]!++] = i;
    [from, to] = [to, from];
  }
  return from;
}
