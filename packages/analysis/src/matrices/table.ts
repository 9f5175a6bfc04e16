import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { budgetOf } from '../formats/budget.js';
import { type CsvDelimiter, type CsvLine, readCsvLines } from '../formats/csv.js';
import type { ByteSource } from '../formats/types.js';
import { type ColumnChoice, rolesOf, some } from './columns.js';
import { isGrouped, isMissing, looksLikeValue, numberOf, truthOf } from './fields.js';

export interface TableOptions extends ColumnChoice {
  /** Whether the first line names the columns; by default it does if every field of it is a name (the first may be empty). */
  header?: boolean;
  delimiter?: CsvDelimiter;
  /** The decimal mark; default ".". */
  decimal?: '.' | ',';
  /** Missing values become NaN; otherwise they are refused. */
  missing?: boolean;
  /** The rows are dissimilarities: no gap is left out, and no column counts rows. */
  dissimilarities?: boolean;
  /** Columns with text become categories: numbers 0, 1, … in the order of first appearance. Otherwise text is refused. */
  categories?: boolean;
}

/** A table of numbers, with what its other columns say of the rows. */
export interface Table {
  /** float64[n × d]. */
  data: Float64Array;
  shape: [rows: number, columns: number];
  /** What the columns are called; null without a header. */
  columns: string[] | null;
  /** Per column the texts of its categories; null for numbers. */
  categories: (string[] | null)[];
  /** One per row, where a column was taken for them. */
  names: string[] | null;
  labels: string[] | null;
  predictions: string[] | null;
  /** Whether values are missing (NaN). */
  missing: number;
  /** What was taken, and what looks odd: the first sentence says the first. */
  notes: string[];
}

/** What a text of a field takes beside its characters. */
const TEXT_BYTES = 16;
/** Between lines of more fields others get their turn: splitting one takes a while. */
const WIDE = 10_000;
/** Lines looked at before it is decided whether the first names the columns. */
const AHEAD = 50;

/**
 * The numbers of a delimited text (`readCsvLines`), by rules one can foretell:
 *
 * - The first line names the columns if every field of it is a name: a text that is no number, nor a missing, infinite or decorated one
 *   (NA, inf, "1,500", $5, 15%). It may have an empty first field (pandas, R) or one field less than the others (R's write.table). A
 *   first line that counts three columns or more from 0 (0,1,2,…) may be names or numbers and is refused until it is said which; one
 *   that counts otherwise (0,1 or 1,2,3,…) is a sample, and that is said.
 * - The first column names the rows if its header is empty, missing, or one such as id, index, Unnamed: 0.
 * - Every other column must hold numbers, or true and false (1 and 0), unless a role is given to it.
 *
 * Throws `format` with line and column (from 1) and the way out, `missing` and `argument` for columns that are not there. Linear time; 8
 * bytes a number, twice while it grows.
 */
