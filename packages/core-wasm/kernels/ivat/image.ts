// Plain TypeScript on purpose: pages draw iVAT images without loading WebAssembly.
import { guard } from '../../src/errors.js';

export interface IvatImageOptions {
  /** Pixels along each edge, 1 to 16384. */
  side: number;
  /** First VAT position shown; default 0. */
  from?: number;
  /** One past the last VAT position shown; default n. */
  to?: number;
  /** What a pixel says of its block of pairs: their mean (default) or their largest value. */
  reduce?: 'mean' | 'max';
}

/**
 * Image of the iVAT matrix D' from the edge weights alone: pixel (p,q) = mean (or max) of D'(a,b) over the positions a of block p and
 * b of block q, where D'(a,b) = max(w[min..max−1]), D'(a,a) = 0.
 *
 * With L = to − from positions, block p holds from + ⌊pL/side⌋ … from + ⌊(p+1)L/side⌋ − 1 if L ≥ side, else the one position
 * from + ⌊(p+½)L/side⌋ (positions are magnified). The mean is exact: summed in float64 over every pair of the block, the zero
 * diagonal included.
 *
 * @param vat its `weights`, float32[n−1], ≥ 0, along the VAT order. n = weights.length + 1.
 * @returns float32[side × side], row-major, symmetric, in the unit of the weights.
 * @throws `argument` if side or the range is out of bounds.
 * Time O(n + side²) when, as is usual, the largest edge between two blocks bounds most pairs; never over O(side·(n + side)).
 * Memory 4·side² + O(n) bytes. Source: Havens & Bezdek 2012 (D' along the VAT order), Wang et al. 2010.
 */
export function ivatImage(vat: { readonly weights: Float32Array }, options: IvatImageOptions): Float32Array {
  const { weights } = vat;
  const { side, from = 0, to = weights.length + 1, reduce = 'mean' } = options;
  guard(
    Number.isInteger(side) && side >= 1 && side <= 16384,
    'argument',
    () => `side: expected a whole number from 1 to 16384, got ${side}`,
    { side },
  );
  guard(
    Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= weights.length + 1,
    'argument',
    () => `range: expected 0 ≤ from < to ≤ ${weights.length + 1}, got [${from}, ${to})`,
    { from, to, n: weights.length + 1 },
  );
  guard(
    reduce === 'mean' || reduce === 'max',
    'argument',
    () => `reduce: expected mean or max, got ${reduce}`,
  );
  const blocks = blocksOf(side, from, to);
  const profile = profileOf(weights, blocks, side);
  return reduce === 'max' ? maxImage(profile, side) : meanImage(weights, blocks, profile, side);
}

interface Blocks {
  start: Uint32Array;
  end: Uint32Array;
}

function blocksOf(side: number, from: number, to: number): Blocks {
  const length = to - from;
  const start = new Uint32Array(side);
  const end = new Uint32Array(side);
  for (let p = 0; p < side; p++) {
    if (length >= side) {
      start[p] = from + Math.floor((p * length) / side);
      end[p] = from + Math.floor(((p + 1) * length) / side);
    } else {
      start[p] = from + Math.floor(((p + 0.5) * length) / side);
      end[p] = start[p]! + 1;
    }
  }
  return { start, end };
}

interface Profile {
  /** Largest edge inside each block; 0 if it has one position. */
  inner: Float32Array;
  /** gap[p]: largest edge from the last position of block p−1 to the first of block p; 0 if they are one position. */
  gap: Float32Array;
}

function profileOf(w: Float32Array, { start, end }: Blocks, side: number): Profile {
  const inner = new Float32Array(side);
  const gap = new Float32Array(side);
  for (let p = 0; p < side; p++) {
    let m = 0;
    for (let k = start[p]!; k < end[p]! - 1; k++) if (w[k]! > m) m = w[k]!;
    inner[p] = m;
    if (p > 0) {
      m = 0;
      for (let k = end[p - 1]! - 1; k < start[p]!; k++) if (w[k]! > m) m = w[k]!;
      gap[p] = m;
    }
  }
  return { inner, gap };
}

function maxImage({ inner, gap }: Profile, side: number): Float32Array {
  const out = new Float32Array(side * side);
  for (let p = 0; p < side; p++) {
    let m = inner[p]!;
    out[p * side + p] = m;
    for (let q = p + 1; q < side; q++) {
      if (gap[q]! > m) m = gap[q]!;
      if (inner[q]! > m) m = inner[q]!;
      out[p * side + q] = m;
    }
  }
  mirror(out, side);
  return out;
}

