import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { GraphNode } from '../../models/graph/types.js';
import type { LayerInfo } from '../../run/types.js';
import type { PictureLayout, PruneUnits } from './types.js';

/** Change where values lie, not what they are. */
const MOVES: ReadonlySet<string> = new Set(['reshape', 'transpose', 'identity', 'flatten', 'take', 'slice']);

/**
 * Whole units of a layer, or heads of attention, as what is pruned: those rows of the dense kernel that reads them, one picture
 * a unit [rows, columns]. Without them the unit says nothing to the rest of the net. `wanted`: the dense layer that reads; default
 * for heads the first that reads attention, for units the first behind an activation, else the last. Throws `missing`, `argument`, `shape`.
 */
export function unitsLayout(
  layers: readonly LayerInfo[],
  nodes: readonly GraphNode[] | null,
  shapeOf: (tensor: string) => readonly number[] | undefined,
  units: Exclude<PruneUnits, 'region'>,
  wanted?: string,
): PictureLayout {
  const dense = layers.filter(({ kind, parameters }) => kind === 'dense' && parameters.length);
  const before = (layer: LayerInfo): LayerInfo | null => sourceOf(layer, layers, nodes);
  const heads = (layer: LayerInfo): number | null => {
    const from = nodes && before(layer);
    return from?.kind === 'matmul' && from.shape.length === 3 ? from.shape[0]! : null;
  };
  const able = units === 'head' ? dense.filter((layer) => heads(layer) !== null) : dense;
  const layer = wanted
    ? layers.find(({ name }) => name === wanted)
    : units === 'head'
      ? able[0]
      : (able.find((one) => isHidden(before(one))) ?? able.at(-1));
  guard(
    layer && able.includes(layer),
    wanted && layers.some(({ name }) => name === wanted) ? 'argument' : 'missing',
    () =>
      `${wanted ? `layer ${wanted} is no dense layer that reads ${units === 'head' ? 'heads of attention' : 'units'}` : units === 'head' ? 'no dense layer reads heads of attention' : 'there is no dense layer'}; layers that do: ${able.map(({ name }) => name).join(', ') || 'none'}`,
    { layer: wanted },
  );
  const tensor = layer.parameters[0]!;
  const shape = shapeOf(tensor);
  guard(shape, 'missing', () => `the snapshot holds no tensor ${tensor}`, { tensor });
  const count = units === 'head' ? heads(layer)! : shape[0]!;
  if (shape.length !== 2 || shape[0]! % count)
    throw new EpochscopeError(
      'shape',
      `tensor ${tensor}: expected a multiple of ${count} inputs × outputs, got [${shape}]`,
      { tensor, got: `[${shape}]` },
    );
  return {
    layer: layer.name,
    tensor,
    kind: units,
    inputShape: [shape[0]! / count, shape[1]!, 1],
    units: count,
    apart: false,
  };
}

/** What a layer reads, seen through what only moves values: by the graph, or the layer before it where there is none. */
function sourceOf(
  layer: LayerInfo,
  layers: readonly LayerInfo[],
  nodes: readonly GraphNode[] | null,
): LayerInfo | null {
  if (!nodes) {
    for (let i = layers.indexOf(layer) - 1; i >= 0; i--) if (!MOVES.has(layers[i]!.kind)) return layers[i]!;
    return null;
  }
  const named = new Map(nodes.map((node) => [node.name, node]));
  let node = named.get(named.get(layer.name)?.inputs[0] ?? '');
  while (node && MOVES.has(node.kind)) node = named.get(node.inputs[0] ?? '');
  return layers.find(({ name }) => name === node?.name) ?? null;
}

const HIDDEN = new Set(
  'relu gelu gelu-tanh silu tanh sigmoid elu leaky-relu prelu mish hard-swish softplus multiply'.split(' '),
);
const isHidden = (layer: LayerInfo | null): boolean => layer !== null && HIDDEN.has(layer.kind);

/** A kernel [units · rows, columns] as pictures [rows, columns, units]; other layouts are pictures as they are. */
export const asPictures = <T extends Float32Array | Uint8Array>(kernel: T, layout: PictureLayout): T =>
  moved(kernel, layout, (picture, own, out) => {
    out[picture] = kernel[own]!;
  });

/** Back again. */
export const asKernel = <T extends Float32Array | Uint8Array>(pictures: T, layout: PictureLayout): T =>
  moved(pictures, layout, (picture, own, out) => {
    out[own] = pictures[picture]!;
  });

function moved<T extends Float32Array | Uint8Array>(
  data: T,
  { kind, inputShape: [rows, columns], units }: PictureLayout,
  put: (picture: number, own: number, out: T) => void,
): T {
  if (kind !== 'head' && kind !== 'unit') return data;
  const out = new (data.constructor as new (length: number) => T)(data.length);
  let own = 0;
  for (let u = 0; u < units; u++)
    for (let place = 0; place < rows * columns; place++) put(place * units + u, own++, out);
  return out;
}
