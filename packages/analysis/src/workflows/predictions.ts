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

/** What the last layer of a classifier gives, one number a class. */
type Gives = 'log-probabilities' | 'probabilities' | 'scores';
const GIVES: Readonly<Record<string, Gives>> = {
  'log-softmax': 'log-probabilities',
  softmax: 'probabilities',
  dense: 'scores',
  linear: 'scores',
  logits: 'scores',
  identity: 'scores',
  sigmoid: 'scores',
};

/** Why nothing is predicted: the last layer is none of a classifier. */
export const notPredicting = ({ manifest: { layers, classes } }: Pick<Run, 'manifest'>): string => {
  const last = layers.at(-1);
  if (!classes) return 'the run names no classes';
  if (!last) return 'the run names no layer';
  const size =
    last.shape.length === 1
      ? `${last.shape[0]} ${last.shape[0] === 1 ? 'number' : 'numbers'}`
      : `[${last.shape}]`;
  return `its last layer, ${last.name} (${last.kind}), gives ${size} a sample, which is not one score for each of the ${classes.length} classes`;
};

/** The layer that scores the run's classes, if the last one does, and how. */
export function predictingLayer({ manifest: { layers, classes } }: Run): string | null {
  const last = layers.at(-1);
  const fits = classes && classes.length > 1 && last?.shape.length === 1 && last.shape[0] === classes.length;
  return fits && Object.hasOwn(GIVES, last.kind) ? last.name : null;
}

/** Log-probabilities say what is predicted; of scores, what was recorded says it better. */
const isSure = (run: Run, name: string): boolean => GIVES[run.layer(name).kind] === 'log-probabilities';

/** For keys: what decides the predictions at a snapshot. null: nothing gives them. */
export async function decidesPredictions(
  run: Run,
  input: PlanInput,
  snapshot: string,
): Promise<object | null> {
  const last = predictingLayer(run);
  const outputs = last === null ? null : await input.outputs(snapshot, last);
  if (outputs && isSure(run, last!)) return outputs;
  const stored = run.snapshot('last').id === snapshot ? await input.predictions() : null;
  return stored ?? outputs;
}

/**
 * Predictions from the last layer's scores of the classes (log-probabilities, probabilities, or scores before soft-max) where the run
 * holds or captures them; or those stored with the samples, which are about the last snapshot only and come before scores; else null. The
 * lowest class wins ties. Throws `not-finite`.
 */
export async function predictedAt(
  context: PartContext,
  snapshot: string,
  captures: readonly string[],
): Promise<Predicted | null> {
  const { run, reads } = context;
  const last = predictingLayer(run);
  const stored = async () => (run.snapshot('last').id === snapshot ? await run.predictions({ reads }) : null);
  const recorded = last && isSure(run, last) ? null : await stored();
  if (recorded) return { predictions: recorded, logLikelihood: null };
  if (last && (captures.length || (await run.hasOutputs(snapshot, last)))) {
    const outputs = await outputsOf(context, snapshot, last, captures);
    checkFinite(outputs, `${run.store.name}, snapshot ${snapshot}, layer ${last}`);
    return readPredictions(
      logProbabilities(outputs, GIVES[run.layer(last).kind]!),
      await run.labels({ reads }),
    );
  }
  const predictions = await stored();
  return predictions && { predictions, logLikelihood: null };
}

/** Log-probabilities of rows of probabilities or scores; a probability of 0 has that of the least float32. */
function logProbabilities(
  outputs: { data: Float32Array; shape: readonly [number, number] },
  gives: Gives,
): { data: Float32Array; shape: readonly [number, number] } {
  if (gives === 'log-probabilities') return outputs;
  const classes = outputs.shape[1];
  const data = outputs.data.slice();
  for (let from = 0; from < data.length; from += classes) {
    const row = data.subarray(from, from + classes);
    if (gives === 'probabilities') {
      for (let c = 0; c < classes; c++) row[c] = Math.log(Math.max(row[c]!, 2 ** -149));
      continue;
    }
    const most = row.reduce((a, b) => Math.max(a, b));
    const base = most + Math.log(row.reduce((total, score) => total + Math.exp(score - most), 0));
    for (let c = 0; c < classes; c++) row[c] = row[c]! - base;
  }
  return { data, shape: outputs.shape };
}
