// Plain TypeScript on purpose: pages draw iVAT images without loading WebAssembly.
import { checkOneOf, checkOptions, nameOf } from '../../src/arguments.js';
import { guard } from '../../src/errors.js';
import { type Blocks, blocksOf, largest } from './blocks.js';
import { meanImage } from './mean-image.js';
import { checkSizes, checkWeights } from './values.js';

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
 * Image of the iVAT matrix D' from the edge weights alone: pixel (p,q) = mean (or max) of D'(a,b) over the positions
 * a of block p and b of block q, where D'(a,b) = max(w[min..max−1]), D'(a,a) = 0.
 *
 * With L = to − from positions, block p holds from + ⌊pL/side⌋ … from + ⌊(p+1)L/side⌋ − 1 if L ≥ side, else the one
 * position from + ⌊(p+½)L/side⌋ (positions are magnified). The mean is exact: summed in float64 over every pair of
 * the block, the zero diagonal included.
 *
 * @param vat its `weights`, float32[n−1], ≥ 0, along the VAT order. n = weights.length + 1.
 * @returns float32[side × side], row-major, symmetric, in the unit of the weights.
 * @throws `argument` if side or the range is out of bounds or a weight shown is negative; `not-finite`.
 * Time O(n + side²) when, as is usual, the largest edge between two blocks bounds most pairs; never over O(side·(n +
 * side)).
 * Memory 4·side² bytes and 16 for each new maximum met from a block's ends inwards: some hundred KB as a rule, 32·n
 * bytes at the most. Source: Havens & Bezdek 2012 (D' along the VAT order), Wang et al. 2010.
 */
export function ivatImage(vat: { readonly weights: Float32Array }, options: IvatImageOptions): Float32Array {
  checkWeights(vat);
  checkOptions(options, 'side');
  const { weights } = vat;
  const { side, from = 0, to = weights.length + 1, reduce = 'mean' } = options;
  guard(
    Number.isInteger(side) && side >= 1 && side <= 16384,
    'argument',
    () => `side: expected an integer from 1 to 16384, got ${nameOf(side)}`,
    { side },
  );
  guard(
    Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= weights.length + 1,
    'argument',
    () => `range: expected 0 ≤ from < to ≤ ${weights.length + 1}, got [${nameOf(from)}, ${nameOf(to)})`,
    { from, to, n: weights.length + 1 },
  );
  checkOneOf('reduce', reduce, ['mean', 'max']);
  checkSizes(weights, from, to - 1);
  const blocks = blocksOf(weights, side, from, to);
  const image = reduce === 'max' ? maxImage(weights, blocks) : meanImage(weights, blocks);
  mirror(image, side);
  return image;
}

// The right of the diagonal.
function maxImage(w: Float32Array, { side, start, end, gap }: Blocks): Float32Array {
  const inner = new Float32Array(side);
  for (let p = 0; p < side; p++) inner[p] = largest(w, start[p]!, end[p]! - 1);
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
  return out;
}

// Tiles keep what is read down the columns in cache; each line is written along its row.
function mirror(out: Float32Array, side: number): void {
  const tile = 32;
  for (let p0 = 0; p0 < side; p0 += tile)
    for (let q0 = p0; q0 < side; q0 += tile)
      for (let q = q0; q < Math.min(q0 + tile, side); q++) {
        const last = Math.min(p0 + tile, q);
        let to = q * side + p0;
        for (let p = p0; p < last; p++) out[to++] = out[p * side + q]!;
      }
}
