import { basename } from 'node:path';
import { type TendencyInput, type TendencyResult, tensorToMatrix, thinningSteps } from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import { checkOutput } from '../files.js';
import { readArrayFile, readLabelsFile, splitArrayPath } from '../matrix-file.js';
import type { Output } from '../output.js';
import { pick, rows } from '../rows.js';
import { sha256 } from '../run-inputs.js';
import { analyse, write } from './analyse.js';
import type { TendencyRunOptions } from './options.js';
import { chooseSamples } from './samples.js';

const ENDING = /\.(npy|npz|csv|safetensors)(:.*)?$/;

/** Analyses a plain matrix of points: no run, labels and predictions optional. */
export async function tendencyOfFile(
  file: string,
  options: TendencyRunOptions,
  output: Output,
): Promise<{ result: TendencyResult; folder: string }> {
  const whole = tensorToMatrix(await readArrayFile(file), file);
  const folder = options.output ?? `${file.replace(ENDING, '')}-tendency`;
  await checkOutput(folder);
  const count = whole.shape[0];
  const listOf = async (from: string | undefined, what: string) => {
    if (from === undefined) return null;
    const list = await readLabelsFile(from);
    guard(
      list.length === count,
      'shape',
      () => `${from}: ${count} rows of ${file} need as many ${what}, got ${list.length}`,
      { file: from, expected: count, got: list.length },
    );
    return list;
  };
  const labels = await listOf(options.labels, 'labels');
  const predictions = await listOf(options.predictions, 'predictions');
  const chosen = await chooseSamples(options.samples, count);
  // Refused before the long part.
  if (options.thin) thinningSteps(options.thin, chosen?.length ?? count);
  const name = basename(file).replace(ENDING, '');
  const snapshot = { id: name, epoch: null, step: null };
  const outputs = rows(whole, chosen);
  const input: TendencyInput = {
    snapshot,
    layer: name,
    outputs,
    labels: pick(labels, chosen),
    predictions: pick(predictions, chosen),
    logLikelihood: null,
  };
  const result = await analyse(
    [{ snapshot, layer: name, input: async () => input }],
    { ...options, reference: { layer: name, snapshot: name } },
    { source: file, sha256: { [basename(file)]: await sha256(splitArrayPath(file).file) } },
    { classes: null, images: null, labels: pick(labels, chosen), chosen },
    output,
  );
  return write(folder, result, options, output);
}
