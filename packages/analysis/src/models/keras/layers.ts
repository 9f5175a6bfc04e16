import { activation, relu } from './activations.js';
import {
  batchNormalisation,
  groupNormalisation,
  layerNormalisation,
  normalisation,
  rescaling,
  rmsNormalisation,
} from './normalisation.js';
import { globalAverage, globalMax, pooled } from './pooling.js';
import type { LayerScope, Step } from './scope.js';
import { convolution1d, embedding, globalPool1d, pooled1d, recurrent } from './sequences.js';
import { padded, reshaped } from './shaping.js';
import { permuted, transposedConvolution, upsampling } from './upsampling.js';
import { convolution, dense, depthwise, separable } from './with-kernel.js';

/** They change nothing but while training. */
const TRAINING_ONLY = [
  'Dropout',
  'SpatialDropout2D',
  'GaussianNoise',
  'GaussianDropout',
  'ActivityRegularization',
  'AlphaDropout',
  'RandomFlip',
  'RandomRotation',
  'RandomZoom',
  'RandomTranslation',
  'RandomContrast',
  'RandomBrightness',
];

function pairwise({ inputs, fail }: LayerScope, kind: 'subtract' | 'maximum' | 'minimum'): Step[] {
  return inputs.length === 2 ? [{ kind }] : fail(`expected two inputs, got ${inputs.length}`);
}

/** The layers that are known, by class name. */
const LAYERS: Record<string, (scope: LayerScope) => Step[]> = {
  Dense: dense,
  Embedding: embedding,
  Conv1D: convolution1d,
  Conv2DTranspose: transposedConvolution,
  MaxPooling1D: pooled1d,
  AveragePooling1D: pooled1d,
  GlobalAveragePooling1D: globalPool1d,
  GlobalMaxPooling1D: globalPool1d,
  LSTM: recurrent,
  GRU: recurrent,
  SimpleRNN: recurrent,
  UpSampling2D: upsampling,
  Permute: permuted,
  GroupNormalization: groupNormalisation,
  RMSNormalization: rmsNormalisation,
  Conv2D: convolution,
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
  MaxPooling2D: pooled,
  AveragePooling2D: pooled,
  GlobalAveragePooling2D: globalAverage,
  GlobalMaxPooling2D: globalMax,
  LayerNormalization: layerNormalisation,
  BatchNormalization: batchNormalisation,
  Normalization: normalisation,
  Rescaling: rescaling,
  ReLU: relu,
  LeakyReLU: (scope) => [{ kind: 'leaky-relu', slope: scope.number(0.3, 'negative_slope', 'alpha') }],
  ELU: (scope) => [{ kind: 'elu', alpha: scope.number(1, 'alpha'), factor: 1 }],
  Activation: (scope) => [activation(scope) ?? { kind: 'identity' }],
  Softmax: (scope) => {
    scope.lastAxis();
    return [{ kind: 'softmax' }];
  },
  EpochscopeLogSoftmax: () => [{ kind: 'log-softmax' }],
  Flatten: () => [{ kind: 'flatten' }],
  Reshape: reshaped,
  ZeroPadding2D: padded,
  Add: () => [{ kind: 'add' }],
  Subtract: (scope) => pairwise(scope, 'subtract'),
  Maximum: (scope) => pairwise(scope, 'maximum'),
  Minimum: (scope) => pairwise(scope, 'minimum'),
  Multiply: ({ inputs, fail }) => {
    if (inputs.length !== 2) fail(`expected two inputs, got ${inputs.length}`);
    return [{ kind: 'multiply' }];
  },
  Concatenate: (scope) => {
    scope.lastAxis();
    return [{ kind: 'concat' }];
  },
  ...Object.fromEntries(TRAINING_ONLY.map((kind) => [kind, (): Step[] => [{ kind: 'identity' }]])),
};

/** The nodes of one layer, in order. */
export function stepsOf(scope: LayerScope): Step[] {
  const { config, layer, fail } = scope;
  if (config.data_format === 'channels_first') fail('expected channels last');
  return Object.hasOwn(LAYERS, layer.kind)
    ? LAYERS[layer.kind]!(scope)
    : fail('this kind of layer is not known');
}
