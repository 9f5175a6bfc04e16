// Bound rows of vat-points in float64: points less their centre, in an orthonormal basis. All rows are `size` numbers apart, an even
// number; what lies past the coordinates is 0.

// y = x − centre; answers |y|².
// @ts-ignore: decorator
@inline
function centred(x: usize, centre: usize, size: u32, y: usize): f64 {
  let sum = f64x2.splat(0);
  for (const end = y + (<usize>size << 3); y < end; y += 16) {
    const t = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x)), v128.load(centre));
    sum = f64x2.add(sum, f64x2.mul(t, t));
    v128.store(y, t);
    x += 8;
    centre += 16;
  }
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

// @ts-ignore: decorator
@inline
function across(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** Of each of `count` points x (f32): its products with `m` basis rows (f64) and then |x − centre|², into f64[m + 1] of `out`. `y` is scratch, f64[size]. */
export function vatPointsProject(x: usize, count: u32, size: u32, centre: usize, basis: usize, m: u32, y: usize, out: usize): void {
  const step = <usize>size << 3;
  for (; count > 0; count--, x += <usize>size << 2) {
    const square = centred(x, centre, size, y);
    let row = basis;
    let j: u32 = 0;
    for (; j + 4 <= m; j += 4, row += step << 2, out += 32) {
      let a = f64x2.splat(0), b = a, c = a, e = a;
      let p = row;
      for (let q = y; q < y + step; q += 16, p += 16) {
        const t = v128.load(q);
        a = f64x2.add(a, f64x2.mul(t, v128.load(p)));
        b = f64x2.add(b, f64x2.mul(t, v128.load(p + step)));
        c = f64x2.add(c, f64x2.mul(t, v128.load(p + (step << 1))));
        e = f64x2.add(e, f64x2.mul(t, v128.load(p + step * 3)));
      }
      store<f64>(out, across(a));
      store<f64>(out, across(b), 8);
      store<f64>(out, across(c), 16);
      store<f64>(out, across(e), 24);
    }
    for (; j < m; j++, row += step, out += 8) {
      let a = f64x2.splat(0);
      for (let q: usize = 0; q < step; q += 16) a = f64x2.add(a, f64x2.mul(v128.load(y + q), v128.load(row + q)));
      store<f64>(out, across(a));
    }
    store<f64>(out, square);
    out += 8;
  }
}

/** next[j] += Σ parts[i, j]·(x_i − centre) over `count` points: f64[m × size]; `parts` as `vatPointsProject` writes them. */
export function vatPointsCombine(x: usize, count: u32, size: u32, centre: usize, parts: usize, m: u32, y: usize, next: usize): void {
  const step = <usize>size << 3;
  for (; count > 0; count--, x += <usize>size << 2) {
    centred(x, centre, size, y);
    let to = next;
    for (let j: u32 = 0; j < m; j++, parts += 8) {
      const f = v128.load64_splat(parts);
      for (let q = y; q < y + step; q += 16, to += 16) v128.store(to, f64x2.add(v128.load(to), f64x2.mul(f, v128.load(q))));
    }
    parts += 8;
  }
}
