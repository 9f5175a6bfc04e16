import type { Engine } from '@epochscope/analysis';
import {
  openMatrix,
  readInput,
  readNpzDirectory,
  readSafetensorsHeader,
  type MatrixOptions as TableOptions,
} from '@epochscope/analysis/formats';
import type { TendencyMetric } from '@epochscope/analysis/methods';
import type { TendencyResult } from '@epochscope/analysis/results';
import { chosenSamples, pick, tendencyOfInput } from '@epochscope/analysis/workflows';
import { vatPointsBytes } from '@epochscope/core-wasm/jobs';
import type { Context } from './rpc.js';
import type { MatrixFacts, MatrixOptions } from './types.js';

// A file of rows, analysed as `epochscope tendency FILE` does it.

/** Marks of more samples than this hide each other; the command line has the same bound. */
const MOST_COLOURED = 5000;

/** A dropped file as the readers take it: only what is wanted of it is read. */
const sourceOf = (file: File) => ({
  name: file.name,
  size: file.size,
  stamp: `${file.size}-${file.lastModified}`,
  read: async (offset: number, length: number) =>
    new Uint8Array(await file.slice(offset, offset + length).arrayBuffer()),
});

/** Texts of a column are classes where at least so many rows share one, in the mean. */
const ROWS_PER_CLASS = 5;

interface Roles {
  all: string[] | null;
  labels: string | null;
  /** Columns of text that are not compared. */
  texts: string[];
}

/** Of a table with text in it: which columns are classes, which are left out. Its columns are read as categories once for that. */
async function rolesOf(file: File, options: MatrixOptions): Promise<Roles> {
  if (!/\.(csv|tsv|txt)(\.gz)?$/i.test(file.name))
    return { all: null, labels: options.labels || null, texts: [] };
  const { columns, categories, rows } = await openMatrix(sourceOf(file), { categories: true });
  const texts = (columns ?? []).filter((_, c) => categories[c]);
  const classes = texts.filter((name) => {
    const count = categories[columns!.indexOf(name)]!.length;
    return count >= 2 && count * ROWS_PER_CLASS <= rows.shape[0];
  });
  return { all: columns, labels: options.labels ?? classes.at(-1) ?? null, texts };
}

function tableOf(
  { array, columns, drop }: MatrixOptions,
  { labels, texts }: Roles,
  compared: boolean,
): TableOptions {
  // Gower and its like compare text too.
  const left = compared ? [] : texts.filter((name) => name !== labels);
  return {
    ...(array ? { array } : {}),
    ...(columns.length ? { columns } : {}),
    ...(drop.length || left.length ? { drop: [...drop, ...(columns.length ? [] : left)] } : {}),
    ...(labels ? { labels } : {}),
    ...(compared ? { categories: true } : {}),
  };
}
const comparesText = ({ metric }: MatrixOptions) => ['jaccard', 'hamming', 'gower'].includes(metric);

async function opened(file: File, options: MatrixOptions) {
  const arrays = await arraysIn(file);
  const array = options.array ?? (arrays.length > 1 ? arrays[0]! : null);
  const roles = await rolesOf(file, options);
  const table = tableOf({ ...options, array }, roles, comparesText(options));
  const matrix = await openMatrix(sourceOf(file), table);
  return { arrays, array, roles, matrix };
}

async function arraysIn(file: File): Promise<string[]> {
  const source = sourceOf(file);
  if (/\.npz$/i.test(file.name)) return [...(await readNpzDirectory(source)).keys()];
  if (/\.safetensors$/i.test(file.name)) return [...(await readSafetensorsHeader(source)).entries.keys()];
  return [];
}

/** What the file holds, from its head where that is enough. */
export async function matrixFacts(file: File, options: MatrixOptions): Promise<MatrixFacts> {
  const { arrays, array, roles, matrix } = await opened(file, options);
  const { rows, notes } = matrix;
  return {
    name: file.name,
    rows: rows.shape[0],
    columns: rows.shape[1],
    allColumns: roles.all,
    labels: roles.labels,
    arrays,
    array,
    memory: vatPointsBytes(
      options.samples ? Math.min(options.samples, rows.shape[0]) : rows.shape[0],
      rows.shape[1],
    ),
    notes,
  };
}

/** VAT and iVAT of its rows: the result that the command line writes for the same file and options, but for the seconds. */
export async function analyseMatrix(
  file: File,
  options: MatrixOptions,
  engine: Engine,
  { signal, tell }: Context,
): Promise<TendencyResult> {
  const { array, matrix } = await opened(file, options);
  const notes = [...matrix.notes];
  const count = matrix.rows.shape[0];
  const chosen = chosenSamples(options.samples, count);
  const metric = options.metric as TendencyMetric;
  const progress = (stage: string, share: number, secondsLeft: number | null = null) =>
    tell({ progress: { share, stage, title: file.name, secondsLeft } });
  const begun = performance.now();
  const left = (share: number) => {
    const seconds = (performance.now() - begun) / 1000;
    return share > 0.02 && seconds > 0.5 ? (seconds * (1 - share)) / share : null;
  };
  progress('Reading', 0);
  const { notes: assumed, ...read } = await readInput(matrix, {
    metric,
    chosen,
    signal,
    onProgress: (done, total) => progress('Reading', (0.1 * done) / (total || 1)),
  });
  notes.push(...assumed);
  const name =
    file.name.replace(/(?:\.(?:npy|npz|csv|tsv|txt|safetensors|gz))+$/i, '') + (array ? `-${array}` : '');
  const { labels, predictions, names } = matrix;
  const thin = options.thin.length ? { by: 'size' as const, sizes: options.thin } : null;
  return tendencyOfInput(
    {
      ...read,
      snapshot: { id: name, epoch: null, step: null },
      layer: name,
      labels: pick(labels?.codes ?? null, chosen),
      predictions: pick(predictions?.codes ?? null, chosen),
      logLikelihood: null,
    },
    {
      input: { source: file.name, files: {} },
      classes: labels?.classes ?? predictions?.classes ?? null,
      names: names && (chosen ? Array.from(chosen, (row) => names[row]!) : names),
      chosen,
      notes,
    },
    {
      metric,
      name: 'default',
      vatSide: 256,
      seed: 1,
      thin,
      ...(labels && (chosen?.length ?? count) <= MOST_COLOURED && !thin
        ? { marks: [{ rule: 'class' as const }] }
        : {}),
    },
    {
      engine,
      signal,
      onProgress: ({ share, stage }) => progress(stage, 0.1 + 0.9 * share, left(0.1 + 0.9 * share)),
    },
  );
}
