import { basename } from 'node:path';
import {
  createEngine,
  type TendencyResult,
  type TendencyRunOptions,
  type WorkflowOptions,
} from '@epochscope/analysis';
import { type MatrixFile, type MatrixOptions, openMatrix, readInput } from '@epochscope/analysis/formats';
import {
  checkSpanningTree,
  readSpanningTree,
  type TendencyInput,
  type TendencyMetric,
  type TreeCheck,
  thinningSteps,
} from '@epochscope/analysis/methods';
import {
  checkMemory,
  chosenSamples,
  estimateOf,
  pick,
  tendencyOfInput,
} from '@epochscope/analysis/workflows';
import { guard, METRICS, type Metric } from '@epochscope/core-wasm';
import { vatPointsBytes } from '@epochscope/core-wasm/jobs';
import { refuseOther } from '../files.js';
import { findFile, nameOf, readClassLabels, withArrays, withMatrix } from '../matrix-file.js';
import type { Output } from '../output.js';

export interface FileOptions
  extends Pick<
    Partial<TendencyRunOptions>,
    'core' | 'marks' | 'vatSide' | 'smallestBlock' | 'stabilitySubsets' | 'seed' | 'thin' | 'name'
  > {
  metric: TendencyMetric;
  /** The first so many samples, or these. */
  samples?: number | readonly number[];
  /** How a table is read. */
  table?: MatrixOptions;
  /** Missing values are left out pair by pair. */
  missing?: boolean;
  /** Replaces the result of another input too. */
  force?: boolean;
  /** Files of one label a row, or "column:NAME". */
  labels?: string;
  predictions?: string;
}

const column = (text: string | undefined) => (text === undefined ? undefined : COLUMN.exec(text)?.[1]);

const tableOf = ({ table, labels, predictions, missing, metric }: FileOptions): MatrixOptions => ({
  ...table,
  labels: column(labels),
  predictions: column(predictions),
  missing,
  categories: ['jaccard', 'hamming', 'gower'].includes(metric),
});

/**
 * Proves or refutes that a file of edges (rows from, to, weight) is a minimum spanning tree of a matrix's rows. Throws
 * `format` with the first edge that is wrong.
 */
export async function checkTreeOfFile(
  path: string,
  treePath: string,
  options: FileOptions,
  output: Output,
  { engine }: WorkflowOptions = {},
): Promise<TreeCheck> {
  const progress = output.progress(`Checking ${basename(nameOf(treePath))}`);
  const how = {
    signal: output.signal,
    onProgress: (done: number, total: number) => progress.update(done, total),
  };
  const own = engine ?? createEngine();
  try {
    const input = await withMatrix(path, tableOf(options), async (matrix) => {
      const chosen = chosenSamples(options.samples ?? null, rowCount(matrix.rows.shape, options.metric));
      const { metric, missing } = options;
      return readInput(matrix, { metric, missing, chosen, ...how });
    });
    const tree = await withArrays(treePath, async (bytes, array) => {
      const { rows } = await openMatrix(bytes, { array });
      const [edges, columns] = rows.shape;
      guard(
        columns <= 3,
        'format',
        () => `${nameOf(treePath)}: expected rows of from, to and weight, got ${columns} columns`,
      );
      const values = await rows.rows(0, edges);
      return readSpanningTree(nameOf(treePath), values, rows.shape, input.outputs.shape[0]);
    });
    const name = nameOf(path);
    const about = { snapshot: { id: name, epoch: null, step: null }, layer: name };
    return await checkSpanningTree(
      own,
      { ...input, ...about, labels: null, predictions: null, logLikelihood: null },
      tree,
      options.metric,
      { ...how, ...(options.core ? { core: options.core } : {}) },
    );
  } finally {
    progress.stop();
    if (!engine) await own.close();
  }
}

/** Marks of more samples than this hide each other. */
const MOST_COLOURED = 5000;
/** Of a file that are read at once. */
const BLOCK_BYTES = 2 ** 26;
/** Columns by name or place, as "column:NAME". */
const COLUMN = /^column:(.+)$/;

/** What a file's matrix is called: its name and array, without an ending; and where its result goes unless another folder is given. */
export async function namesOfFile(path: string): Promise<{ shown: string; name: string; folder: string }> {
  const { file, pipe, array } = (await findFile(path))!;
  const shown = nameOf(path);
  const stem = `${basename(file && !pipe ? file : shown)}${array ? `-${array}` : ''}`
    .replaceAll(/[/\\]/g, '_')
    .replaceAll('*', 'all');
  return {
    shown: array ? `${shown}:${array}` : shown,
    name: stem.replace(/(?:\.(?:npy|npz|csv|tsv|txt|safetensors|gz))+(?=-|$)/i, ''),
    folder: `${stem}-tendency`,
  };
}

