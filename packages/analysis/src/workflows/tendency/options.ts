import { guard, METRICS, type Metric } from '@epochscope/core-wasm';
import type { TokenChoice } from '../../formats/tokens.js';
import {
  type MarkRule,
  TENDENCY_METRICS,
  type TendencyMetric,
  type ThinningPlan,
} from '../../methods/tendency/index.js';
import { withDefaults } from '../select.js';

/** What decides a panel, whatever its samples are read from. */
export interface TendencyPanelOptions<AnyMetric extends TendencyMetric = TendencyMetric> {
  metric: AnyMetric;
  /** Mutual reachability by the k-th nearest neighbours takes the distance's place; null: distances. */
  core: number | null;
  /** The first so many samples, or these; null: all. */
  samples: number | readonly number[] | null;
  /** null: ten of the largest log-likelihood per class, where there are any; of a file the classes, where it has labels and few rows. */
  marks: readonly MarkRule[] | null;
  /** Side of the stored VAT image; 0 for none. */
  vatSide: number;
  /** Smallest size that counts as a block; null: 2 % of the samples, at least 10. */
  smallestBlock: number | null;
  /** Subsets that the blocks' stability is taken over, 0 for none; null: 20 up to 5000 samples, 0 beyond. */
  stabilitySubsets: number | null;
  /** For stability, sampled pixels and random marks. */
  seed: number;
  /** Subsets to try along the order of `reference`; null for none. */
  thin: ThinningPlan | null;
  /** Of the result. */
  name: string;
}

export interface TendencyRunOptions extends TendencyPanelOptions<Metric> {
  /** Names; "P1@3" is channel 3 of P1. null: the last layer. */
  layers: readonly string[] | null;
  /** What stands for a sample in layers of tokens that do not say it themselves ("ln@last"); null: all tokens side by side. */
  tokens: TokenChoice | null;
  /** Ids, epochs, "first", "last", "init" or "all". */
  snapshots: readonly (string | number)[];
  /** The panel whose order is thinned; null: the last layer at the last snapshot. */
  reference: { layer: string; snapshot: string | number } | null;
}

export interface TendencyFileOptions extends TendencyPanelOptions {
  /** Missing values are left out pair by pair. */
  missing: boolean;
}

const PANEL_DEFAULTS: TendencyPanelOptions<Metric> = {
  metric: 'euclidean',
  core: null,
  samples: null,
  marks: null,
  vatSide: 256,
  smallestBlock: null,
  stabilitySubsets: null,
  seed: 1,
  thin: null,
  name: 'default',
};

export const TENDENCY_DEFAULTS: TendencyRunOptions = {
  layers: null,
  tokens: null,
  snapshots: ['all'],
  ...PANEL_DEFAULTS,
  reference: null,
};

const FILE_DEFAULTS: TendencyFileOptions = { ...PANEL_DEFAULTS, missing: false };

/** The paper's: ten of each class. */
export const PAPER_MARKS: readonly MarkRule[] = [{ rule: 'top-likelihood', k: 10 }];

/** More subsets say nothing more, and each takes most of the time of the picture. */
export const MOST_SUBSETS = 1000;

/** Throws `argument` for a smallest block of which no two fit. */
export function checkSmallest(smallest: number | null, n: number): void {
  guard(
    smallest === null || n === 0 || 2 * smallest <= n,
    'argument',
    () =>
      `smallest block: two blocks of ${smallest} do not fit in ${n} samples; give at most ${Math.max(2, n >> 1)}`,
    { got: smallest, samples: n },
  );
}

/** Throws `argument` unless each of n samples has a k-th nearest neighbour, in the subsets for stability too. */
export function checkNeighbours(core: number | null, n: number): void {
  guard(
    core === null || (Number.isInteger(core) && core >= 1 && 2 * core <= n),
    'argument',
    () => `core: expected an integer 1 … ${n >> 1}, half of the ${n} samples, got ${core}`,
    { got: core, samples: n },
  );
}

/** Options over defaults. Throws `argument` for what no run allows; what this run lacks is the plan's to refuse. */
export function tendencyOptions(given: Partial<TendencyRunOptions>): TendencyRunOptions {
  const options = withDefaults('tendency', TENDENCY_DEFAULTS, given);
  checkPanelOptions(options, METRICS);
  return options;
}

/** The same of a file, in any metric. */
export function tendencyFileOptions(given: Partial<TendencyFileOptions>): TendencyFileOptions {
  const options = withDefaults('tendency', FILE_DEFAULTS, given);
  checkPanelOptions(options, TENDENCY_METRICS);
  return options;
}

function checkPanelOptions(options: TendencyPanelOptions, metrics: readonly TendencyMetric[]): void {
  const { metric, vatSide, seed } = options;
  guard(
    metrics.includes(metric),
    'argument',
    () => `tendency: metric: expected one of ${metrics.join(', ')}, got ${metric}`,
    { got: metric },
  );
  guard(
    vatSide === 0 || (Number.isInteger(vatSide) && vatSide >= 1 && vatSide <= 4096),
    'argument',
    () => `VAT image side: expected an integer 0 … 4096, got ${vatSide}`,
    { got: vatSide },
  );
  const { smallestBlock, stabilitySubsets } = options;
  guard(
    smallestBlock === null || (Number.isInteger(smallestBlock) && smallestBlock >= 2),
    'argument',
    () => `smallest block: expected an integer ≥ 2, got ${smallestBlock}`,
    { got: smallestBlock },
  );
  guard(
    stabilitySubsets === null ||
      (Number.isInteger(stabilitySubsets) && stabilitySubsets >= 0 && stabilitySubsets <= MOST_SUBSETS),
    'argument',
    () => `stability subsets: expected an integer 0 … ${MOST_SUBSETS}, got ${stabilitySubsets}`,
    { got: stabilitySubsets },
  );
  guard(Number.isInteger(seed), 'argument', () => `tendency: seed: expected an integer, got ${seed}`);
}
