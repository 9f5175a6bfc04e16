import type { Figure, ResultBase } from '../../results/types.js';
import type { TendencyMetric } from '../tendency/space.js';
import type { TendencyPanel, TendencyResult } from '../tendency/types.js';

/** The n − 1 edges of a minimum spanning tree by rising height, heights in multiples of a scale. */
export interface Edges {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly height: Float64Array;
}

/** One of the two pictures compared. */
export interface Side {
  /** The run's or file's name. */
  source: string;
  snapshot: TendencyPanel['snapshot'];
  layer: string;
  n: number;
  d: number;
  metric: TendencyMetric;
  /** The 0.9 quantile of all n² dissimilarities, in the metric's unit; heights are multiples of it. null: nothing to divide by. */
  scale: Figure;
  /** Samples among which the quantile was taken; a number when drawn with the seed. */
  scaleSamples: number | 'all';
  /** Sum of the weights of the side's own tree, in multiples of `scale`. */
  length: number;
}

/**
 * Every edge of the common tree (of the lesser of the two dissimilarities), by rising height: n − 1 of each. Joining the samples edge by
 * edge makes groups; edge k joins the group at positions `start[k]` … `middle[k]` − 1 of the order with that at `middle[k]` … `end[k]` − 1.
 */
export interface Joins {
  /** float64: the edge's height, where it joins its two groups. */
  height: Float64Array;
  /** float64 for each side: where that side alone would have joined them, `height` or above. */
  apart: [Float64Array, Float64Array];
  /** uint32: the pair that joins them, `from` in the first group. */
  from: Uint32Array;
  to: Uint32Array;
  /** uint8: the side whose dissimilarity the edge has, 0 or 1; 0 where both have it. */
  by: Uint8Array;
  start: Uint32Array;
  middle: Uint32Array;
  end: Uint32Array;
}

/** What changed between two pictures of the same samples. */
export interface Difference {
  sides: [Side, Side];
  /** Mean of `oneWay`; null where a side has no scale. */
  distance: Figure;
  /** For each side: sum of its bars, `length` less the common tree's. What this side keeps apart that the other joins. */
  oneWay: [number, number];
  /** Sum of the heights of the common tree. */
  common: number;
  /** uint32[n]: samples, every group a range. */
  order: Uint32Array;
  joins: Joins;
  /** Linear centred kernel alignment of the two sets of outputs, 0 … 1. */
  cka: Figure;
  /** Samples it was taken over; a number when drawn with the seed. */
  ckaSamples: number | 'all';
}

export interface DifferenceResult extends ResultBase, Difference {
  method: 'difference';
  samples: TendencyResult['samples'];
  notes?: readonly string[];
}

/** How much every two of some pictures of the same samples differ. */
export interface DifferenceMap {
  pictures: Side[];
  /** float64[pictures²], symmetric, 0 on the diagonal. */
  distances: Float64Array;
  /** Those left out, as they have no scale. */
  undefinedPictures: { snapshot: Side['snapshot']; layer: string; reason: string }[];
}

export interface DifferenceMapResult extends ResultBase, DifferenceMap {
  method: 'difference-map';
  samples: { count: number };
}

/** A bar, and the two groups it is about. */
export interface Witness {
  /** Which join. */
  join: number;
  /** The side that keeps the groups apart, from `from` to `to` in multiples of its scale; the other joins them at `from`. */
  side: 0 | 1;
  from: number;
  to: number;
  /** The pair through which the other side joins them. */
  pair: [number, number];
  /** Samples of the smaller group and of the larger. */
  small: Uint32Array;
  large: Uint32Array;
}
