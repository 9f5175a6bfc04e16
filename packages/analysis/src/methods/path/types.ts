import type { Figure, ResultBase } from '../../results/types.js';
import type { TendencyMetric } from '../tendency/space.js';
import type { TendencyPanel, TendencyResult } from '../tendency/types.js';

/** The minimax path between two samples: of all chains of samples between them the one whose longest link is shortest. */
export interface MinimaxPath {
  /** uint32: the chain, both ends included; one sample where they are the same. */
  samples: Uint32Array;
  /** float32: dissimilarities of neighbours, one fewer. */
  links: Float32Array;
  /** Which link is the longest, the first of equals: between samples[weakest] and samples[weakest + 1]; null for one sample. */
  weakest: number | null;
  /** Its length: the iVAT value of the two ends; 0 for one sample. */
  bottleneck: number;
}

/** A sample whose removal lengthens the weakest link most. */
export interface Bridge {
  sample: number;
  /** The bottleneck without it and those before it. */
  bottleneck: number;
  /** The path that is then the best. */
  path: MinimaxPath;
}

export interface PathResult extends ResultBase {
  method: 'path';
  snapshot: TendencyPanel['snapshot'];
  layer: string;
  n: number;
  d: number;
  metric: TendencyMetric;
  /** What `links` and bottlenecks are multiples of; only where float32 could not hold them. */
  unit?: number;
  from: number;
  to: number;
  path: MinimaxPath;
  /** Dissimilarity of the two ends themselves; null where they are one. */
  direct: Figure;
  /** In the order they are taken out. */
  bridges: Bridge[];
  /** Why there are fewer bridges than asked for; null where there are as many. */
  noMore: string | null;
  samples: TendencyResult['samples'];
  notes?: readonly string[];
}
