import { EpochscopeError, type Matrix } from '@epochscope/core-wasm';
import type { Engine, JobOptions } from '../../engine/types.js';
import type { Figure } from '../../results/types.js';
import { eigenpairs, rootMoments } from './eigen.js';
import { agopMoments, pearson, weightMoments, weightProduct } from './moments.js';
import type { FeaturePanel, GradientSums } from './types.js';

export { featureDates, featuresSentence } from './sentence.js';
export * from './types.js';

/** Over so many, the square root of the AGOP, which needs all its eigenvalues, is left out. */
const MOST_ROOT = 1024;

export interface FeatureInput {
  /** float32[inputs × units]: the layer's weights, a patch of its input times this being what its units get. */
  kernel: Matrix;
  /** The same at the first snapshot. */
  first: Matrix;
  gradients: GradientSums;
}

export interface FeatureOptions extends Pick<JobOptions, 'signal'> {
  /** Eigenvectors kept. */
  k: number;
  /** Of the iteration's starting vectors. */
  seed: number;
}

export type FeatureFigures = Pick<
  FeaturePanel,
  'correlation' | 'rootCorrelation' | 'startCorrelation' | 'trace' | 'values' | 'vectors'
>;

const none = (reason: string): Figure => ({ value: null, reason });

/**
 * Correlation of WᵀW = kernel · kernelᵀ with the average gradient outer product and its root, and the AGOP's k largest eigenpairs
 * (Radhakrishnan et al., Science 383, 2024). No inputs × inputs matrix is written out: with m the smaller of inputs and units, O(m³) time
 * and some 60·m² bytes for the correlations, products alone for the eigenpairs. Undefined figures are null with the reason. Throws
 * `not-finite`, `memory`, `cancelled`.
 */
export async function analyseFeatures(
  engine: Pick<Engine, 'truncatedSvd' | 'truncatedSvdOperator'>,
  { kernel, first, gradients }: FeatureInput,
  { k, seed, signal }: FeatureOptions,
): Promise<FeatureFigures> {
  const [inputs, units] = kernel.shape;
  for (const value of gradients.sums)
    if (!Number.isFinite(value))
      throw new EpochscopeError('not-finite', 'the derivatives of the net are not finite');
  const agop = { ...agopMoments(kernel, gradients), name: 'the AGOP' };
  const weights = { ...weightMoments(kernel), name: 'WᵀW' };
  const nothing = inputs === 1 ? none('the layer reads a single value') : null;
  const startCorrelation =
    nothing ??
    pearson(
      { ...weightMoments(first), name: 'WᵀW at the first snapshot' },
      weights,
      weightProduct(first, kernel),
      inputs,
    );
  if (!(agop.trace > 0)) {
    const dead = none('no output depends on what the layer reads: dead units behind it, or weights of 0');
    return {
      correlation: dead,
      rootCorrelation: dead,
      startCorrelation,
      trace: 0,
      values: new Float64Array(0),
      vectors: new Float32Array(0),
    };
  }
  const smaller = Math.min(inputs, units);
  const root = async (): Promise<Figure> => {
    if (smaller > MOST_ROOT)
      return none(
        `the root of the AGOP needs all eigenvalues of a matrix of ${smaller} rows, more than ${MOST_ROOT}`,
      );
    const { product, ...moments } = await rootMoments(engine, kernel, gradients, { seed, signal });
    return pearson({ ...moments, name: 'the AGOP' }, weights, product, inputs);
  };
  return {
    correlation: nothing ?? pearson(agop, weights, agop.product, inputs),
    rootCorrelation: nothing ?? (await root()),
    startCorrelation,
    trace: agop.trace,
    ...(await eigenpairs(engine, kernel, gradients, agop.trace, { k, seed, signal })),
  };
}

/** Mean cos² of the principal angles between the spans of two sets of orthonormal rows, as many of each as the smaller has; null for none. */
export function overlapOf(a: Float32Array, b: Float32Array, columns: number): Figure {
  const count = Math.min(a.length, b.length) / columns;
  if (!count) return none('no eigenvectors: no output depends on what the layer reads');
  let square = 0;
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) {
      let dot = 0;
      for (let c = 0; c < columns; c++) dot += a[i * columns + c]! * b[j * columns + c]!;
      square += dot * dot;
    }
  return { value: Math.min(1, square / count) };
}
