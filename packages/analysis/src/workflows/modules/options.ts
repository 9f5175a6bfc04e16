import { guard } from '@epochscope/core-wasm';
import { TOKEN_CHOICES, type TokenChoice } from '../../formats/tokens.js';
import { type CutRule, THETAS, type UnitMode } from '../../methods/modules/index.js';
import { withDefaults } from '../select.js';

export interface ModulesRunOptions {
  /** Hidden layers whose units are clustered ("attn@heads": heads as units); null: those after an activation, or all but the last. */
  layers: readonly string[] | null;
  /** What stands for a sample in layers of tokens: one of them, their mean, or each by itself (all); null: all side by side. */
  tokens: TokenChoice | null;
  /** Ids, epochs, "first", "last", "init" or "all". */
  snapshots: readonly (string | number)[];
  /** Largest cosine dissimilarity within a cluster. */
  theta: number;
  cut: CutRule;
  /** How many samples, drawn with the seed. */
  samples: number;
  /** training: of the data the run was trained on, run through its net (the paper's way); run: of the samples it holds. */
  samplesOf: 'training' | 'run';
  /** Training data, as `dataset` takes it; null: what the run says. */
  data: string | null;
  /** head: attention's outputs, a number a head (the norm of what it gives). */
  units: UnitMode;
  /** probability: exp of a log-softmax layer; layer: the last layer as it is. */
  outputs: 'probability' | 'layer';
  /** Draw so many of the units if there are more; null: all. */
  maxUnits: number | null;
  /** Thresholds of the sweep; null for none. */
  sweep: readonly number[] | null;
  /** For drawing samples and units. */
  seed: number;
  /** Of the result. */
  name: string;
}

/** The paper's, with the sweep of ours. */
export const MODULES_DEFAULTS: ModulesRunOptions = {
  layers: null,
  tokens: null,
  snapshots: ['all'],
  theta: 0.83,
  cut: 'level',
  samples: 2500,
  samplesOf: 'training',
  data: null,
  units: 'neuron',
  outputs: 'probability',
  maxUnits: null,
  sweep: THETAS,
  seed: 1,
  name: 'default',
};

/** Options over defaults. Throws `argument`. */
export function modulesOptions(given: Partial<ModulesRunOptions>): ModulesRunOptions {
  const options = withDefaults('modules', MODULES_DEFAULTS, given);
  const oneOf = <K extends keyof ModulesRunOptions>(name: K, ...choices: ModulesRunOptions[K][]) =>
    guard(
      choices.includes(options[name]),
      'argument',
      () => `modules: ${name}: expected one of ${choices.join(', ')}, got ${options[name]}`,
      { got: String(options[name]) },
    );
  oneOf('cut', 'level', 'branch');
  oneOf('samplesOf', 'training', 'run');
  oneOf('units', 'neuron', 'channel', 'head');
  oneOf('tokens', null, ...TOKEN_CHOICES);
  oneOf('outputs', 'probability', 'layer');
  for (const [name, value] of [
    ['samples', options.samples],
    ['maxUnits', options.maxUnits],
  ] as const)
    guard(
      value === null || (Number.isInteger(value) && value >= 2),
      'argument',
      () => `modules: ${name}: expected an integer ≥ 2, got ${value}`,
      { got: value },
    );
  for (const theta of [options.theta, ...(options.sweep ?? [])])
    guard(
      Number.isFinite(theta) && theta >= 0,
      'argument',
      () => `modules: theta: expected a number ≥ 0, got ${theta}`,
      { got: theta },
    );
  return options;
}
