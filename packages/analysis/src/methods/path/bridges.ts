import type { Engine, JobOptions } from '../../engine/types.js';
import type { TendencyInput } from '../tendency/index.js';
import { dissimilaritiesOf, inputOfSamples, type TendencyMetric, vatOf } from '../tendency/space.js';
import { minimaxPath } from './minimax.js';
import type { Bridge, MinimaxPath } from './types.js';

/** The same distance in trees of other samples, and between two alone, differs by less: a gain is more than that. */
const SAME = 1 + 1e-5;

/** Bridges found, and why there are no more. */
export interface Bridges {
  bridges: Bridge[];
  noMore: string | null;
}

/**
 * The samples whose removal lengthens the weakest link between two samples most, one after the other, each time with the tree built anew
 * of those that are left. Exact at each step: only samples on the best path can lengthen it, and one of them no further than to the link of its
 * two neighbours; so trees are built in the order of that bound, until none that is left can do better. Equal gains: the first on the path.
 * Greedy over the steps: two samples that stand for each other hide each other. Gains under a hundred-thousandth are none.
 * Throws as `Engine.vat`. Time: a few trees a step.
 */
export async function findBridges(
  engine: Pick<Engine, 'vat' | 'vatFromMatrix' | 'pairwise'>,
  input: TendencyInput,
  path: MinimaxPath,
  {
    metric,
    unit,
    count,
    signal,
    onProgress,
  }: JobOptions & { metric: TendencyMetric; unit: number; count: number },
): Promise<Bridges> {
  const n = input.outputs.shape[0];
  const [from, to] = [path.samples[0]!, path.samples.at(-1)!];
  const gone = new Set<number>();
  const bridges: Bridge[] = [];
  let best = path;
  while (bridges.length < count) {
    const bounds = await boundsOf(engine, input, best, metric, unit, signal);
    const candidates = bounds
      .map((bound, i) => ({ sample: best.samples[i + 1]!, bound }))
      .filter(({ bound }) => bound > best.bottleneck * SAME)
      .sort((a, b) => b.bound - a.bound);
    let found: Bridge | null = null;
    for (const { sample, bound } of candidates) {
      if (found && found.bottleneck > bound * SAME) break;
      const left = Uint32Array.from(
        (function* () {
          for (let i = 0; i < n; i++) if (i !== sample && !gone.has(i)) yield i;
        })(),
      );
      const tree = await vatOf(engine, inputOfSamples(input, left), metric, { signal });
      const rescale = tree.unit / unit;
      const at = (i: number) => left.indexOf(i);
      const without = minimaxPath(tree, at(from), at(to));
      const links = rescale === 1 ? without.links : without.links.map((link) => link * rescale);
      const bottleneck = without.bottleneck * rescale;
      const earlier = (other: number) => best.samples.indexOf(sample) < best.samples.indexOf(other);
      if (
        bottleneck > best.bottleneck * SAME &&
        (!found ||
          bottleneck > found.bottleneck ||
          (bottleneck === found.bottleneck && earlier(found.sample)))
      )
        found = {
          sample,
          bottleneck,
          path: {
            samples: without.samples.map((i) => left[i]!),
            links,
            weakest: without.weakest,
            bottleneck,
          },
        };
    }
    if (!found)
      return {
        bridges,
        noMore:
          best.samples.length <= 2
            ? 'the two are joined directly'
            : 'no sample alone lengthens the weakest link: there is always a way round it',
      };
    bridges.push(found);
    gone.add(found.sample);
    best = found.path;
    onProgress?.(bridges.length, count);
  }
  return { bridges, noMore: null };
}

/** For each inner sample of a path, the longest link of the path that leaves it out, its two neighbours being joined directly. */
async function boundsOf(
  engine: Pick<Engine, 'pairwise'>,
  input: TendencyInput,
  { samples, links }: MinimaxPath,
  metric: TendencyMetric,
  unit: number,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  // Longest of the links before each, and after each.
  const before = new Float64Array(links.length + 1);
  const after = new Float64Array(links.length + 1);
  for (let k = 0; k < links.length; k++) before[k + 1] = Math.max(before[k]!, links[k]!);
  for (let k = links.length - 1; k >= 0; k--) after[k] = Math.max(after[k + 1]!, links[k]!);
  const bounds: number[] = [];
  for (let i = 1; i < samples.length - 1; i++) {
    const neighbours = inputOfSamples(input, Uint32Array.of(samples[i - 1]!, samples[i + 1]!));
    const [link] = await dissimilaritiesOf(engine, neighbours, metric, unit, { signal });
    bounds.push(Math.max(before[i - 1]!, link!, after[i + 1]!));
  }
  return bounds;
}
