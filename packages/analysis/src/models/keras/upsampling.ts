import { shown } from '../../formats/json.js';
import { samePadding } from '../graph/from-model.js';
import { activated } from './activations.js';
import type { LayerScope, Step } from './scope.js';

/** Kernel [height, width, out, in], as ours. */
export function transposedConvolution(scope: LayerScope): Step[] {
  const { config, fail } = scope;
  const image = scope.image();
  const { data, shape } = scope.need('kernel');
  const [strides, dilations] = [scope.pair(config.strides, [1, 1]), scope.pair(config.dilation_rate, [1, 1])];
  if (config.output_padding !== undefined && config.output_padding !== null)
    fail('output_padding is not known');
  const covered = dilations.map((d, i) => ((shape[i] ?? 1) - 1) * d + 1);
  const same = config.padding === 'same';
  const size = covered.map((window, i) =>
    same ? image[i]! * strides[i]! : (image[i]! - 1) * strides[i]! + Math.max(window, strides[i]!),
  );
  return activated(scope, {
    kind: 'conv2d-transpose',
    kernel: scope.put('kernel', data, shape),
    ...scope.bias(),
    strides,
    dilations,
    padding: same ? samePadding(size, covered, strides) : [0, 0, 0, 0],
    groups: 1,
    size,
  });
}

export function upsampling(scope: LayerScope): Step[] {
  const { config, fail } = scope;
  const [height, width] = scope.image() as [number, number];
  const scales = [...scope.pair(config.size, [2, 2])];
  const mode = scope.text('nearest', 'interpolation');
  if (mode !== 'nearest' && mode !== 'bilinear') fail(`interpolation ${mode} is not known`);
  return [
    {
      kind: 'resize',
      axes: [0, 1],
      sizes: [height * scales[0]!, width * scales[1]!],
      scales,
      mode: mode === 'nearest' ? 'nearest' : 'linear',
      coordinates: mode === 'nearest' ? 'asymmetric' : 'half_pixel',
      rounding: 'floor',
      cubic: -0.75,
      excludeOutside: false,
    },
  ];
}

/** Axes from 1, the samples not counted. */
export function permuted({ config, input, fail }: LayerScope): Step[] {
  const dims: unknown = config.dims;
  const axes =
    Array.isArray(dims) && dims.every(Number.isSafeInteger)
      ? dims.map((axis: number) => axis - 1)
      : fail(`expected dims, got ${shown(dims)}`);
  return axes.length === input.length
    ? [{ kind: 'transpose', axes }]
    : fail(`dims ${shown(dims)} of [${input}]`);
}
