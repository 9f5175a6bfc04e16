import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { readMaybeGzipped } from './gzip.js';
import type { ByteSource } from './types.js';

/** Larger texts are refused: .npy is a tenth of the time and half the size. */
export const MAX_CSV_BYTES = 400_000_000;
/** A line longer than this is refused: 100 000 columns of 20 characters. */
export const MAX_CSV_LINE = 4_000_000;

export interface CsvOptions {
  /** Whether the first line names the columns; by default it does when none of its fields is a number. */
  header?: boolean;
  /** By default told from the first line: tab, semicolon, comma, or else blanks. */
  delimiter?: ',' | ';' | '\t' | ' ';
}

export interface Csv {
  /** float64, rows × columns. */
  matrix: { data: Float64Array; shape: [rows: number, columns: number] };
  /** null without a header. */
  columns: string[] | null;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * A matrix of numbers from comma-, semicolon-, tab- or blank-separated text, plain or gzipped, UTF-8 with or without
 * byte order mark. Lines end in LF or CRLF; empty lines and lines that begin with # (NumPy's savetxt) are passed over.
 * Every other line must have as many fields as the first. Fields may be quoted; a quoted field ends on its line.
 * Empty fields, NaN, infinities, numbers beyond float64 and decimal commas are refused: `format`, with line and column
 * (both from 1). No data lines: a matrix of 0 rows. O(bytes) time; 8 bytes a number besides the text.
 */
export async function readCsv(source: ByteSource, options: CsvOptions = {}): Promise<Csv> {
  const bytes = await readMaybeGzipped(source, MAX_CSV_BYTES);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let columns: string[] | null = null;
  let width = -1;
  let delimiter = options.delimiter;
  let data = new Float64Array(1024);
  let filled = 0;
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;

  for (let line = 1; at < bytes.length; line++) {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline;
    const fail = (message: string, column?: number): never => {
      throw new EpochscopeError(
        'format',
        `${source.name}: line ${line}${column === undefined ? '' : `, column ${column}`}: ${message}`,
        { file: source.name, line, column },
      );
    };
    if (end - at > MAX_CSV_LINE) fail(`expected at most ${MAX_CSV_LINE} bytes a line, got ${end - at}`);
    let text = '';
    try {
      text = decoder.decode(bytes.subarray(at, end)).replace(/\r$/, '');
    } catch {
      fail('expected UTF-8 text');
    }
    at = end + 1;
    const trimmed = text.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;

    delimiter ??= guessDelimiter(trimmed);
    // A tab at the edge of a line is an empty field, a blank is nothing.
    const fields = split(delimiter === ' ' ? trimmed : text, delimiter, fail);
    if (width < 0) {
      width = fields.length;
      const numbers = fields.filter((field) => NUMBER.test(field)).length;
      if (options.header ?? numbers === 0) {
        columns = fields;
        continue;
      }
    }
    if (fields.length !== width) fail(`expected ${width} fields as in the first line, got ${fields.length}`);
    if (filled + width > data.length) {
      const larger = new Float64Array(Math.max(2 * data.length, filled + width));
      larger.set(data.subarray(0, filled));
      data = larger;
    }
    for (let c = 0; c < width; c++) {
      const field = fields[c]!;
      const value = NUMBER.test(field) ? Number(field) : Number.NaN;
      if (!Number.isFinite(value)) fail(`expected a finite number, got ${shown(field)}`, c + 1);
      data[filled++] = value;
    }
  }
  guard(width > 0, 'format', () => `${source.name}: expected lines of numbers, got none`, {
    file: source.name,
  });
  return { matrix: { data: data.slice(0, filled), shape: [filled / width, width] }, columns };
}

const shown = (field: string) =>
  field === '' ? 'nothing' : JSON.stringify(field.length > 40 ? `${field.slice(0, 40)}…` : field);

function guessDelimiter(line: string): ',' | ';' | '\t' | ' ' {
  for (const candidate of ['\t', ';', ','] as const) if (line.includes(candidate)) return candidate;
  return ' ';
}

function split(text: string, delimiter: string, fail: (message: string, column?: number) => never): string[] {
  if (!text.includes('"')) {
    return delimiter === ' ' ? text.split(/[ \t]+/) : text.split(delimiter).map((field) => field.trim());
  }
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    while (text[at] === ' ') at++;
    if (text[at] === '"') {
      let field = '';
      let close = text.indexOf('"', at + 1);
      // A doubled quote stands for one.
      while (close >= 0 && text[close + 1] === '"') {
        field += text.slice(at + 1, close + 1);
        at = close + 1;
        close = text.indexOf('"', at + 1);
      }
      if (close < 0) fail('a quoted field does not end on its line', fields.length + 1);
      fields.push((field + text.slice(at + 1, close)).trim());
      at = close + 1;
      while (text[at] === ' ' && delimiter !== ' ') at++;
      if (at < text.length && text[at] !== delimiter)
        fail(
          `expected ${JSON.stringify(delimiter)} after a quoted field, got ${JSON.stringify(text[at])}`,
          fields.length,
        );
    } else {
      const next = text.indexOf(delimiter, at);
      const end = next < 0 ? text.length : next;
      fields.push(text.slice(at, end).trim());
      at = end;
    }
    if (at >= text.length) return fields;
    at++;
  }
}
