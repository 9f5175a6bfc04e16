import type { MarkRule, MatrixOptions, TendencyMetric, ThinningPlan } from '@epochscope/analysis';

export interface TendencyRunOptions {
  layers?: string[];
  snapshots: string[];
  metric: TendencyMetric;
  /** The first so many samples, or those a file of numbers lists. */
  samples?: number | string;
  /** Undefined: ten of the largest log-likelihood per class where there are predictions. */
  marks?: MarkRule[];
  /** For a plain matrix: how its table is read. */
  table?: MatrixOptions;
  /** Missing values are left out pair by pair. */
  missing?: boolean;
  /** Replaces the result of another input too. */
  force?: boolean;
  /** Files of one label a row, or "column:NAME", for a plain matrix. */
  labels?: string;
  predictions?: string;
  vatSide: number;
  seed: number;
  name: string;
  output?: string;
  /** Subsets to try along the order of `reference`; default the last layer at the last snapshot. */
  thin?: ThinningPlan;
  reference?: { layer: string; snapshot: string };
}
