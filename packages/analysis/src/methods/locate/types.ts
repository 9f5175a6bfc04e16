import type { ResultBase } from '../../results/types.js';
import type { SampleImages } from '../../run/images.js';
import type { TendencyMetric } from '../tendency/space.js';

/** New samples among the run's, by the outputs of one layer at one snapshot. */
export interface LocatedPanel {
  snapshot: { id: string; epoch: number | null; step: number | null };
  layer: string;
  /** uint32[count × k]: the nearest of the run's samples, nearest first. */
  nearest: Uint32Array;
  /** float32[count × k]: distances to them, ascending. */
  distances: Float32Array;
  /** Blocks of the run's samples, and for each new sample the one it is in: int32[count], −1 for none. */
  blocks: number;
  block: Int32Array;
}

/** `locate`: samples that a run does not hold, followed through its snapshots. */
export interface LocateResult extends ResultBase {
  method: 'locate';
  metric: TendencyMetric;
  count: number;
  k: number;
  /** The new samples; null when they are no pictures. */
  images: SampleImages | null;
  /** Classes of the run's samples, for the nearest. */
  labels: Uint32Array | null;
  classes: string[] | null;
  panels: LocatedPanel[];
  /** Most likely class of each new sample, and its log-probability; empty where the net gives none. */
  predictions: { snapshot: string; classes: Uint32Array; logLikelihood: Float32Array }[];
}
