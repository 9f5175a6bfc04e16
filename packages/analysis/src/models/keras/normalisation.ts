import type { LayerScope, Step } from './scope.js';

const channelsOf = ({ input }: LayerScope) => input[input.length - 1]!;

/** x · scale + offset for each channel. */
const scaled = (scope: LayerScope, scale: Float32Array, offset: Float32Array): Step[] => [
  {
    kind: 'batch-norm',
    scale: scope.put('scale', scale, [scale.length]),
    offset: scope.put('offset', offset, [offset.length]),
  },
];

/** gamma or beta, which a layer can be made without: then what has no effect. */
const learned = (scope: LayerScope, variable: 'gamma' | 'beta', setting: 'scale' | 'center', none: number) =>
  scope.config[setting] === false && !scope.floats(variable)
    ? new Float32Array(channelsOf(scope)).fill(none)
    : scope.needVector(variable, channelsOf(scope));
const gammaOf = (scope: LayerScope) => learned(scope, 'gamma', 'scale', 1);
const betaOf = (scope: LayerScope) => learned(scope, 'beta', 'center', 0);

export function layerNormalisation(scope: LayerScope): Step[] {
  const { config, fail } = scope;
  scope.lastAxis();
  if (config.rms_scaling) fail('rms_scaling is not known; RMSNormalization is');
  const channels = channelsOf(scope);
  return [
    {
      kind: 'layer-norm',
      scale: scope.put('gamma', gammaOf(scope), [channels]),
      offset: scope.put('beta', betaOf(scope), [channels]),
      epsilon: scope.number(1e-3, 'epsilon'),
    },
  ];
}

export function groupNormalisation(scope: LayerScope): Step[] {
  scope.lastAxis();
  const channels = channelsOf(scope);
  const groups = scope.number(32, 'groups');
  return [
    {
      kind: 'group-norm',
      groups: groups === -1 ? channels : groups,
      scale: scope.put('gamma', gammaOf(scope), [channels]),
      offset: scope.put('beta', betaOf(scope), [channels]),
      epsilon: scope.number(1e-3, 'epsilon'),
    },
  ];
}

export function rmsNormalisation(scope: LayerScope): Step[] {
  scope.lastAxis();
  const channels = channelsOf(scope);
  return [
    {
      kind: 'rms-norm',
      scale: scope.put('scale', scope.needVector('scale', channels), [channels]),
      epsilon: scope.number(1e-6, 'epsilon'),
    },
  ];
}

export function batchNormalisation(scope: LayerScope): Step[] {
  scope.lastAxis();
  const [mean, variance] = ['moving_mean', 'moving_variance'].map((variable) =>
    scope.needVector(variable, channelsOf(scope)),
  ) as [Float32Array, Float32Array];
  const [gamma, beta] = [gammaOf(scope), betaOf(scope)];
  const epsilon = scope.number(1e-3, 'epsilon');
  const scale = Float32Array.from(variance, (v, i) => gamma[i]! / Math.sqrt(v + epsilon));
  return scaled(
    scope,
    scale,
    Float32Array.from(scale, (s, i) => beta[i]! - mean[i]! * s),
  );
}

/** One number for each channel, from one for all or one for each. */
function spread(scope: LayerScope, value: unknown, otherwise: number): Float32Array {
  const channels = channelsOf(scope);
  const list = (Array.isArray(value) ? value.flat(8) : [value ?? otherwise]) as unknown[];
  if (![1, channels].includes(list.length) || !list.every((x) => typeof x === 'number'))
    return scope.fail(`expected one number, or one for each of ${channels} channels`);
  return Float32Array.from({ length: channels }, (_, c) => Number(list[list.length === 1 ? 0 : c]));
}

export const rescaling = (scope: LayerScope): Step[] =>
  scaled(scope, spread(scope, scope.config.scale, 1), spread(scope, scope.config.offset, 0));

export function normalisation(scope: LayerScope): Step[] {
  const { config, fail } = scope;
  scope.lastAxis();
  if (config.invert) fail('invert is not known');
  // What adapt() found is among the weights; what was given is in the configuration.
  const [mean, variance] = ['mean', 'variance'].map(
    (part, i) => scope.floats(part)?.data ?? spread(scope, config[part] ?? fail(`it has no ${part}`), i),
  ) as [Float32Array, Float32Array];
  const scale = variance.map((v) => 1 / Math.max(Math.sqrt(v), 1e-7));
  return scaled(
    scope,
    scale,
    mean.map((m, c) => -m * scale[c]!),
  );
}
