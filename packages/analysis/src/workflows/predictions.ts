import { checkFinite } from '@epochscope/core-wasm/jobs';
import { readPredictions } from '../capture/predictions.js';
import type { Run } from '../run/types.js';
import { outputsOf } from './capture/parts.js';
import type { PlanInput } from './input.js';
import type { PartContext } from './types.js';

/** What a snapshot predicts of the analysis samples. */
export interface Predicted {
  predictions: Uint32Array;
  /** Of the right class, or of the predicted one without labels; null where only classes are stored. */
  logLikelihood: Float32Array | null;
}

/** The layer that gives log-probabilities over the run's classes, if the last one does. */
export function predictingLayer({ manifest: { layers, classes } }: Run): string | null {
  const last = layers.at(-1);
  return last?.kind === 'log-softmax' && last.shape[0] === classes?.length ? last.name : null;
}

/** For keys: what decides the predictions at a snapshot. null: nothing gives them. */
export async function decidesPredictions(
  run: Run,
  input: PlanInput,
  snapshot: string,
): Promise<object | null> {
  const last = predictingLayer(run);
  const outputs = last && (await input.outputs(snapshot, last));
  if (outputs) return outputs;
  return run.snapshot('last').id === snapshot ? input.predictions() : null;
}

/**
 * Predictions from the last layer's log-probabilities where the run holds or captures them; else those stored with the samples, which are
 * about the last snapshot only; else null. The lowest class wins ties. Throws `not-finite`.
 */
export async function predictedAt(
  context: PartContext,
  snapshot: string,
  captures: readonly string[],
): Promise<Predicted | null> {
  const { run, reads } = context;
  const last = predictingLayer(run);
  if (last && (captures.length || (await run.hasOutputs(snapshot, last)))) {
    const outputs = await outputsOf(context, snapshot, last, captures);
    checkFinite(outputs, `${run.store.name}, snapshot ${snapshot}, layer ${last}`);
    return readPredictions(outputs, await run.labels({ reads }));
  }
  const stored = run.snapshot('last').id === snapshot ? await run.predictions({ reads }) : null;
  return stored && { predictions: stored, logLikelihood: null };
}
