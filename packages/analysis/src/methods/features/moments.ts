import type { Matrix } from '@epochscope/core-wasm';
import type { Figure } from '../../results/types.js';
import type { GradientSums } from './types.js';

/** Of a symmetric matrix: the sum of its entries, and of their squares. */
export interface Moments {
  sum: number;
  square: number;
}

/** Sum of weight(i) · m[i]. */
function total(m: ArrayLike<number>, weight: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < m.length; i++) sum += m[i]! * weight(i);
  return sum;
}

/** Pearson correlation over the entries of two inputs × inputs matrices, from their moments and the sum of the products of their entries. */
export function pearson(
  a: Moments & { name: string },
  b: Moments & { name: string },
  product: number,
  inputs: number,
): Figure {
  const count = inputs * inputs;
  const spreads: number[] = [];
  for (const { sum, square, name } of [a, b]) {
    const spread = square - (sum * sum) / count;
    // What rounding leaves of a constant matrix.
    if (!(spread > 1e-12 * square)) return { value: null, reason: `all entries of ${name} are equal` };
    spreads.push(spread);
  }
  const value = (product - (a.sum * b.sum) / count) / Math.sqrt(spreads[0]! * spreads[1]!);
  return { value: Math.max(-1, Math.min(1, value)) };
}

/** a · b, both float64[n × n]. */
function multiply(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const value = a[i * n + k]!;
      if (value === 0) continue;
      const [from, to] = [k * n, i * n];
      for (let j = 0; j < n; j++) out[to + j]! += value * b[from + j]!;
    }
  return out;
}

/** aᵀ · b, float64[units²], of two kernels float32[inputs × units]. */
function crossOf(a: Matrix, b: Matrix): Float64Array {
  const [inputs, units] = a.shape;
  const out = new Float64Array(units * units);
  for (let i = 0; i < inputs; i++)
    for (let s = 0; s < units; s++) {
      const value = a.data[i * units + s]!;
      if (value === 0) continue;
      for (let t = 0; t < units; t++) out[s * units + t]! += value * b.data[i * units + t]!;
    }
  return out;
}

/** kernel · kernelᵀ, float64[inputs²]. */
function outerOf({ data, shape: [inputs, units] }: Matrix): Float64Array {
  const out = new Float64Array(inputs * inputs);
  for (let i = 0; i < inputs; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let u = 0; u < units; u++) sum += data[i * units + u]! * data[j * units + u]!;
      out[i * inputs + j] = sum;
      out[j * inputs + i] = sum;
    }
  return out;
}

/** Sum of each unit's weights. */
function sumsOf({ data, shape: [inputs, units] }: Matrix): Float64Array {
  const sums = new Float64Array(units);
  for (let i = 0; i < inputs; i++) for (let u = 0; u < units; u++) sums[u]! += data[i * units + u]!;
  return sums;
}

/** Moments of kernel · kernelᵀ. */
export function weightMoments(kernel: Matrix): Moments {
  const [inputs, units] = kernel.shape;
  const gram = inputs < units ? outerOf(kernel) : crossOf(kernel, kernel);
  const each = sumsOf(kernel);
  return { sum: total(each, (u) => each[u]!), square: total(gram, (i) => gram[i]!) };
}

/** Sum of the products of the entries of a·aᵀ and b·bᵀ, kernels of one shape: ‖aᵀb‖². */
export function weightProduct(a: Matrix, b: Matrix): number {
  const [inputs, units] = a.shape;
  if (inputs < units) {
    const other = outerOf(b);
    return total(outerOf(a), (i) => other[i]!);
  }
  const cross = crossOf(a, b);
  return total(cross, (i) => cross[i]!);
}

/**
 * Moments of the AGOP, its trace, and the sum of the products of its entries and those of kernel · kernelᵀ, all from the smaller side: with
 * M = kernelᵀ · kernel and S the sums by units, tr(S M), tr(S M M), tr(S M S M).
 */
export function agopMoments(
  kernel: Matrix,
  { of, sums }: GradientSums,
): Moments & { trace: number; product: number } {
  if (of === 'inputs') {
    const side = kernel.shape[0] + 1;
    const outer = outerOf(kernel);
    return {
      sum: total(sums, () => 1),
      square: total(sums, (i) => sums[i]!),
      trace: total(sums, (i) => (i % side ? 0 : 1)),
      product: total(sums, (i) => outer[i]!),
    };
  }
  const n = kernel.shape[1];
  const gram = crossOf(kernel, kernel);
  const each = sumsOf(kernel);
  const mixed = multiply(sums, gram, n);
  const turned = (i: number) => (i % n) * n + Math.floor(i / n);
  return {
    sum: total(sums, (i) => each[i % n]! * each[Math.floor(i / n)]!),
    square: total(mixed, (i) => mixed[turned(i)]!),
    trace: total(sums, (i) => gram[i]!),
    product: total(mixed, (i) => gram[turned(i)]!),
  };
}
