// Plain TypeScript, no WebAssembly: single values and the condensed form.
import { isFloat32, isUint32, nameOf } from '../../src/arguments.js';
import { guard } from '../../src/errors.js';
import { outside } from '../../src/memory.js';
import type { VatResult } from '../vat/result.js';

type Ordered = Pick<VatResult, 'order' | 'weights'>;

/**
 * D' between two VAT positions: max(w[min(a,b)..max(a,b)−1]), 0 if a = b; float32, ≥ 0, in the unit of the weights.
 * Throws `argument` for a position outside 0..n−1. Time O(|a − b|), no memory; for many queries make an `ivatLookup`.
 */
export function ivatValue(vat: Pick<VatResult, 'weights'>, a: number, b: number): number {
  checkWeights(vat);
  const n = vat.weights.length + 1;
  checkPosition(a, n);
  checkPosition(b, n);
  let m = 0;
  for (let k = Math.min(a, b); k < Math.max(a, b); k++) if (vat.weights[k]! > m) m = vat.weights[k]!;
  return m;
}

/**
 * The same in constant time a query: range maximum over a sparse table of n·⌊log₂ n⌋ float32.
 * Source: Bender & Farach-Colton 2000, "The LCA problem revisited", sparse table.
 */
export function ivatLookup(vat: Pick<VatResult, 'weights'>): (a: number, b: number) => number {
  checkWeights(vat);
  checkSizes(vat.weights);
  const table = [vat.weights];
  const n = vat.weights.length + 1;
  for (let span = 1; 2 * span <= n - 1; span *= 2) {
    const below = table[table.length - 1]!;
    const row = new Float32Array(n - 2 * span);
    for (let k = 0; k < row.length; k++) row[k] = Math.max(below[k]!, below[k + span]!);
    table.push(row);
  }
  return (a, b) => {
    checkPosition(a, n);
    checkPosition(b, n);
    const lo = Math.min(a, b);
    const length = Math.max(a, b) - lo;
    if (length === 0) return 0;
    const level = 31 - Math.clz32(length);
    const row = table[level]!;
    return Math.max(row[lo]!, row[lo + length - (1 << level)]!);
  };
}

/**
 * iVAT values in original order, condensed like SciPy's pdist: entry of samples i < j at i·n − i(i+1)/2 + j − i − 1.
 * float32[n(n−1)/2], ≥ 0; empty for n < 2. Time and memory O(n²); throws `memory` over 2³⁰ values.
 */
export function ivatCondensed(vat: Ordered): Float32Array {
  const n = checkOrdered(vat);
  const { order, weights } = vat;
  const size = (n * (n - 1)) / 2;
  guard(
    size <= 2 ** 30,
    'memory',
    () =>
      `iVAT condensed: ${size} values are over the limit of ${2 ** 30}; ask for an image or for single values`,
    { n, size },
  );
  const position = inverse(order);
  const out = outside('iVAT condensed', 4 * size, () => new Float32Array(size));
  const row = new Float32Array(n);
  let at = 0;
  for (let i = 0; i < n; i++) {
    const a = position[i]!;
    let m = 0;
    for (let b = a + 1; b < n; b++) {
      if (weights[b - 1]! > m) m = weights[b - 1]!;
      row[b] = m;
    }
    m = 0;
    for (let b = a - 1; b >= 0; b--) {
      if (weights[b]! > m) m = weights[b]!;
      row[b] = m;
    }
    for (let j = i + 1; j < n; j++) out[at++] = row[position[j]!]!;
  }
  return out;
}

/** Throws `argument` unless `vat` has weights of the right kind. */
export function checkWeights(vat: { readonly weights: Float32Array }): void {
  guard(
    isFloat32(vat?.weights),
    'argument',
    () =>
      `vat: expected what vatFromPoints or vatFromMatrix gives, with float32 weights, got ${vat?.weights === undefined ? nameOf(vat) : nameOf(vat.weights)}`,
  );
}

/** Throws `not-finite` or `argument` unless the weights at [from, to) are finite and ≥ 0. */
export function checkSizes(weights: Float32Array, from = 0, to = weights.length): void {
  for (let k = from; k < to; k++) {
    const w = weights[k]!;
    // Also false for NaN.
    if (w >= 0 && w < Infinity) continue;
    guard(
      w < 0 && w > -Infinity,
      'not-finite',
      () => `vat: expected finite weights, got ${w} at position ${k}`,
      { position: k, got: String(w) },
    );
    guard(false, 'argument', () => `vat: expected weights ≥ 0, got ${w} at position ${k}`, {
      position: k,
      got: w,
    });
  }
}

/** Checks that order and weights belong together and that order is a permutation; returns n. */
export function checkOrdered(vat: Ordered): number {
  checkWeights(vat);
  guard(
    isUint32(vat.order),
    'argument',
    () => `vat: expected order as Uint32Array, got ${nameOf(vat.order)}`,
  );
  checkSizes(vat.weights);
  const n = vat.order.length;
  guard(
    vat.weights.length === Math.max(n - 1, 0),
    'shape',
    () => `vat: ${n} samples need ${Math.max(n - 1, 0)} weights, got ${vat.weights.length}`,
    { expected: Math.max(n - 1, 0), got: vat.weights.length },
  );
  const seen = new Uint8Array(n);
  for (let k = 0; k < n; k++) {
    const i = vat.order[k]!;
    guard(
      i < n && !seen[i],
      'argument',
      () => `vat: order must be a permutation of 0..${n - 1}; ${i} at position ${k} is not or comes twice`,
      { position: k, got: i },
    );
    seen[i] = 1;
  }
  return n;
}

/** position[order[k]] = k. */
export function inverse(order: Uint32Array): Uint32Array {
  const position = new Uint32Array(order.length);
  for (let k = 0; k < order.length; k++) position[order[k]!] = k;
  return position;
}

function checkPosition(a: number, n: number): void {
  guard(
    Number.isInteger(a) && a >= 0 && a < n,
    'argument',
    () => `position: expected an integer from 0 to ${n - 1}, got ${nameOf(a)}`,
    { got: a, n },
  );
}
