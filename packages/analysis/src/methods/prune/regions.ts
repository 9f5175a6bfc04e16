import { guard } from '@epochscope/core-wasm';
import type { Ranking, RateOf } from './types.js';

/** Connected-component labelling of `count` binary pictures: 0 = background, 1 … counts[m] in picture m. */
export type LabelRegions = (
  masks: Uint8Array,
  shape: [count: number, height: number, width: number],
  options: { neighbours: 4 | 8 },
) => Promise<{ labels: Uint32Array; counts: Uint32Array }> | { labels: Uint32Array; counts: Uint32Array };

/** The regions of all units' weight pictures. Region r of unit u has the global number offsets[u] + r − 1. */
export interface Regions {
  /** uint32[units × height × width]: 0 or the number within the unit. */
  labels: Uint32Array;
  /** uint32[units + 1]. */
  offsets: Uint32Array;
  /** float64[regions]: mean |w| over the remaining weights of the region (the paper's index). */
  index: Float64Array;
  /** float64[regions]: Σ |w|. */
  mass: Float64Array;
  /** uint32[regions]: remaining weights. */
  size: Uint32Array;
  /** float64[regions]: |Σ w·∂L/∂w|, first-order effect of removing the region on the loss; null without a gradient. */
  effect: Float64Array | null;
}

/**
 * Regions of remaining weights. `weights`, `mask` and `gradient` are [height·width·channels, units] row-major. With
 * several channels a pixel remains when any of its channels does, and a region holds all remaining weights of its
 * pixels: the regions are those of the picture a person sees. O(weights).
 */
export async function findRegions(
  weights: Float32Array,
  mask: Uint8Array,
  [height, width, channels]: readonly [number, number, number],
  units: number,
  neighbours: 4 | 8,
  label: LabelRegions,
  gradient?: Float32Array,
): Promise<Regions> {
  const pixels = height * width;
  const expected = pixels * channels * units;
  guard(
    weights.length === expected && mask.length === expected,
    'shape',
    () =>
      `${height}×${width}×${channels} inputs and ${units} units need ${expected} weights, got ${weights.length} and a mask of ${mask.length}`,
    { expected, got: weights.length },
  );
  const pictures = new Uint8Array(units * pixels);
  for (let i = 0; i < expected; i++) {
    if (mask[i]) pictures[(i % units) * pixels + Math.floor(i / (units * channels))] = 1;
  }
  const { labels, counts } = await label(pictures, [units, height, width], { neighbours });
  const offsets = new Uint32Array(units + 1);
  for (let u = 0; u < units; u++) offsets[u + 1] = offsets[u]! + counts[u]!;
  const total = offsets[units]!;
  const mass = new Float64Array(total);
  const size = new Uint32Array(total);
  const effect = gradient ? new Float64Array(total) : null;
  for (let i = 0; i < expected; i++) {
    if (!mask[i]) continue;
    const u = i % units;
    const region = offsets[u]! + labels[u * pixels + Math.floor(i / (units * channels))]! - 1;
    mass[region]! += Math.abs(weights[i]!);
    size[region]!++;
    if (effect) effect[region]! += weights[i]! * gradient![i]!;
  }
  return {
    labels,
    offsets,
    index: mass.map((m, r) => m / size[r]!),
    mass,
    size,
    effect: effect?.map(Math.abs) ?? null,
  };
}

/**
 * uint8[regions], 1 = removed. By count: the round(rate · regions) lowest go (per unit under `unit`); by mass: the
 * lowest go while their mass stays within rate · total. Ties: lower region number first. Throws `argument` when
 * ranking by loss without a gradient.
 */
export function chooseRegions(regions: Regions, rate: number, ranking: Ranking, rateOf: RateOf): Uint8Array {
  guard(rate >= 0 && rate <= 1, 'argument', () => `region rate: expected 0 … 1, got ${rate}`, { rate });
  const score = ranking === 'loss' ? regions.effect : regions.index;
  guard(score, 'argument', 'ranking by loss needs the gradient of the loss');
  const removed = new Uint8Array(regions.index.length);
  const take = (from: number, to: number) => {
    const order = Array.from({ length: to - from }, (_, i) => from + i).sort(
      (a, b) => score[a]! - score[b]! || a - b,
    );
    if (rateOf === 'count') {
      for (const region of order.slice(0, Math.round(rate * order.length))) removed[region] = 1;
      return;
    }
    const budget = rate * order.reduce((sum, region) => sum + regions.mass[region]!, 0);
    let spent = 0;
    for (const region of order) {
      spent += regions.mass[region]!;
      // A rounding error of the sum must not spare the last region at rate 1.
      if (spent > budget * (1 + 1e-12)) break;
      removed[region] = 1;
    }
  };
  if (ranking === 'unit')
    for (let u = 0; u + 1 < regions.offsets.length; u++) take(regions.offsets[u]!, regions.offsets[u + 1]!);
  else take(0, removed.length);
  return removed;
}

/** `mask` without the weights of the chosen regions, in a copy. */
export function removeRegions(
  mask: Uint8Array,
  regions: Regions,
  removed: Uint8Array,
  channels: number,
): Uint8Array {
  const units = regions.offsets.length - 1;
  const pixels = units ? regions.labels.length / units : 0;
  return mask.map((kept, i) => {
    if (!kept) return 0;
    const u = i % units;
    return removed[regions.offsets[u]! + regions.labels[u * pixels + Math.floor(i / (units * channels))]! - 1]
      ? 0
      : 1;
  });
}
