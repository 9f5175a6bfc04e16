import {
  type CallContext,
  type Engine,
  openFile,
  type TendencyOfFileOptions,
  tendencyOfFile,
} from '@epochscope/analysis';
import { openMatrix, readNpzDirectory, readSafetensorsHeader } from '@epochscope/analysis/formats';
import type { TendencyMetric } from '@epochscope/analysis/methods';
import type { TendencyResult } from '@epochscope/analysis/results';
import { planWorkflow, tendencyOfFileWorkflow, withRows } from '@epochscope/analysis/workflows';
import type { MatrixFacts, MatrixOptions } from './types.js';

// A file of rows, analysed as `epochscope tendency FILE` does it. The page alone guesses: which column are classes, which array is meant.

/** Texts of a column are classes where at least so many rows share one, in the mean. */
const ROWS_PER_CLASS = 5;

/** What a file holds beside its rows, found once a file. */
interface Looked {
  /** Arrays inside an .npz or a safetensors file. */
  arrays: string[];
  /** Of a table: what its columns are called, those with text, those of them that are classes. */
  columns: string[] | null;
  texts: string[];
  classes: string[];
}
const looked = new WeakMap<File, Promise<Looked>>();

function look(file: File): Promise<Looked> {
  let found = looked.get(file);
  if (!found) looked.set(file, (found = lookInto(file)));
  return found;
}

async function lookInto(file: File): Promise<Looked> {
  const source = await openFile(file);
  const none = { arrays: [], columns: null, texts: [], classes: [] };
  if (/\.npz$/i.test(file.name)) return { ...none, arrays: [...(await readNpzDirectory(source)).keys()] };
  if (/\.safetensors$/i.test(file.name))
    return { ...none, arrays: [...(await readSafetensorsHeader(source)).entries.keys()] };
  if (!/\.(csv|tsv|txt)(\.gz)?$/i.test(file.name)) return none;
  const { columns, categories, rows } = await openMatrix(source, { categories: true });
  const texts = (columns ?? []).filter((_, c) => categories[c]);
  const classes = texts.filter((name) => {
    const count = categories[columns!.indexOf(name)]!.length;
    return count >= 2 && count * ROWS_PER_CLASS <= rows.shape[0];
  });
  return { ...none, columns, texts, classes };
}

/** The options of the workflow, and which array and which labels they mean. */
function meant(
  { arrays, texts, classes, columns: all }: Looked,
  options: MatrixOptions,
): { array: string | null; labels: string | null; own: TendencyOfFileOptions } {
  const { columns, drop, samples, thin } = options;
  const metric = options.metric as TendencyMetric;
  const array = options.array ?? (arrays.length > 1 ? arrays[0]! : null);
  const labels = (all ? (options.labels ?? classes.at(-1)) : options.labels) || null;
  // Gower and its like compare text too.
  const left = ['jaccard', 'hamming', 'gower'].includes(metric)
    ? []
    : texts.filter((name) => name !== labels);
  const dropped = columns.length ? drop : [...drop, ...left];
  return {
    array,
    labels,
    own: {
      metric,
      samples,
      thin: thin.length ? { by: 'size', sizes: thin } : null,
      table: {
        ...(array ? { array } : {}),
        ...(columns.length ? { columns } : {}),
        ...(dropped.length ? { drop: dropped } : {}),
      },
      ...(labels ? { labels: { column: labels } } : {}),
    },
  };
}

/** What the file holds, from its head where that is enough. */
export async function matrixFacts(file: File, options: MatrixOptions): Promise<MatrixFacts> {
  const found = await look(file);
  const { array, labels, own } = meant(found, options);
  const { table, labels: place, ...rest } = own;
  return withRows(file, { table, labels: place, metric: own.metric }, async (rows) => {
    const { parts } = await planWorkflow(tendencyOfFileWorkflow, rows, { ...rest, thin: null });
    return {
      name: file.name,
      rows: rows.matrix.rows.shape[0],
      columns: rows.matrix.rows.shape[1],
      allColumns: found.columns,
      labels,
      arrays: found.arrays,
      array,
      memory: parts[0]!.memory,
      notes: rows.matrix.notes,
    };
  });
}

/** VAT and iVAT of its rows: the result that the command line writes for the same file and options, but for the seconds. */
export async function analyseMatrix(
  file: File,
  options: MatrixOptions,
  engine: Engine,
  { signal, tell }: CallContext,
): Promise<TendencyResult> {
  return tendencyOfFile(file, meant(await look(file), options).own, {
    engine,
    signal,
    onProgress: ({ share, stage, secondsLeft }) =>
      tell({ progress: { share, stage, title: file.name, secondsLeft } }),
  });
}
