import { basename } from 'node:path';
import type { DifferenceResult } from '@epochscope/analysis';
import { openMatrix, readInput, readLabels } from '@epochscope/analysis/formats';
import type { TendencyInput, TendencyMetric } from '@epochscope/analysis/methods';
import { chosenSamples, pick, withArrayFile } from '@epochscope/analysis/workflows';
import { arrayPlace, nameOf } from '../matrix-file.js';
import type { Output } from '../output.js';

/** A file of one matrix as an input of a method, and what its result says of it. */
export interface InputOfFile {
  input: TendencyInput;
  source: string;
  files: DifferenceResult['input']['files'];
  samples: DifferenceResult['samples'];
  notes: string[];
}

/** Reads points or dissimilarities from a file, whole or some rows, and says what was taken. Throws as `openMatrix`, `readInput`. */
export async function inputOfFile(
  path: string,
  {
    metric,
    labels: labelsFile,
    samples,
  }: { metric: TendencyMetric; labels?: string; samples?: number | readonly number[] },
  output: Output,
): Promise<InputOfFile> {
  return withArrayFile(await arrayPlace(path), async (bytes, array) => {
    const column = /^column:(.+)$/.exec(labelsFile ?? '')?.[1];
    const matrix = await openMatrix(bytes, {
      array,
      labels: column,
      categories: ['jaccard', 'hamming', 'gower'].includes(metric),
    });
    const shown = nameOf(path);
    const notes = [...matrix.notes];
    const [first, ...more] = notes;
    output.say(`${shown}: ${first}`);
    for (const note of more) output.say(`note: ${note}`);
    const count = matrix.rows.shape[0];
    const chosen = chosenSamples(samples ?? null, count);
    const labels =
      matrix.labels ??
      (labelsFile && !column
        ? await withArrayFile(await arrayPlace(labelsFile), (own, name) => readLabels(own, name, count))
        : null);
    const progress = output.progress(`Reading ${basename(shown)}`);
    const { notes: assumed, ...read } = await readInput(matrix, {
      metric,
      chosen,
      signal: output.signal,
      onProgress: (done, total) => progress.update(done, total),
    }).finally(() => progress.stop());
    for (const note of assumed) output.say(`note: ${note}`);
    const name = basename(shown);
    const codes = pick(labels?.codes ?? null, chosen);
    return {
      input: {
        ...read,
        snapshot: { id: name, epoch: null, step: null },
        layer: name,
        labels: codes,
        predictions: null,
        logLikelihood: null,
      },
      source: array ? `${shown}:${array}` : shown,
      files: { [name]: bytes.identity() },
      samples: {
        count: read.outputs.shape[0],
        labels: codes,
        classes: labels?.classes ?? null,
        images: null,
        ...(matrix.names
          ? { names: chosen ? Array.from(chosen, (row) => matrix.names![row]!) : matrix.names }
          : {}),
        ...(chosen ? { indices: chosen } : {}),
      },
      notes: [...notes, ...assumed],
    };
  });
}
