import { basename, resolve } from 'node:path';
import {
  inputOfResult,
  type MatrixOptions,
  openMatrix,
  readInput,
  type TendencyInput,
  type TendencyResult,
  thinningSteps,
} from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import { checkOutput } from '../files.js';
import { findFile, nameOf, readClassLabels, withArrays } from '../matrix-file.js';
import type { Output } from '../output.js';
import { pick } from '../rows.js';
import { analyse, write } from './analyse.js';
import type { TendencyRunOptions } from './options.js';
import { chooseSamples } from './samples.js';

/** Marks of more samples than this hide each other. */
const MOST_COLOURED = 5000;
/** Columns by name or place, as "column:NAME". */
const COLUMN = /^column:(.+)$/;

/** Analyses a plain matrix of points or dissimilarities: no run; labels, predictions and names optional. */
export async function tendencyOfFile(
  path: string,
  options: TendencyRunOptions,
  output: Output,
): Promise<{ result: TendencyResult; folder: string }> {
  const target = (await findFile(path))!;
  const shown = nameOf(path);
  const stem =
    `${basename(target.file && !target.pipe ? target.file : shown)}${target.array ? `-${target.array}` : ''}`.replaceAll(
      /[/\\]/g,
      '_',
    );
  const folder = options.output ?? `${stem}-tendency`;
  await checkOutput(folder);
  const column = (text: string | undefined) => (text === undefined ? undefined : COLUMN.exec(text)?.[1]);
  const table: MatrixOptions = {
    ...options.table,
    labels: column(options.labels),
    predictions: column(options.predictions),
    missing: options.missing,
    categories: ['jaccard', 'hamming', 'gower'].includes(options.metric),
  };
  return withArrays(path, async (source, array) => {
    const matrix = await openMatrix(source, { ...table, array });
    const notes = [...matrix.notes];
    const [first, ...more] = matrix.notes;
    output.say(`${shown}: ${first}`);
    for (const note of more) output.say(`note: ${note}`);
    const tell = (text: string) => {
      notes.push(text);
      output.say(`note: ${text}`);
    };

    const count = rowCount(matrix.rows.shape, options.metric);
    const labels =
      matrix.labels ??
      (options.labels && !column(options.labels) ? await readClassLabels(options.labels, count) : null);
    const predictions =
      matrix.predictions ??
      (options.predictions && !column(options.predictions)
        ? await readClassLabels(options.predictions, count, labels?.classes)
        : null);
    const chosen = await chooseSamples(options.samples, count);
    if (typeof options.samples === 'number' && options.samples > count)
      tell(`${count} samples are all there are: --samples ${options.samples} takes them all`);
    // Refused before the long part.
    if (options.thin) thinningSteps(options.thin, chosen?.length ?? count);
    const marks =
      options.marks ??
      (labels && (chosen?.length ?? count) <= MOST_COLOURED && !options.thin
        ? [{ rule: 'class' as const }]
        : undefined);

    const progress = output.progress(`Reading ${basename(shown)}`);
    const { notes: assumed, ...read } = await readInput(matrix, {
      metric: options.metric,
      missing: options.missing,
      chosen,
      signal: output.signal,
      onProgress: (done, total) => progress.update(done, total),
    }).finally(() => progress.stop());
    for (const note of assumed) tell(note);
    const name = stem.replace(/(?:\.(?:npy|npz|csv|tsv|txt|safetensors|gz))+(?=-|$)/i, '');
    const snapshot = { id: name, epoch: null, step: null };
    const input: TendencyInput = {
      ...read,
      snapshot,
      layer: name,
      labels: pick(labels?.codes ?? null, chosen),
      predictions: pick(predictions?.codes ?? null, chosen),
      logLikelihood: null,
    };
    const state = source.identity();
    const identity = {
      source: target.array ? `${shown}:${target.array}` : shown,
      files: { [basename(shown)]: state },
    };
    await refuseOther(folder, identity, options.force);
    const result = await analyse(
      [{ snapshot, layer: name, input: async () => input }],
      { ...options, marks, reference: { layer: name, snapshot: name } },
      identity,
      {
        classes: labels?.classes ?? predictions?.classes ?? null,
        images: null,
        labels: pick(labels?.codes ?? null, chosen),
        chosen,
      },
      output,
    );
    const names = matrix.names && (chosen ? Array.from(chosen, (row) => matrix.names![row]!) : matrix.names);
    for (const note of result.panels.flatMap((panel) => panel.notes ?? [])) tell(note);
    return write(
      folder,
      { ...result, samples: { ...result.samples, ...(names && { names }) }, notes },
      output,
    );
  });
}

/** Samples: rows, or what a condensed matrix stands for. */
function rowCount([n, d]: readonly [number, number], metric: TendencyRunOptions['metric']): number {
  const condensed = Math.round((1 + Math.sqrt(1 + 8 * n)) / 2);
  return metric === 'precomputed' && d === 1 && (condensed * (condensed - 1)) / 2 === n ? condensed : n;
}

/** Throws `io` rather than replace what was computed from another input. */
async function refuseOther(
  folder: string,
  input: TendencyResult['input'],
  force: boolean | undefined,
): Promise<void> {
  const older = force ? null : await inputOfResult(folder);
  if (!older) return;
  const same =
    input.source === 'stdin'
      ? older.source === 'stdin' && JSON.stringify(older.files.stdin) === JSON.stringify(input.files.stdin)
      : resolve(older.source) === resolve(input.source);
  guard(
    same,
    'io',
    () =>
      `${folder} holds the result of ${older.source}, not of ${input.source}; give another folder with -o, or --force to replace it`,
    { path: folder },
  );
}
