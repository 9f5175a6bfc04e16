// Points put in an order in which neighbours in the list are neighbours in space.

/**
 * Sorts the points so that every run of 16, and of 256, lies close together: halved along the widest row, at
 * multiples of 256 and then 16. values: f32[n × width], width a multiple of 4, filled up with equal values; index:
 * u32[n], written; stack: 1024 bytes.
 */
export function vatPointsSpatialOrder(values: usize, width: u32, n: u32, index: usize, stack: usize): void {
  const bytes = (<usize>width) << 2;
  for (let i: u32 = 0; i < n; i++) store<u32>(index + ((<usize>i) << 2), i);
  store<u32>(stack, 0);
  store<u32>(stack, n, 4);
  let top: usize = 8;
  while (top > 0) {
    top -= 8;
    const lo = load<u32>(stack + top),
      hi = load<u32>(stack + top, 4);
    if (hi - lo <= 16) continue;
    const column = widest(values, bytes, index + ((<usize>lo) << 2), index + ((<usize>hi) << 2));
    if (column == NONE) continue;
    // Runs of 256 stay together too: boxes around sixteen blocks are then small.
    const shift: u32 = hi - lo >= 512 ? 8 : 4;
    const mid = lo + max<u32>(1 << shift, ((hi - lo + (1 << shift)) >> (shift + 1)) << shift);
    if (mid >= hi) continue;
    select(values + column, bytes, index, <i32>lo, <i32>(hi - 1), <i32>mid);
    // The larger part waits, so that the stack stays below log₂ n entries.
    const left = mid - lo > hi - mid;
    store<u32>(stack + top, left ? lo : mid);
    store<u32>(stack + top, left ? mid : hi, 4);
    store<u32>(stack + top, left ? mid : lo, 8);
    store<u32>(stack + top, left ? hi : mid, 12);
    top += 16;
  }
}

const NONE: usize = -1;

// Bytes from a row's beginning to the value that spreads most over the points; NONE if all are equal.
function widest(values: usize, bytes: usize, from: usize, to: usize): usize {
  let at = NONE;
  let spread: f32 = 0;
  for (let k: usize = 0; k < bytes; k += 16) {
    let low = f32x4.splat(Infinity),
      high = f32x4.splat(-Infinity);
    const column = values + k;
    for (let p = from; p < to; p += 4) {
      const x = v128.load(column + <usize>load<u32>(p) * bytes);
      low = f32x4.pmin(low, x);
      high = f32x4.pmax(high, x);
    }
    const wide = f32x4.sub(high, low);
    for (let lane: usize = 0; lane < 4; lane++) {
      const x =
        lane == 0
          ? f32x4.extract_lane(wide, 0)
          : lane == 1
            ? f32x4.extract_lane(wide, 1)
            : lane == 2
              ? f32x4.extract_lane(wide, 2)
              : f32x4.extract_lane(wide, 3);
      if (x > spread) {
        spread = x;
        at = k + (lane << 2);
      }
    }
  }
  return at;
}

// Hoare's selection: afterwards no value before `at` is greater than one at or after it.
function select(column: usize, bytes: usize, index: usize, lo: i32, hi: i32, at: i32): void {
  while (lo < hi) {
    const pivot = value(column, bytes, index, (lo + hi) >> 1);
    let i = lo,
      j = hi;
    while (i <= j) {
      while (value(column, bytes, index, i) < pivot) i++;
      while (value(column, bytes, index, j) > pivot) j--;
      if (i <= j) {
        const p = index + ((<usize>i) << 2),
          q = index + ((<usize>j) << 2);
        const t = load<u32>(p);
        store<u32>(p, load<u32>(q));
        store<u32>(q, t);
        i++;
        j--;
      }
    }
    if (at <= j) hi = j;
    else if (at >= i) lo = i;
    else return;
  }
}

// @ts-ignore: decorator
@inline
function value(column: usize, bytes: usize, index: usize, i: i32): f32 {
  return load<f32>(column + <usize>load<u32>(index + ((<usize>i) << 2)) * bytes);
}
