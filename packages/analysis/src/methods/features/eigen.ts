import type { Matrix } from '@epochscope/core-wasm';
import type { Engine, JobOptions } from '../../engine/types.js';
import type { FeaturePanel, GradientSums } from './types.js';

type Svd = Pick<Engine, 'truncatedSvd' | 'truncatedSvdOperator'>;
type Options = Pick<JobOptions, 'signal'> & { seed: number };

/** An eigenvalue at or below this share of the largest is 0 within float32's rounding. */
const NULL_SHARE = 1e-6;

/** The k largest eigenpairs of the AGOP of this trace by Lanczos: products with kernel, sums and kernelᵀ alone. */
export async function eigenpairs(
  engine: Svd,
  kernel: Matrix,
  gradients: GradientSums,
  trace: number,
  { k, seed, signal }: Options & { k: number },
): Promise<Pick<FeaturePanel, 'values' | 'vectors'>> {
  const [inputs] = kernel.shape;
  const apply = productWith(kernel, gradients);
  const forward = (block: Float32Array, count: number) => {
    const out = new Float32Array(count * inputs);
    for (let i = 0; i < count; i++)
      apply(block.subarray(i * inputs, (i + 1) * inputs)).forEach((value, j) => {
        // Over the trace, so that no size of derivatives leaves float32.
        out[i * inputs + j] = value / trace;
      });
    return out;
  };
  const most = Math.min(k, inputs);
  const { sigma, v } = await engine.truncatedSvdOperator(
    { shape: [inputs, inputs], forward, adjoint: forward },
    { k: most, seed, vectors: most, signal },
  );
  const count = sigma.filter((value) => value > NULL_SHARE * sigma[0]!).length;
  const vectors = Float32Array.from(v.data.subarray(0, count * inputs));
  for (let i = 0; i < count; i++) fixSign(vectors.subarray(i * inputs, (i + 1) * inputs));
  return { values: sigma.slice(0, count).map((value) => value * trace), vectors };
}

/** The entry of largest magnitude positive. */
function fixSign(vector: Float32Array): void {
  let most = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(most)) most = value;
  if (most < 0) for (let i = 0; i < vector.length; i++) vector[i] = -vector[i]!;
}

/** AGOP · v. */
function productWith(
  { data, shape: [inputs, units] }: Matrix,
  { of, sums }: GradientSums,
): (v: Float32Array) => Float64Array {
  const timesSums = (v: ArrayLike<number>, n: number) => {
    const out = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += sums[i * n + j]! * v[j]!;
      out[i] = sum;
    }
    return out;
  };
  if (of === 'inputs') return (v) => timesSums(v, inputs);
  return (v) => {
    const inner = new Float64Array(units);
    for (let i = 0; i < inputs; i++)
      for (let u = 0; u < units; u++) inner[u]! += data[i * units + u]! * v[i]!;
    const mixed = timesSums(inner, units);
    const out = new Float64Array(inputs);
    for (let i = 0; i < inputs; i++) {
      let sum = 0;
      for (let u = 0; u < units; u++) sum += data[i * units + u]! * mixed[u]!;
      out[i] = sum;
    }
    return out;
  };
}

/**
 * Moments of the AGOP's square root, up to a factor, and the sum of the products of its entries and those of kernel · kernelᵀ. With kernel = U Σ Vᵀ both
 * lie in U's span: there kernel · kernelᵀ is Σ², the AGOP is B = Σ Vᵀ S V Σ (or Uᵀ A U), and its root has B's eigenvectors with the roots
 * of its eigenvalues. O(m³) for m, the smaller of inputs and units; not for an AGOP of zeros.
 */
export async function rootMoments(
  engine: Svd,
  kernel: Matrix,
  { of, sums }: GradientSums,
  { seed, signal }: Options,
): Promise<{ sum: number; square: number; product: number }> {
  const [inputs, units] = kernel.shape;
  const m = Math.min(inputs, units);
  const svd = await engine.truncatedSvd(kernel, { k: m, seed, vectors: m, signal });
  const side = of === 'units' ? units : inputs;
  // Rows of the basis in the space of the sums: Σ Vᵀ, or Uᵀ.
  const basis = (of === 'units' ? svd.v : svd.u).data;
  const scale = (i: number) => (of === 'units' ? svd.sigma[i]! : 1);
  const half = new Float64Array(m * side);
  for (let a = 0; a < m; a++)
    for (let i = 0; i < side; i++) {
      const value = basis[a * side + i]! * scale(a);
      if (value === 0) continue;
      for (let j = 0; j < side; j++) half[a * side + j]! += value * sums[i * side + j]!;
    }
  const inner = new Float64Array(m * m);
  for (let a = 0; a < m; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let j = 0; j < side; j++) sum += half[a * side + j]! * basis[b * side + j]!;
      inner[a * m + b] = sum * scale(b);
      inner[b * m + a] = inner[a * m + b]!;
    }
  const most = inner.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const ones = Float64Array.from({ length: m }, (_, a) => {
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += svd.u.data[a * inputs + i]!;
    return sum;
  });
  const eigen = await engine.truncatedSvd(
    { data: Float32Array.from(inner, (value) => value / most), shape: [m, m] },
    { k: m, seed, vectors: m, signal },
  );
  const moments = { sum: 0, square: 0, product: 0 };
  for (let l = 0; l < m; l++) {
    const value = eigen.sigma[l]!;
    if (!(value > NULL_SHARE * eigen.sigma[0]!)) break;
    const root = Math.sqrt(value);
    let [along, weight] = [0, 0];
    for (let a = 0; a < m; a++) {
      const part = eigen.u.data[l * m + a]!;
      along += part * ones[a]!;
      weight += part * part * svd.sigma[a]! ** 2;
    }
    moments.sum += root * along * along;
    moments.square += value;
    moments.product += root * weight;
  }
  return moments;
}
