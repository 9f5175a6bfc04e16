import type { Figure, ResultBase } from '../../results/types.js';
import type { SampleImages } from '../../run/images.js';

/** A figure of each input, with mean and standard deviation (n − 1) over them; sd is null for one input. */
export interface Spread {
  mean: number;
  sd: Figure;
  /** float64[inputs]. */
  values: Float64Array;
}

/** Three readings of "how many directions get through" (section 4.3 of the methods). */
export interface Dimensions {
  /** Singular values ≥ 1 among those computed: the paper's dimension; a lower bound where all k are and `whole` is false. */
  atLeastOne: Spread;
  /** exp of the entropy of σ/Σσ (Roy & Vetterli 2007). */
  effectiveRank: Spread;
  /** (Σσ²)² / Σσ⁴. */
  participationRatio: Spread;
}

/** Singular vectors kept as pictures for one input. */
export interface GeometryVectors {
  /** Position in `samples.indices`. */
  input: number;
  /** uint32: which triplets (0 = largest). */
  triplets: Uint32Array;
  /** float32[triplets × columns]: right vectors, in the space the map starts from. */
  right: Float32Array;
  /** float32[triplets × rows]: left vectors, in the layer's space. */
  left: Float32Array;
}

/** Spectra of the Jacobians of one map at one snapshot, over the inputs. */
export interface GeometrySpectrum {
  snapshot: { id: string; epoch: number | null; step: number | null };
  /** "depth": from the input to the layer. "layer": from the layer before it among those looked at. */
  kind: 'depth' | 'layer';
  from: string;
  to: string;
  /** Size of the layer's output and of what the map starts from. */
  rows: number;
  columns: number;
  /** Shape of a left vector, and of a right one. */
  rowShape: number[];
  columnShape: number[];
  k: number;
  /** Whether k is all there are: min(rows, columns). */
  whole: boolean;
  /** Whether the Jacobian was written out; else its products were used. */
  explicit: boolean;
  /** float64[inputs × k], descending in each row. */
  sigma: Float64Array;
  /** float64[k] over the inputs; sd is 0 for one input. */
  mean: Float64Array;
  sd: Float64Array;
  dimensions: Dimensions;
  /** Triplets, over all inputs, that did not converge, and the largest ‖Jᵀu − σv‖/σ₁. */
  unconverged: number;
  worstResidual: number;
  vectors: GeometryVectors[];
}

/** How much of each tangent vector lies in the span of the top-k right singular vectors. */
export interface TangentAlignment {
  snapshot: GeometrySpectrum['snapshot'];
  to: string;
  /** "rotation", "translation x", … then "random" (normal) and "shuffled" (a tangent's own values, places shuffled). */
  names: string[];
  /** uint32: the k looked at. */
  ks: Uint32Array;
  /** float64[names × ks]: length of the projection of the unit vector = cos of its angle to the span; mean over inputs. */
  cosine: Float64Array;
  sd: Float64Array;
  /** float64[tangents]: cos of the principal angles between the span of all tangents and the largest k's; mean over inputs. */
  principal: Float64Array;
  /** The same for as many random directions. */
  principalRandom: Float64Array;
  /** Inputs whose tangent vanished (a blank picture, a constant one), by name. */
  vanished: Record<string, number>;
}

/** How far the output moves when x moves by a given length along directions of one kind. */
export interface PerturbationCurves {
  snapshot: GeometrySpectrum['snapshot'];
  to: string;
  /** float64: lengths of the step, in the input's unit (pixels 0 … 1). */
  lengths: Float64Array;
  /** "tangent" (unit mixtures of the top-k right vectors), "normal" (orthogonal to them), "random", "rotation", … */
  names: string[];
  k: number;
  /** float64[names × lengths]: ‖f(x + εd) − f(x)‖, mean and sd over inputs and directions. */
  moved: Float64Array;
  sd: Float64Array;
}

/** Classes joined by how alike their mean log-spectra are. */
export interface ClassTree {
  snapshot: GeometrySpectrum['snapshot'];
  to: string;
  /** Class indices that have inputs, with how many. */
  classes: Uint32Array;
  counts: Uint32Array;
  /** float64[classes × k]: mean of log10 max(σ, floor). */
  logSpectra: Float64Array;
  floor: number;
  /** Average linkage of their Euclidean distances, SciPy's numbering. */
  left: Uint32Array;
  right: Uint32Array;
  heights: Float32Array;
  /** Pearson correlation of cophenetic distances with the given hierarchy's; null without one. */
  agreement: Figure;
}

/** `geometry`: singular values and vectors of Jacobians (Mototake & Ikegami). */
export interface GeometryResult extends ResultBase {
  method: 'geometry';
  samples: {
    /** uint32: which of the run's samples. */
    indices: Uint32Array;
    labels: Uint32Array | null;
    classes: string[] | null;
    /** The inputs themselves, uint8 count × height × width × channels; null when not pictures. */
    images: SampleImages | null;
  };
  spectra: GeometrySpectrum[];
  alignments: TangentAlignment[];
  perturbations: PerturbationCurves[];
  classTrees: ClassTree[];
}
