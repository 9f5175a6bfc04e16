import type { VatResult } from '@epochscope/core-wasm';
import { ascendingOrder } from './ascending.js';

/**
 * Gives every free sample a block: the edges of the tree are gone through by rising weight (equal ones by position), and
 * free samples joined so far take the block of the sample in a block that an edge joins them to. All samples get
 * one where there is any block, and stay free where there is none. O(n α(n)) after one radix sort.
 *
 * @param vat of a VAT result: position k + 1 hangs on sample parent[k] by weights[k].
 * @param labels int32[n], by sample: block, or −1 for none. Not changed.
 */
export function assignFree(
  { order, weights, parent }: Pick<VatResult, 'order' | 'weights' | 'parent'>,
  labels: Int32Array,
): Int32Array {
  const out = labels.slice();
  // Free samples joined so far; their block stands at the root once they have one.
  const root = Uint32Array.from(out.keys());
  const rootOf = (sample: number): number => {
    let at = sample;
    while (root[at] !== at) at = root[at] = root[root[at]!]!;
    return at;
  };
  for (const k of ascendingOrder(weights)) {
    const a = rootOf(order[k + 1]!);
    const b = rootOf(parent[k]!);
    if (out[a]! >= 0 && out[b]! >= 0) continue;
    if (out[a]! >= 0) root[b] = a;
    else root[a] = b;
  }
  return out.map((_, sample) => out[rootOf(sample)]!);
}
