import { guard } from '../../../src/errors.js';
import type { Matrix, Metric } from '../../../src/matrix.js';

/** Points brought to a form in which every metric is a squared Euclidean or an L1 distance of float32 coordinates. */
export interface Rows {
  /** Writes row i into `out` (d values, float32). */
  read(i: number, out: Float32Array): void;
  /** 1 for rows that are zero vectors to the metric; null if there is none. */
  zero: Uint8Array | null;
  /** What L2 distances and L1 distances of the rows are to be multiplied by. A power of two. */
  unit: number;
}

// Four maxima side by side: each waits for the one before it.
function largestMagnitude(data: Float32Array, least: number): number {
  let [p, q, r, s] = [least, 0, 0, 0];
  const whole = data.length - (data.length % 4);
  for (let i = 0; i < whole; i += 4) {
    const a = Math.abs(data[i]!);
    const b = Math.abs(data[i + 1]!);
    const c = Math.abs(data[i + 2]!);
    const e = Math.abs(data[i + 3]!);
    if (a > p) p = a;
    if (b > q) q = b;
    if (c > r) r = c;
    if (e > s) s = e;
  }
  for (let i = whole; i < data.length; i++) p = Math.max(p, Math.abs(data[i]!));
  return Math.max(p, q, r, s);
}

/**
 * manhattan: x·2^−e with the largest magnitude in [½, 1); euclidean: so large that sums of squares just do not
 * overflow, so that they do not underflow, either, down to 1e-35 of the largest value beside an outlier; exact but
 * for subnormals. cosine: x / ‖x‖; correlation: the same of x − mean(x). Norms and means in float64.
 * given: the unit to use, where it is that of more points than these; largest: the largest magnitude of those, if
 * known.
 */
export function rowsOf(x: Matrix, metric: Metric, given?: number, largest = 0): Rows {
  const { data } = x;
  const [n, d] = x.shape;
  if (metric === 'euclidean' || metric === 'manhattan') {
    const top = largestMagnitude(data, largest);
    const longest = 2 * top * (metric === 'euclidean' ? Math.sqrt(d) : d);
    guard(
      longest <= 3.4e38,
      'argument',
      () =>
        `x: values up to ${top} in ${d} dimensions can lie ${longest} apart, which is no float32; scale them`,
      { top, d },
    );
    // Distances, and bounds from norms, are up to 2·√d·top: their squares stay under 2¹²⁴.
    const room = metric === 'euclidean' ? Math.floor(60 - Math.log2(Math.max(1, d)) / 2) : 0;
    const exponent = given !== undefined ? Math.log2(given) : top > 0 ? Math.ceil(Math.log2(top)) - room : 0;
    guard(
      top <= 2 ** (exponent + room),
      'argument',
      () =>
        `plan: values up to ${top} are too large for its unit ${given}: make it with the largest among them`,
      { top, unit: given },
    );
    const unit = 2 ** exponent;
    const factor = 2 ** -exponent;
    return {
      read(i, out) {
        for (let k = 0, at = i * d; k < d; k++, at++) out[k] = data[at]! * factor;
      },
      zero: null,
      unit,
    };
  }
  const mean = new Float64Array(n);
  const scale = new Float64Array(n);
  let zero: Uint8Array | null = null;
  for (let i = 0; i < n; i++) {
    let m = 0;
    if (metric === 'correlation') {
      for (let k = i * d; k < (i + 1) * d; k++) m += data[k]!;
      m /= d;
      // A constant row is exactly its mean, whatever the division rounded to.
      let constant = true;
      for (let k = i * d + 1; k < (i + 1) * d && constant; k++) constant = data[k] === data[i * d];
      if (constant && d > 0) m = data[i * d]!;
    }
    let square = 0;
    for (let k = i * d; k < (i + 1) * d; k++) square += (data[k]! - m) ** 2;
    mean[i] = m;
    if (square > 0) scale[i] = 1 / Math.sqrt(square);
    else (zero ??= new Uint8Array(n))[i] = 1;
  }
  return {
    read(i, out) {
      const m = mean[i]!;
      const s = scale[i]!;
      for (let k = 0, at = i * d; k < d; k++, at++) out[k] = (data[at]! - m) * s;
    },
    zero,
    unit: 1,
  };
}
