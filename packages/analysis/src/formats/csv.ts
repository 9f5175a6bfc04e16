import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { budgetOf } from './budget.js';
import { unpackedPieces } from './gzip.js';
import type { ByteSource } from './types.js';

// Lines of fields, as spreadsheets, pandas, R and NumPy write them. What the fields mean is told in matrices/table.ts.
// No library: those there are for both Node and pages know no blank-separated text, take a broken quote for data, or name no column.

/** A line longer than this is refused: 100 000 columns of 20 characters. */
export const MAX_CSV_LINE = 4_000_000;

export type CsvDelimiter = ',' | ';' | '\t' | ' ' | '|';

export interface CsvLine {
  /** Where it begins, from 1. */
  line: number;
  fields: string[];
}

export interface CsvLines {
  /** Told from the first line unless given: tab, semicolon, comma, bar, or else blanks. */
  delimiter: CsvDelimiter;
  /** Lines that begin with # and were passed over. */
  comments: number;
}

/**
 * Lines of comma-, semicolon-, tab-, bar- or blank-separated text, plain or gzipped, UTF-8 (or UTF-16 with its mark), with or without
 * byte order mark. Lines end in LF or CRLF; empty ones and those that begin with # (NumPy's savetxt) are passed over. Fields lose
 * blanks around them and may be quoted; a quoted field may hold line breaks. Throws `format` with line and column (both from 1),
 * `memory`, `cancelled`. Time linear in the bytes; memory a few megabytes.
 */
export async function* readCsvLines(
  source: ByteSource,
  given: CsvDelimiter | undefined,
  decimalComma: boolean,
): AsyncGenerator<CsvLine & { about: CsvLines }> {
  const about: CsvLines = { delimiter: given ?? ',', comments: 0 };
  let known = given !== undefined;
  const budget = budgetOf(source);
  let open: { line: number; text: string } | null = null;
  let line = 0;
  for await (const lines of textLines(source)) {
    for (const raw of lines) {
      line++;
      const fail = (message: string, column?: number): never =>
        failAt(source, message, open?.line ?? line, column);
      if (open === null) {
        const trimmed = raw.trim();
        if (trimmed === '') continue;
        if (trimmed.startsWith('#')) {
          about.comments++;
          continue;
        }
      }
      const begun: number = open === null ? line : open.line;
      const text: string = open === null ? raw : `${open.text}\n${raw}`;
      if (text.length > MAX_CSV_LINE)
        fail(
          `expected at most ${MAX_CSV_LINE} characters a line, got more${open ? ': a quote that does not end?' : ''}`,
        );
      if (!known) about.delimiter = guessDelimiter(text.trim(), decimalComma);
      known = true;
      // A tab at the edge of a line is an empty field, a blank is nothing.
      const fields = split(about.delimiter === ' ' ? text.trim() : text, about.delimiter, fail);
      if (fields === null) {
        open = { line: begun, text };
        continue;
      }
      open = null;
      yield { line: begun, fields, about };
    }
    await budget.rest();
  }
  if (open) failAt(source, 'a quoted field does not end', open.line);
}

function failAt(source: ByteSource, message: string, line: number, column?: number): never {
  throw new EpochscopeError(
    'format',
    `${source.name}: line ${line}${column === undefined ? '' : `, column ${column}`}: ${message}`,
    { file: source.name, line, column },
  );
}

/** Lines without their ends, a batch at a time. */
async function* textLines(source: ByteSource): AsyncGenerator<string[]> {
  let decoder: TextDecoder | null = null;
  let rest = '';
  let seen = 0;
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes ? decoder!.decode(bytes, { stream: true }) : (decoder?.decode() ?? '');
    } catch {
      throw new EpochscopeError('format', `${source.name}: line ${seen + 1} or later: expected UTF-8 text`, {
        file: source.name,
        line: seen + 1,
      });
    }
  };
  for await (const bytes of unpackedPieces(source)) {
    const utf16 =
      bytes[0] === 0xff && bytes[1] === 0xfe
        ? 'utf-16le'
        : bytes[0] === 0xfe && bytes[1] === 0xff
          ? 'utf-16be'
          : null;
    decoder ??= new TextDecoder(utf16 ?? 'utf-8', { fatal: true });
    const lines = (rest + decode(bytes)).split('\n');
    rest = lines.pop()!;
    guard(
      rest.length <= MAX_CSV_LINE,
      'format',
      () =>
        `${source.name}: line ${seen + lines.length + 1}: expected at most ${MAX_CSV_LINE} characters a line, got more`,
      { file: source.name, line: seen + lines.length + 1 },
    );
    seen += lines.length;
    yield lines.map(withoutReturn);
  }
  rest += decode();
  if (rest !== '') yield [withoutReturn(rest)];
}

const withoutReturn = (text: string) => (text.endsWith('\r') ? text.slice(0, -1) : text);

function guessDelimiter(line: string, decimalComma: boolean): CsvDelimiter {
  const bare = line.replace(/"[^"]*"/g, '');
  for (const candidate of ['\t', ';', ',', '|'] as const)
    if (bare.includes(candidate) && !(candidate === ',' && decimalComma)) return candidate;
  return ' ';
}

/** The fields of a line; null where a quoted field goes on in the next. */
function split(
  text: string,
  delimiter: CsvDelimiter,
  fail: (message: string, column?: number) => never,
): string[] | null {
  if (!text.includes('"')) {
    if (delimiter === ' ') return text.split(/[ \t]+/);
    const fields = text.split(delimiter);
    for (let i = 0; i < fields.length; i++) fields[i] = fields[i]!.trim();
    return fields;
  }
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    while (text[at] === ' ') at++;
    if (text[at] === '"') {
      const parts: string[] = [];
      let from = at + 1;
      let close = text.indexOf('"', from);
      // A doubled quote stands for one.
      while (close >= 0 && text[close + 1] === '"') {
        parts.push(text.slice(from, close + 1));
        from = close + 2;
        close = text.indexOf('"', from);
      }
      if (close < 0) return null;
      parts.push(text.slice(from, close));
      fields.push(parts.join('').trim());
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
