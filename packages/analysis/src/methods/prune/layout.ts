import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { ELEMENTWISE } from '../../models/graph/ops/elementwise.js';
import type { LayerInfo } from '../../run/types.js';
import type { PictureLayout } from './types.js';

/** Fewer pixels than 3×3 have no regions to speak of. */
const LEAST_PIXELS = 9;
/** Kinds that leave the places of their inputs as they are. */
const STEADY: readonly string[] = [
  ...ELEMENTWISE,
  'dropout',
  'batch-norm',
  'layer-norm',
  'identity',
  'flatten',
];

/**
 * How a layer's weights are pictures. Without `wanted`: the first dense layer. A dense layer's inputs are the run's
 * pictures or the maps of a convolution or pooling; a convolution's picture is its filter. Channels of the run's own
 * pictures are colours and stay together; those of feature maps are apart. `shape`: of the weights' tensor.
 * Throws `missing`, `argument` where there is no picture (a dense layer after a dense layer, a 1×1 filter), `shape`.
 */
export function pictureLayout(
  layers: readonly LayerInfo[],
  inputShape: readonly number[] | null,
  shapeOf: (tensor: string) => readonly number[] | undefined,
  wanted?: string,
): PictureLayout {
  const at = wanted
    ? layers.findIndex(({ name }) => name === wanted)
    : layers.findIndex(({ kind }) => kind === 'dense');
  const able = layers.filter(({ kind }) => kind === 'dense' || kind === 'conv2d').map(({ name }) => name);
  guard(
    at >= 0,
    'missing',
    () =>
      `${wanted ? `there is no layer ${wanted}` : 'there is no dense layer'}; layers that can be pruned: ${able.join(', ') || 'none'}`,
    { layer: wanted },
  );
  const layer = layers[at]!;
  const refuse = (why: string): never => {
    throw new EpochscopeError('argument', `layer ${layer.name} ${why}`, { layer: layer.name });
  };
  if (layer.kind !== 'dense' && layer.kind !== 'conv2d')
    refuse(
      `is ${layer.kind}: only dense and conv2d layers have weights that are pictures (${able.join(', ')})`,
    );
  const tensor = layer.parameters[0] ?? refuse('has no weights');
  const shape = shapeOf(tensor);
  guard(shape, 'missing', () => `the snapshot holds no tensor ${tensor}`, { tensor });
  const first = layers.slice(0, at).every(({ kind }) => STEADY.includes(kind));

  const advice = () => {
    const others = layers.filter(({ kind, name }) => kind === 'conv2d' && name !== layer.name);
    const dense = layers.find(({ kind }) => kind === 'dense');
    return others.length
      ? `Choose a convolution: ${others.map(({ name }) => name).join(', ')}`
      : `Choose ${dense && dense !== layer ? `the first dense layer, ${dense.name}` : 'another net: it has no layer over images'}`;
  };
  let picture: readonly number[];
  if (layer.kind === 'conv2d') {
    guard(
      shape.length === 4,
      'shape',
      () => `tensor ${tensor}: expected [height, width, inputs, filters], got [${shape}]`,
      { tensor, got: `[${shape}]` },
    );
    picture = shape.slice(0, 3);
  } else {
    // The same weights at each token or step: inputs of the whole layer are more.
    if (layer.shape.length === 2 && shape[0] !== inputShape?.reduce((a, b) => a * b, 1))
      refuse(
        `reads ${shape[0]} numbers of each of ${layer.shape[0]} tokens or steps, not pictures: its weights have no neighbours. Prune whole units or heads (option units)`,
      );
    const from = first ? inputShape : inputOf(layers, at);
    picture =
      from?.length === 3
        ? from
        : from?.length === 2
          ? [...from, 1]
          : refuse(
              `takes ${from ? `[${from}]` : 'inputs of unknown shape'}, not pictures: its weights have no neighbours${layers[at - 1]?.kind === 'flatten-channels-first' ? ' (maps that were flattened channel by channel)' : ''}. ${advice()}`,
            );
    const size = picture.reduce((a, b) => a * b, 1);
    guard(
      shape.length === 2 && shape[0] === size,
      'shape',
      () => `tensor ${tensor}: expected [${size}, units] for inputs of ${picture.join('×')}, got [${shape}]`,
      { tensor, expected: size, got: `[${shape}]` },
    );
  }
  const [height, width, channels] = picture as [number, number, number];
  if (height * width < LEAST_PIXELS)
    refuse(
      `has pictures of ${height}×${width}: too small to have regions, 3×3 is the least. Choose another layer`,
    );
  return {
    layer: layer.name,
    tensor,
    kind: layer.kind as 'dense' | 'conv2d',
    inputShape: [height, width, channels],
    units: shape[shape.length - 1]!,
    apart: !first && channels > 1,
  };
}

/** Shape of a layer's inputs: the output of what stands before it, seen through flattening. */
function inputOf(layers: readonly LayerInfo[], at: number): readonly number[] | null {
  for (let i = at - 1; i >= 0; i--) {
    const { kind, shape } = layers[i]!;
    if (kind !== 'flatten') return shape;
  }
  return null;
}
