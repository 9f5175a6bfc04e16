import { cutByDiameter, EpochscopeError, type Linkage, type Matrix } from '@epochscope/core-wasm';
import type { Engine, JobOptions } from '../../engine/types.js';
import { random } from '../../random.js';
import type { Figure } from '../../results/types.js';
import { rowsOf } from '../rows.js';
import { adjustedRandIndex } from '../tendency/scores.js';
import { centroidOf, membersOf } from './clusters.js';
import type { CutRule, ThetaStep, ThetaSweep } from './types.js';

/** Thresholds tried unless others are given: 0.1 … 1.3. */
export const THETAS: readonly number[] = Array.from(
  { length: 25 },
  (_, k) => Math.round(100 * (0.1 + 0.05 * k)) / 100,
);
/** Units whose silhouette is taken, at most. */
export const SILHOUETTE_UNITS = 256;
/** Random halves of the units clustered anew, and the most units in one. */
const SUBSETS = 3;
const SUBSET_UNITS = 1000;

export interface SweepOptions extends JobOptions {
  thetas: readonly number[];
  cut: CutRule;
  seed: number;
}

/** Units drawn for silhouettes, rising. */
export const silhouetteUnits = (n: number, seed: number) =>
  random(seed, 1).subset(n, Math.min(n, SILHOUETTE_UNITS));

/**
 * What each threshold would give: number of clusters, silhouette, coherence, stability against resampling of the units; and the θ with
 * the largest silhouette × stability among those with 2 … n/2 clusters. The paper leaves the choice open (§5): a large θ cancels signs in
 * the centroids, a small one leaves too many clusters.
 * @param rows float32[sampled × n]: dissimilarities of `sampled` units to all.
 */
export async function sweepTheta(
  engine: Pick<Engine, 'clusterPoints'>,
  features: Matrix,
  tree: Linkage,
  rows: Matrix,
  sampled: Uint32Array,
  options: SweepOptions,
): Promise<ThetaSweep> {
  const { cut, seed, signal } = options;
  const n = tree.n;
  const subsetUnits = Math.min(SUBSET_UNITS, Math.floor(n / 2));
  const subsets: { units: Uint32Array; tree: Linkage }[] = [];
  for (let b = 0; b < SUBSETS && subsetUnits >= 2; b++) {
    const units = random(seed, 2, b).subset(n, subsetUnits);
    subsets.push({
      units,
      tree: await engine.clusterPoints(rowsOf(features, units), {
        metric: 'cosine',
        diameters: true,
        signal,
      }),
    });
    options.onProgress?.(b + 1, SUBSETS + options.thetas.length);
  }
  const thetas = [...new Set(options.thetas)].sort((a, b) => a - b);
  const steps: ThetaStep[] = [];
  let previous = '';
  for (const [k, theta] of thetas.entries()) {
    const { labels, count } = cutByDiameter(tree, theta, cut);
    const cuts = subsets.map((subset) => ({ ...subset, cut: cutByDiameter(subset.tree, theta, cut) }));
    // Cuts of one tree with equal counts are equal: nothing new between them.
    const key = [count, ...cuts.map((subset) => subset.cut.count)].join();
    if (key === previous) steps.push({ ...steps.at(-1)!, theta });
    else {
      const members = membersOf(labels, count);
      steps.push({
        theta,
        clusters: count,
        singletons: members.filter((m) => m.length === 1).length,
        silhouette: silhouette(rows, sampled, labels, members),
        coherence: coherence(features, members),
        stability: meanFigure(
          cuts.map(({ units, cut: part }) =>
            adjustedRandIndex(
              part.labels,
              units.map((unit) => labels[unit]!),
            ),
          ),
          `fewer than ${2 * 2} units`,
        ),
      });
    }
    previous = key;
    options.onProgress?.(SUBSETS + k + 1, SUBSETS + thetas.length);
    // A turn of the event loop, so that cancelling is noticed.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (signal?.aborted) throw new EpochscopeError('cancelled', 'the sweep was cancelled');
  }
  return {
    steps,
    ...proposeTheta(steps, n),
    silhouetteUnits: sampled.length,
    subsets: subsets.length,
    subsetUnits,
  };
}

/** The θ with the best silhouette × stability, and the sentence that says so. */
export function proposeTheta(steps: readonly ThetaStep[], n: number): { proposal: Figure; why: string } {
  const score = (s: ThetaStep) => Math.max(0, s.silhouette.value ?? 0) * Math.max(0, s.stability.value ?? 0);
  const open = steps.filter((s) => s.clusters >= 2 && s.clusters <= n / 2 && score(s) > 0);
  if (!open.length) {
    const reason =
      n < 4
        ? 'fewer than four units cannot be 2 … n/2 clusters and cut into halves'
        : `no threshold tried gives 2 … ${Math.floor(n / 2)} clusters with a silhouette and stability over 0`;
    return { proposal: { value: null, reason }, why: reason };
  }
  const best = open.reduce((a, b) => (score(b) >= score(a) ? b : a));
  return {
    proposal: { value: best.theta },
    why: `largest silhouette × stability (${best.silhouette.value!.toFixed(2)} × ${best.stability.value!.toFixed(2)}) among ${open.length} thresholds with 2 … ${Math.floor(n / 2)} clusters; it gives ${best.clusters}, coherence ${best.coherence.value!.toFixed(2)}`,
  };
}

/** Mean over sampled units of (b − a) / max(a, b): a mean dissimilarity to the own cluster's others, b to the nearest other cluster (Rousseeuw 1987). */
export function silhouette(
  { data, shape: [, n] }: Matrix,
  sampled: Uint32Array,
  labels: Uint32Array,
  members: readonly Uint32Array[],
): Figure {
  if (members.length < 2) return { value: null, reason: 'there is one cluster only' };
  if (!sampled.length) return { value: null, reason: 'there are no units' };
  const sums = new Float64Array(members.length);
  let total = 0;
  for (const [s, unit] of sampled.entries()) {
    const own = labels[unit]!;
    if (members[own]!.length === 1) continue;
    sums.fill(0);
    for (let j = 0; j < n; j++) sums[labels[j]!]! += data[s * n + j]!;
    const a = sums[own]! / (members[own]!.length - 1);
    let b = Infinity;
    for (const [c, m] of members.entries()) if (c !== own) b = Math.min(b, sums[c]! / m.length);
    total += a === b ? 0 : (b - a) / Math.max(a, b);
  }
  return { value: total / sampled.length };
}

function coherence(features: Matrix, members: readonly Uint32Array[]): Figure {
  let sum = 0;
  let units = 0;
  for (const m of members) {
    const { norm, meanNorm } = centroidOf(features, m);
    sum += m.length * Math.min(1, norm / meanNorm);
    units += m.length;
  }
  return units ? { value: sum / units } : { value: null, reason: 'there are no units' };
}

function meanFigure(figures: readonly Figure[], otherwise: string): Figure {
  const values = figures.flatMap(({ value }) => (value === null ? [] : [value]));
  return values.length
    ? { value: values.reduce((a, b) => a + b, 0) / values.length }
    : { value: null, reason: otherwise };
}
