import type { Metric } from '@epochscope/core-wasm';
import type { Figure, ResultBase } from '../../results/types.js';

/** A sample of interest at its position along the image's edge. */
export interface Mark {
  sample: number;
  position: number;
  /** Class whose colour it takes; null when there are no labels. */
  label: number | null;
  /** null when there are no predictions. */
  correct: boolean | null;
  /** Which rule chose it: "top-likelihood", "wrong", "correct", "largest-loss", "index", "random". */
  rule: string;
}

/** Diagonal blocks read off the weight profile. */
export interface Blocks {
  count: number;
  /** uint32[count+1]: block b holds positions boundaries[b] … boundaries[b+1]-1. */
  boundaries: Uint32Array;
  /** The weight at which the tree was cut. */
  threshold: number;
  /** Agreement of the count under resampling, 0 … 1. */
  stability: Figure;
}

/** VAT / iVAT of one layer at one snapshot. */
export interface TendencyPanel {
  snapshot: { id: string; epoch: number | null; step: number | null };
  /** "S5", or "P1@3" for one channel. */
  layer: string;
  n: number;
  d: number;
  metric: Metric;
  start: number;
  order: Uint32Array;
  weights: Float32Array;
  parent: Uint32Array;
  /** Mean dissimilarity per pixel in VAT order, side×side; null when not asked for. Sampled with a seed where n > side. */
  vat: { side: number; data: Float32Array; pairsPerPixel: number | 'all' } | null;
  blocks: Blocks;
  /** Against the labels; null with the reason when there are none. */
  scores: { ari: Figure; nmi: Figure; purity: Figure };
  /** Are wrong samples nearer to block rims than correct ones? Area under the ROC curve, 0.5 = no. */
  rimScore: Figure;
  marks: Mark[];
  seconds: number;
}

export interface TendencyResult extends ResultBase {
  method: 'tendency';
  samples: {
    count: number;
    /** uint8/uint32 per sample; null without labels. */
    labels: Uint32Array | null;
    classes: string[] | null;
    /** Input pictures for galleries: uint8, count × height × width × channels; null when not images. */
    images: { data: Uint8Array; shape: [number, number, number, number] } | null;
  };
  panels: TendencyPanel[];
}
