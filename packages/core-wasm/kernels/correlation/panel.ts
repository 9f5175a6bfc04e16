import type { Matrix } from '../../src/matrix.js';

/** What is kept of each column, float64: mean, sum of squared deviations, and the power of two its float32 values are multiplied by. */
export interface Columns {
  mean: Float64Array;
  square: Float64Array;
  /** 0 until the column has shown a deviation. */
  scale: Float64Array;
}

/** Scaled values stay under 2^40, so that sums of products of two stay far from float32's end. */
const TOP = 2 ** 40;

/**
 * Packs samples [from, to) of x into strips of `width` columns, centred on their own mean and scaled, and adds one row that carries
 * the difference to the mean of the `before` samples seen so far: with it, sums of products over the panel are what Chan's
 * formula adds. Updates the columns' statistics. Returns the panel's rows.
 * `rescale` is called when a column's scale changes by a factor after sums were made with the old one.
 */
export function addPanel(
  { data, shape: [, columns] }: Matrix,
  from: number,
  to: number,
  before: number,
  { mean, square, scale }: Columns,
  panel: Float32Array,
  width: 4 | 8,
  rescale: (column: number, factor: number) => void,
): number {
  const m = to - from;
  const strip = panel.length / Math.ceil(columns / width);
  // width is 4 or 8.
  const shift = width === 4 ? 2 : 3;
  const lane = width - 1;
  const here = new Float64Array(columns);
  const low = new Float64Array(columns).fill(Infinity);
  const high = new Float64Array(columns).fill(-Infinity);
  for (let s = from; s < to; s++)
    for (let c = 0, at = s * columns; c < columns; c++, at++) {
      const value = data[at]!;
      here[c]! += value;
      if (value < low[c]!) low[c] = value;
      if (value > high[c]!) high[c] = value;
    }
  // One value only: the mean is that value to the last bit, so that its variance is exactly 0.
  for (let c = 0; c < columns; c++) here[c] = low[c] === high[c] ? low[c]! : here[c]! / m;
  const weight = (before * m) / (before + m);
  const root = Math.sqrt(weight);
  const joint = new Float64Array(columns);
  for (let c = 0; c < columns; c++) {
    const delta = before ? here[c]! - mean[c]! : 0;
    joint[c] = delta * root;
    const most = Math.max(high[c]! - here[c]!, here[c]! - low[c]!, Math.abs(joint[c]!));
    if (most === 0) continue;
    if (scale[c] === 0) scale[c] = 2 ** -Math.ceil(Math.log2(most));
    else if (most * scale[c]! > TOP) {
      const next = 2 ** -Math.ceil(Math.log2(most));
      rescale(c, next / scale[c]!);
      scale[c] = next;
    }
  }
  const added = new Float64Array(columns);
  for (let s = from, k = 0; s < to; s++, k++)
    for (let c = 0, at = s * columns; c < columns; c++, at++) {
      const deviation = data[at]! - here[c]!;
      added[c]! += deviation * deviation;
      panel[(c >> shift) * strip + k * width + (c & lane)] = deviation * scale[c]!;
    }
  for (let c = 0; c < columns; c++) {
    panel[(c >> shift) * strip + m * width + (c & lane)] = joint[c]! * scale[c]!;
    const delta = before ? here[c]! - mean[c]! : 0;
    square[c]! += added[c]! + delta * delta * weight;
    mean[c] = before ? mean[c]! + (delta * m) / (before + m) : here[c]!;
  }
  return m + 1;
}
