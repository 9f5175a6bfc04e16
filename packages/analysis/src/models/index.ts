import { EpochscopeError } from '@epochscope/core-wasm';
import type { Tf } from './backend.js';
import { cifarCnn } from './cifar-cnn/index.js';
import { dbn } from './dbn/index.js';
import { lenet5 } from './lenet5/index.js';
import { type MlpOptions, mlp } from './mlp/index.js';
import type { Net } from './net.js';
import { transformer } from './transformer/index.js';

export { prepareTf, type Tf } from './backend.js';
export { loadWeights, type Net, weightsOf } from './net.js';

/** What run.json stores under `model`: enough to build the net again. */
export interface ModelSpec extends MlpOptions {
  name: 'lenet5' | 'mlp' | 'cifar-cnn' | 'dbn' | 'transformer';
  inputShape: number[];
  classes: number;
  seed: number;
  /** mlp and dbn only: units of the hidden layers. */
  hidden?: number[];
}

export const MODEL_NAMES: readonly ModelSpec['name'][] = ['lenet5', 'mlp', 'cifar-cnn', 'dbn', 'transformer'];

/** Builds a net. Throws `argument` for an unknown name or an input the net cannot take. */
export function buildModel(tf: Tf, spec: ModelSpec): Net {
  const { name, inputShape, classes, seed, hidden } = spec;
  try {
    if (name === 'lenet5') return lenet5(tf, inputShape, classes, seed);
    if (name === 'mlp') return mlp(tf, inputShape, classes, seed, hidden, spec);
    if (name === 'dbn') return dbn(tf, inputShape, classes, seed, hidden);
    if (name === 'cifar-cnn') return cifarCnn(tf, inputShape, classes, seed);
    if (name === 'transformer') return transformer(tf, inputShape, classes, seed);
  } catch (cause) {
    if (cause instanceof EpochscopeError) throw cause;
    throw new EpochscopeError(
      'argument',
      `model ${name} cannot take inputs of shape [${inputShape}]: ${(cause as Error).message}`,
      { model: name },
      { cause },
    );
  }
  throw new EpochscopeError(
    'argument',
    `model: expected one of ${MODEL_NAMES.join(', ')}, got ${JSON.stringify(name)}`,
    { model: String(name) },
  );
}
