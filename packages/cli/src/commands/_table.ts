import { DTYPE_BYTES, type MatrixOptions } from '@epochscope/analysis/formats';
import { type Command, InvalidArgumentError } from 'commander';
import { names, oneOf } from './_shared.js';

/** How a file of one matrix is read: the same for every command that takes one. */
export interface TableFlags {
  names?: string;
  index?: string;
  columns?: string[];
  drop?: string[];
  header?: boolean;
  delimiter?: MatrixOptions['delimiter'];
  raw?: MatrixOptions['raw'];
  decimal?: MatrixOptions['decimal'];
  missing?: 'pairwise';
}

export const tableOptions = (command: Command): Command =>
  command
    .option('--names <column>', 'for a file: column:NAME holds the names of the rows')
    .option('--index <column>', 'for a file: the same, by NAME alone; none: no column does')
    .option('--columns <names>', 'for a file: only these columns, by name, number from 1 or range 2-5', names)
    .option('--drop <names>', 'for a file: all columns but these', names)
    .option('--header', 'for a table: the first line names the columns')
    .option('--no-header', 'for a table: the first line is a sample')
    .option(
      '--delimiter <text>',
      'for a table: comma, semicolon, tab, blank, bar, or the character',
      delimiter,
    )
    .option(
      '--raw <numbers>',
      'for a file: no more than numbers, row after row, little-endian: TYPE:COLUMNS such as float32:84',
      rawRows,
    )
    .option('--decimal <mark>', 'for a table: the decimal mark, "." or ","', oneOf(['.', ','] as const))
    .option(
      '--missing <how>',
      'for a file: pairwise leaves missing values out pair by pair',
      oneOf(['pairwise'] as const),
    );

/** As the workflows on files take them. Throws as a wrong usage. */
export const tableOf = (o: TableFlags): { missing: boolean; table: MatrixOptions } => ({
  missing: o.missing !== undefined,
  table: {
    header: o.header,
    delimiter: o.delimiter,
    decimal: o.decimal,
    columns: o.columns,
    drop: o.drop,
    raw: o.raw,
    index: columnName(o.names) ?? o.index,
  },
});

/** The flags that were given, for a target that is no file. */
export const flagsOfTable = (o: TableFlags): Record<string, boolean> =>
  Object.fromEntries(
    (['names', 'index', 'columns', 'drop', 'header', 'delimiter', 'raw', 'decimal', 'missing'] as const).map(
      (key) => [`--${key}`, o[key] !== undefined],
    ),
  );

const DELIMITERS: Record<string, MatrixOptions['delimiter']> = {
  comma: ',',
  semicolon: ';',
  tab: '\t',
  '\\t': '\t',
  blank: ' ',
  space: ' ',
  bar: '|',
};

function delimiter(text: string): MatrixOptions['delimiter'] {
  const found = DELIMITERS[text] ?? Object.values(DELIMITERS).find((mark) => mark === text);
  if (!found) throw new InvalidArgumentError('expected comma, semicolon, tab, blank or bar.');
  return found;
}

/** "float32:84". */
function rawRows(text: string): MatrixOptions['raw'] {
  const [, dtype, columns] = /^([a-z]+\d*):(\d{1,9})$/.exec(text) ?? [];
  if (!dtype || !Object.hasOwn(DTYPE_BYTES, dtype) || Number(columns) < 1)
    throw new InvalidArgumentError('expected TYPE:COLUMNS such as float32:84, uint8:784 or float64:10.');
  return { dtype: dtype as keyof typeof DTYPE_BYTES, columns: Number(columns) };
}

/** "column:NAME" → NAME. */
function columnName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const name = /^column:(.+)$/.exec(text)?.[1];
  if (!name) throw new InvalidArgumentError(`--names: expected column:NAME, got ${JSON.stringify(text)}`);
  return name;
}