// For a in block p and b in block q > p: D'(a,b) = max(S[a], M, P[b]) with S[a] the largest edge from a to the end of its block,
// M the largest edge between the blocks, P[b] the largest from the start of b's block to b. S falls and P rises along
// the positions, so their prefix sums give every mean.
function meanImage(
  w: Float32Array,
  { start, end }: Blocks,
  { inner, gap }: Profile,
  side: number,
): Float32Array {
  const out = new Float32Array(side * side);
  const base = start[0]!;
  const length = end[side - 1]! - base;
  const P = new Float32Array(length);
  const S = new Float32Array(length);
  // sumP[k]: sum of P from k to the end of its block. sumS[k]: sum of S from the start of the block up to and with k.
  const sumP = new Float64Array(length);
  const sumS = new Float64Array(length);
  for (let p = 0; p < side; p++) {
    const a = start[p]! - base;
    const b = end[p]! - base;
    for (let k = a + 1; k < b; k++) P[k] = Math.max(P[k - 1]!, w[base + k - 1]!);
    for (let k = b - 2; k >= a; k--) S[k] = Math.max(S[k + 1]!, w[base + k]!);
    let sum = 0;
    for (let k = b - 1; k >= a; k--) sumP[k] = sum += P[k]!;
    sum = 0;
    for (let k = a; k < b; k++) sumS[k] = sum += S[k]!;
  }
  const stack = new Uint32Array(length + 1);
  for (let p = 0; p < side; p++) {
    const a0 = start[p]! - base;
    const a1 = end[p]! - base;
    const rows = a1 - a0;
    out[p * side + p] = (2 * pairSum(w, base + a0, base + a1, stack)) / (rows * rows);
    const top = inner[p]!;
    let m = 0;
    for (let q = p + 1; q < side; q++) {
      if (gap[q]! > m) m = gap[q]!;
      const right = inner[q]!;
      if (m >= top && m >= right) out[p * side + q] = m;
      else {
        const b0 = start[q]! - base;
        const b1 = end[q]! - base;
        out[p * side + q] = blockSum(S, P, sumS, sumP, a0, a1, b0, b1, m) / (rows * (b1 - b0));
      }
      if (right > m) m = right;
    }
  }
  mirror(out, side);
  return out;
}

// Sum of max(S[a], m, P[b]) over the block pair.
function blockSum(
  S: Float32Array,
  P: Float32Array,
  sumS: Float64Array,
  sumP: Float64Array,
  a0: number,
  a1: number,
  b0: number,
  b1: number,
  m: number,
): number {
  // S > m for a < sEnd (S falls); P > m for b ≥ pStart (P rises).
  const sEnd = falls(S, a0, a1, m);
  const pStart = rises(P, b0, b1, m);
  const highS = sEnd - a0;
  const highP = b1 - pStart;
  const lowS = a1 - sEnd;
  const lowP = pStart - b0;
  let sum = m * lowS * lowP;
  if (highS > 0) sum += sumS[sEnd - 1]! * lowP;
  if (highP > 0) sum += sumP[pStart]! * lowS;
  if (highS > 0 && highP > 0) {
    // a from the largest S down: those b with P ≤ S[a] take S[a], the others their own P.
    let b = b1;
    for (let a = a0; a < sEnd; a++) {
      const s = S[a]!;
      while (b > pStart && P[b - 1]! > s) b--;
      sum += s * (b - pStart) + (b < b1 ? sumP[b]! : 0);
    }
  }
  return sum;
}

/** First index in [lo, hi) with x ≤ m, x falling. */
function falls(x: Float32Array, lo: number, hi: number, m: number): number {
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (x[mid]! > m) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

/** First index in [lo, hi) with x > m, x rising. */
function rises(x: Float32Array, lo: number, hi: number, m: number): number {
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (x[mid]! > m) hi = mid;
    else lo = mid + 1;
  }
  return lo;
}

// Sum of max(w[a..b−1]) over from ≤ a < b < to: for each b the running sum over a, kept by a stack of falling maxima.
function pairSum(w: Float32Array, from: number, to: number, stack: Uint32Array): number {
  let total = 0;
  let sum = 0;
  let depth = 0;
  for (let e = from; e < to - 1; e++) {
    const x = w[e]!;
    let left = e;
    while (depth > 0 && w[stack[depth - 1]!]! <= x) {
      const top = stack[--depth]!;
      const before = depth > 0 ? stack[depth - 1]! + 1 : from;
      sum -= w[top]! * (left - before);
      left = before;
    }
    stack[depth++] = e;
    sum += x * (e + 1 - left);
    total += sum;
  }
  return total;
}

function mirror(out: Float32Array, side: number): void {
  const tile = 32;
  for (let p0 = 0; p0 < side; p0 += tile)
    for (let q0 = p0; q0 < side; q0 += tile)
      for (let p = p0; p < Math.min(p0 + tile, side); p++)
        for (let q = Math.max(q0, p + 1); q < Math.min(q0 + tile, side); q++)
          out[q * side + p] = out[p * side + q]!;
}