/** Analyses a plain matrix of points or dissimilarities: no run; labels, predictions and names optional. */
export async function tendencyOfFile(
  path: string,
  folder: string,
  options: FileOptions,
  output: Output,
  how: WorkflowOptions,
): Promise<TendencyResult> {
  const { shown: source, name } = await namesOfFile(path);
  const shown = nameOf(path);
  const table = tableOf(options);
  return withMatrix(path, table, async (matrix, identities) => {
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
    const chosen = chosenSamples(options.samples ?? null, count);
    if (typeof options.samples === 'number' && options.samples > count)
      tell(`${count} samples are all there are: --samples ${options.samples} takes them all`);
    // Refused before the long part.
    if (options.thin) thinningSteps(options.thin, chosen?.length ?? count);
    const marks =
      options.marks ??
      (labels && (chosen?.length ?? count) <= MOST_COLOURED && !options.thin
        ? [{ rule: 'class' as const }]
        : undefined);

    const read = output.batch
      ? await output.batch.points(
          matrix,
          { metric: options.metric, chosen, source, needsRows: needsRows(options) },
          identities,
        )
      : await readWhole();
    async function readWhole() {
      const needs = needsOf(name, matrix, options, chosen?.length ?? count);
      checkMemory(needs);
      const estimate = estimateOf(needs);
      if (estimate) output.say(estimate);
      const progress = output.progress(`Reading ${basename(shown)}`);
      const { notes, ...input } = await readInput(matrix, {
        metric: options.metric,
        missing: options.missing,
        chosen,
        signal: output.signal,
        onProgress: (done, total) => progress.update(done, total),
      }).finally(() => progress.stop());
      return { input, notes, engine: undefined, identity: identities() };
    }
    for (const note of read.notes) tell(note);
    const input: TendencyInput = {
      ...read.input,
      snapshot: { id: name, epoch: null, step: null },
      layer: name,
      labels: pick(labels?.codes ?? null, chosen),
      predictions: pick(predictions?.codes ?? null, chosen),
      logLikelihood: null,
    };
    const identity = {
      source,
      files: read.identity,
    };
    await refuseOther(folder, identity, options.force);
    const { metric, core, vatSide, smallestBlock, stabilitySubsets, seed, thin, name: resultName } = options;
    const result = await tendencyOfInput(
      input,
      {
        input: identity,
        classes: labels?.classes ?? predictions?.classes ?? null,
        names: matrix.names && (chosen ? Array.from(chosen, (row) => matrix.names![row]!) : matrix.names),
        chosen,
        notes,
      },
      { metric, core, vatSide, smallestBlock, stabilitySubsets, seed, thin, name: resultName, marks },
      read.engine ? { ...how, engine: read.engine } : how,
    );
    for (const note of result.panels[0]!.notes ?? []) output.say(`note: ${note}`);
    return result;
  });
}

/** What reading and ordering so many rows takes. */
function needsOf(name: string, { rows }: MatrixFile, { metric, missing, core }: FileOptions, n: number) {
  const [all, d] = rows.shape;
  const points = METRICS.includes(metric as Metric) && !missing;
  const memory = points
    ? vatPointsBytes(n, d, 1, core ?? 0) + 8 * n * d + Math.min(8 * all * d, BLOCK_BYTES)
    : 12 * n * n + 8 * n * d;
  return {
    method: 'tendency',
    hint: 'take fewer samples (--samples)',
    // Dissimilarities are not worked out by the kernels: pairs take thousands of times as long.
    parts: [{ title: name, memory, work: (points ? 1 : 2000) * n * n * d }],
  };
}

/** What of the options cannot be worked out without all rows at once. */
const needsRows = ({ core, missing, thin, stabilitySubsets }: FileOptions): string | null =>
  core ? '--core' : missing ? '--missing' : thin ? '--thin' : stabilitySubsets ? '--stability' : null;

/** Samples: rows, or what a condensed matrix stands for. */
function rowCount([n, d]: readonly [number, number], metric: TendencyMetric): number {
  const condensed = Math.round((1 + Math.sqrt(1 + 8 * n)) / 2);
  return metric === 'precomputed' && d === 1 && (condensed * (condensed - 1)) / 2 === n ? condensed : n;
}
