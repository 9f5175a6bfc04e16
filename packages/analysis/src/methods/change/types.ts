import type { Figure, ResultBase } from '../../results/types.js';

/** How one set of parameters moved between two snapshots. */
export interface ChangeStatistics {
  /** How many parameters. */
  count: number;
  /** Pearson correlation of the value before with the change. */
  pearson: Figure;
  /** Share of parameters whose change has the sign of their value before, among those where neither is 0. */
  equalSigns: Figure;
  /** Least-squares slope of the change on the value before. */
  slope: Figure;
  /** Same share for those that began positive (they grew) and negative (they shrank). */
  positiveGrew: Figure;
  negativeShrank: Figure;
  meanChange: Figure;
  /** Root mean square of the change. */
  rmsChange: Figure;
  /** ‖Δ‖ / ‖w before‖. */
  relativeChange: Figure;
  /** Δ of largest magnitude, with its sign. */
  largestChange: Figure;
}

/**
 * How many values lie between powers of two, of either sign: `negative[i]` and `positive[i]` count 2^(first + i) ≤ |x| < 2^(first + i + 1),
 * the first and the last also what lies beyond.
 */
export interface MagnitudeCounts {
  /** Exponent of the first bin. */
  first: number;
  zero: number;
  negative: Float64Array;
  positive: Float64Array;
}

/** Of a net too large to keep every value: which values are kept, and counts of all. */
export interface TensorSample {
  /** Flat row-major indices of the values in `before` and `delta`, ascending, drawn without replacement. */
  indices: Uint32Array;
  before: MagnitudeCounts;
  delta: MagnitudeCounts;
}

/**
 * One tensor, before and change; both float32 in the tensor's own row-major shape, or the values of `sample`. `statistics` are of all values
 * in either case.
 */
export interface TensorChange {
  name: string;
  layer: string;
  /** Kind of its layer: "conv2d", "dense", … */
  kind: string;
  shape: number[];
  before: Float32Array;
  delta: Float32Array;
  statistics: ChangeStatistics;
  sample?: TensorSample;
}

/** Section 3 of METHODS: Δ = w_to − w_from for every parameter. */
export interface ChangeResult extends ResultBase {
  method: 'change';
  from: { id: string; epoch: number | null; step: number | null };
  to: { id: string; epoch: number | null; step: number | null };
  /** Shape of one input sample, to draw a dense unit's weights as a picture; null when unknown. */
  inputShape: number[] | null;
  tensors: TensorChange[];
  /** Over the weights (not biases) of each layer. */
  layers: { layer: string; kind: string; statistics: ChangeStatistics }[];
  /** Symmetric colour scale shared by every heatmap: the largest |Δ|. */
  scale: number;
}

/** Values of chosen parameters and update sizes of layers over many snapshots. */
export interface TracksResult extends ResultBase {
  method: 'tracks';
  snapshots: { id: string; epoch: number | null; step: number | null }[];
  /** values: float32[snapshots]. */
  paths: { tensor: string; index: number; position: number[]; values: Float32Array }[];
  /** Weights and biases together. norm: ‖w_t − w_{t−1}‖ per snapshot from the second on (float64[snapshots − 1]); relative: divided by ‖w_{t−1}‖ (0 where that is 0). */
  updates: { layer: string; norm: Float64Array; relative: Float64Array }[];
}
