// Eigenvalues of symmetric matrices, dense and banded, with the components of the vectors that are asked for.

import { madd2 } from '../../../assembly/lanes';
import { axpy, dot, EPSILON, rotate } from './lanes';

/**
 * Eigenvalues of a symmetric matrix a[n × n] (destroyed), unsorted, in d[n]; z[n × r] holds on entry the columns of
 * which components are wanted (the identity: all; unit rows: some) and on exit row i is eigenvector i at those. work:
 * 2n float64. Householder tridiagonalisation, then implicit QL with Wilkinson's shift. Returns 0, or 1 if a value
 * needed over 80 steps.
 */
export function svdSymmetricEigen(a: usize, n: i32, d: usize, e: usize, z: usize, r: i32, work: usize): i32 {
  const step = usize(n) << 3;
  const zStep = usize(r) << 3;
  const w = work;
  const column = work + (usize(max(n, r)) << 3);
  for (let k = 0; k < n; k++) {
    const row = a + usize(k) * step;
    store<f64>(d + (usize(k) << 3), load<f64>(row + (usize(k) << 3)));
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
        store<f64>(
          to + at,
          load<f64>(to + at) +
            f64x2.extract_lane(fv, 0) * load<f64>(w + at) +
            f64x2.extract_lane(fw, 0) * load<f64>(v + at),
        );
      }
    }
    // z ← (I − beta·v·vᵀ)·z on rows k+1 …
    for (let j = 0; j < r; j++) store<f64>(column + (usize(j) << 3), 0);
    for (let i = 0; i < size; i++) axpy(z + usize(k + 1 + i) * zStep, load<f64>(v + (usize(i) << 3)), column, r);
    for (let i = 0; i < size; i++)
      axpy(column, -beta * load<f64>(v + (usize(i) << 3)), z + usize(k + 1 + i) * zStep, r);
  }
  return implicitQl(n, d, e, z, r);
}

/**
 * Eigenvalues of a tridiagonal matrix by implicit QL with Wilkinson's shift: diagonal d[n], below it e[n − 1]; e[n]
 * is room for one more. Turns the rows of z[n × r] alike. Returns 0, or 1 if a value needed over 80 steps.
 */
