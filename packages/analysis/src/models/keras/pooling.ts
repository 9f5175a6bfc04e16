import type { LayerScope, Step } from './scope.js';

/** Of windows: the largest, or the mean of what lies in the image. */
export function pooled(scope: LayerScope): Step[] {
  const { config, layer } = scope;
  const size = scope.pair(config.pool_size, [2, 2]);
  const strides = scope.pair(config.strides, size);
  const padding = scope.windowed(size, strides);
  return layer.kind === 'MaxPooling2D'
    ? [{ kind: 'max-pool', size, strides, padding }]
    : [{ kind: 'average-pool', size, strides, padding, countPadding: false }];
}

export function globalAverage(scope: LayerScope): Step[] {
  const channels = scope.image()[2]!;
  return scope.config.keepdims
    ? [
        { kind: 'global-average-pool', part: 'mean' },
        { kind: 'reshape', shape: [1, 1, channels] },
      ]
    : [{ kind: 'global-average-pool' }];
}

export function globalMax(scope: LayerScope): Step[] {
  const { keepdims } = scope.config;
  const [height, width, channels] = scope.image() as [number, number, number];
  const whole = { size: [height, width], strides: [1, 1], padding: [0, 0, 0, 0] } as const;
  return [
    { kind: 'max-pool', ...whole, ...(keepdims ? {} : { part: 'max' }) },
    ...(keepdims ? [] : [{ kind: 'reshape' as const, shape: [channels] }]),
  ];
}
