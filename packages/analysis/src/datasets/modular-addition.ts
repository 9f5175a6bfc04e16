import { guard } from '@epochscope/core-wasm';
import { random } from '../random.js';
import type { Dataset, Split } from './types.js';

/** Share of all pairs that is trained on: a net learns these by heart at first, and the rule much later (Power et al. 2022). */
const TRAINING_SHARE = 0.5;
/** Labels are bytes, and p is one more token. */
const LARGEST = 251;
/** Test pairs of so many sums come first, one of each in turn: enough of a sum to be seen as a block. */
const SUMS_FIRST = 20;
/** Tokens of a sample: a, b, "=". */
const TOKENS = 3;

const PLACE = /^modular-addition(?::(\d+))?$/;
/** The p of "modular-addition:59"; null for another name. Alone it is 59. */
export function modulusOf(where: unknown): number | null {
  const found = typeof where === 'string' ? PLACE.exec(where) : null;
  return found ? Number(found[1] ?? 59) : null;
}

/**
 * a + b mod p for all p² pairs: one-hot tokens a, b and "=" as images of 3 × (p + 1) bytes of 0 and 255, the class their sum. Half of
 * them, seeded, is for training. Of the test pairs those with sum 0 … 19 come first, in turn. Nanda et al. 2023, "Progress measures for grokking
 * via mechanistic interpretability", arXiv:2301.05217. Time and memory: 3 p² (p + 1). Throws `argument` unless 2 ≤ p ≤ 251.
 */
export function modularAddition(p: number): Dataset {
  guard(
    Number.isInteger(p) && p >= 2 && p <= LARGEST,
    'argument',
    () => `modular addition: expected p to be a whole number 2 … ${LARGEST}, got ${p}`,
    { got: p },
  );
  const pairs = random(0x73756d73, p).permutation(p * p);
  const held = Math.max(1, Math.min(p * p - 1, Math.round(TRAINING_SHARE * p * p)));
  return {
    name: `modular-addition-${p}`,
    source: `modular-addition:${p}`,
    shape: [TOKENS, p + 1, 1],
    classes: Array.from({ length: p }, (_, sum) => String(sum)),
    train: splitOf(pairs.subarray(0, held), p),
    test: splitOf(inTurn(pairs.subarray(held), p), p),
  };
}

const sumOf = (pair: number, p: number): number => (Math.floor(pair / p) + (pair % p)) % p;

/** Pairs of the first sums first, one of each in turn, then those of the others so. */
function inTurn(pairs: Uint32Array, p: number): Uint32Array {
  const rounds = new Uint32Array(p);
  const place = Array.from(pairs, (pair) => {
    const sum = sumOf(pair, p);
    return { pair, sum, later: Number(sum >= SUMS_FIRST), round: rounds[sum]!++ };
  });
  place.sort((a, b) => a.later - b.later || a.round - b.round || a.sum - b.sum);
  return Uint32Array.from(place, ({ pair }) => pair);
}

function splitOf(pairs: Uint32Array, p: number): Split {
  const size = TOKENS * (p + 1);
  const images = new Uint8Array(pairs.length * size);
  pairs.forEach((pair, i) => {
    const tokens = [Math.floor(pair / p), pair % p, p];
    for (const [place, token] of tokens.entries()) images[i * size + place * (p + 1) + token] = 255;
  });
  return { images, labels: Uint8Array.from(pairs, (pair) => sumOf(pair, p)), count: pairs.length };
}
