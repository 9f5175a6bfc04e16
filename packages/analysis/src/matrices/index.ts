import { EpochscopeError, formatBytes, guard, METRICS, type Metric } from '@epochscope/core-wasm';
import { vatPointsBytes } from '@epochscope/core-wasm/jobs';
import type { JobOptions } from '../engine/types.js';
import { DTYPE_BYTES, toFloat64 } from '../formats/dtypes.js';
import type { ByteSource, DType, TensorData } from '../formats/types.js';
import type { TendencyInput } from '../methods/tendency/analyse.js';
import type { TendencyMetric } from '../methods/tendency/space.js';
import { openArray } from './arrays.js';
import { rolesOf, some } from './columns.js';
import { compareRows, readDissimilarities } from './dissimilarities.js';
import { opened } from './gzipped.js';
import { type Labels, labelsFrom } from './labels.js';
import { looksPrecomputed } from './looks.js';
import { readPoints } from './points.js';
import { pieces, type RowChoice, type RowSource, storedRows, tensorRows } from './rows.js';
import { readTable, type TableOptions } from './table.js';

export type { Points } from './conversion.js';
export { compareRows, type Dissimilarities, readDissimilarities } from './dissimilarities.js';
export { type Labels, readLabels, readWholeNumbers } from './labels.js';
export { readPoints } from './points.js';
export type { RowChoice, RowSource } from './rows.js';
export { readTable, type Table, type TableOptions } from './table.js';

/** Numbers that lie row after row in a file, little-endian, without any header. */
export interface RawRows {
  dtype: DType;
  columns: number;
}

export interface MatrixOptions extends TableOptions {
  /** The file is no more than numbers. */
  raw?: RawRows;
  /** Which array of a file that holds several. */
  array?: string;
}

/** A file of rows, opened: numbers are read when they are wanted. */
export interface MatrixFile {
  rows: RowSource;
  /** As the file gives it; rows × columns flattens all axes but the first. */
  shape: readonly number[];
  /** What the columns are called; null where the file does not say. */
  columns: string[] | null;
  /** Per column the texts of its categories; null for numbers. */
  categories: readonly (string[] | null)[];
  names: string[] | null;
  labels: Labels | null;
  predictions: Labels | null;
  /** What was taken, left out and assumed; the first sentence says the first. */
  notes: string[];
}

/**
 * Any matrix in a file, told by its content, not its name: .npy, one array of an .npz or safetensors file, a sparse matrix of SciPy's,
 * or a table as text; each also gzipped. Arrays are read by rows, so that of a file of any size only what is wanted is read. Throws
 * `format`, `unsupported` naming the conversion for files of other tools, `missing`, `argument`, `memory`.
 */
export async function openMatrix(source: ByteSource, options: MatrixOptions = {}): Promise<MatrixFile> {
  guard(source.size > 0, 'format', () => `${source.name} is empty`, { file: source.name });
  if (options.raw) return rawFile(source, options.raw);
  const { file, kind } = await opened(source);
  if (kind === 'text' || kind === 'gzip') {
    guard(
      options.array === undefined,
      'argument',
      () => `${file.name} is a table and holds no array ${options.array}`,
    );
    const table = await readTable(file, options);
    const { data, shape, columns, categories, names, notes } = table;
    const labels = table.labels && labelsFrom(table.labels, file.name);
    return {
      rows: tensorRows({ data, shape, dtype: 'float64' }, file.name, {
        row: (row) => names?.[row],
        column: (c) => columns?.[c],
      }),
      shape,
      columns,
      categories,
      names,
      labels,
      predictions: table.predictions && labelsFrom(table.predictions, file.name, labels?.classes),
      notes,
    };
  }
  const meant = (['header', 'delimiter', 'decimal'] as const).find((name) => options[name] !== undefined);
  guard(
    meant === undefined,
    'argument',
    () => `${file.name} is an array: ${meant} is an option of tables in text`,
    { file: file.name },
  );
  return arrayFile(file, kind, options);
}

function rawFile(source: ByteSource, { dtype, columns }: RawRows): MatrixFile {
  const bytes = columns * DTYPE_BYTES[dtype];
  const n = source.size / bytes;
  guard(
    Number.isInteger(n),
    'shape',
    () =>
      `${source.name}: ${source.size} bytes are no whole number of rows of ${columns} × ${dtype} (${bytes} bytes)`,
    { file: source.name, got: source.size, expected: bytes },
  );
  const shape = [n, columns];
  return {
    rows: storedRows(source, { shape, dtype, begin: 0 }, source.name),
    shape,
    columns: null,
    categories: Array.from({ length: columns }, () => null),
    names: null,
    labels: null,
    predictions: null,
    notes: [`${n} samples × ${columns} columns of ${dtype}, as bytes without a header`],
  };
}

/** Columns of an array without rows. */
const MAX_EMPTY_COLUMNS = 1_000_000;