export async function readTable(source: ByteSource, options: TableOptions = {}): Promise<Table> {
  const comma = options.decimal === ',';
  const lines = readCsvLines(source, options.delimiter, comma);
  const ahead: (CsvLine & { about: { delimiter: CsvDelimiter; comments: number } })[] = [];
  for await (const line of { [Symbol.asyncIterator]: () => ({ next: () => lines.next() }) }) {
    ahead.push(line);
    if (ahead.length === AHEAD) break;
  }
  const first = ahead[0];
  guard(first, 'format', () => `${source.name}: expected lines of numbers, got none`, { file: source.name });
  const { about } = first;
  const budget = budgetOf(source);
  await budget.rest();
  const header = headerOf(ahead, options, source.name, comma);
  const width = header?.length ?? first.fields.length;
  await budget.rest();
  const { roles, titles, indexGuessed } = rolesOf(header, width, options, source.name);
  const kept = roles.flatMap((role, c) => (role === 'number' ? [c] : []));

  let data = new Float64Array(1024);
  budget.take(8 * data.length, 'the table');
  let filled = 0;
  let missing = 0;
  let imprecise = 0;
  let truths = 0;
  let allWhole = true;
  const counting = kept.map(() => true);
  const texts: Partial<Record<'names' | 'labels' | 'predictions', string[]>> = {};
  for (const role of ['names', 'labels', 'predictions'] as const) if (roles.includes(role)) texts[role] = [];
  const asText = roles.flatMap((role, c) => (role in texts ? [c] : []));
  const fields: string[][] = options.categories ? kept.map(() => []) : [];
  let rows = 0;

  const take = ({ line, fields: row }: CsvLine): void => {
    const fail = (message: string, column?: number): never => {
      throw new EpochscopeError(
        'format',
        `${source.name}: line ${line}${column === undefined ? '' : `, column ${column}${header?.[column - 1] ? ` (${header[column - 1]})` : ''}`}: ${message}`,
        { file: source.name, line, column },
      );
    };
    if (row.length !== width)
      fail(
        `expected ${width} fields as in the first line, got ${row.length}${row.length === width + 1 && row[width] === '' ? '; is there a separator too many at the end of lines?' : ''}`,
      );
    if (filled + kept.length > data.length) {
      const length = Math.max(2 * data.length, filled + kept.length);
      // Both are held while one is copied.
      budget.take(8 * length, 'the table');
      const larger = new Float64Array(length);
      larger.set(data);
      budget.free(8 * data.length);
      data = larger;
    }
    for (const c of asText) {
      texts[roles[c] as 'names']!.push(row[c]!);
      budget.take(TEXT_BYTES + row[c]!.length, 'the texts of the table');
    }
    for (let k = 0; k < kept.length; k++) {
      const c = kept[k]!;
      const field = row[c]!;
      let value = numberOf(field, comma);
      if (!Number.isFinite(value)) {
        const truth = truthOf(field);
        if (truth !== null) {
          truths++;
          value = truth;
        } else if (options.missing && isMissing(field)) {
          missing++;
          value = Number.NaN;
        } else if (!options.categories || looksLikeValue(field))
          fail(refusal(field, titles, c, options, header === null && rows === 0), c + 1);
      } else if (field.length > 15 && /^[+-]?\d+$/.test(field) && BigInt(field) !== BigInt(value))
        imprecise++;
      if (counting[k] && value !== rows && value !== rows + 1) counting[k] = false;
      allWhole &&= /^\d+$/.test(field);
      data[filled++] = value;
      if (options.categories) {
        fields[k]!.push(field);
        budget.take(TEXT_BYTES + field.length, 'the texts of the table');
      }
    }
    rows++;
  };
  for (const line of header ? ahead.slice(1) : ahead) {
    await budget.rest();
    take(line);
  }
  for await (const line of lines) {
    if (width > WIDE) await budget.rest();
    take(line);
  }
  await budget.rest();

  guard(
    rows > 0,
    'format',
    () =>
      `${source.name}: expected lines of numbers, got none but line ${first.line}, taken for names of columns; \`header: false\` takes it as a sample`,
    { file: source.name },
  );

  const d = kept.length;
  const categories = kept.map(() => null as string[] | null);
  fields.forEach((column, k) => {
    categories[k] = categoriesOf(column, data, k, d, comma, options.missing ?? false);
  });
  if (indexGuessed && texts.names && titles[0] !== '1' && new Set(texts.names).size < texts.names.length)
    throw new EpochscopeError(
      'format',
      `${source.name}: column 1, ${titles[0]}, is called as row names are but repeats itself: give \`index: ${wordOf(titles, 0)}\` for row names all the same, or \`index: none\` for a column of numbers`,
      { file: source.name, column: 1 },
    );

  const named = (role: string) => roles.flatMap((r, c) => (r === role ? [titles[c]!] : []));
  const said = [
    `${rows} ${rows === 1 ? 'sample' : 'samples'} × ${d} ${d === 1 ? 'column' : 'columns'} ${some(kept.map((c) => shownTitle(titles[c]!)))}`,
    header ? `header line ${first.line}` : 'no header line',
    ...(texts.names
      ? [
          `column ${titles[0] === '1' && named('names')[0] === '1' ? '1 (unnamed)' : named('names')[0]} as row names`,
        ]
      : []),
    ...(texts.labels ? [`column ${named('labels')[0]} as labels`] : []),
    ...(texts.predictions ? [`column ${named('predictions')[0]} as predictions`] : []),
    ...(roles.includes('dropped') ? [`left out: ${some(named('dropped'))}`] : []),
    ...(categories.some(Boolean)
      ? [`categories: ${some(kept.flatMap((c, k) => (categories[k] ? [titles[c]!] : [])))}`]
      : []),
    ...(missing ? [`${missing} missing ${missing === 1 ? 'value' : 'values'}`] : []),
    ...(truths && !categories.some(Boolean) ? ['true and false as 1 and 0'] : []),
    ...(about.comments
      ? [`${about.comments} comment ${about.comments === 1 ? 'line' : 'lines'} passed over`]
      : []),
    `separated by ${DELIMITERS[about.delimiter]}${comma ? ', decimal commas' : ''}`,
  ];
  const notes = [said.join('; ')];
  if (imprecise)
    notes.push(
      `${imprecise} whole numbers have more digits than float64 holds and were rounded: save them as int64 in an .npy file`,
    );
  const unnamed = header ? kept.filter((c) => header[c] === '') : [];
  if (unnamed.length && d > 1)
    notes.push(
      `column ${unnamed.map((c) => c + 1).join(', ')} has no name in the header and is compared like the others; \`drop: ${unnamed[0]! + 1}\` leaves it out`,
    );
  const rowCounters = kept.flatMap((c, k) =>
    counting[k] && rows > 2 && d > 1 && !options.dissimilarities ? [wordOf(titles, c)] : [],
  );
  if (rowCounters.length)
    notes.push(
      `column ${rowCounters.join(', ')} counts the rows and is compared like the others; \`drop: ${rowCounters[0]}\` leaves it out, \`index: ${rowCounters[0]}\` takes it for row names`,
    );
  if (!header && width > 1 && counts(first.fields))
    notes.push(
      'the first line counts the columns and is taken as a sample; if it names them, give `header: true`',
    );
  if (
    !header &&
    d === 2 &&
    width === 2 &&
    allWhole &&
    rows > 0 &&
    about.delimiter === ',' &&
    !options.delimiter
  )
    notes.push('taken as two columns of whole numbers; if the comma is the decimal mark, give `decimal: ,`');
  return {
    data: data.subarray(0, filled),
    shape: [rows, d],
    columns: header ? kept.map((c) => titles[c]!) : null,
    categories,
    names: texts.names ?? null,
    labels: texts.labels ?? null,
    predictions: texts.predictions ?? null,
    missing,
    notes,
  };
}

