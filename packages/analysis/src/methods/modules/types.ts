import type { Figure, ResultBase } from '../../results/types.js';

/** A hidden layer among the units: unit `first + k` is its k-th neuron (row-major), or its channel k. */
export interface UnitLayer {
  name: string;
  /** Shape of one sample's output. */
  shape: number[];
  first: number;
  count: number;
}

export interface RemovedUnits {
  reason: string;
  /** Unit numbers, rising. */
  units: Uint32Array;
}

/** Range of correlations; null where there is none. */
export interface Range {
  low: Figure;
  high: Figure;
}

export interface ModuleCluster {
  size: number;
  /** Largest cosine dissimilarity between two of its units. */
  diameter: number;
  /** Clusters of different snapshots with the same number were matched: the same colour. */
  track: number;
  /** Range of the mean input correlation: what a centroid picture's full scale stands for is the larger magnitude. */
  inputRange: Range;
  outputRange: Range;
  /** Norm of the centroid over the mean norm of its units: 1 = all alike, near 0 = signs cancel. */
  coherence: number;
}

/** One threshold of the sweep. */
export interface ThetaStep {
  theta: number;
  clusters: number;
  /** Clusters of one unit. */
  singletons: number;
  /** Mean silhouette of the sampled units, in the cosine dissimilarity; a unit alone counts 0. */
  silhouette: Figure;
  /** Coherence of the clusters, weighted by size. */
  coherence: Figure;
  /** Mean adjusted Rand index with clusterings of random halves of the units, cut at the same θ. */
  stability: Figure;
}

export interface ThetaSweep {
  steps: ThetaStep[];
  /** The θ proposed, or null with the reason. */
  proposal: Figure;
  /** Why this one, in a sentence. */
  why: string;
  /** Units whose silhouette was taken. */
  silhouetteUnits: number;
  /** Subsets, and units in each. */
  subsets: number;
  subsetUnits: number;
}

/** The modules of one snapshot. Units are numbered over all layers; labels and tree count within `kept`. */
export interface ModuleSnapshot {
  snapshot: { id: string; epoch: number | null; step: number | null };
  /** uint32[n]: units that take part, rising. */
  kept: Uint32Array;
  removed: RemovedUnits[];
  /** Dimensions of zero variance: their correlations are 0. */
  constantInputs: Uint32Array;
  constantOutputs: Uint32Array;
  /** Range over single units (the paper gives it). */
  unitInputRange: Range;
  unitOutputRange: Range;
  /** Merges as SciPy numbers them, heights and diameters in cosine dissimilarity. */
  tree: {
    left: Uint32Array;
    right: Uint32Array;
    heights: Float32Array;
    sizes: Uint32Array;
    diameters: Float32Array;
  };
  theta: number;
  cut: CutRule;
  /** uint32[n]: cluster of each kept unit; 0 is the largest, equal sizes by their lowest unit. */
  labels: Uint32Array;
  clusters: ModuleCluster[];
  /** float32[clusters × inputs]: mean correlation with each input dimension. */
  centroidInputs: Float32Array;
  /** float32[clusters × outputs]. */
  centroidOutputs: Float32Array;
  sweep: ThetaSweep | null;
  seconds: number;
}

/** level: the coarsest level of the merge sequence in which no cluster is wider than θ; branch: each branch at its own coarsest. */
export type CutRule = 'level' | 'branch';
export type UnitMode = 'neuron' | 'channel' | 'head';

/** R[a, b] = |C_a ∩ C_b| / |C_a| between two snapshots, kept sparse: `transitionMatrix` makes the matrix. */
export interface Transition {
  from: string;
  to: string;
  /** uint32 each: cluster of `from`, cluster of `to`, units they share (> 0); by row, then column. */
  row: Uint32Array;
  column: Uint32Array;
  count: Uint32Array;
  /** uint32[clusters]: sizes. */
  fromSizes: Uint32Array;
  toSizes: Uint32Array;
  /** uint32[clusters of from]: units that are in no cluster of `to`; uint32[clusters of to]: that were in none of `from`. */
  left: Uint32Array;
  joined: Uint32Array;
  /** Mean over the units of `from` that stay, of the share that the largest part of their cluster has: 1 = no row splits. */
  concentration: Figure;
  /** Share of rows with two units or more that stay, whose largest part is under a half of these. */
  splitRows: Figure;
}

export interface ModulesResult extends ResultBase {
  method: 'modules';
  units: { mode: UnitMode; total: number; layers: UnitLayer[] };
  /** The layer that stands for the inputs, of token ids: where they are looked up. */
  inputsOf?: string;
  /** Inputs per sample, and their shape where known ([height, width, channels]). */
  inputs: number;
  inputShape: number[] | null;
  outputs: number;
  /** Names of the output dimensions. */
  classes: string[] | null;
  samples: { count: number; indices: Uint32Array };
  snapshots: ModuleSnapshot[];
  /** Between snapshots next to each other in the list. */
  transitions: Transition[];
}
