import { shown } from '../../formats/json.js';
import type { GraphOp } from '../graph/types.js';
import type { LayerScope, Step } from './scope.js';

/** An activation's name; newer Kerases may write it as an object of theirs. */
function wordOf(given: unknown): unknown {
  if (given === null || given === undefined) return 'linear';
  const {
    module,
    config,
    class_name: kind,
  } = given as { module?: unknown; config?: unknown; class_name?: unknown };
  return module === 'builtins' || kind === 'function' ? config : given;
}

/** The operation an activation is; null for none. */
export function activation({ layer, config, fail }: LayerScope): GraphOp | null {
  const known: Record<string, GraphOp | null> = {
    linear: null,
    relu: { kind: 'relu' },
    relu6: { kind: 'clip', min: 0, max: 6 },
    leaky_relu: { kind: 'leaky-relu', slope: 0.2 },
    elu: { kind: 'elu', alpha: 1, factor: 1 },
    selu: { kind: 'elu', alpha: 1.6732632423543772, factor: 1.0507009873554805 },
    gelu: { kind: 'gelu' },
    silu: { kind: 'silu' },
    swish: { kind: 'silu' },
    mish: { kind: 'mish' },
    softplus: { kind: 'softplus' },
    sigmoid: { kind: 'sigmoid' },
    // Keras 3's; Keras 2 has 0.2 x + 0.5 under the same name.
    hard_sigmoid: { kind: 'hard-sigmoid', alpha: layer.keras2 ? 0.2 : 1 / 6, beta: 0.5 },
    hard_silu: { kind: 'hard-swish' },
    hard_swish: { kind: 'hard-swish' },
    tanh: { kind: 'tanh' },
    softmax: { kind: 'softmax' },
    log_softmax: { kind: 'log-softmax' },
  };
  const word = wordOf(config.activation);
  return typeof word === 'string' && Object.hasOwn(known, word)
    ? known[word]!
    : fail(`activation ${shown(word)} is not known`);
}

/** An operation with the activation of its own layer after it. */
export function activated(scope: LayerScope, op: GraphOp): Step[] {
  const after = activation(scope);
  return after ? [op, after] : [op];
}

export function relu(scope: LayerScope): Step[] {
  const slope = scope.number(0, 'negative_slope');
  const max = (scope.config.max_value ?? null) === null ? null : scope.number(0, 'max_value');
  if ((max !== null && slope !== 0) || scope.number(0, 'threshold') !== 0)
    scope.fail('threshold, or max_value with negative_slope, are not known');
  if (max !== null) return [{ kind: 'clip', min: 0, max }];
  return [slope ? { kind: 'leaky-relu', slope } : { kind: 'relu' }];
}
