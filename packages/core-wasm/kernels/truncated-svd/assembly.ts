// Dense algebra for singular triplets: block products, Gram-Schmidt, symmetric eigenvalues, one-sided Jacobi.
// Vectors are rows that lie side by side. Arithmetic is float64 throughout; float32 is only how long arrays are kept.

const EPSILON: f64 = 2.220446049250313e-16;
/** Values of a row that stay in cache while all pairs of rows are multiplied. */
const CHUNK: i32 = 2048;
/** Rows summed into a block of columns before the block is stored. */
const DEPTH: i32 = 32;

/** Two values as float64 lanes, from float32 or float64. */
// @ts-ignore: decorator
@inline
function pair<T>(p: usize): v128 {
  if (sizeof<T>() == 4) return f64x2.promote_low_f32x4(v128.load64_zero(p));
  return v128.load(p);
}

// @ts-ignore: decorator
@inline
function madd2(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(c, f64x2.mul(a, b));
}

// @ts-ignore: decorator
@inline
function sum2(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** out[c, i] (+)= Σ_q a[i, q] · x[c, q]: tiles of 2 rows of a and 4 of x, in chunks of columns. */
// @ts-ignore: decorator
@inline
function products<A, X>(a: usize, rows: i32, x: usize, count: i32, length: i32, out: usize, outStride: i32, zero: v128): void {
  const aStep = usize(length) * sizeof<A>();
  const xStep = usize(length) * sizeof<X>();
  const outStep = usize(outStride) << 3;
  for (let q0 = 0; q0 < length || q0 == 0; q0 += CHUNK) {
    const q1 = min(length, q0 + CHUNK);
    const even = q0 + ((q1 - q0) & ~1);
    for (let i = 0; i < rows; i += 2) {
      const two = i + 1 < rows;
      const a0 = a + usize(i) * aStep;
      const a1 = two ? a0 + aStep : a0;
      for (let c = 0; c < count; c += 4) {
        const left = count - c;
        const x0 = x + usize(c) * xStep;
        const x1 = left > 1 ? x0 + xStep : x0;
        const x2 = left > 2 ? x0 + xStep * 2 : x0;
        const x3 = left > 3 ? x0 + xStep * 3 : x0;
        let s00 = zero, s01 = zero, s02 = zero, s03 = zero, s10 = zero, s11 = zero, s12 = zero, s13 = zero;
        for (let q = q0; q < even; q += 2) {
          const oa = usize(q) * sizeof<A>();
          const ox = usize(q) * sizeof<X>();
          const p0 = pair<A>(a0 + oa);
          const p1 = pair<A>(a1 + oa);
          let y = pair<X>(x0 + ox);
          s00 = madd2(p0, y, s00);
          s10 = madd2(p1, y, s10);
          y = pair<X>(x1 + ox);
          s01 = madd2(p0, y, s01);
          s11 = madd2(p1, y, s11);
          y = pair<X>(x2 + ox);
          s02 = madd2(p0, y, s02);
          s12 = madd2(p1, y, s12);
          y = pair<X>(x3 + ox);
          s03 = madd2(p0, y, s03);
          s13 = madd2(p1, y, s13);
        }
        let t00 = sum2(s00), t01 = sum2(s01), t02 = sum2(s02), t03 = sum2(s03);
        let t10 = sum2(s10), t11 = sum2(s11), t12 = sum2(s12), t13 = sum2(s13);
        if (even < q1) {
          const oa = usize(even) * sizeof<A>();
          const ox = usize(even) * sizeof<X>();
          const v0 = <f64>load<A>(a0 + oa), v1 = <f64>load<A>(a1 + oa);
          const y0 = <f64>load<X>(x0 + ox), y1 = <f64>load<X>(x1 + ox), y2 = <f64>load<X>(x2 + ox), y3 = <f64>load<X>(x3 + ox);
          t00 += v0 * y0;
          t01 += v0 * y1;
          t02 += v0 * y2;
          t03 += v0 * y3;
          t10 += v1 * y0;
          t11 += v1 * y1;
          t12 += v1 * y2;
          t13 += v1 * y3;
        }
        const first = q0 == 0;
        const o = out + usize(c) * outStep + (usize(i) << 3);
        add(o, t00, t10, two, first);
        if (left > 1) add(o + outStep, t01, t11, two, first);
        if (left > 2) add(o + outStep * 2, t02, t12, two, first);
        if (left > 3) add(o + outStep * 3, t03, t13, two, first);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function add(o: usize, v0: f64, v1: f64, two: bool, first: bool): void {
  store<f64>(o, first ? v0 : load<f64>(o) + v0);
  if (two) store<f64>(o, first ? v1 : load<f64>(o, 8) + v1, 8);
}

/** out[c, i] = a[i]·x[c] for float32 rows a[rows × length] and float64 rows x[count × length]; out float64, outStride values a row. */
export function svdProducts3264(a: usize, rows: i32, x: usize, count: i32, length: i32, out: usize, outStride: i32): void {
  products<f32, f64>(a, rows, x, count, length, out, outStride, f64x2.splat(0));
}

/** The same with float32 x. */
export function svdProducts3232(a: usize, rows: i32, x: usize, count: i32, length: i32, out: usize, outStride: i32): void {
  products<f32, f32>(a, rows, x, count, length, out, outStride, f64x2.splat(0));
}

/** The same with float64 a and x. */
export function svdProducts6464(a: usize, rows: i32, x: usize, count: i32, length: i32, out: usize, outStride: i32): void {
  products<f64, f64>(a, rows, x, count, length, out, outStride, f64x2.splat(0));
}

/** Four sums of two columns each, from memory or zero. */
// @ts-ignore: decorator
@inline
function combine<W>(w: usize, wStride: i32, rows: i32, y: usize, yStride: i32, count: i32, out: usize, outStride: i32, length: i32, keep: bool, zero: v128): void {
  const wStep = usize(wStride) * sizeof<W>();
  const yStep = usize(yStride) << 3;
  const outStep = usize(outStride) << 3;
  const whole = length & ~7;
  for (let i0 = 0; i0 < rows || (i0 == 0 && !keep); i0 += DEPTH) {
    const i1 = min(rows, i0 + DEPTH);
    const fresh = i0 == 0 && !keep;
    for (let c = 0; c < count; c += 2) {
      const two = c + 1 < count;
      const y0 = y + usize(c) * yStep;
      const y1 = two ? y0 + yStep : y0;
      const o0 = out + usize(c) * outStep;
      const o1 = two ? o0 + outStep : o0;
      for (let j = 0; j < whole; j += 8) {
        const at = usize(j) << 3;
        let s0 = zero, s1 = zero, s2 = zero, s3 = zero, t0 = zero, t1 = zero, t2 = zero, t3 = zero;
        if (!fresh) {
          s0 = v128.load(o0 + at);
          s1 = v128.load(o0 + at, 16);
          s2 = v128.load(o0 + at, 32);
          s3 = v128.load(o0 + at, 48);
          t0 = v128.load(o1 + at);
          t1 = v128.load(o1 + at, 16);
          t2 = v128.load(o1 + at, 32);
          t3 = v128.load(o1 + at, 48);
        }
        let p = w + usize(i0) * wStep + usize(j) * sizeof<W>();
        for (let i = i0; i < i1; i++) {
          const f0 = v128.load64_splat(y0 + (usize(i) << 3));
          const f1 = v128.load64_splat(y1 + (usize(i) << 3));
          let x = pair<W>(p);
          s0 = madd2(x, f0, s0);
          t0 = madd2(x, f1, t0);
          x = pair<W>(p + 2 * sizeof<W>());
          s1 = madd2(x, f0, s1);
          t1 = madd2(x, f1, t1);
          x = pair<W>(p + 4 * sizeof<W>());
          s2 = madd2(x, f0, s2);
          t2 = madd2(x, f1, t2);
          x = pair<W>(p + 6 * sizeof<W>());
          s3 = madd2(x, f0, s3);
          t3 = madd2(x, f1, t3);
          p += wStep;
        }
        v128.store(o0 + at, s0);
        v128.store(o0 + at, s1, 16);
        v128.store(o0 + at, s2, 32);
        v128.store(o0 + at, s3, 48);
        if (two) {
          v128.store(o1 + at, t0);
          v128.store(o1 + at, t1, 16);
          v128.store(o1 + at, t2, 32);
          v128.store(o1 + at, t3, 48);
        }
      }
      for (let j = whole; j < length; j++) {
        const at = usize(j) << 3;
        let s: f64 = fresh ? 0 : load<f64>(o0 + at);
        let t: f64 = fresh ? 0 : load<f64>(o1 + at);
        let p = w + usize(i0) * wStep + usize(j) * sizeof<W>();
        for (let i = i0; i < i1; i++) {
          const x = <f64>load<W>(p);
          s += x * load<f64>(y0 + (usize(i) << 3));
          t += x * load<f64>(y1 + (usize(i) << 3));
          p += wStep;
        }
        store<f64>(o0 + at, s);
        if (two) store<f64>(o1 + at, t);
      }
    }
  }
}

/** out[c, j] = Σ_i y[c, i] · w[i, j] (added to out if keep): float64 rows w[rows × wStride], of which `length` columns. */
export function svdCombine64(w: usize, wStride: i32, rows: i32, y: usize, yStride: i32, count: i32, out: usize, outStride: i32, length: i32, keep: bool): void {
  combine<f64>(w, wStride, rows, y, yStride, count, out, outStride, length, keep, f64x2.splat(0));
}

/** The same with float32 w; out and y stay float64. */
export function svdCombine32(w: usize, wStride: i32, rows: i32, y: usize, yStride: i32, count: i32, out: usize, outStride: i32, length: i32, keep: bool): void {
  combine<f32>(w, wStride, rows, y, yStride, count, out, outStride, length, keep, f64x2.splat(0));
}

// @ts-ignore: decorator
@inline
function dot(x: usize, y: usize, length: i32): f64 {
  let s = f64x2.splat(0), t = f64x2.splat(0);
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const at = usize(i) << 3;
    s = madd2(v128.load(x + at), v128.load(y + at), s);
    t = madd2(v128.load(x + at, 16), v128.load(y + at, 16), t);
  }
  let sum = sum2(f64x2.add(s, t));
  for (let i = whole; i < length; i++) sum += load<f64>(x + (usize(i) << 3)) * load<f64>(y + (usize(i) << 3));
  return sum;
}

/** y += factor · x. */
// @ts-ignore: decorator
@inline
function axpy(x: usize, factor: f64, y: usize, length: i32): void {
  const f = f64x2.splat(factor);
  const whole = length & ~1;
  for (let i = 0; i < whole; i += 2) {
    const at = usize(i) << 3;
    v128.store(y + at, madd2(f, v128.load(x + at), v128.load(y + at)));
  }
  if (whole < length) {
    const at = usize(whole) << 3;
    store<f64>(y + at, load<f64>(y + at) + factor * load<f64>(x + at));
  }
}

/** (x, y) ← (c·x − s·y, s·x + c·y). */
// @ts-ignore: decorator
@inline
function rotate(x: usize, y: usize, c: f64, s: f64, length: i32): void {
  const cc = f64x2.splat(c), ss = f64x2.splat(s);
  const whole = length & ~1;
  for (let i = 0; i < whole; i += 2) {
    const at = usize(i) << 3;
    const u = v128.load(x + at), v = v128.load(y + at);
    v128.store(x + at, f64x2.sub(f64x2.mul(cc, u), f64x2.mul(ss, v)));
    v128.store(y + at, madd2(ss, u, f64x2.mul(cc, v)));
  }
  if (whole < length) {
    const at = usize(whole) << 3;
    const u = load<f64>(x + at), v = load<f64>(y + at);
    store<f64>(x + at, c * u - s * v);
    store<f64>(y + at, s * u + c * v);
  }
}

/**
 * Eigenvalues of a symmetric matrix a[n × n] (destroyed), unsorted, in d[n]; z[n × r] holds on entry the columns of
 * which components are wanted (the identity: all; unit rows: some) and on exit row i is eigenvector i at those. work: 2n float64.
 * Householder tridiagonalisation, then implicit QL with Wilkinson's shift. Answers 0, or 1 if a value needed over 80 steps.
 */
export function svdSymmetricEigen(a: usize, n: i32, d: usize, e: usize, z: usize, r: i32, work: usize): i32 {
  const step = usize(n) << 3;
  const zStep = usize(r) << 3;
  const w = work;
  const column = work + (usize(max(n, r)) << 3);
  let norm: f64 = 0;
  for (let k = 0; k < n; k++) {
    const row = a + usize(k) * step;
    store<f64>(d + (usize(k) << 3), load<f64>(row + (usize(k) << 3)));
    norm = max(norm, abs(load<f64>(row + (usize(k) << 3))));
    if (k == n - 1) break;
    // The row right of the diagonal becomes (alpha, 0, 0, …); v overwrites it.
    const size = n - k - 1;
    const v = row + (usize(k + 1) << 3);
    const first = load<f64>(v);
    let scale: f64 = 0;
    for (let i = 0; i < size; i++) scale = max(scale, abs(load<f64>(v + (usize(i) << 3))));
    if (size == 1 || scale == 0) {
      store<f64>(e + (usize(k) << 3), first);
      continue;
    }
    for (let i = 0; i < size; i++) store<f64>(v + (usize(i) << 3), load<f64>(v + (usize(i) << 3)) / scale);
    const length = sqrt(dot(v, v, size));
    const alpha = load<f64>(v) > 0 ? -length : length;
    store<f64>(e + (usize(k) << 3), alpha * scale);
    store<f64>(v, load<f64>(v) - alpha);
    const beta = 2 / dot(v, v, size);
    // w = beta·A·v − (beta/2·vᵀ(beta·A·v))·v, then A −= v·wᵀ + w·vᵀ.
    for (let i = 0; i < size; i++)
      store<f64>(w + (usize(i) << 3), beta * dot(a + usize(k + 1 + i) * step + (usize(k + 1) << 3), v, size));
    axpy(v, -0.5 * beta * dot(v, w, size), w, size);
    for (let i = 0; i < size; i++) {
      const to = a + usize(k + 1 + i) * step + (usize(k + 1) << 3);
      const fv = f64x2.splat(-load<f64>(v + (usize(i) << 3)));
      const fw = f64x2.splat(-load<f64>(w + (usize(i) << 3)));
      const whole = size & ~1;
      for (let j = 0; j < whole; j += 2) {
        const at = usize(j) << 3;
        v128.store(to + at, madd2(fw, v128.load(v + at), madd2(fv, v128.load(w + at), v128.load(to + at))));
      }
      if (whole < size) {
        const at = usize(whole) << 3;
        store<f64>(to + at, load<f64>(to + at) + f64x2.extract_lane(fv, 0) * load<f64>(w + at) + f64x2.extract_lane(fw, 0) * load<f64>(v + at));
      }
    }
    // z ← (I − beta·v·vᵀ)·z on rows k+1 …
    for (let j = 0; j < r; j++) store<f64>(column + (usize(j) << 3), 0);
    for (let i = 0; i < size; i++) axpy(z + usize(k + 1 + i) * zStep, load<f64>(v + (usize(i) << 3)), column, r);
    for (let i = 0; i < size; i++) axpy(column, -beta * load<f64>(v + (usize(i) << 3)), z + usize(k + 1 + i) * zStep, r);
  }
  if (n) store<f64>(e + (usize(n - 1) << 3), 0);
  for (let k = 0; k < n; k++) norm = max(norm, abs(load<f64>(e + (usize(k) << 3))));
  // Couplings under the rounding of T itself: below it QL can go round in circles.
  const floor = 0.5 * norm * EPSILON;

  for (let l = 0; l < n; l++) {
    for (let tries = 0; ; tries++) {
      let m = l;
      for (; m < n - 1; m++) {
        const near = abs(load<f64>(d + (usize(m) << 3))) + abs(load<f64>(d + (usize(m + 1) << 3)));
        if (abs(load<f64>(e + (usize(m) << 3))) <= EPSILON * near + floor) break;
      }
      if (m == l) break;
      if (tries == 80) return 1;
      const el = load<f64>(e + (usize(l) << 3));
      const dl = load<f64>(d + (usize(l) << 3));
      let g = (load<f64>(d + (usize(l + 1) << 3)) - dl) / (2 * el);
      let h = sqrt(g * g + 1);
      g = load<f64>(d + (usize(m) << 3)) - dl + el / (g + (g >= 0 ? h : -h));
      let s: f64 = 1, c: f64 = 1, shift: f64 = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const ei = load<f64>(e + (usize(i) << 3));
        const f = s * ei;
        const b = c * ei;
        const larger = max(abs(f), abs(g));
        h = larger == 0 ? 0 : larger * sqrt((f / larger) * (f / larger) + (g / larger) * (g / larger));
        store<f64>(e + (usize(i + 1) << 3), h);
        if (h == 0) {
          store<f64>(d + (usize(i + 1) << 3), load<f64>(d + (usize(i + 1) << 3)) - shift);
          store<f64>(e + (usize(m) << 3), 0);
          break;
        }
        s = f / h;
        c = g / h;
        g = load<f64>(d + (usize(i + 1) << 3)) - shift;
        h = (load<f64>(d + (usize(i) << 3)) - g) * s + 2 * c * b;
        shift = s * h;
        store<f64>(d + (usize(i + 1) << 3), g + shift);
        g = c * h - b;
        rotate(z + usize(i) * zStep, z + usize(i + 1) * zStep, c, s, r);
      }
      if (i >= l) continue;
      store<f64>(d + (usize(l) << 3), load<f64>(d + (usize(l) << 3)) - shift);
      store<f64>(e + (usize(l) << 3), g);
      store<f64>(e + (usize(m) << 3), 0);
    }
  }
  return 0;
}

/**
 * One-sided Jacobi: rotates pairs of rows of g[n × length] until all are orthogonal, and the rows of x[n × width] alike.
 * Rows below `tiny` in squared norm are left alone. Answers the number of sweeps, or −1 after `limit` of them.
 */
export function svdJacobi(g: usize, n: i32, length: i32, x: usize, width: i32, norms: usize, tiny: f64, limit: i32): i32 {
  const step = usize(length) << 3;
  const xStep = usize(width) << 3;
  for (let sweep = 1; sweep <= limit; sweep++) {
    for (let i = 0; i < n; i++) store<f64>(norms + (usize(i) << 3), dot(g + usize(i) * step, g + usize(i) * step, length));
    let turned = false;
    for (let i = 0; i < n - 1; i++) {
      for (let j = i + 1; j < n; j++) {
        const alpha = load<f64>(norms + (usize(i) << 3));
        const beta = load<f64>(norms + (usize(j) << 3));
        if (alpha <= tiny || beta <= tiny) continue;
        const gamma = dot(g + usize(i) * step, g + usize(j) * step, length);
        if (abs(gamma) <= 4 * EPSILON * sqrt(alpha) * sqrt(beta)) continue;
        turned = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = (zeta >= 0 ? 1.0 : -1.0) / (abs(zeta) + sqrt(1 + zeta * zeta));
        const c = 1 / sqrt(1 + t * t);
        const s = c * t;
        rotate(g + usize(i) * step, g + usize(j) * step, c, s, length);
        rotate(x + usize(i) * xStep, x + usize(j) * xStep, c, s, width);
        store<f64>(norms + (usize(i) << 3), max<f64>(0, alpha - t * gamma));
        store<f64>(norms + (usize(j) << 3), max<f64>(0, beta + t * gamma));
      }
    }
    if (!turned) return sweep;
  }
  return -1;
}