function implicitQl(n: i32, d: usize, e: usize, z: usize, r: i32): i32 {
  const zStep = usize(r) << 3;
  if (n) store<f64>(e + (usize(n - 1) << 3), 0);
  let norm: f64 = 0;
  for (let k = 0; k < n; k++)
    norm = max(norm, max(abs(load<f64>(d + (usize(k) << 3))), abs(load<f64>(e + (usize(k) << 3)))));
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
      let s: f64 = 1,
        c: f64 = 1,
        shift: f64 = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const ei = load<f64>(e + (usize(i) << 3));
        const f = s * ei;
        const b = c * ei;
        h = f * f + g * g;
        if (h > 1e-280 && h < 1e280) h = sqrt(h);
        else {
          const larger = max(abs(f), abs(g));
          h = larger == 0 ? 0 : larger * sqrt((f / larger) * (f / larger) + (g / larger) * (g / larger));
        }
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

/** Entry (i, j), i ≥ j, of a lower band kept as rows of `stride` values: the diagonal first, then to the left. */
// @ts-ignore: decorator
@inline
function at(t: usize, stride: i32, i: i32, j: i32): usize {
  return t + (usize(i * stride + i - j) << 3);
}

/**
 * The same as svdSymmetricEigen for a band matrix of half-width w: t[n × (w + 2)] holds row i as (i, i), (i, i − 1),
 * … (i, i − w), then room for one value; destroyed. Rotations make it tridiagonal (Schwarz 1968), then QL.
 */
export function svdBandEigen(t: usize, n: i32, w: i32, d: usize, e: usize, z: usize, r: i32): i32 {
  const stride = w + 2;
  const zStep = usize(r) << 3;
  for (let width = w; width > 1; width--) {
    for (let first = 0; first + width < n; first++) {
      let j = first,
        i = first + width;
      // Kills (i, j) by turning rows i − 1 and i; what that pushes out of the band is chased down.
      while (i < n) {
        const f = load<f64>(at(t, stride, i - 1, j)),
          g = load<f64>(at(t, stride, i, j));
        if (g == 0) break;
        const h = sqrt(f * f + g * g);
        const c = f / h,
          s = g / h;
        store<f64>(at(t, stride, i - 1, j), h);
        store<f64>(at(t, stride, i, j), 0);
        for (let k = j + 1; k < i - 1; k++) {
          const p = at(t, stride, i - 1, k),
            q = at(t, stride, i, k);
          const x = load<f64>(p),
            y = load<f64>(q);
          store<f64>(p, c * x + s * y);
          store<f64>(q, c * y - s * x);
        }
        const pa = at(t, stride, i - 1, i - 1),
          pb = at(t, stride, i, i - 1),
          pd = at(t, stride, i, i);
        const a = load<f64>(pa),
          b = load<f64>(pb),
          o = load<f64>(pd);
        const cs = c * s,
          cc = c * c,
          ss = s * s;
        store<f64>(pa, cc * a + 2 * cs * b + ss * o);
        store<f64>(pd, ss * a - 2 * cs * b + cc * o);
        store<f64>(pb, (o - a) * cs + (cc - ss) * b);
        const last = min(n - 1, i + width);
        for (let q = i + 1; q <= last; q++) {
          const px = at(t, stride, q, i - 1),
            py = at(t, stride, q, i);
          const x = load<f64>(px),
            y = load<f64>(py);
          store<f64>(px, c * x + s * y);
          store<f64>(py, c * y - s * x);
        }
        rotate(z + usize(i) * zStep, z + usize(i - 1) * zStep, c, s, r);
        j = i - 1;
        i += width;
      }
    }
  }
  for (let i = 0; i < n; i++) {
    store<f64>(d + (usize(i) << 3), load<f64>(at(t, stride, i, i)));
    store<f64>(e + (usize(i) << 3), i + 1 < n && w > 0 ? load<f64>(at(t, stride, i + 1, i)) : 0);
  }
  return implicitQl(n, d, e, z, r);
}

/** Steps of inverse iteration a vector may take; two or three are usual. */
const TRIES: i32 = 8;
/** Vectors whose values lie this near (of a matrix whose largest value is about 1) are kept orthogonal. */
const NEAR: f64 = 1e-3;
/** What (T − λ)x may leave of a unit vector. */
const LEFT: f64 = 1e-13;

/**
 * Eigenvectors of the band matrix t[n × (w + 1)] (laid out as above, largest entry about 1, not changed) to the
 * descending `values` [count], as rows of y[count × n]: inverse iteration, Gram-Schmidt among near values. work:
 * n·(4w + 3) float64. Returns how many vectors came out right: `count`, or the index of the one that did not settle.
 */
export function svdBandVectors(t: usize, n: i32, w: i32, values: usize, count: i32, y: usize, work: usize): i32 {
  // Row i of the factors: columns i − w … i + 2w; multipliers stand left of the pivot's column.
  const stride = 3 * w + 1;
  const step = usize(n) << 3;
  const lower = work + (usize(n * stride) << 3);
  const pivots = lower + (usize(n * w) << 3);
  let state: u32 = 1;
  let from = 0;
  for (let v = 0; v < count; v++) {
    const value = load<f64>(values + (usize(v) << 3));
    while (load<f64>(values + (usize(from) << 3)) - value > NEAR) from++;
    factor(t, n, w, value, work, stride, lower, pivots);
    const x = y + usize(v) * step;
    for (let i = 0; i < n; i++) {
      state = state * 1664525 + 1013904223;
      store<f64>(x + (usize(i) << 3), (<f64>state + 0.5) / 2147483648.0 - 1);
    }
    scale(x, 1 / sqrt(dot(x, x, n)), n);
    let good = 0;
    for (let tries = 0; tries < TRIES && good < 2; tries++) {
      solve(n, w, work, stride, lower, pivots, x);
      // In two steps: lengths reach 1e16 and their squares would lose nothing, but what Gram-Schmidt leaves is
      // measured at length 1.
      const grown = sqrt(dot(x, x, n));
      scale(x, 1 / grown, n);
      clean(y, from, v, step, n);
      const left = sqrt(dot(x, x, n));
      if (left < 1e-3) {
        // Another near vector all over: what is left of it is a new start.
        good = 0;
        clean(y, from, v, step, n);
      } else good = 1 <= LEFT * grown * left ? good + 1 : 0;
      const again = sqrt(dot(x, x, n));
      if (!(again > 0)) return v;
      scale(x, 1 / again, n);
    }
    if (good < 2) return v;
    clean(y, from, v, step, n);
    scale(x, 1 / sqrt(dot(x, x, n)), n);
  }
  return count;
}

/** Row v of y less its parts in rows from … v − 1. */
function clean(y: usize, from: i32, v: i32, step: usize, n: i32): void {
  const x = y + usize(v) * step;
  for (let j = from; j < v; j++) {
    const other = y + usize(j) * step;
    axpy(other, -dot(other, x, n), x, n);
  }
}

function scale(x: usize, factor: f64, n: i32): void {
  for (let i = 0; i < n; i++) store<f64>(x + (usize(i) << 3), factor * load<f64>(x + (usize(i) << 3)));
}

/** T − value·I = P·L·U with row interchanges; a pivot of 0 becomes a rounding error. */
function factor(t: usize, n: i32, w: i32, value: f64, m: usize, stride: i32, lower: usize, pivots: usize): void {
  for (let i = 0; i < n; i++) {
    const row = m + (usize(i * stride) << 3);
    for (let q = 0; q < stride; q++) {
      const j = i - w + q;
      let x: f64 = 0;
      if (j >= 0 && j < n && q <= 2 * w) x = load<f64>(j <= i ? at(t, w + 1, i, j) : at(t, w + 1, j, i));
      store<f64>(row + (usize(q) << 3), q == w ? x - value : x);
    }
  }
  for (let i = 0; i < n; i++) {
    const end = min(n - 1, i + w);
    let best = i;
    let largest: f64 = -1;
    for (let r = i; r <= end; r++) {
      const x = abs(load<f64>(m + (usize(r * stride + i - r + w) << 3)));
      if (x > largest) {
        largest = x;
        best = r;
      }
    }
    store<i32>(pivots + (usize(i) << 2), best);
    const row = m + (usize(i * stride + w) << 3);
    const width = min(n - 1, i + 2 * w) - i;
    if (best != i) {
      const other = m + (usize(best * stride + i - best + w) << 3);
      for (let q = 0; q <= width; q++) {
        const x = load<f64>(row + (usize(q) << 3));
        store<f64>(row + (usize(q) << 3), load<f64>(other + (usize(q) << 3)));
        store<f64>(other + (usize(q) << 3), x);
      }
    }
    if (abs(load<f64>(row)) < EPSILON) store<f64>(row, EPSILON);
    const inverse = 1 / load<f64>(row);
    for (let r = i + 1; r <= end; r++) {
      const below = m + (usize(r * stride + i - r + w) << 3);
      const l = load<f64>(below) * inverse;
      store<f64>(lower + (usize(i * w + r - i - 1) << 3), l);
      for (let q = 1; q <= width; q++)
        store<f64>(below + (usize(q) << 3), load<f64>(below + (usize(q) << 3)) - l * load<f64>(row + (usize(q) << 3)));
    }
    // For solving: the pivot's inverse.
    store<f64>(row, inverse);
  }
}

/** x ← U⁻¹·L⁻¹·P·x. */
function solve(n: i32, w: i32, m: usize, stride: i32, lower: usize, pivots: usize, x: usize): void {
  for (let i = 0; i < n; i++) {
    const best = load<i32>(pivots + (usize(i) << 2));
    const p = x + (usize(i) << 3);
    const top = load<f64>(x + (usize(best) << 3));
    if (best != i) {
      store<f64>(x + (usize(best) << 3), load<f64>(p));
      store<f64>(p, top);
    }
    const end = min(n - 1, i + w);
    for (let r = i + 1; r <= end; r++) {
      const q = x + (usize(r) << 3);
      store<f64>(q, load<f64>(q) - load<f64>(lower + (usize(i * w + r - i - 1) << 3)) * top);
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = m + (usize(i * stride + w) << 3);
    const width = min(n - 1, i + 2 * w) - i;
    let sum = load<f64>(x + (usize(i) << 3));
    for (let q = 1; q <= width; q++) sum -= load<f64>(row + (usize(q) << 3)) * load<f64>(x + (usize(i + q) << 3));
    store<f64>(x + (usize(i) << 3), sum * load<f64>(row));
  }
}
