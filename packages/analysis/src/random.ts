import { cos, log, sin } from './elementary.js';

/** A seeded source of random numbers: sfc32 (Chris Doty-Humphrey), seeded by splitmix32. */
export interface Random {
  /** [0, 1), 32 bits. */
  uniform(): number;
  /** Mean 0, standard deviation 1 (Box–Muller), with logarithm, sine and cosine of our own: the same bits in every engine. */
  normal(): number;
  /** Whole number in [0, limit), without modulo bias worth speaking of (limit ≤ 2³²). */
  below(limit: number): number;
  /** 0 … n−1 shuffled (Fisher–Yates). */
  permutation(n: number): Uint32Array;
  /** `size` of 0 … n−1, ascending, each choice as likely. O(n): selection sampling (Knuth, TAOCP 2, 3.4.2 S). */
  subset(n: number, size: number): Uint32Array;
  /** The same of large n, in other numbers: O(size) where it is small against n (repeats are drawn again), else as `subset`. */
  sample(n: number, size: number): Uint32Array;
}

/** Same seeds, same numbers, everywhere. Several seeds give independent streams: `random(seed, epoch)`. */
export function random(...seeds: number[]): Random {
  let mixed = 0x9e3779b9;
  const next = () => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let t = mixed ^ (mixed >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return (t ^ (t >>> 15)) >>> 0;
  };
  for (const seed of seeds) mixed = (next() ^ seed) | 0;
  let a = next() | 0;
  let b = next() | 0;
  let c = next() | 0;
  let counter = 1;
  const bits = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) bits();
  const uniform = () => bits() / 4294967296;
  let spare: number | null = null;
  const below = (limit: number) => Math.floor(uniform() * limit);
  const subset = (n: number, size: number) => {
    const chosen = new Uint32Array(size);
    for (let i = 0, got = 0; got < size; i++) if (uniform() * (n - i) < size - got) chosen[got++] = i;
    return chosen;
  };
  return {
    uniform,
    below,
    normal() {
      if (spare !== null) {
        const value = spare;
        spare = null;
        return value;
      }
      const radius = Math.sqrt(-2 * log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * sin(angle);
      return radius * cos(angle);
    },
    permutation(n) {
      const order = Uint32Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = below(i + 1);
        const t = order[i]!;
        order[i] = order[j]!;
        order[j] = t;
      }
      return order;
    },
    subset,
    sample(n, size) {
      if (size * 4 > n) return subset(n, size);
      const chosen = new Set<number>();
      while (chosen.size < size) chosen.add(below(n));
      return Uint32Array.from(chosen).sort();
    },
  };
}
