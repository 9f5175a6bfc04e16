import { guard } from '@epochscope/core-wasm';
import type { Engine } from '../../engine/types.js';
import type { PictureLayout, Ranking, RateOf, RegionsLeft } from './types.js';

/** The regions of all pictures of a layer. Region r of picture p has the global number offsets[p] + r − 1. */
export interface Regions {
  layout: PictureLayout;
  /** uint32[pictures × height × width]: 0 or the number within the picture. Picture p is of unit p mod units. */
  labels: Uint32Array;
  /** uint32[pictures + 1]. */
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

/** Where weight i of the tensor is: its picture and pixel. */
function places({ inputShape: [height, width, channels], units, apart }: PictureLayout) {
  const pixels = height * width;
  const pictures = apart ? units * channels : units;
  const row = units * channels;
  return {
    pixels,
    pictures,
    count: pixels * row,
    /** Index into labels. */
    at: (i: number) => (i % pictures) * pixels + Math.floor(i / row),
  };
}

/**
 * Regions of remaining weights, as the engine labels them. `weights`, `mask` and `gradient` are
 * [height·width·channels, units] row-major. Colours: a pixel remains when any of its channels does, and a region holds
 * all remaining weights of its pixels, so that regions are those of the picture a person sees. Feature maps: each
 * channel is a picture. O(weights). Throws `shape`, `cancelled`.
 */
export async function findRegions(
  weights: Float32Array,
  mask: Uint8Array,
  layout: PictureLayout,
  engine: Pick<Engine, 'labelRegions'>,
  { neighbours, signal }: { neighbours: 4 | 8; signal?: AbortSignal },
  gradient?: Float32Array,
): Promise<Regions> {
  const { pixels, pictures, count, at } = places(layout);
  const [height, width, channels] = layout.inputShape;
  guard(
    weights.length === count && mask.length === count,
    'shape',
    () =>
      `${height}×${width}×${channels} inputs and ${layout.units} units need ${count} weights, got ${weights.length} and a mask of ${mask.length}`,
    { expected: count, got: weights.length },
  );
  const drawn = new Uint8Array(pictures * pixels);
  for (let i = 0; i < count; i++) if (mask[i]) drawn[at(i)] = 1;
  const { labels, counts } = await engine.labelRegions(drawn, [pictures, height, width], {
    neighbours,
    signal,
  });
  const offsets = new Uint32Array(pictures + 1);
  for (let p = 0; p < pictures; p++) offsets[p + 1] = offsets[p]! + counts[p]!;
  const total = offsets[pictures]!;
  const mass = new Float64Array(total);
  const size = new Uint32Array(total);
  const effect = gradient ? new Float64Array(total) : null;
  for (let i = 0; i < count; i++) {
    if (!mask[i]) continue;
    const region = offsets[i % pictures]! + labels[at(i)]! - 1;
    mass[region]! += Math.abs(weights[i]!);
    size[region]!++;
    if (effect) effect[region]! += weights[i]! * gradient![i]!;
  }
  return {
    layout,
    labels,
    offsets,
    index: mass.map((m, r) => m / size[r]!),
    mass,
    size,
    effect: effect?.map(Math.abs) ?? null,
  };
}

/**
 * uint8[regions], 1 = removed. By count: the round(rate · regions) lowest go (of each unit under `unit`); by mass: the
 * lowest go while their mass stays within rate · total. Ties: lower region number first. Throws `argument` when
 * ranking by loss without a gradient. O(regions · log regions).
 */
export function chooseRegions(regions: Regions, rate: number, ranking: Ranking, rateOf: RateOf): Uint8Array {
  guard(rate >= 0 && rate <= 1, 'argument', () => `region rate: expected 0 … 1, got ${rate}`, { rate });
  const score = ranking === 'loss' ? regions.effect : regions.index;
  guard(score, 'argument', 'ranking by loss needs the gradient of the loss');
  const removed = new Uint8Array(regions.index.length);
  const take = (order: Uint32Array) => {
    order.sort((a, b) => score[a]! - score[b]! || a - b);
    if (rateOf === 'count') {
      for (const region of order.subarray(0, Math.round(rate * order.length))) removed[region] = 1;
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
  if (ranking === 'unit') for (const own of regionsOfUnits(regions)) take(own);
  else take(Uint32Array.from(removed, (_, region) => region));
  return removed;
}

/** Region numbers of each unit, over all of its pictures. */
function regionsOfUnits({ offsets, layout: { units } }: Regions): Uint32Array[] {
  return Array.from({ length: units }, (_, u) => {
    const own: number[] = [];
    for (let p = u; p + 1 < offsets.length; p += units)
      for (let region = offsets[p]!; region < offsets[p + 1]!; region++) own.push(region);
    return Uint32Array.from(own);
  });
}

/** `mask` without the weights of the chosen regions, in a copy. */
export function removeRegions(mask: Uint8Array, regions: Regions, removed: Uint8Array): Uint8Array {
  const { pictures, at } = places(regions.layout);
  return mask.map((kept, i) =>
    kept && !removed[regions.offsets[i % pictures]! + regions.labels[at(i)]! - 1] ? 1 : 0,
  );
}

/** How many regions units that kept any weight have, and how large the largest is. */
export function regionsLeft(regions: Regions): RegionsLeft {
  const { inputShape, units } = regions.layout;
  const weights = inputShape.reduce((a, b) => a * b, 1);
  const alive = regionsOfUnits(regions).filter(({ length }) => length > 0);
  const largest = alive.map((own) => own.reduce((most, r) => Math.max(most, regions.size[r]!), 0) / weights);
  const mean = (values: number[]) =>
    values.length
      ? { value: values.reduce((a, b) => a + b, 0) / values.length }
      : { value: null, reason: units ? 'every unit lost all of its weights' : 'the layer has no units' };
  return {
    regions: regions.index.length,
    perUnit: mean(alive.map(({ length }) => length)),
    largestShare: mean(largest),
    largestOverHalf: mean(largest.map((share) => (share > 0.5 ? 1 : 0))),
  };
}
