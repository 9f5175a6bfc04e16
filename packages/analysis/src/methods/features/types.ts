import type { Figure, ResultBase } from '../../results/types.js';
import type { TendencyPanel } from '../tendency/types.js';

/**
 * Sums of products of derivatives over samples, outputs and patches, divided by the samples: float64[side²], symmetric. `units`: of the
 * derivatives by what the layer's units get, patch · kernel (side = units); the AGOP is then kernel · sums · kernelᵀ. `inputs`: of those by
 * the patch itself (side = inputs): the AGOP. Whichever side is smaller is enough.
 */
export interface GradientSums {
  of: 'units' | 'inputs';
  sums: Float64Array;
}

/** How far one layer's weights have taken up what the net's output depends on, at one snapshot. */
export interface FeaturePanel {
  snapshot: TendencyPanel['snapshot'];
  layer: string;
  /** Values of a patch of the layer's input, its units, and patches of one sample (1: a dense layer). */
  inputs: number;
  units: number;
  patches: number;
  /** Shape of an eigenvector: [height, width, channels] where a patch is an image. */
  patchShape: number[];
  /** Pearson correlation, over all inputs² entries, of WᵀW with the AGOP. */
  correlation: Figure;
  /** … with the square root of the AGOP, as the ansatz has it. */
  rootCorrelation: Figure;
  /** Pearson correlation of WᵀW with that of the first snapshot looked at: 1 where the weights have not moved. */
  startCorrelation: Figure;
  /** Mean cos² of the principal angles between the leading eigenvectors here and those of the last snapshot looked at. */
  settled: Figure;
  /** Trace of the AGOP: mean over samples of the sum over outputs and patches of squared derivatives. */
  trace: number;
  /** float64, falling: the AGOP's largest eigenvalues; none at or below 1e-6 of the first. */
  values: Float64Array;
  /** float32[values × inputs]: their unit vectors, the entry of largest magnitude positive. */
  vectors: Float32Array;
}

/** `features`: when does each layer learn features? (Radhakrishnan et al. 2024) */
export interface FeaturesResult extends ResultBase {
  method: 'features';
  /** Samples averaged over. */
  samples: { count: number };
  /** The node whose derivatives are taken, how many values it has, and how many random mixtures of them a sample took; null: each by itself. */
  output: { node: string; count: number; probes: number | null };
  /** Layer by layer in the net's order, snapshot by snapshot in each. */
  panels: FeaturePanel[];
  notes?: readonly string[];
}
