import type { CutRule, Dataset, UnitMode } from '@epochscope/analysis';

export interface ModulesRunOptions {
  /** Hidden layers whose units are clustered; default: those after an activation, or all but the last. */
  layers?: string[];
  snapshots: string[];
  theta: number;
  cut: CutRule;
  /** How many samples, drawn with the seed. */
  samples: number;
  /** training: of the data the run was trained on, run through its net (the paper's way); run: of the samples it holds. */
  samplesOf: 'training' | 'run';
  /** Training data, as `train` takes it; default: what the run says. */
  data?: string;
  /** The data itself, where the caller has it. */
  training?: Dataset;
  units: UnitMode;
  /** probability: exp of a log-softmax layer; layer: the last layer as it is. */
  outputs: 'probability' | 'layer';
  /** Draw so many of the units if there are more. */
  maxUnits?: number;
  /** Thresholds of the sweep; null for none. */
  sweep: readonly number[] | null;
  seed: number;
  name: string;
  output?: string;
}
