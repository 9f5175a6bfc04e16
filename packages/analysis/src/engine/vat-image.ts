import { guard, type Kernels, type Matrix, type Metric } from '@epochscope/core-wasm';
import { random } from '../random.js';

/** Pairs drawn for a pixel that stands for more. */
export const PAIRS_PER_PIXEL = 4;

export interface VatImageOptions {
  /** `matrix`: x holds the dissimilarities themselves, n × n. */
  metric: Metric | 'matrix';
  side: number;
  seed: number;
  /** Default 1: every dissimilarity is multiplied by it. */
  unit?: number;
  /** Half the square is taken of each, after the unit. */
  halfSquare?: boolean;
}

export interface VatImage {
  /** Pixels on a side. */
  side: number;
  /** float32[side × side], row-major, symmetric. */
  data: Float32Array;
  /** How many pairs stand behind a pixel. */
  pairsPerPixel: number | 'all';
}

/**
 * Dissimilarity of row i and row j (of `others`, which may be another matrix of as many columns) in float64, by definition, or as a square
 * matrix holds it; zero (cosine) and constant (correlation) rows: 1 from others, 0 from each other.
 */
export function dissimilarity(
  rows: Matrix<Float32Array | Float64Array>,
  metric: Metric | 'matrix',
  others: Matrix<Float32Array | Float64Array> = rows,
): (i: number, j: number) => number {
  const {
    data,
    shape: [, d],
  } = rows;
  const other = others.data;
  if (metric === 'matrix') return (i, j) => data[i * d + j]!;
  if (metric === 'euclidean' || metric === 'manhattan') {
    const squared = metric === 'euclidean';
    return (i, j) => {
      let sum = 0;
      for (let k = 0, a = i * d, b = j * d; k < d; k++, a++, b++) {
        const difference = data[a]! - other[b]!;
        sum += squared ? difference * difference : Math.abs(difference);
      }
      return squared ? Math.sqrt(sum) : sum;
    };
  }
  const mean = (values: Float32Array | Float64Array, i: number) => {
    if (metric === 'cosine') return 0;
    let sum = 0;
    for (let k = i * d; k < (i + 1) * d; k++) sum += values[k]!;
    return sum / d;
  };
  return (i, j) => {
    const mi = mean(data, i);
    const mj = mean(other, j);
    let dot = 0;
    let ii = 0;
    let jj = 0;
    for (let k = 0, a = i * d, b = j * d; k < d; k++, a++, b++) {
      const x = data[a]! - mi;
      const y = other[b]! - mj;
      dot += x * y;
      ii += x * x;
      jj += y * y;
    }
    if (ii === 0 || jj === 0) return ii === jj ? 0 : 1;
    return Math.min(2, Math.max(0, 1 - dot / Math.sqrt(ii * jj)));
  };
}

/** Writes what is between the samples i[e] and j[e], e = 0 … count − 1, into out. */
type OfPairs = (i: Uint32Array, j: Uint32Array, count: number, out: Float64Array) => void;

/**
 * `dissimilarity` of many pairs, the same bits: of sums of differences four side by side, as an addition waits for the
 * one before it.
 */
function dissimilarities(rows: Matrix, metric: Metric | 'matrix'): OfPairs {
  const between = dissimilarity(rows, metric);
  const {
    data,
    shape: [, d],
  } = rows;
  const squared = metric === 'euclidean';
  const four = squared || metric === 'manhattan';
  return (i, j, count, out) => {
    const whole = four ? count - (count % 4) : 0;
    for (let e = 0; e < whole; e += 4) {
      const [a, b, c, f] = [i[e]! * d, i[e + 1]! * d, i[e + 2]! * d, i[e + 3]! * d];
      const [p, q, r, s] = [j[e]! * d, j[e + 1]! * d, j[e + 2]! * d, j[e + 3]! * d];
      let [w, x, y, z] = [0, 0, 0, 0];
      for (let k = 0; k < d; k++) {
        const t = data[a + k]! - data[p + k]!;
        const u = data[b + k]! - data[q + k]!;
        const v = data[c + k]! - data[r + k]!;
        const m = data[f + k]! - data[s + k]!;
        w += squared ? t * t : Math.abs(t);
        x += squared ? u * u : Math.abs(u);
        y += squared ? v * v : Math.abs(v);
        z += squared ? m * m : Math.abs(m);
      }
      out[e] = squared ? Math.sqrt(w) : w;
      out[e + 1] = squared ? Math.sqrt(x) : x;
      out[e + 2] = squared ? Math.sqrt(y) : y;
      out[e + 3] = squared ? Math.sqrt(z) : z;
    }
    for (let e = whole; e < count; e++) out[e] = between(i[e]!, j[e]!);
  };
}

