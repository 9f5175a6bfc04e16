import { guard } from '@epochscope/core-wasm';
import type { JobOptions } from '../../engine/types.js';
import { rowsOf } from '../rows.js';
import { type AlignmentOfInput, alignInput, alignmentSteps } from './alignment.js';
import { columnStatistics, dimensionsOf } from './dimension.js';
import { type Evaluate, PERTURBATION_LENGTHS, perturbInput } from './perturbation.js';
import { isExplicit, type LinearMap, type SvdEngine, spectrumOf } from './spectrum.js';
import { tangentVectors } from './tangents.js';
import type { GeometrySpectrum } from './types.js';

export { alignmentSteps, principalCosines, summariseAlignment } from './alignment.js';
export {
  classTree,
  type Hierarchy,
  type HierarchyTest,
  hierarchyDistances,
  hierarchyTest,
} from './classes.js';
export { type Curvature, curvatureAlong, type SmoothJvp } from './curvature.js';
export { dimensionsOf, effectiveRank, participationRatio, spreadOf } from './dimension.js';
export { type Manifold, type ManifoldPoint, manifolds } from './manifolds.js';
export { type Evaluate, PERTURBATION_LENGTHS, summarisePerturbation } from './perturbation.js';
export {
  isExplicit,
  jacobianOf,
  type LinearMap,
  type Spectrum,
  type SpectrumOptions,
  type SvdEngine,
  spectrumOf,
} from './spectrum.js';
export { TANGENTS, type Tangent, tangentVectors } from './tangents.js';
export * from './types.js';

export interface GeometryInputOptions extends JobOptions {
  k: number;
  seed: number;
  /** Position of the input, for its own random numbers. */
  input: number;
  /** Largest triplets whose vectors are kept as pictures, and one more: see `pictureTriplets`. */
  pictures: number;
  /** Vectors a product takes at a time. */
  block?: number;
  /** What tangents need: the input itself, in the map's columns, and its shape. */
  picture?: { x: Float32Array; shape: readonly [number, number, number] } | null;
  /** Right vectors tangents are held against; default min(k, 50). */
  alignment?: number;
  /** The net itself, for steps along and across; needs `picture`. */
  evaluate?: Evaluate | null;
}

/** What one input gives for one map: one unit of work, saved so that a long job can go on. */
export interface GeometryOfInput {
  /** float64[k]. */
  sigma: Float64Array;
  residuals: Float64Array;
  converged: Uint8Array;
  explicit: boolean;
  triplets: Uint32Array;
  /** float32[triplets × columns] and [triplets × rows]. */
  right: Float32Array;
  left: Float32Array;
  alignment: AlignmentOfInput | null;
  /** float64[names × lengths]. */
  moved: Float64Array | null;
}

/** Singular vectors in memory beyond this many values are not asked for: tangents are then held against fewer. */
const MOST_VECTOR_VALUES = 40e6;

/** How many right vectors tangents and steps are held against. */
export function alignmentSize(k: number, columns: number, wanted = 50): number {
  return Math.max(1, Math.min(k, wanted, Math.floor(MOST_VECTOR_VALUES / columns)));
}

/** σ at or below this part of the largest is 0 within rounding: its vectors are any of a null space, and no tangents (§4). */
const NULL_SHARE = 1e-6;

/**
 * Spectrum, vectors, tangent alignment and perturbation of one map at one input (Mototake & Ikegami, sections 4 to 7).
 * ReLU and max pooling make the net piecewise linear: the Jacobian is the one at x.
 */
export async function geometryOfInput(
  engine: SvdEngine,
  map: LinearMap,
  options: GeometryInputOptions,
): Promise<GeometryOfInput> {
  const { seed, input, picture, evaluate } = options;
  const k = Math.min(options.k, map.rows, map.columns);
  const size = alignmentSize(k, map.columns, options.alignment);
  // Where the Jacobian itself is in memory so are all vectors: which of them is the smallest that means something shows afterwards.
  const wanted = isExplicit(map.rows, map.columns, k)
    ? firstOf(k)
    : [...new Set([...firstOf(picture ? size : 0), ...pictureTriplets(k, options.pictures)])];
  const found = await spectrumOf(engine, map, {
    k,
    seed,
    vectors: wanted,
    block: options.block,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  const triplets = pictureTriplets(k, options.pictures, wanted.length === k ? found.sigma : undefined);
  const place = triplets.map((t) => wanted.indexOf(t));
  let alignment: AlignmentOfInput | null = null;
  let moved: Float64Array | null = null;
  if (picture) {
    guard(
      picture.x.length === map.columns,
      'shape',
      () => `the input has ${picture.x.length} values, the map takes ${map.columns}`,
    );
    const tangents = tangentVectors(picture.x, picture.shape);
    const ks = alignmentSteps(size);
    const floor = NULL_SHARE * found.sigma[0]!;
    const rank = found.sigma.subarray(0, size).filter((s) => s > floor).length;
    alignment = alignInput(found.v.data, map.columns, tangents, ks, seed, input, rank);
    if (evaluate)
      moved = await perturbInput(
        picture.x,
        found.v.data,
        rank,
        tangents,
        evaluate,
        PERTURBATION_LENGTHS,
        seed,
        input,
      );
  }
  return {
    sigma: found.sigma,
    residuals: found.residuals,
    converged: found.converged,
    explicit: found.explicit,
    triplets: Uint32Array.from(triplets),
    right: rowsOf(found.v, place).data,
    left: rowsOf(found.u, place).data,
    alignment,
    moved,
  };
}

const firstOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The first ones, and beyond them the last whose σ is no rounding; without σ, or where there is none, the last of all. */
function pictureTriplets(k: number, pictures: number, sigma?: Float64Array): number[] {
  const first = firstOf(Math.min(k, pictures));
  if (pictures === 0 || k <= pictures) return first;
  const last = sigma?.findLastIndex((s) => s > NULL_SHARE * sigma[0]!) ?? -1;
  return [...first, last >= pictures ? last : k - 1];
}

export interface SpectrumPlace {
  snapshot: GeometrySpectrum['snapshot'];
  kind: GeometrySpectrum['kind'];
  from: string;
  to: string;
  rows: number;
  columns: number;
  rowShape: number[];
  columnShape: number[];
}

/** Puts the inputs' spectra of one map together. `pictureInputs`: how many inputs' vectors are kept. */
export function summariseSpectrum(
  place: SpectrumPlace,
  inputs: readonly GeometryOfInput[],
  pictureInputs: number,
): GeometrySpectrum {
  const k = inputs[0]!.sigma.length;
  const sigma = new Float64Array(inputs.length * k);
  inputs.forEach((one, i) => {
    sigma.set(one.sigma, i * k);
  });
  return {
    ...place,
    k,
    whole: k === Math.min(place.rows, place.columns),
    explicit: inputs.every(({ explicit }) => explicit),
    sigma,
    ...columnStatistics(sigma, inputs.length, k),
    dimensions: dimensionsOf(sigma, inputs.length, k),
    unconverged: inputs.reduce((n, { converged }) => n + converged.reduce((m, c) => m + Number(!c), 0), 0),
    worstResidual: inputs.reduce((worst, { residuals }) => Math.max(worst, ...residuals), 0),
    vectors: inputs
      .slice(0, pictureInputs)
      .map(({ triplets, right, left }, input) => ({ input, triplets, right, left })),
  };
}
