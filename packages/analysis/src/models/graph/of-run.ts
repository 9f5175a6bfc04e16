import { guard } from '@epochscope/core-wasm';
import type { Tensor } from '../../formats/types.js';
import type { RunManifest } from '../../run/types.js';
import type { Tf } from '../backend.js';
import { buildModel, loadWeights, type ModelSpec } from '../index.js';
import { graphOfModel } from './from-model.js';
import { graphOfSpec, isGraphSpec } from './spec.js';
import type { Graph } from './types.js';

/**
 * The net of a run with one snapshot's weights as a graph, whoever made the run: a net of ours, or one that was imported.
 * Throws `unsupported` for a run that does not say its net, and what building it throws.
 */
export function graphOfRun(
  tf: Tf,
  manifest: Pick<RunManifest, 'model'>,
  weights: ReadonlyMap<string, Tensor>,
  source: string,
): Graph {
  const { model } = manifest;
  guard(model, 'unsupported', () => `${source}: the run does not say which net made it`);
  if (isGraphSpec(model)) return graphOfSpec(model, weights, source);
  const net = buildModel(tf, model as unknown as ModelSpec);
  try {
    loadWeights(tf, net, weights, source);
    return graphOfModel(net.model);
  } finally {
    net.model.dispose();
  }
}

/** What a run's inputs are divided by before its net sees them: nets of ours take bytes as 0 … 1. */
export const inputScaleOf = ({ model }: Pick<RunManifest, 'model'>): number =>
  isGraphSpec(model) ? (model.inputScale > 0 ? model.inputScale : 1) : 255;
