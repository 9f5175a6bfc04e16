import { type Cut, cutByDiameter, type Linkage, type Matrix } from '@epochscope/core-wasm';
import { rangeOf } from './features.js';
import type { CutRule, ModuleCluster } from './types.js';

/** Cuts at θ and numbers the clusters by size, equal sizes by their lowest unit. Labels uint32[n]. */
export function cutModules(tree: Linkage, theta: number, rule: CutRule): Cut {
  const { labels, count, nodes } = cutByDiameter(tree, theta, rule);
  const sizes = new Uint32Array(count);
  for (const label of labels) sizes[label]!++;
  const order = [...sizes.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const place = new Uint32Array(count);
  for (const [to, from] of order.entries()) place[from] = to;
  return {
    labels: labels.map((label) => place[label]!),
    count,
    nodes: Uint32Array.from(order, (from) => nodes[from]!),
  };
}

/** Members of every cluster, each rising. */
export function membersOf(labels: Uint32Array, count: number): Uint32Array[] {
  const sizes = new Uint32Array(count);
  for (const label of labels) sizes[label]!++;
  const out = Array.from(sizes, (size) => new Uint32Array(size));
  const at = new Uint32Array(count);
  for (const [unit, label] of labels.entries()) out[label]![at[label]!++] = unit;
  return out;
}

/** Mean of some rows in float64, and the mean of their norms. */
export function centroidOf(
  { data, shape: [, d] }: Matrix,
  members: Uint32Array,
): { mean: Float64Array; norm: number; meanNorm: number } {
  const mean = new Float64Array(d);
  let norms = 0;
  for (const unit of members) {
    let square = 0;
    for (let k = 0, at = unit * d; k < d; k++, at++) {
      const value = data[at]!;
      mean[k]! += value;
      square += value * value;
    }
    norms += Math.sqrt(square);
  }
  let square = 0;
  for (let k = 0; k < d; k++) {
    mean[k]! /= members.length;
    square += mean[k]! ** 2;
  }
  return { mean, norm: Math.sqrt(square), meanNorm: norms / members.length };
}

/** Sizes, diameters, centroids and what they tell of each cluster. */
export function describeClusters(
  features: Matrix,
  inputs: number,
  tree: Linkage,
  { labels, count, nodes }: Cut,
): { clusters: ModuleCluster[]; centroidInputs: Float32Array; centroidOutputs: Float32Array } {
  const d = features.shape[1];
  const outputs = d - inputs;
  const centroidInputs = new Float32Array(count * inputs);
  const centroidOutputs = new Float32Array(count * outputs);
  const clusters = membersOf(labels, count).map((members, c): ModuleCluster => {
    const { mean, norm, meanNorm } = centroidOf(features, members);
    const row: Matrix = { data: Float32Array.from(mean), shape: [1, d] };
    centroidInputs.set(row.data.subarray(0, inputs), c * inputs);
    centroidOutputs.set(row.data.subarray(inputs), c * outputs);
    const node = nodes[c]!;
    return {
      size: members.length,
      diameter: node < tree.n ? 0 : tree.diameters![node - tree.n]!,
      track: c,
      inputRange: rangeOf(row, 0, inputs),
      outputRange: rangeOf(row, inputs, d),
      // Rounding may lift a single unit's ratio a hair over 1.
      coherence: Math.min(1, norm / meanNorm),
    };
  });
  return { clusters, centroidInputs, centroidOutputs };
}
