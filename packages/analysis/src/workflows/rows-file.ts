import { METRICS, type Metric } from '@epochscope/core-wasm';
import { vatPointsBytes } from '@epochscope/core-wasm/jobs';
import { DTYPE_BYTES } from '../formats/dtypes.js';
import type { DType, TensorData } from '../formats/types.js';
import { rowsOfCondensed } from '../matrices/dissimilarities.js';
import {
  type Labels,
  type MatrixFile,
  type MatrixOptions,
  openMatrix,
  type RowSource,
  readInput,
  readLabels,
} from '../matrices/index.js';
import { stackedRows } from '../matrices/rows.js';
import type { TendencyInput, TendencyMetric } from '../methods/tendency/index.js';
import type { FileIdentity, ResultBase } from '../results/types.js';
import { type FilePlace, openFile } from '../stores/file.js';
import { type HashedFile, hashed } from '../stores/identity.js';
import { type ArrayPlace, openArrayFile, withArrayFile } from './array-file.js';
import { sha256 } from './keys.js';
import type { WorkflowOptions } from './run.js';
import { type Chosen, chosenSamples, pick } from './select.js';

/** A file of rows, points or dissimilarities; or several whose rows stand one under the other, under one name. */
export type RowsPlace = ArrayPlace | { name: string; files: readonly FilePlace[] };

/** One label a row: a file of them, or a column of the rows' own file by its name or number. */
export type LabelsPlace = ArrayPlace | { column: string };

/** How a file of rows is read. */
export interface RowsOptions {
  /** Decides whether texts are compared (jaccard, hamming, gower), and what a row is (precomputed). Default euclidean. */
  metric?: TendencyMetric;
  /** Missing values become NaN, to be left out pair by pair; otherwise they are refused. */
  missing?: boolean;
  /** Columns, header, delimiter, … of a table; which array of several; numbers without a header. */
  table?: Omit<MatrixOptions, 'labels' | 'predictions' | 'missing' | 'categories'>;
  labels?: LabelsPlace;
  predictions?: LabelsPlace;
}

/** What tells a file's state without reading it: size, time or ETag, hash of its head. */
export interface FileState {
  size: number;
  stamp: string | null;
  head: string;
}

/** A file of rows while it is open: what workflows on files work on. */
export interface RowsFile {
  /** As it was given: path, address, name; ":array" after it. */
  readonly source: string;
  /** Of its layer and its snapshot: the file's name and array, without endings. */
  readonly name: string;
  /** Samples: rows, or what a condensed matrix stands for. */
  readonly count: number;
  /** With labels and predictions from wherever they lie. */
  readonly matrix: MatrixFile;
  /** For keys: which state of the files lies there, told without reading them, and what was taken of them. */
  readonly state: { readonly files: readonly FileState[]; readonly [more: string]: unknown };
  /** What was read for the method: `readInput`, or from elsewhere. */
  input: (options: Parameters<typeof readInput>[1]) => ReturnType<typeof readInput>;
  /** Which state of each file was read, by its name, once it was. */
  identities: () => Record<string, FileIdentity>;
}

const ENDINGS = /(?:\.(?:npy|npz|csv|tsv|txt|safetensors|gz))+(?=-|$)/i;
/** Headers stand there. */
const HEAD = 4096;

const lastOf = (path: string) => path.split(/[/\\]/).filter(Boolean).at(-1) ?? path;

function namesOf(place: RowsPlace, array: string | undefined): Pick<RowsFile, 'source' | 'name'> {
  const whole = (() => {
    if (typeof place === 'string') return place;
    if (place instanceof URL) return String(place);
    if (place instanceof Blob) return (place as Partial<File>).name ?? 'file';
    return 'files' in place ? place.name : place.file.name;
  })();
  const tail = array === undefined ? '' : `:${array}`;
  const file = tail && whole.endsWith(tail) ? whole.slice(0, -tail.length) : whole;
  const stem = `${lastOf(file)}${array === undefined ? '' : `-${array}`}`
    .replaceAll(/[/\\]/g, '_')
    .replaceAll('*', 'all');
  return { source: `${file}${tail}`, name: stem.replace(ENDINGS, '') };
}

