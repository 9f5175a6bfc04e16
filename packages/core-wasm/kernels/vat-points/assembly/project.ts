// Bound rows of vat-points in float64: points less their centre, in an orthonormal basis. All rows are `size` numbers
// apart, an even number; what lies past the coordinates is 0.

import { madd2, pair, sum2 } from '../../../assembly/lanes';

// y = x − centre; answers |y|².
// @ts-ignore: decorator
@inline
function centred(x: usize, centre: usize, size: u32, y: usize): f64 {
  let sum = f64x2.splat(0);
  for (const end = y + ((<usize>size) << 3); y < end; y += 16) {
    const t = f64x2.sub(pair<f32>(x), v128.load(centre));
    sum = madd2(t, t, sum);
    v128.store(y, t);
    x += 8;
    centre += 16;
  }
  return sum2(sum);
}

/**
 * Of each of `count` points x (f32): its products with `m` basis rows (f64) and then |x − centre|², into f64[m + 1]
 * of `out`. `y` is scratch, f64[size].
 */
export function vatPointsProject(
  x: usize,
  count: u32,
  size: u32,
  centre: usize,
  basis: usize,
  m: u32,
  y: usize,
  out: usize,
): void {
  const step = (<usize>size) << 3;
  for (; count > 0; count--, x += (<usize>size) << 2) {
    const square = centred(x, centre, size, y);
    let row = basis;
    let j: u32 = 0;
    for (; j + 4 <= m; j += 4, row += step << 2, out += 32) {
      let a = f64x2.splat(0),
        b = a,
        c = a,
        e = a;
      let p = row;
      for (let q = y; q < y + step; q += 16, p += 16) {
        const t = v128.load(q);
        a = madd2(t, v128.load(p), a);
        b = madd2(t, v128.load(p + step), b);
        c = madd2(t, v128.load(p + (step << 1)), c);
        e = madd2(t, v128.load(p + step * 3), e);
      }
      store<f64>(out, sum2(a));
      store<f64>(out, sum2(b), 8);
      store<f64>(out, sum2(c), 16);
      store<f64>(out, sum2(e), 24);
    }
    for (; j < m; j++, row += step, out += 8) {
      let a = f64x2.splat(0);
      for (let q: usize = 0; q < step; q += 16) a = madd2(v128.load(y + q), v128.load(row + q), a);
      store<f64>(out, sum2(a));
    }
    store<f64>(out, square);
    out += 8;
  }
}

/**
 * next[j] += Σ parts[i, j]·(x_i − centre) over `count` points: f64[m × size]; `parts` as `vatPointsProject` writes
 * them.
 */
export function vatPointsCombine(
  x: usize,
  count: u32,
  size: u32,
  centre: usize,
  parts: usize,
  m: u32,
  y: usize,
  next: usize,
): void {
  const step = (<usize>size) << 3;
  for (; count > 0; count--, x += (<usize>size) << 2) {
    centred(x, centre, size, y);
    let to = next;
    for (let j: u32 = 0; j < m; j++, parts += 8) {
      const f = v128.load64_splat(parts);
      for (let q = y; q < y + step; q += 16, to += 16) v128.store(to, madd2(f, v128.load(q), v128.load(to)));
    }
    parts += 8;
  }
}
