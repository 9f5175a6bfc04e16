import { guard } from '@epochscope/core-wasm';
import { firstNotFinite } from '@epochscope/core-wasm/jobs';
import type { RemovalShares } from './types.js';

/**
 * Mask (1 = kept) that removes the round(rate · count) weights of smallest |w|; ties go to the lower index first, so the
 * number removed is exact. Throws `not-finite`. O(n log n).
 */
export function magnitudeMask(weights: Float32Array, rate: number): Uint8Array {
  guard(rate >= 0 && rate <= 1, 'argument', () => `magnitude rate: expected 0 … 1, got ${rate}`, { rate });
  const at = firstNotFinite(weights);
  guard(at < 0, 'not-finite', () => `weights: expected finite numbers, got ${weights[at]} at index ${at}`, {
    index: at,
  });
  const mask = new Uint8Array(weights.length).fill(1);
  const count = Math.round(rate * weights.length);
  if (count === 0) return mask;
  // The magnitude below which all go; those equal to it go by index until the count is met.
  const magnitudes = weights.map(Math.abs).sort();
  const limit = magnitudes[count - 1]!;
  let removed = 0;
  for (let i = 0; i < weights.length; i++) {
    if (Math.abs(weights[i]!) < limit) {
      mask[i] = 0;
      removed++;
    }
  }
  for (let i = 0; i < weights.length && removed < count; i++) {
    if (Math.abs(weights[i]!) === limit && mask[i]) {
      mask[i] = 0;
      removed++;
    }
  }
  return mask;
}

/** Sets removed weights to exactly 0, in a copy. */
export function applyMask(weights: Float32Array, mask: Uint8Array): Float32Array {
  return weights.map((w, i) => (mask[i] ? w : 0));
}

/** Shares removed; `mask` is [inputs, units] row-major. */
export function removalShares(mask: Uint8Array, units: number): RemovalShares {
  const inputs = units ? mask.length / units : 0;
  const perUnit = new Float64Array(units);
  for (let i = 0; i < mask.length; i++) if (!mask[i]) perUnit[i % units]!++;
  let overall = 0;
  for (let u = 0; u < units; u++) {
    overall += perUnit[u]!;
    perUnit[u]! /= inputs || 1;
  }
  const share = (test: (x: number) => boolean) => (units ? perUnit.filter(test).length / units : 0);
  return {
    perUnit,
    overall: mask.length ? overall / mask.length : 0,
    over90: share((x) => x > 0.9),
    under40: share((x) => x < 0.4),
    emptied: share((x) => x === 1),
  };
}
