import type { Metric } from '@epochscope/core-wasm';
import { tensorToMatrix } from '../formats/matrix.js';
import type { Tensor } from '../formats/types.js';
import { readPoints } from '../matrices/points.js';
import { tensorRows } from '../matrices/rows.js';
import type { TendencyInput } from '../methods/tendency/index.js';

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
