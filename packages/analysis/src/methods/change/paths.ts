import { guard } from '@epochscope/core-wasm';
import { random } from '../../random.js';
import type { TensorChange } from './types.js';

/** Which parameters to follow over all snapshots. */
export type PathRule =
  /** Per layer, those that changed most. */
  | { rule: 'largest'; k: number }
  /** Per layer, at random. */
  | { rule: 'random'; k: number; seed: number }
  /** By tensor and flat index, or place ([row, column, …]). */
  | { rule: 'index'; chosen: readonly { tensor: string; at: readonly number[] }[] };

/**
 * Parameters as tensor and flat index. Largest: by |Δ|, the lower index first among equals. A layer with fewer than k
 * parameters gives all. Throws `missing`, `argument`.
 */
export function choosePaths(
  tensors: readonly TensorChange[],
  rule: PathRule,
): { tensor: string; index: number }[] {
  if (rule.rule === 'index')
    return rule.chosen.map(({ tensor, at }) => ({ tensor, index: flat(tensors, tensor, at) }));
  const layers = [...new Set(tensors.map(({ layer }) => layer))];
  return layers.flatMap((layer, place) => {
    const own = tensors.filter((tensor) => tensor.layer === layer);
    const all = own.reduce((sum, { delta }) => sum + delta.length, 0);
    const k = Math.min(rule.k, all);
    if (rule.rule === 'largest') return largest(own, k);
    const dice = random(rule.seed, place);
    const wanted = new Set<number>();
    while (wanted.size < k) wanted.add(dice.below(all));
    return [...wanted]
      .sort((a, b) => a - b)
      .map((at) => {
        let place = 0;
        let index = at;
        for (; index >= own[place]!.delta.length; place++) index -= own[place]!.delta.length;
        return { tensor: own[place]!.name, index };
      });
  });
}

function largest(own: readonly TensorChange[], k: number): { tensor: string; index: number }[] {
  // The k best so far, ascending: k is small.
  const best: { tensor: string; index: number; size: number }[] = [];
  for (const { name, delta } of own)
    for (let index = 0; index < delta.length && k > 0; index++) {
      const size = Math.abs(delta[index]!);
      if (best.length === k && size <= best[0]!.size) continue;
      let at = best.length;
      while (at > 0 && best[at - 1]!.size >= size) at--;
      best.splice(at, 0, { tensor: name, index, size });
      if (best.length > k) best.shift();
    }
  return best.reverse().map(({ tensor, index }) => ({ tensor, index }));
}

function flat(tensors: readonly TensorChange[], name: string, at: readonly number[]): number {
  const tensor = tensors.find((one) => one.name === name);
  guard(
    tensor,
    'missing',
    () => `there is no tensor ${name}; there are ${tensors.map((one) => one.name).join(', ')}`,
    { tensor: name },
  );
  const sides = at.length === 1 ? [tensor.delta.length] : tensor.shape;
  guard(
    at.length === sides.length && at.every((i, axis) => Number.isInteger(i) && i >= 0 && i < sides[axis]!),
    'argument',
    () =>
      `tensor ${name} has ${tensor.delta.length} values in shape [${tensor.shape}], got place ${at.join(':')}`,
    { tensor: name, got: at.join(':') },
  );
  return at.reduce((sum, i, axis) => sum * sides[axis]! + i, 0);
}
