import type { Padding } from '../graph/types.js';
import type { LayerScope, Step } from './scope.js';

export function reshaped({ config, input, fail }: LayerScope): Step[] {
  // An open side is -1 in Keras, null in tfjs.
  const target: unknown = Array.isArray(config.target_shape)
    ? config.target_shape.map((side) => side ?? -1)
    : null;
  if (!Array.isArray(target) || target.length > 3 || !target.every((side) => Number.isSafeInteger(side)))
    return fail('expected target_shape');
  const sides = target as number[];
  const size = input.reduce((a, b) => a * b, 1);
  const known = sides.reduce((a, b) => (b === -1 ? a : a * b), 1);
  return [{ kind: 'reshape', shape: sides.map((side) => (side === -1 ? size / known : side)) }];
}

export function padded({ config, fail }: LayerScope): Step[] {
  const given = config.padding;
  const [rows, columns]: unknown[] = Array.isArray(given) ? given : [given, given];
  const both = (side: unknown): unknown[] => (Array.isArray(side) ? side : [side, side]);
  const padding = [...both(rows), ...both(columns)] as number[];
  if (padding.length !== 4 || !padding.every((n) => Number.isSafeInteger(n) && n >= 0))
    return fail('expected padding');
  return [{ kind: 'pad', padding: padding as unknown as Padding }];
}
