// ivat: the full matrix of minimax distances from the n−1 edge weights of a VAT order.

/**
 * out[row − row0, ·] for VAT positions row0 ≤ row < row1: D'(a,b) = max(w[a..b−1]) for a < b, symmetric, 0 on the
 * diagonal.
 */
export function ivatRows(w: usize, n: u32, out: usize, row0: u32, row1: u32): void {
  if (row0 >= row1) return;
  const stride = (<usize>n) << 2;
  // Right of the diagonal, upwards: row a is max(w[a], row a+1), one vector operation a lane.
  let row = out + <usize>(row1 - 1 - row0) * stride;
  tailOf(w, n, row, row1 - 1);
  for (let a = row1 - 1; a > row0; a--) {
    const i = a - 1;
    const above = row - stride;
    const x = load<f32>(w + ((<usize>i) << 2));
    store<f32>(above + ((<usize>i) << 2), 0);
    store<f32>(above + ((<usize>a) << 2), x);
    maxInto(above, row, x, a + 1, n);
    row = above;
  }
  // Left of the diagonal, downwards: row a is max(w[a−1], row a−1).
  row = out;
  headOf(w, row, row0);
  for (let a = row0 + 1; a < row1; a++) {
    const below = row + stride;
    const x = load<f32>(w + ((<usize>(a - 1)) << 2));
    maxInto(below, row, x, 0, a - 1);
    store<f32>(below + ((<usize>(a - 1)) << 2), x);
    row = below;
  }
}

/**
 * The same rows of the matrix in original order, for samples row0 ≤ i < row1. position: u32[n], inverse of order;
 * scratch: f32[n].
 */
export function ivatOriginalRows(
  w: usize,
  position: usize,
  n: u32,
  scratch: usize,
  out: usize,
  row0: u32,
  row1: u32,
): void {
  for (let i = row0; i < row1; i++) {
    const a = load<u32>(position + ((<usize>i) << 2));
    headOf(w, scratch, a);
    tailOf(w, n, scratch, a);
    for (let j: u32 = 0; j < n; j++) {
      const b = load<u32>(position + ((<usize>j) << 2));
      store<f32>(out, load<f32>(scratch + ((<usize>b) << 2)));
      out += 4;
    }
  }
}

// row[a..n): 0, then the running maximum of w[a..].
function tailOf(w: usize, n: u32, row: usize, a: u32): void {
  let m: f32 = 0;
  store<f32>(row + ((<usize>a) << 2), 0);
  for (let b = a + 1; b < n; b++) {
    const x = load<f32>(w + ((<usize>(b - 1)) << 2));
    m = x > m ? x : m;
    store<f32>(row + ((<usize>b) << 2), m);
  }
}

// row[0..a): the running maximum of w[..a−1], backwards.
function headOf(w: usize, row: usize, a: u32): void {
  let m: f32 = 0;
  for (let b = a; b > 0; b--) {
    const x = load<f32>(w + ((<usize>(b - 1)) << 2));
    m = x > m ? x : m;
    store<f32>(row + ((<usize>(b - 1)) << 2), m);
  }
}

// @ts-ignore: decorator
@inline
function maxInto(to: usize, from: usize, x: f32, start: u32, end: u32): void {
  const v = f32x4.splat(x);
  let j = start;
  for (; j + 16 <= end; j += 16) {
    const p = from + ((<usize>j) << 2),
      q = to + ((<usize>j) << 2);
    v128.store(q, f32x4.pmax(v, v128.load(p)));
    v128.store(q, f32x4.pmax(v, v128.load(p, 16)), 16);
    v128.store(q, f32x4.pmax(v, v128.load(p, 32)), 32);
    v128.store(q, f32x4.pmax(v, v128.load(p, 48)), 48);
  }
  for (; j < end; j++) {
    const y = load<f32>(from + ((<usize>j) << 2));
    store<f32>(to + ((<usize>j) << 2), y > x ? y : x);
  }
}