async function arrayFile(
  file: ByteSource,
  kind: 'npy' | 'zip' | 'safetensors',
  options: MatrixOptions,
): Promise<MatrixFile> {
  const { rows, shape, notes } = await openArray(file, kind, options.array);
  const [n, d] = rows.shape;
  guard(d > 0, 'shape', () => `${file.name}: ${n} rows have no columns: there is nothing to compare`, {
    file: file.name,
  });
  // Rows lie in the file, columns of none need not.
  guard(
    n > 0 || d <= MAX_EMPTY_COLUMNS,
    'shape',
    () =>
      `${file.name}: expected at most ${MAX_EMPTY_COLUMNS} columns in an array without rows, got shape [${shape.join(', ')}]`,
    { file: file.name, got: d, expected: MAX_EMPTY_COLUMNS },
  );
  const { roles } = rolesOf(null, d, options, file.name);
  const kept = roles.flatMap((role, c) => (role === 'number' ? [c] : []));
  const column = async (role: string): Promise<TensorData | null> => {
    const c = roles.indexOf(role as 'labels');
    if (c < 0) return null;
    const out = new Float64Array(n);
    for await (const { data, at, rows: count } of pieces(rows, null)) {
      const values = toFloat64(data);
      for (let r = 0; r < count; r++) out[at + r] = values[r * d + c]!;
    }
    return out;
  };
  const [labels, predictions, names] = [
    await column('labels'),
    await column('predictions'),
    await column('names'),
  ];
  const known = labels && labelsFrom(labels, file.name);
  const left = roles.flatMap((role, c) => (role === 'number' ? [] : [`${c + 1} (${role})`]));
  return {
    rows: kept.length === d ? rows : someColumns(rows, kept),
    shape: kept.length === d ? shape : [n, kept.length],
    columns: null,
    categories: kept.map(() => null),
    names: names && Array.from(names as Float64Array, String),
    labels: known,
    predictions: predictions && labelsFrom(predictions, file.name, known?.classes),
    notes: [
      `${n} ${n === 1 ? 'sample' : 'samples'} × ${kept.length} ${kept.length === 1 ? 'column' : 'columns'} of ${rows.dtype}${shape.length > 2 ? `, of shape ${shape.join(' × ')}` : ''}${left.length ? `; not compared: column ${some(left)}` : ''}`,
      ...notes,
    ],
  };
}

/** Some columns of rows. */
function someColumns(source: RowSource, kept: readonly number[]): RowSource {
  const d = source.shape[1];
  return {
    ...source,
    shape: [source.shape[0], kept.length],
    called: { ...source.called, column: (c) => `${kept[c]! + 1}` },
    async rows(from, to) {
      const data = await source.rows(from, to);
      const out = new (data.constructor as new (length: number) => TensorData)((to - from) * kept.length);
      for (let r = 0, i = 0; r < to - from; r++)
        for (const c of kept) (out as Float64Array)[i++] = (data as Float64Array)[r * d + c]!;
      return out;
    },
  };
}

/** 4 GiB less a page: the end of 32-bit WebAssembly. */
const WASM_END = 65535 * 65536;

export interface InputOptions extends JobOptions {
  metric: TendencyMetric;
  /** Missing values (NaN) are left out pair by pair. */
  missing?: boolean;
  chosen: RowChoice;
}

/**
 * What `analyseTendency` takes of a file's rows: points for the kernels where they can compare them, dissimilarities where they cannot
 * (jaccard, hamming, gower, precomputed, missing values). What cannot fit is refused before any row is read. Throws `memory`,
 * `not-finite`, `format`, `cancelled`.
 */
export async function readInput(
  { rows, categories }: MatrixFile,
  { metric, missing = false, chosen, ...job }: InputOptions,
): Promise<Pick<TendencyInput, 'outputs' | 'space' | 'dimensions'> & { notes: string[] }> {
  const [all, d] = rows.shape;
  const n = chosen?.length ?? all;
  if (metric === 'precomputed') {
    const { matrix, space, notes } = await readDissimilarities(rows, chosen);
    return { outputs: matrix, space, notes };
  }
  const kernel = METRICS.includes(metric as Metric);
  if (kernel && !missing) {
    const needed = vatPointsBytes(n, d);
    if (needed > WASM_END || 4 * n * d > WASM_END) {
      let [fits, over] = [0, n];
      while (over - fits > 1) {
        const middle = Math.floor((fits + over) / 2);
        if (vatPointsBytes(middle, d) <= WASM_END) fits = middle;
        else over = middle;
      }
      throw new EpochscopeError(
        'memory',
        `${rows.name}: VAT of ${n} × ${d} points needs ${formatBytes(needed)}, at most ${formatBytes(WASM_END)} fit; take fewer rows: \`samples: ${roundDown(fits)}\``,
        { needed, limit: WASM_END, fits },
      );
    }
    const notes = await looksPrecomputed(rows);
    const { outputs, space, notes: more } = await readPoints(rows, chosen, metric as Metric);
    return { outputs, space, dimensions: d, notes: [...notes, ...more] };
  }
  const { matrix, space } = await compareRows(rows, chosen, { metric, categories }, job);
  return {
    outputs: matrix,
    space,
    dimensions: d,
    notes: missing
      ? [
          kernel
            ? 'missing values are left out pair by pair; sums are scaled up to all columns'
            : 'missing values are left out pair by pair',
        ]
      : [],
  };
}

/** Two digits that count. */
const roundDown = (x: number): number => {
  const digit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, x))) - 1);
  return Math.floor(x / digit) * digit;
};