/** Opens a file of rows, uses and closes it. Throws as `openMatrix` and `readLabels`, `missing`, `io`, and what `body` throws. */
export async function withRows<T>(
  place: RowsPlace,
  { metric = 'euclidean', missing, table = {}, labels, predictions }: RowsOptions,
  body: (rows: RowsFile) => Promise<T>,
): Promise<T> {
  const open: HashedFile[] = [];
  try {
    const options: MatrixOptions = {
      ...table,
      missing,
      labels: columnOf(labels),
      predictions: columnOf(predictions),
      categories: ['jaccard', 'hamming', 'gower'].includes(metric),
      dissimilarities: metric === 'precomputed',
    };
    const { matrix, array, files } = await opened(place, options, open);
    const [n, d] = matrix.rows.shape;
    const count = (metric === 'precomputed' && d === 1 && rowsOfCondensed(n)) || n;
    const known = matrix.labels ?? (await labelsAt(labels, count));
    const predicted = matrix.predictions ?? (await labelsAt(predictions, count, known?.classes));
    const states: FileState[] = [];
    for (const { size, stamp, peek } of open)
      states.push({ size, stamp, head: sha256(await peek(0, Math.min(HEAD, size))) });
    let read: Record<string, FileIdentity> | undefined;
    return await body({
      ...namesOf(place, array),
      count,
      matrix: { ...matrix, labels: known, predictions: predicted },
      state: { files: states, options, labels: hashOf(known), predictions: hashOf(predicted) },
      input: (how) => readInput({ ...matrix, rows: heldRows(matrix.rows) }, how),
      // A hash can be asked for once.
      identities: () =>
        (read ??= Object.fromEntries(open.map((file, i) => [files[i]!, file.identity()] as const))),
    });
  } finally {
    for (const file of open) await file.close();
  }
}

const isHeld = (dtype: DType) => dtype !== 'float32' && DTYPE_BYTES[dtype] >= 4;

/**
 * Rows that are read once, whatever looks at them how often: wide numbers are looked through before they are narrowed. What is held is
 * gone before the kernels take as much.
 */
function heldRows(source: RowSource): RowSource {
  if (!isHeld(source.dtype)) return source;
  const held = new Map<string, Promise<TensorData>>();
  return {
    ...source,
    rows(from, to) {
      const key = `${from} ${to}`;
      let read = held.get(key);
      if (!read) held.set(key, (read = source.rows(from, to)));
      return read;
    },
  };
}

const columnOf = (place: LabelsPlace | undefined) =>
  typeof place === 'object' && 'column' in place ? place.column : undefined;

const labelsAt = async (
  place: LabelsPlace | undefined,
  rows: number,
  known?: readonly string[] | null,
): Promise<Labels | null> =>
  place === undefined || (typeof place === 'object' && 'column' in place)
    ? null
    : withArrayFile(place, (source, array) => readLabels(source, array, rows, known));

const hashOf = (labels: Labels | null) => labels && sha256(labels.codes, JSON.stringify(labels.classes));

async function opened(
  place: RowsPlace,
  options: MatrixOptions,
  open: HashedFile[],
): Promise<{ matrix: MatrixFile; array: string | undefined; files: string[] }> {
  if (typeof place !== 'object' || !('files' in place)) {
    const { file, array = options.array } = await openArrayFile(place);
    open.push(file);
    return {
      matrix: await openMatrix(file, { ...options, array }),
      array,
      files: [lastOf(namesOf(place, array).source)],
    };
  }
  const matrices: MatrixFile[] = [];
  const names: string[] = [];
  for (const one of place.files) {
    const file = hashed(await openFile(one));
    open.push(file);
    names.push(lastOf(file.name));
    matrices.push(await openMatrix(file, options));
  }
  const rows = stackedRows(
    matrices.map((matrix) => matrix.rows),
    place.name,
  );
  const [n, d] = rows.shape;
  const [first] = matrices;
  const matrix: MatrixFile = {
    ...first!,
    rows,
    shape: [n, ...first!.shape.slice(1)],
    names: null,
    labels: null,
    predictions: null,
    notes: [
      `${n} samples × ${d} columns of ${rows.dtype}, from ${names.length} files: ${names[0]} … ${names.at(-1)}`,
    ],
  };
  return { matrix, array: undefined, files: names };
}

/** The same function of notes, with the file's name before what it was taken for. */
export const notesOf =
  ({ source, matrix }: RowsFile, onNote: ((text: string) => void) | undefined) =>
  (text: string): void =>
    onNote?.(text === matrix.notes[0] ? `${source}: ${text}` : text);

