import { guard } from '@epochscope/core-wasm';
import type { Block, TendencyPanel } from '../tendency/types.js';
import type { MinimaxPath } from './types.js';

type Tree = Pick<TendencyPanel, 'order' | 'weights' | 'parent'>;

/**
 * The path between two samples in VAT's minimum spanning tree. No chain of samples has a shorter longest link; others may have an equal one.
 * Throws `argument` for a sample that is not there. O(n) time.
 */
export function minimaxPath({ order, weights, parent }: Tree, from: number, to: number): MinimaxPath {
  const n = order.length;
  for (const sample of [from, to]) checkSample(sample, n);
  const position = new Uint32Array(n);
  order.forEach((sample, p) => {
    position[sample] = p;
  });
  // A parent stands before its child, so that the later of two samples is never above the other.
  const [up, down]: [number[], number[]] = [[from], [to]];
  const [upLinks, downLinks]: [number[], number[]] = [[], []];
  while (up.at(-1) !== down.at(-1)) {
    const [u, v] = [position[up.at(-1)!]!, position[down.at(-1)!]!];
    const [list, links, p] = u > v ? [up, upLinks, u] : [down, downLinks, v];
    links.push(weights[p - 1]!);
    list.push(parent[p - 1]!);
  }
  down.pop();
  const samples = Uint32Array.from([...up, ...down.reverse()]);
  const links = Float32Array.from([...upLinks, ...downLinks.reverse()]);
  let weakest: number | null = null;
  links.forEach((link, k) => {
    if (weakest === null || link > links[weakest]!) weakest = k;
  });
  return { samples, links, weakest, bottleneck: weakest === null ? 0 : links[weakest]! };
}

/** Throws `argument`. */
export function checkSample(sample: number, n: number): void {
  guard(
    Number.isInteger(sample) && sample >= 0 && sample < n,
    'argument',
    () => (n ? `path: expected a sample 0 … ${n - 1}, got ${sample}` : 'path: there are no samples'),
    { got: sample },
  );
}

/** The core of a block: the earlier end of its shortest link, where its samples stand closest. */
export function coreOf({ order, weights }: Pick<Tree, 'order' | 'weights'>, { start, end }: Block): number {
  let at = start;
  for (let k = start; k < end - 1; k++) if (weights[k]! < weights[at]!) at = k;
  return order[at]!;
}
