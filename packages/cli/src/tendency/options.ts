import type { MarkRule, TendencyResult, ThinningPlan } from '@epochscope/analysis';
import type { Metric } from '@epochscope/core-wasm';

export interface TendencyRunOptions {
  layers?: string[];
  snapshots: string[];
  metric: Metric;
  /** The first so many samples, or those a file of numbers lists. */
  samples?: number | string;
  /** Undefined: ten of the largest log-likelihood per class where there are predictions. */
  marks?: MarkRule[];
  /** Files of one number a row, for a plain matrix. */
  labels?: string;
  predictions?: string;
  vatSide: number;
  seed: number;
  name: string;
  output?: string;
  /** Subsets to try along the order of `reference`; default the last layer at the last snapshot. */
  thin?: ThinningPlan;
  reference?: { layer: string; snapshot: string };
  /** Called with the result before it is written; a throw leaves nothing behind. */
  check?: (result: TendencyResult) => void;
}