/**
 * VAT image: mean dissimilarity of the pairs of each pixel's block, in VAT order, symmetric, zero diagonal included.
 * Every pair where a block holds at most 4; otherwise 4 pairs drawn with the seed. Sides beyond n are cut to n.
 * O(side² · d) time, side² memory: never n×n. Throws `argument` for a side outside 1 … 4096, `shape`.
 */
export function* vatImageSteps(
  _: Kernels,
  x: Matrix,
  order: Uint32Array,
  { metric, side, seed, unit = 1, halfSquare = false }: VatImageOptions,
): Generator<[done: number, total: number], VatImage> {
  const distances = dissimilarities(x, metric);
  return yield* pixelsOf(order, { side, seed }, (i, j, count, out) => {
    distances(i, j, count, out);
    if (unit === 1 && !halfSquare) return;
    for (let e = 0; e < count; e++) {
      const value = out[e]! * unit;
      out[e] = halfSquare ? 0.5 * value * value : value;
    }
  });
}

/** The same at once, of rows that are not all there: `order` names those of x at its places, as far as it is read. */
export function vatImageOfRows(x: Matrix, order: Uint32Array, options: VatImageOptions): VatImage {
  const steps = vatImageSteps(null as never, x, order, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The samples whose pairs make the image, rising: the only rows that it reads. */
export function samplesOfVatImage(
  order: Uint32Array,
  options: Pick<VatImageOptions, 'side' | 'seed'>,
): Uint32Array {
  const needed = new Uint8Array(order.length);
  const steps = pixelsOf(order, options, (i, j, count) => {
    for (let e = 0; e < count; e++) needed[i[e]!] = needed[j[e]!] = 1;
  });
  while (!steps.next().done);
  const out = new Uint32Array(needed.reduce((sum, bit) => sum + bit, 0));
  for (let i = 0, to = 0; i < needed.length; i++) if (needed[i]) out[to++] = i;
  return out;
}

function* pixelsOf(
  order: Uint32Array,
  { side, seed }: Pick<VatImageOptions, 'side' | 'seed'>,
  distances: OfPairs,
): Generator<[done: number, total: number], VatImage> {
  const n = order.length;
  const pixels = Math.min(side, n);
  const data = new Float32Array(pixels * pixels);
  const draw = random(seed);
  const start = (p: number) => Math.floor((p * n) / pixels);
  // The pairs of a row of pixels, pixel after pixel, and what is between them.
  const i = new Uint32Array(PAIRS_PER_PIXEL * pixels);
  const j = new Uint32Array(PAIRS_PER_PIXEL * pixels);
  const values = new Float64Array(PAIRS_PER_PIXEL * pixels);
  let sampled = false;
  for (let p = 0; p < pixels; p++) {
    // Rows above the diagonal are done from both sides.
    yield [p * (2 * pixels - p + 1), pixels * (pixels + 1)];
    const rows = start(p + 1) - start(p);
    const pairsOf = (columns: number) => Math.min(PAIRS_PER_PIXEL, rows * columns);
    let count = 0;
    for (let q = p; q < pixels; q++) {
      const columns = start(q + 1) - start(q);
      const all = rows * columns <= PAIRS_PER_PIXEL;
      if (!all) sampled = true;
      for (let s = 0; s < pairsOf(columns); s++) {
        const a = all ? Math.floor(s / columns) : draw.below(rows);
        const b = all ? s % columns : draw.below(columns);
        i[count] = order[start(p) + a]!;
        j[count++] = order[start(q) + b]!;
      }
    }
    distances(i, j, count, values);
    for (let q = p, at = 0; q < pixels; q++) {
      const pairs = pairsOf(start(q + 1) - start(q));
      let sum = 0;
      for (let s = 0; s < pairs; s++) sum += values[at++]!;
      data[p * pixels + q] = data[q * pixels + p] = sum / pairs;
    }
  }
  return { side: pixels, data, pairsPerPixel: sampled ? PAIRS_PER_PIXEL : 'all' };
}

/** Throws `argument` for a side that is no number of pixels, `shape` for an order of other than x's rows. */
export function checkVatImage(x: Matrix, order: Uint32Array, side: number): void {
  guard(
    Number.isInteger(side) && side >= 1 && side <= 4096,
    'argument',
    () => `VAT image side: expected an integer 1 … 4096, got ${side}`,
  );
  guard(
    order?.length === x.shape[0] && order.every((sample) => sample < x.shape[0]),
    'shape',
    () => `VAT image: expected an order of ${x.shape[0]} samples, got one of ${order?.length}`,
  );
}
