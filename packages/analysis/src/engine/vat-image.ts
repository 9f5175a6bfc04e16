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
  const between = dissimilarity(x, metric);
  const distance =
    unit === 1 && !halfSquare
      ? between
      : (i: number, j: number) => {
          const value = between(i, j) * unit;
          return halfSquare ? 0.5 * value * value : value;
        };
  return yield* pixelsOf(order, { side, seed }, distance);
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
  const steps = pixelsOf(order, options, (i, j) => {
    needed[i] = needed[j] = 1;
    return 0;
  });
  while (!steps.next().done);
  const out = new Uint32Array(needed.reduce((sum, bit) => sum + bit, 0));
  for (let i = 0, to = 0; i < needed.length; i++) if (needed[i]) out[to++] = i;
  return out;
}

function* pixelsOf(
  order: Uint32Array,
  { side, seed }: Pick<VatImageOptions, 'side' | 'seed'>,
  distance: (i: number, j: number) => number,
): Generator<[done: number, total: number], VatImage> {
  const n = order.length;
  const pixels = Math.min(side, n);
  const data = new Float32Array(pixels * pixels);
  const draw = random(seed);
  const start = (p: number) => Math.floor((p * n) / pixels);
  let sampled = false;
  for (let p = 0; p < pixels; p++) {
    // Rows above the diagonal are done from both sides.
    yield [p * (2 * pixels - p + 1), pixels * (pixels + 1)];
    for (let q = p; q < pixels; q++) {
      const rows = start(p + 1) - start(p);
      const columns = start(q + 1) - start(q);
      const total = rows * columns;
      let sum = 0;
      if (total <= PAIRS_PER_PIXEL) {
        for (let a = 0; a < rows; a++)
          for (let b = 0; b < columns; b++) sum += distance(order[start(p) + a]!, order[start(q) + b]!);
        sum /= total;
      } else {
        sampled = true;
        for (let s = 0; s < PAIRS_PER_PIXEL; s++)
          sum += distance(order[start(p) + draw.below(rows)]!, order[start(q) + draw.below(columns)]!);
        sum /= PAIRS_PER_PIXEL;
      }
      data[p * pixels + q] = data[q * pixels + p] = sum;
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