/** Names with blanks or line ends stand in quotes. */
const shownTitle = (title: string) => (/^[^\s"]+$/.test(title) ? title : JSON.stringify(title));

/** Whether integers rise by one, as columns are counted, or called by their years. */
const counts = (list: readonly string[]) =>
  /^\d{1,9}$/.test(list[0]!) && list.every((field, i) => field === String(Number(list[0]) + i));

const DELIMITERS: Record<CsvDelimiter, string> = {
  ',': 'commas',
  ';': 'semicolons',
  '\t': 'tabs',
  ' ': 'blanks',
  '|': 'bars',
};

/** The names of all columns, the unnamed first one as ""; null without a header. Throws `format` where either could be meant. */
function headerOf(
  ahead: readonly CsvLine[],
  { header }: TableOptions,
  file: string,
  comma: boolean,
): string[] | null {
  const { line, fields } = ahead[0]!;
  if (header === false) return null;
  const below = ahead.slice(1);
  // R's write.table names no column of row names.
  const shorter =
    below.length > 0 &&
    below.every((other) => other.fields.length === fields.length + 1) &&
    below.some((other) => other.fields.at(-1) !== '');
  const names = shorter ? ['', ...fields] : [...fields];
  if (header) return names;
  const isNumber = (field: string) => Number.isFinite(numberOf(field, comma));
  const [, ...rest] = names;
  if (names.every((field) => field === '' || !looksLikeValue(field)) && names.some((field) => field !== ''))
    return names;
  if (shorter && rest.every(isNumber))
    throw new EpochscopeError(
      'format',
      `${file}: line ${line} has ${fields.length} fields, those below have ${names.length}: if it names the columns and the first of those below the rows, give \`header: true\`; else a field is missing`,
      { file, line },
    );
  // pandas numbers columns without names.
  if (names[0] === '' && rest.length > 0 && rest.every(isNumber)) {
    const column = below.map((other) => other.fields[0]!);
    if (column.every((field, i) => !isNumber(field) || Number(field) === i || Number(field) === i + 1))
      return names;
  }
  // pandas writes arrays under 0,1,2,…; two columns of such a start are as likely points.
  if (names.length > 2 && names.every((field, i) => field === String(i)))
    throw new EpochscopeError(
      'format',
      `${file}: line ${line}, ${some(names, 6)}, may name the columns or be the first sample: give \`header: true\` or \`header: false\``,
      { file, line },
    );
  return null;
}

const NAMES = { '.': 'dot', ',': 'comma' };

/** A column in an option: its name where that is one plain word of its own, else its number. */
function wordOf(titles: readonly string[], c: number): string {
  const title = titles[c]!;
  const plain = /^[\p{L}\p{N}_.]{1,60}$/u.test(title) && titles.indexOf(title) === titles.lastIndexOf(title);
  return plain ? title : `${c + 1}`;
}

/** What a field that is no number is told, with the way out. */
function refusal(
  field: string,
  titles: readonly string[],
  c: number,
  { decimal, missing, dissimilarities }: TableOptions,
  mayBeHeader: boolean,
): string {
  const shown =
    field === '' ? 'nothing' : JSON.stringify(field.length > 40 ? `${field.slice(0, 40)}…` : field);
  const ways: string[] = [];
  if (mayBeHeader) ways.push('if this line names the columns, give `header: true`');
  const [mark, other] = decimal === ',' ? ([',', '.'] as const) : (['.', ','] as const);
  const isComma = `if the ${NAMES[other]} is the decimal mark, give \`decimal: ${other}\``;
  const word = wordOf(titles, c);
  if (isMissing(field) && !missing && !dissimilarities)
    ways.push(`\`missing: true\` leaves missing values out pair by pair, \`drop: ${word}\` the column`);
  else if (isMissing(field)) ways.push('dissimilarities must all be there');
  else if (isGrouped(field, other)) {
    ways.push(`marks between thousands are not read: write ${field.replaceAll(other, '')}`);
    if (field.indexOf(other) === field.length - 4) ways.push(isComma);
  } else if (isGrouped(field, mark)) ways.push(`${isComma}, and write no marks between thousands`);
  else if (Number.isFinite(numberOf(field, mark === '.'))) ways.push(isComma);
  else if (looksLikeValue(field))
    ways.push(`write it as a plain finite number, or \`drop: ${word}\` leaves the column out`);
  else if (!mayBeHeader)
    ways.push(
      `\`labels: ${word}\` takes the column as labels, \`index: ${word}\` as row names, \`drop: ${word}\` leaves it out, \`metric: gower\` compares text too`,
    );
  return `expected a finite number, got ${shown}${ways.length ? `; ${ways.join('; ')}` : ''}`;
}

/** Codes in place of a column's numbers if any of its fields is text; null for a column of numbers. */
function categoriesOf(
  column: readonly string[],
  data: Float64Array,
  k: number,
  d: number,
  comma: boolean,
  missing: boolean,
): string[] | null {
  const isText = (field: string) =>
    !Number.isFinite(numberOf(field, comma)) && !(missing && isMissing(field));
  if (!column.some(isText)) return null;
  const codes = new Map<string, number>();
  column.forEach((field, row) => {
    if (missing && isMissing(field)) return;
    if (!codes.has(field)) codes.set(field, codes.size);
    data[row * d + k] = codes.get(field)!;
  });
  return [...codes.keys()];
}
