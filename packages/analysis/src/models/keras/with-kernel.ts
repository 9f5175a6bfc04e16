import type { GraphOp } from '../graph/types.js';
import { activated } from './activations.js';
import type { LayerScope, Step, Values } from './scope.js';

export function dense(scope: LayerScope): Step[] {
  const { data, shape } = scope.need('kernel');
  return activated(scope, { kind: 'dense', kernel: scope.put('kernel', data, shape), ...scope.bias() });
}

export const convolution = (scope: LayerScope): Step[] =>
  activated(scope, windowOver(scope, 'kernel', scope.need('kernel'), scope.number(1, 'groups'), true));

export function depthwise(scope: LayerScope): Step[] {
  // Keras 2 calls it depthwise_kernel.
  const { groups, kernel } = byChannel(scope, scope.floats('kernel') ?? scope.need('depthwise_kernel'));
  return activated(scope, windowOver(scope, 'kernel', kernel, groups, true));
}

export function separable(scope: LayerScope): Step[] {
  const given = scope.need('depthwise_kernel');
  const point = scope.need('pointwise_kernel');
  const { groups, kernel } = byChannel(scope, given);
  return [
    { ...windowOver(scope, 'depthwise_kernel', kernel, groups, false), part: 'depthwise' },
    ...activated(scope, {
      kind: 'conv2d',
      kernel: scope.put('pointwise_kernel', point.data, point.shape),
      ...scope.bias(),
      strides: [1, 1],
      padding: [0, 0, 0, 0],
      dilations: [1, 1],
      groups: 1,
    }),
  ];
}

/** [h, w, in, multiplier] is one group a channel: [h, w, 1, in · multiplier]. */
function byChannel({ fail }: LayerScope, { data, shape }: Values): { groups: number; kernel: Values } {
  if (shape.length !== 4) fail(`expected a kernel of four axes, got shape [${shape}]`);
  const [h, w, channels, multiplier] = shape as [number, number, number, number];
  return { groups: channels, kernel: { data, shape: [h, w, 1, channels * multiplier] } };
}

/** The layer's window over its image, with its strides, padding and dilations. */
function windowOver(
  scope: LayerScope,
  variable: string,
  { data, shape }: Values,
  groups: number,
  biased: boolean,
): GraphOp {
  const { config } = scope;
  const [strides, dilations] = [scope.pair(config.strides, [1, 1]), scope.pair(config.dilation_rate, [1, 1])];
  const [h, w] = shape as [number, number];
  return {
    kind: 'conv2d',
    kernel: scope.put(variable, data, shape),
    ...(biased ? scope.bias() : {}),
    strides,
    padding: scope.windowed([(h - 1) * dilations[0]! + 1, (w - 1) * dilations[1]! + 1], strides),
    dilations,
    groups,
  };
}
