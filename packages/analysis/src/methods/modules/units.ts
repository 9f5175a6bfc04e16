import { guard, type Matrix } from '@epochscope/core-wasm';
import type { UnitLayer, UnitMode } from './types.js';

/** Numbers the units of layers: every neuron, or every channel (last axis; a layer of one axis has one neuron a channel); heads come as one number each. */
export function unitLayers(
  layers: readonly { name: string; shape: readonly number[] }[],
  mode: UnitMode,
): UnitLayer[] {
  let first = 0;
  return layers.map(({ name, shape }) => {
    const count = mode === 'channel' ? (shape.at(-1) ?? 1) : shape.reduce((a, b) => a * b, 1);
    const layer = { name, shape: [...shape], first, count };
    first += count;
    return layer;
  });
}

export const unitTotal = (layers: readonly UnitLayer[]) => layers.reduce((sum, { count }) => sum + count, 0);

/** "R1[3,17,5]", "R1@5" or "R3[12]": a unit's name. */
export function unitName(layers: readonly UnitLayer[], unit: number): string {
  const layer = layers.find(({ first, count }) => unit >= first && unit < first + count);
  guard(layer, 'argument', () => `unit ${unit} is in no layer`, { unit });
  const k = unit - layer.first;
  const { shape, count, name } = layer;
  if (shape.length < 2) return `${name}[${k}]`;
  if (count === shape.at(-1)) return `${name}@${k}`;
  const place: number[] = [];
  for (let axis = shape.length - 1, rest = k; axis >= 0; rest = Math.floor(rest / shape[axis--]!))
    place.unshift(rest % shape[axis]!);
  return `${name}[${place.join(',')}]`;
}

/**
 * Outputs of several layers side by side: float32[samples × units]. channel: the mean over all places of a channel, in float64.
 * @param outputs per layer float32[samples × neurons], as `unitLayers` were given.
 */
export function unitOutputs(
  layers: readonly UnitLayer[],
  outputs: readonly Matrix[],
  mode: UnitMode,
): Matrix {
  const samples = outputs[0]?.shape[0] ?? 0;
  const total = unitTotal(layers);
  const data = new Float32Array(samples * total);
  for (const [l, { first, count, shape, name }] of layers.entries()) {
    const from = outputs[l]!;
    const neurons = shape.reduce((a, b) => a * b, 1);
    guard(
      from.shape[0] === samples && from.shape[1] === neurons,
      'shape',
      () => `layer ${name}: expected ${samples}×${neurons} outputs, got ${from.shape.join('×')}`,
      { layer: name },
    );
    const places = neurons / count;
    for (let s = 0; s < samples; s++) {
      const row = from.data.subarray(s * neurons, (s + 1) * neurons);
      if (mode !== 'channel' || places === 1) {
        data.set(row, s * total + first);
        continue;
      }
      for (let c = 0; c < count; c++) {
        let sum = 0;
        for (let k = c; k < neurons; k += count) sum += row[k]!;
        data[s * total + first + c] = sum / places;
      }
    }
  }
  return { data, shape: [samples, total] };
}
