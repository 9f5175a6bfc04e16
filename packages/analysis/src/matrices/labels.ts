import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { readCsvLines } from '../formats/csv.js';
import { toFloat64 } from '../formats/dtypes.js';
import { byName } from '../formats/natural.js';
import { readNpy, readNpyTexts } from '../formats/npy.js';
import type { ByteSource, TensorData } from '../formats/types.js';
import { NO_CLASS } from '../methods/tendency/types.js';
import { openArray } from './arrays.js';
import { opened } from './gzipped.js';

/** One class a row: a number, and what the numbers stand for where they are names. */
export interface Labels {
  /** uint32[n]; `NO_CLASS` for noise (−1). */
  codes: Uint32Array;
  /** null: the numbers are the labels. */
  classes: string[] | null;
}

/**
 * Labels from texts or numbers. Whole numbers ≥ 0 stay as they are and −1 means no class, as clusterings write noise; anything else is
 * a name: classes are numbered in the order of the names (numbers by size), or as in `known`. Throws `format` for an empty label.
 */
export function labelsFrom(
  values: readonly string[] | TensorData,
  file: string,
  known?: readonly string[] | null,
): Labels {
  const count = values.length;
  const numbers = new Float64Array(count);
  let plain = !known;
  let numeric = true;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    guard(
      value !== '' && !Number.isNaN(value),
      'format',
      () =>
        `${file}: expected a label for row ${i} (from 0), got ${value === '' ? 'nothing' : value}; −1 means no class`,
      { file, row: i },
    );
    const text = typeof value === 'string' ? value.replace('\u2212', '-') : value;
    numbers[i] = Number(text);
    numeric &&= Number.isFinite(numbers[i]!);
    plain &&= Number.isInteger(numbers[i]!) && numbers[i]! >= -1 && numbers[i]! < NO_CLASS;
  }
  const codes = new Uint32Array(count);
  if (plain) {
    for (let i = 0; i < count; i++) codes[i] = numbers[i] === -1 ? NO_CLASS : numbers[i]!;
    return { codes, classes: null };
  }
  const isNoise = (i: number) => numbers[i] === -1;
  const nameOf = (i: number) => (numeric ? String(numbers[i]) : String(values[i]));
  const names = new Set<string>();
  for (let i = 0; i < count; i++) if (!isNoise(i)) names.add(nameOf(i));
  const classes = known
    ? [...new Set([...known, ...names])]
    : [...names].sort(numeric ? (a, b) => Number(a) - Number(b) : byName);
  const place = new Map(classes.map((name, c) => [name, c]));
  for (let i = 0; i < count; i++) codes[i] = isNoise(i) ? NO_CLASS : place.get(nameOf(i))!;
  return { codes, classes };
}

/**
 * One label a row of a file: a list of numbers or texts (.npy), one array of an .npz or safetensors file, or a text of one column, with
 * a header where it has `rows` + 1 lines, and row names before it where its header says so. Throws `shape` where it has not `rows` of them.
 */
export async function readLabels(
  source: ByteSource,
  wanted: string | undefined,
  rows: number,
  known?: readonly string[] | null,
): Promise<Labels> {
  const { file, kind } = await opened(source);
  const values = kind === 'text' || kind === 'gzip' ? await columnOf(file, rows) : await listOf();
  guard(
    values.length === rows,
    'shape',
    () => `${source.name}: expected one label for each of ${rows} rows, got ${values.length}`,
    { file: source.name, expected: rows, got: values.length },
  );
  return labelsFrom(values, source.name, known);

  async function listOf(): Promise<string[] | TensorData> {
    if (kind === 'npy') {
      const texts = await readNpyTexts(file);
      if (texts) return texts;
    }
    const { rows: list, shape } = await openArray(file, kind, wanted);
    guard(
      shape.length === 1 || (shape.length === 2 && shape[1] === 1),
      'shape',
      () => `${source.name}: expected one label a row, got shape [${shape}]`,
      { file: source.name },
    );
    return list.rows(0, shape[0]!);
  }
}

async function columnOf(source: ByteSource, rows: number): Promise<string[]> {
  const lines: string[][] = [];
  for await (const { fields, line } of readCsvLines(source, undefined, false)) {
    lines.push(fields);
    if (lines.length > rows + 1)
      throw new EpochscopeError(
        'shape',
        `${source.name}: expected one label for each of ${rows} rows, got more (line ${line})`,
        { file: source.name, expected: rows },
      );
  }
  const width = lines[0]?.length ?? 1;
  const header = lines.length === rows + 1;
  const named = width === 2 && header && /^(?:|unnamed: 0|id|index|row[ _.]?names?)$/i.test(lines[0]![0]!);
  guard(
    lines.every((fields) => fields.length === width) && (width === 1 || named),
    'shape',
    () => `${source.name}: expected one label a row, got ${width} columns`,
    { file: source.name },
  );
  return lines.slice(header ? 1 : 0).map((fields) => fields[width - 1]!);
}

/** Integers ≥ 0 of a file, one a row: sample numbers. Throws `format`. */
export async function readWholeNumbers(source: ByteSource, wanted?: string): Promise<Uint32Array> {
  const { file, kind } = await opened(source);
  let values: Float64Array;
  if (kind === 'text' || kind === 'gzip') {
    const list: number[] = [];
    for await (const { fields, line } of readCsvLines(file, undefined, false)) {
      guard(
        fields.length === 1 && /^\d{1,10}$/.test(fields[0]!),
        'format',
        () => `${source.name}: line ${line}: expected one whole number a line`,
        { file: source.name, line },
      );
      list.push(Number(fields[0]));
    }
    values = Float64Array.from(list);
  } else if (kind === 'npy') values = toFloat64((await readNpy(file)).data);
  else {
    const { rows } = await openArray(file, kind, wanted);
    values = toFloat64(await rows.rows(0, rows.shape[0]));
  }
  const out = new Uint32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    guard(
      Number.isInteger(values[i]) && values[i]! >= 0 && values[i]! < 2 ** 32,
      'format',
      () => `${source.name}: row ${i}: expected a whole number ≥ 0, got ${values[i]}`,
      { file: source.name, row: i },
    );
    out[i] = values[i]!;
  }
  return out;
}
