import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Matrix } from '../src/matrix.js';

/** Deterministic uniform numbers in [0, 1): mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Standard normal numbers (Box–Muller). */
export function normal(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

export type Distribution = 'blobs' | 'uniform' | 'duplicates' | 'constant-columns';

/**
 * Seeded points. blobs: ten Gaussian clusters; uniform: no structure; duplicates: blobs in which every row stands four
 * times; constant-columns: blobs in which every second column is constant.
 */
export function points(n: number, d: number, distribution: Distribution = 'blobs', seed = 1): Matrix {
  const data = new Float32Array(n * d);
  const u = uniform(seed);
  const g = normal(seed + 1);
  const centres = new Float32Array(10 * d).map(() => 8 * u());
  for (let i = 0; i < n; i++) {
    const cluster = i % 10;
    for (let k = 0; k < d; k++) {
      data[i * d + k] = distribution === 'uniform' ? u() : centres[cluster * d + k]! + g();
    }
  }
  if (distribution === 'duplicates')
    for (let i = 0; i < n; i++) data.copyWithin(i * d, (i >> 2) * 4 * d, ((i >> 2) * 4 + 1) * d);
  if (distribution === 'constant-columns') for (let i = 0; i < n * d; i++) if ((i % d) % 2) data[i] = 3;
  return { data, shape: [n, d] };
}

/** The pixels, 0 to 1, of the first n of MNIST's 60 000 training images: train-images-idx3-ubyte.gz of a folder. */
export function mnistPixels(folder: string, n: number): Matrix {
  const bytes = gunzipSync(readFileSync(`${folder}/train-images-idx3-ubyte.gz`)).subarray(16);
  return { data: Float32Array.from(bytes.subarray(0, n * 784), (pixel) => pixel / 255), shape: [n, 784] };
}
