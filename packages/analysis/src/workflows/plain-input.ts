import type { Metric } from '@epochscope/core-wasm';
import { tensorToMatrix } from '../formats/matrix.js';
import type { Tensor } from '../formats/types.js';
import { readPoints } from '../matrices/points.js';
import { tensorRows } from '../matrices/rows.js';
import type { TendencyInput } from '../methods/tendency/index.js';
import type { SnapshotInfo } from '../run/types.js';
import { nameOfOutputs, outputTensorOf } from './capture/parts.js';
import { chosenSamples } from './select.js';
import type { PartContext } from './types.js';

/**
 * A layer's outputs as points. What is wider than float32 is centred in float64 first (`readPoints`), so that offsets cost no digits. `name`: for
 * messages.
 */
export async function pointsOf(
  tensor: Tensor,
  name: string,
  metric: Metric,
): Promise<Pick<TendencyInput, 'outputs' | 'space' | 'dimensions'>> {
  if (tensor.data instanceof Float32Array) return { outputs: tensorToMatrix(tensor, name) };
  const rows = tensorRows(tensor, name);
  const { outputs, space } = await readPoints(rows, null, metric);
  return { outputs, ...(space ? { space } : {}), dimensions: rows.shape[1] };
}

/** A layer's outputs at a snapshot, as points, with nothing known of the samples. */
export const plainInput = async (
  tensor: Tensor,
  { snapshot, layer, name }: Pick<TendencyInput, 'snapshot' | 'layer'> & { name: string },
  metric: Metric,
): Promise<TendencyInput> => ({
  snapshot,
  layer,
  ...(await pointsOf(tensor, name, metric)),
  labels: null,
  predictions: null,
  logLikelihood: null,
});

/** Outputs that a part needs. */
export interface OutputsPlace {
  snapshot: Pick<SnapshotInfo, 'id' | 'epoch' | 'step'>;
  layer: string;
  /** Parts that capture them. */
  captures: readonly string[];
}

type Samples = Parameters<typeof chosenSamples>[0];

/** The chosen rows of them, as they are stored. Throws as `outputTensorOf`. */
export async function tensorAt(
  { snapshot, layer, captures }: OutputsPlace,
  samples: Samples,
  context: PartContext,
): Promise<Tensor> {
  const { run } = context;
  const count = run.manifest.samples?.count ?? (await run.outputCount(snapshot.id, layer)) ?? 0;
  return outputTensorOf(context, snapshot.id, layer, captures, chosenSamples(samples, count));
}

/** The same as points. */
export const inputAt = async (
  place: OutputsPlace,
  { samples, metric }: { samples: Samples; metric: Metric },
  context: PartContext,
): Promise<TendencyInput> => {
  const { snapshot, layer } = place;
  const name = nameOfOutputs(context.run, snapshot.id, layer);
  return plainInput(await tensorAt(place, samples, context), { snapshot, layer, name }, metric);
};
