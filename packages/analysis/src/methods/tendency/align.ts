import { guard, type VatResult } from '@epochscope/core-wasm';
import type { Figure } from '../../results/types.js';
import { ascendingOrder } from './ascending.js';
import type { TendencyPanel } from './types.js';

/** position[order[p]] = p. */
function positions(order: Uint32Array): Uint32Array {
  const out = new Uint32Array(order.length);
  order.forEach((sample, p) => {
    out[sample] = p;
  });
  return out;
}

/**
 * Another order of the same samples with the same iVAT values between all of them, as near to `reference` as may be.
 *
 * Uniting neighbouring runs of the order across ever larger weights is the single-linkage tree; swapping the two sides of
 * any of its unions changes no iVAT value, D'(a,b) being the weight of the union that joins a and b. Here each
 * union puts that side first whose samples stand nearer to the front of the reference, in the mean. The same order comes
 * back when it is its own reference.
 *
 * @param vat `order` uint32[n] and `weights` float32[n−1] of a VAT result.
 * @param reference uint32[n]: an order of the same samples.
 * @returns order uint32[n]; weights float32[n−1]: D' of neighbours, so that D' between positions a < b is max(weights[a … b−1]).
 * Throws `shape`. O(n) time and memory after one radix sort.
 */
export function alignOrder(
  vat: Pick<VatResult, 'order' | 'weights'>,
  reference: Uint32Array,
): { order: Uint32Array; weights: Float32Array } {
  const { order, weights } = vat;
  const n = order.length;
  guard(
    reference.length === n,
    'shape',
    () => `aligned orders: expected a reference of ${n} samples, got ${reference.length}`,
    { expected: n, got: reference.length },
  );
  if (n === 0) return { order: order.slice(), weights: weights.slice() };
  const place = positions(reference);
  // A run of old positions is a chain in the new order. Kept at both ends of the run: where it starts and ends.
  const start = Uint32Array.from({ length: n }, (_, i) => i);
  const end = start.slice();
  // Kept at the run's first position: the chain's ends, and the sum of its samples' places.
  const head = start.slice();
  const tail = start.slice();
  const sum = Float64Array.from(order, (sample) => place[sample]!);
  const next = new Uint32Array(n);
  const link = new Float32Array(n);
  for (const at of ascendingOrder(weights)) {
    const a = start[at]!;
    const b = at + 1;
    const last = end[b]!;
    const inA = b - a;
    const inB = last - b + 1;
    const [first, second] = sum[a]! * inB <= sum[b]! * inA ? [a, b] : [b, a];
    next[tail[first]!] = head[second]!;
    link[tail[first]!] = weights[at]!;
    [head[a], tail[a]] = [head[first]!, tail[second]!];
    sum[a] = sum[a]! + sum[b]!;
    end[a] = last;
    start[last] = a;
  }
  const alignedOrder = new Uint32Array(n);
  const alignedWeights = new Float32Array(n - 1);
  for (let p = 0, at = head[0]!; p < n; p++, at = next[at]!) {
    alignedOrder[p] = order[at]!;
    if (p + 1 < n) alignedWeights[p] = link[at]!;
  }
  return { order: alignedOrder, weights: alignedWeights };
}

/** Spearman's rank correlation of the samples' places in two orders: 1 the same, −1 reversed. Null for fewer than two. */
export function orderCorrelation(a: Uint32Array, b: Uint32Array): Figure {
  const n = a.length;
  if (n < 2) return { value: null, reason: 'fewer than two samples' };
  const [p, q] = [positions(a), positions(b)];
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (p[i]! - q[i]!) ** 2;
  return { value: 1 - (6 * squares) / (n * (n * n - 1)) };
}

/**
 * Aligns each layer's orders along its snapshots, as given: the last keeps its own, since there blocks are clearest, and
 * each before is aligned to its next. So playing through the epochs neither flips nor shuffles the picture. Adds `aligned` to copies of these.
 */
export function alignPanels(panels: readonly TendencyPanel[]): TendencyPanel[] {
  const out = [...panels];
  const following = new Map<string, { id: string; order: Uint32Array }>();
  for (let i = out.length - 1; i >= 0; i--) {
    const panel = out[i]!;
    const reference = following.get(panel.layer);
    let { order } = panel;
    if (reference && reference.order.length === panel.n) {
      const aligned = alignOrder(panel, reference.order);
      out[i] = {
        ...panel,
        aligned: {
          ...aligned,
          reference: reference.id,
          correlation: orderCorrelation(aligned.order, reference.order),
          before: orderCorrelation(panel.order, reference.order),
        },
      };
      order = aligned.order;
    }
    following.set(panel.layer, { id: panel.snapshot.id, order });
  }
  return out;
}

/**
 * The panel in its aligned order, for drawing: weights, marks and blocks moved along. Same iVAT values, same samples in each
 * block. The VAT picture belongs to the Prim order and is left out. The panel itself where it has no other order.
 */
export function alignedView(panel: TendencyPanel): TendencyPanel {
  const { aligned, blocks } = panel;
  if (!aligned) return panel;
  const place = positions(aligned.order);
  // A block is a node of the tree, of which swaps leave the samples together.
  const ranges = blocks.ranges
    .map((block) => {
      let start = panel.n;
      for (let p = block.start; p < block.end; p++) start = Math.min(start, place[panel.order[p]!]!);
      return { ...block, start, end: start + block.end - block.start };
    })
    .sort((a, b) => a.start - b.start);
  return {
    ...panel,
    order: aligned.order,
    weights: aligned.weights,
    start: aligned.order[0]!,
    vat: null,
    blocks: { ...blocks, ranges },
    marks: panel.marks.map((mark) => ({ ...mark, position: place[mark.sample]! })),
  };
}
