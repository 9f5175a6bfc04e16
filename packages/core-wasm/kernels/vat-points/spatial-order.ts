/** Indices 0..n−1 so that neighbours in the list are neighbours in space: halved along the widest of `width` values, at multiples of 16. */
export function spatialOrder(values: Float32Array, width: number, n: number): Uint32Array {
  const index = Uint32Array.from({ length: n }, (_, i) => i);
  const stack: [number, number][] = [[0, n]];
  while (stack.length) {
    const [lo, hi] = stack.pop()!;
    if (hi - lo <= 16) continue;
    let widest = 0;
    let spread = 0;
    for (let k = 0; k < width; k++) {
      let low = Infinity;
      let high = -Infinity;
      for (let i = lo; i < hi; i++) {
        const x = values[index[i]! * width + k]!;
        if (x < low) low = x;
        if (x > high) high = x;
      }
      if (high - low > spread) {
        spread = high - low;
        widest = k;
      }
    }
    if (spread === 0) continue;
    const mid = lo + Math.max(16, Math.round((hi - lo) / 32) * 16);
    if (mid >= hi) continue;
    select(index, lo, hi - 1, mid, (i) => values[i * width + widest]!);
    stack.push([lo, mid], [mid, hi]);
  }
  return index;
}

// Hoare's selection: afterwards no key before `at` is greater than one at or after it.
function select(
  index: Uint32Array,
  first: number,
  last: number,
  at: number,
  key: (i: number) => number,
): void {
  let lo = first;
  let hi = last;
  while (lo < hi) {
    const pivot = key(index[(lo + hi) >> 1]!);
    let i = lo;
    let j = hi;
    while (i <= j) {
      while (key(index[i]!) < pivot) i++;
      while (key(index[j]!) > pivot) j--;
      if (i <= j) {
        const t = index[i]!;
        index[i++] = index[j]!;
        index[j--] = t;
      }
    }
    if (at <= j) hi = j;
    else if (at >= i) lo = i;
    else return;
  }
}
