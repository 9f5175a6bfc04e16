import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { ColumnBlocks, Engine, JobOptions } from '../../engine/types.js';
import { cutModules, describeClusters } from './clusters.js';
import { explainMemory, rangeOf, unitFeatures } from './features.js';
import { silhouetteUnits, sweepTheta } from './sweep.js';
import { matchClusters, transitionOf } from './transitions.js';
import type { CutRule, ModuleSnapshot, RemovedUnits, Transition } from './types.js';

export { cutModules } from './clusters.js';
export { type UnitFeatures, unitFeatures } from './features.js';
export { proposeTheta, silhouette, sweepTheta, THETAS } from './sweep.js';
export { matchClusters, transitionMatrix, transitionOf } from './transitions.js';
export type * from './types.js';
export { unitLayers, unitName, unitOutputs, unitTotal } from './units.js';

export interface ModulesInput {
  snapshot: ModuleSnapshot['snapshot'];
  /** x: outputs of all units; y: inputs, then outputs of the net. */
  source: ColumnBlocks;
  /** How many of y's columns are inputs. */
  inputs: number;
  /** Units left out beforehand, with the reason. */
  without?: RemovedUnits;
}

export interface ModulesOptions extends JobOptions {
  /** Largest cosine dissimilarity within a cluster. Paper: 0.83. */
  theta: number;
  cut: CutRule;
  /** Thresholds of the sweep; null for none. */
  sweep: readonly number[] | null;
  /** For the units sampled in the sweep. */
  seed: number;
}

/** Shares of the time, for progress. */
const STAGES = { features: 0.4, linkage: 0.4, sweep: 0.2 };

/**
 * The modules of one snapshot (Watanabe): features by correlation, cosine dissimilarity, average linkage, the cut at θ, centroids, and what other
 * thresholds would give. `track` counts within the snapshot until `linkModules`.
 * Throws `not-finite` naming the snapshot, `memory` with the ways out, `argument`, `cancelled`.
 * O(samples·units·dimensions + units²·dimensions) time, 6·units² + 8·units·dimensions bytes and more.
 */
export async function analyseModules(
  engine: Pick<Engine, 'correlationOfBlocks' | 'clusterPoints'>,
  input: ModulesInput,
  options: ModulesOptions,
): Promise<ModuleSnapshot> {
  const { theta, cut, signal } = options;
  guard(
    Number.isFinite(theta) && theta >= 0,
    'argument',
    () => `theta: expected a number ≥ 0, got ${theta}`,
    { theta },
  );
  for (const t of options.sweep ?? [])
    guard(Number.isFinite(t) && t >= 0, 'argument', () => `sweep: expected numbers ≥ 0, got ${t}`);
  const begun = performance.now();
  const stage = (from: number, share: number) => (done: number, total: number) =>
    options.onProgress?.(from + (share * done) / (total || 1), 1);
  const { features, kept, removed, constantInputs, constantOutputs } = await unitFeatures(
    engine,
    input.source,
    input.inputs,
    { signal, onProgress: stage(0, STAGES.features), without: input.without },
  ).catch((cause) => {
    if (cause instanceof EpochscopeError && cause.code === 'memory') explainMemory(cause, input.source.units);
    if (!(cause instanceof EpochscopeError) || cause.code !== 'not-finite') throw cause;
    throw new EpochscopeError('not-finite', `snapshot ${input.snapshot.id}: ${cause.message}`, {
      ...cause.fields,
      snapshot: input.snapshot.id,
    });
  });
  const sampled = options.sweep ? silhouetteUnits(kept.length, options.seed) : new Uint32Array(0);
  const tree = await engine
    .clusterPoints(features, {
      metric: 'cosine',
      diameters: true,
      rows: sampled,
      signal,
      onProgress: stage(STAGES.features, STAGES.linkage),
    })
    .catch((cause) => explainMemory(cause, kept.length));
  const chosen = cutModules(tree, theta, cut);
  const described = describeClusters(features, input.inputs, tree, chosen);
  const sweep = options.sweep
    ? await sweepTheta(engine, features, tree, tree.rows, sampled, {
        thetas: [...options.sweep, theta],
        cut,
        seed: options.seed,
        signal,
        onProgress: stage(STAGES.features + STAGES.linkage, STAGES.sweep),
      })
    : null;
  options.onProgress?.(1, 1);
  return {
    snapshot: input.snapshot,
    kept,
    removed,
    constantInputs,
    constantOutputs,
    unitInputRange: rangeOf(features, 0, input.inputs),
    unitOutputRange: rangeOf(features, input.inputs, features.shape[1]),
    tree: {
      left: tree.left,
      right: tree.right,
      heights: tree.heights,
      sizes: tree.sizes,
      diameters: tree.diameters!,
    },
    theta,
    cut,
    labels: chosen.labels,
    ...described,
    sweep,
    seconds: (performance.now() - begun) / 1000,
  };
}

/** Transitions between neighbours in the list, and clusters matched over time: sets each cluster's `track`. */
export function linkModules(snapshots: readonly ModuleSnapshot[]): Transition[] {
  const transitions = snapshots.slice(1).map((after, s) => transitionOf(snapshots[s]!, after));
  matchClusters(snapshots, transitions);
  return transitions;
}
