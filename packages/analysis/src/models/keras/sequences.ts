import { shown } from '../../formats/json.js';
import { samePadding } from '../graph/from-model.js';
import type { GraphOp } from '../graph/types.js';
import { activated } from './activations.js';
import type { LayerScope, Step, Values } from './scope.js';

/** Steps × inputs, one window along the steps. */
const alongSteps = (scope: LayerScope): number[] =>
  scope.input.length === 2
    ? scope.input
    : scope.fail(`expected steps × channels, got shape [${scope.input}]`);

const one = (scope: LayerScope, value: unknown, otherwise: number): number => {
  const given = Array.isArray(value) && value.length === 1 ? value[0] : (value ?? otherwise);
  return Number.isSafeInteger(given) && (given as number) > 0
    ? (given as number)
    : scope.fail(`expected one whole number > 0, got ${shown(value)}`);
};

function windowAlong(scope: LayerScope, size: number, stride: number): number[] {
  const [length] = alongSteps(scope) as [number];
  if (scope.config.padding === 'causal') return [size - 1, 0];
  return scope.config.padding === 'same' ? [...samePadding([length], [size], [stride])] : [0, 0];
}

export function convolution1d(scope: LayerScope): Step[] {
  const { config } = scope;
  const { data, shape } = scope.need('kernel');
  const [stride, dilation] = [one(scope, config.strides, 1), one(scope, config.dilation_rate, 1)];
  const covered = ((shape[0] ?? 1) - 1) * dilation + 1;
  return activated(scope, {
    kind: 'conv1d',
    kernel: scope.put('kernel', data, shape),
    ...scope.bias(),
    strides: [stride],
    padding: windowAlong(scope, covered, stride),
    dilations: [dilation],
    groups: scope.number(1, 'groups'),
  });
}

export function pooled1d(scope: LayerScope): Step[] {
  const size = one(scope, scope.config.pool_size, 2);
  const stride = one(scope, scope.config.strides, size);
  const window = { size: [size], strides: [stride], padding: windowAlong(scope, size, stride) };
  return scope.layer.kind === 'MaxPooling1D'
    ? [{ kind: 'max-pool', ...window }]
    : [{ kind: 'average-pool', ...window, countPadding: false }];
}

export function globalPool1d(scope: LayerScope): Step[] {
  alongSteps(scope);
  const kind = scope.layer.kind === 'GlobalMaxPooling1D' ? 'max' : 'mean';
  return [{ kind, axes: [0], keepDims: Boolean(scope.config.keepdims) }];
}

export function embedding(scope: LayerScope): Step[] {
  if (scope.config.mask_zero) scope.fail('mask_zero is not known: steps of padding would count');
  const { data, shape } = scope.need('embeddings');
  return [{ kind: 'embedding', table: scope.put('embeddings', data, shape) }];
}

/** Columns of gates in another order: gates[i] is where our gate i stands in Keras's. */
function reordered({ data, shape }: Values, gates: readonly number[]): Float32Array {
  const all = shape.at(-1)!;
  const units = all / gates.length;
  const out = new Float32Array(data.length);
  for (let row = 0; row < data.length; row += all)
    gates.forEach((from, to) => {
      out.set(data.subarray(row + from * units, row + (from + 1) * units), row + to * units);
    });
  return out;
}

/** Keras's gates: LSTM input, forget, cell, output; GRU as ours. */
const GATES = { LSTM: [0, 3, 1, 2], GRU: [0, 1, 2], SimpleRNN: [0] } as const;

export function recurrent(scope: LayerScope): Step[] {
  const { config, layer, fail } = scope;
  const [steps] = alongSteps(scope) as [number];
  const name = layer.kind as keyof typeof GATES;
  const kind = ({ LSTM: 'lstm', GRU: 'gru', SimpleRNN: 'rnn' } as const)[name];
  if (scope.text('tanh', 'activation') !== 'tanh') fail('expected activation tanh');
  if (name !== 'SimpleRNN' && scope.text('sigmoid', 'recurrent_activation') !== 'sigmoid')
    fail('expected recurrent_activation sigmoid');
  if (config.return_state || config.stateful) fail('return_state and stateful are not known');
  const gates = GATES[name];
  const [kernel, inner] = [scope.need('kernel'), scope.need('recurrent_kernel')];
  const all = kernel.shape[1]!;
  const bias = config.use_bias === false ? null : scope.need('bias');
  // GRU with reset_after keeps one bias for each product.
  const two = bias?.shape.length === 2;
  const first = bias ? bias.data.subarray(0, all) : new Float32Array(all);
  const second = two ? bias!.data.subarray(all) : new Float32Array(all);
  const turned = (values: Float32Array) => reordered({ data: values, shape: [all] }, gates);
  const op: GraphOp = {
    kind,
    kernel: scope.put('kernel', reordered(kernel, gates), kernel.shape),
    recurrent: scope.put('recurrent_kernel', reordered(inner, gates), inner.shape),
    bias: scope.put('bias', turned(first), [all]),
    recurrentBias: scope.put('recurrent_bias', turned(second), [all]),
    reverse: Boolean(config.go_backwards),
    ...(kind === 'gru' ? { resetAfter: config.reset_after !== false && (two || !bias) } : {}),
  };
  const units = inner.shape[0]!;
  if (config.return_sequences) {
    if (op.reverse) fail('go_backwards with return_sequences is not known');
    return [op];
  }
  const begin = [op.reverse ? 0 : steps - 1, 0];
  return [
    { ...op, part: 'steps' },
    { kind: 'slice', begin, size: [1, units], part: 'last' },
    { kind: 'reshape', shape: [units] },
  ];
}