/** What a method takes of a file, and what its result says of it. */
export interface InputOfRows {
  input: TendencyInput;
  about: {
    input: ResultBase['input'];
    samples: {
      count: number;
      labels: Uint32Array | null;
      classes: string[] | null;
      images: null;
      names?: readonly string[];
      indices?: Uint32Array;
    };
    notes: string[];
  };
}

/** Reads what a method takes of a file's rows. Throws as `readInput`, `argument` for samples that are not there. */
export async function inputOfRows(
  rows: RowsFile,
  {
    metric,
    missing,
    samples,
    named = rows.name,
  }: {
    metric: TendencyMetric;
    missing?: boolean;
    samples: number | readonly number[] | null;
    named?: string;
  },
  how: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<InputOfRows> {
  const { matrix, count } = rows;
  const chosen = chosenSamples(samples, count);
  const { notes, ...read } = await rows.input({ metric, missing, chosen, ...how });
  const labels = pick(matrix.labels?.codes ?? null, chosen);
  return {
    input: {
      ...read,
      snapshot: { id: named, epoch: null, step: null },
      layer: named,
      labels,
      predictions: pick(matrix.predictions?.codes ?? null, chosen),
      logLikelihood: null,
    },
    about: {
      input: { source: rows.source, files: rows.identities() },
      samples: samplesOfRows(rows, chosen),
      notes,
    },
  };
}

/** The same for `difference` and `path`, whose layer and snapshot keep the file's ending: says what was read, and how far it is. */
export async function readForMethod(
  rows: RowsFile,
  options: { metric: TendencyMetric; missing?: boolean; samples: number | readonly number[] | null },
  { signal, onNote, onProgress }: Pick<WorkflowOptions, 'signal' | 'onNote' | 'onProgress'>,
): Promise<InputOfRows> {
  const say = notesOf(rows, onNote);
  const { notes } = rows.matrix;
  for (const note of notes) say(note);
  const { input, about } = await inputOfRows(
    rows,
    { ...options, named: lastOf(rows.source) },
    {
      signal,
      onProgress: (done, total) => {
        const share = done / (total || 1);
        onProgress?.({
          share: 0,
          stage: `Reading ${lastOf(rows.source)}`,
          title: '',
          stageShare: share,
          secondsLeft: null,
        });
      },
    },
  );
  for (const note of about.notes) say(note);
  return { input, about: { ...about, notes: [...notes, ...about.notes] } };
}

/** What a result says of the samples of a file. */
export function samplesOfRows({ matrix, count }: RowsFile, chosen: Chosen): InputOfRows['about']['samples'] {
  const { names, labels, predictions } = matrix;
  return {
    count: chosen?.length ?? count,
    labels: pick(labels?.codes ?? null, chosen),
    classes: labels?.classes ?? predictions?.classes ?? null,
    images: null,
    ...(names ? { names: chosen ? Array.from(chosen, (row) => names[row]!) : names } : {}),
    ...(chosen ? { indices: chosen } : {}),
  };
}

/** Of a file that are read at once. */
const BLOCK_BYTES = 2 ** 26;
/** Pairs of rows that the kernels do not compare take thousands of times as long. */
const SLOW_PAIRS = 2000;

/** What a tree over a file's rows takes: bytes beside the program, those that are held afterwards, and units of work as a plan counts them. */
export function treeNeeds(
  { matrix, count }: RowsFile,
  {
    samples = null,
    core = null,
    ...how
  }: {
    metric: TendencyMetric;
    missing?: boolean;
    samples?: number | readonly number[] | null;
    core?: number | null;
  },
): { bytes: number; held: number; work: number } {
  const { dtype, shape } = matrix.rows;
  const [all, d] = shape;
  const n = chosenSamples(samples, count)?.length ?? count;
  return comparesPoints(how)
    ? {
        bytes:
          vatPointsBytes(n, d, 1, core ?? 0) +
          (isHeld(dtype) ? 16 : 8) * n * d +
          Math.min(8 * all * d, BLOCK_BYTES),
        held: 4 * n * d,
        work: n * n * d,
      }
    : { bytes: 12 * n * n + 8 * n * d, held: 4 * n * n, work: SLOW_PAIRS * n * n * d };
}

/** Whether the kernels compare the rows themselves; else their dissimilarities are worked out first. */
export const comparesPoints = ({ metric, missing }: { metric: TendencyMetric; missing?: boolean }): boolean =>
  METRICS.includes(metric as Metric) && !missing;
