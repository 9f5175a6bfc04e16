import type { Matrix } from '@epochscope/core-wasm';
import type { TendencyInput } from '../methods/tendency/index.js';

/** A layer's outputs at a snapshot with nothing known of the samples. */
export const plainInput = (
  outputs: Matrix,
  layer: string,
  snapshot: TendencyInput['snapshot'],
): TendencyInput => ({
  snapshot,
  layer,
  outputs,
  labels: null,
  predictions: null,
  logLikelihood: null,
});
