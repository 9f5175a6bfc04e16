import { EpochscopeError, type Matrix } from '@epochscope/core-wasm';
import type { Engine, JobOptions } from '../../engine/types.js';
import { random } from '../../random.js';
import type { Figure } from '../../results/types.js';
import { rowsOf } from '../rows.js';
import type { TendencyInput } from '../tendency/index.js';

/** Up to so many dimensions on both sides all samples are taken, by covariances; else this many samples, by their Gram matrices. */
const EXACT_DIMENSIONS = 512;
const GRAM_SAMPLES = 2000;

/**
 * Linear centred kernel alignment (Kornblith et al., ICML 2019) of two sets of outputs of the same samples: ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖), columns
 * centred; 1 where one is the other turned, shifted and scaled. null with the reason for constant outputs, fewer than 3 samples, and where
 * the rows are not the outputs themselves. To about 1e-5.
 */
export async function linearCka(
  engine: Pick<Engine, 'correlation' | 'pairwise'>,
  a: TendencyInput,
  b: TendencyInput,
  { seed, signal }: Pick<JobOptions, 'signal'> & { seed: number },
): Promise<{ cka: Figure; samples: number | 'all' }> {
  const nothing = (reason: string) => ({ cka: { value: null, reason } as Figure, samples: 'all' as const });
  for (const { space, layer } of [a, b]) {
    if (space?.metric === 'matrix')
      return nothing(`of ${layer} only dissimilarities are known, not the outputs`);
    if (space?.halfSquare) return nothing(`${layer} was brought to rows of length 1`);
  }
  const [x, y] = [a.outputs, b.outputs];
  const n = x.shape[0];
  if (n < 3) return nothing('fewer than 3 samples');
  const exact = x.shape[1] <= EXACT_DIMENSIONS && y.shape[1] <= EXACT_DIMENSIONS;
  const drawn = exact || n <= GRAM_SAMPLES ? null : random(seed, 1).subset(n, GRAM_SAMPLES);
  const pick = (m: Matrix) => (drawn ? rowsOf(m, drawn) : m);
  const products = exact ? byCovariance : byGram;
  const cka = await products(engine, pick(x), pick(y), { signal });
  const samples = drawn ? GRAM_SAMPLES : 'all';
  return cka === null
    ? { cka: { value: null, reason: 'constant outputs on one side' }, samples }
    : { cka: { value: Math.min(1, cka) }, samples };
}

type Products = (
  engine: Pick<Engine, 'correlation' | 'pairwise'>,
  x: Matrix,
  y: Matrix,
  options: Pick<JobOptions, 'signal'>,
) => Promise<number | null>;

const byCovariance: Products = async (engine, x, y, options) => {
  const square = async (p: Matrix, q: Matrix) => {
    const { r, unitDeviations, inputDeviations } = await engine.correlation(p, q, options);
    // Relative to the largest, so that no square leaves float64.
    const [su, si] = [relative(unitDeviations), relative(inputDeviations)];
    const inputs = r.shape[1];
    let sum = 0;
    for (let u = 0; u < su.length; u++)
      for (let i = 0; i < inputs; i++) sum += (r.data[u * inputs + i]! * su[u]! * si[i]!) ** 2;
    return sum;
  };
  return ratio(await square(x, y), await square(x, x), await square(y, y));
};

const byGram: Products = async (engine, x, y, options) => {
  const gram = async (m: Matrix) => {
    const { data, lengths } = centred(m);
    const cosines = await engine.pairwise({ data, shape: m.shape }, { ...options, metric: 'cosine' });
    return { cosines: cosines.data, lengths: relative(lengths) };
  };
  const [k, l] = [await gram(x), await gram(y)];
  const n = x.shape[0];
  let [kl, kk, ll] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      // A row and itself, also one of zeros, which no cosine is defined for.
      const own = i === j;
      const p = (own ? 1 : 1 - k.cosines[i * n + j]!) * k.lengths[i]! * k.lengths[j]!;
      const q = (own ? 1 : 1 - l.cosines[i * n + j]!) * l.lengths[i]! * l.lengths[j]!;
      kl += p * q;
      kk += p * p;
      ll += q * q;
    }
  }
  return ratio(kl, kk, ll);
};

const ratio = (xy: number, xx: number, yy: number): number | null =>
  xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;

function relative(values: Float64Array): Float64Array {
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  return largest > 0 ? values.map((value) => value / largest) : values;
}

/** Rows less the mean row, in float64 before they are float32 again, and their lengths. */
function centred({ data, shape: [n, d] }: Matrix): { data: Float32Array; lengths: Float64Array } {
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) mean[j]! += data[i * d + j]! / n;
  const out = new Float32Array(data.length);
  const lengths = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let square = 0;
    for (let j = 0; j < d; j++) {
      const value = data[i * d + j]! - mean[j]!;
      out[i * d + j] = value;
      square += value * value;
    }
    lengths[i] = Math.sqrt(square);
    if (!Number.isFinite(lengths[i]))
      throw new EpochscopeError('not-finite', `row ${i}: too large to be squared`);
  }
  return { data: out, lengths };
}
